// What Streamlit's charts lack: to be one picture each, and to fit on paper. Sent with each chart, run once.

(() => {
  if (window.capsvizCharts) return;
  window.capsvizCharts = true;

  // Plotly's parts would be read out as three pictures of run-together numbers.
  const name = () => {
    document.querySelectorAll(".stPlotlyChart > :not([aria-hidden])").forEach((drawn) => {
      drawn.setAttribute("aria-hidden", "true");
      drawn.parentElement.setAttribute("role", "img");
    });
    document.querySelector("#js-plotly-tester:not([aria-hidden])")?.setAttribute("aria-hidden", "true"); // its ruler
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();

  // Plotly draws for the window's width; with a view box the same drawing takes the paper's. A chart that Plotly, which may
  // still be loading, has not drawn yet is there in numbers.
  const opened = new Set();
  window.addEventListener("beforeprint", () => {
    for (const svg of document.querySelectorAll(".stPlotlyChart .main-svg")) {
      const [width, height] = ["width", "height"].map((side) => svg.getAttribute(side));
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.parentElement.style.setProperty("--sides", `${width} / ${height}`);
    }
    for (const numbers of document.querySelectorAll(".cv-numbers:not([open])")) {
      const chart = numbers.closest(".stElementContainer")?.previousElementSibling;
      if (!chart || chart.querySelector(".main-svg")) continue;
      chart.setAttribute("data-undrawn", "");
      numbers.open = true;
      opened.add([chart, numbers]);
    }
  });
  window.addEventListener("afterprint", () => {
    document.querySelectorAll(".stPlotlyChart .main-svg").forEach((svg) => svg.removeAttribute("viewBox"));
    for (const [chart, numbers] of opened) {
      chart.removeAttribute("data-undrawn");
      numbers.open = false;
    }
    opened.clear();
  });
})();
