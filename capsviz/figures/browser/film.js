// Filmstrip: what each iteration came to, side by side; a click goes there.

class Film {
  constructor(app) {
    this.app = app;
    this.strip = element("div", { class: "film" });
    this.look = element("p", { class: "look" });
    this.element = element(
      "section",
      { class: "film-section" },
      element("h2", {}, "Filmstrip: after each iteration"),
      this.strip,
      this.look,
    );
  }

  load(payload) {
    const { app } = this;
    this.cells = payload.entropy.map(({ mean, least }, r) => {
      const picture = element("canvas", { width: 28, height: 28, class: "drawn", role: "img" });
      const lengths = app.lengths(r);
      const bars = Array.from(lengths, (length, digit) =>
        element(
          "span",
          { class: "bar", "data-digit": digit },
          element("i", { style: `height:${(100 * length).toFixed(1)}%;background:${payload.digitColours[digit]}` }),
          element("em", {}, String(digit)),
        ),
      );
      const caption = element("span", { class: "film-caption" });
      const cell = element(
        "button",
        {
          type: "button",
          class: "film-cell",
          "data-testid": `film-${r + 1}`,
          onclick: () => app.clock.go(4 * r + 2),
        },
        element("b", {}, `r = ${r + 1}`),
        picture,
        element("span", { class: "bars", "aria-hidden": "true" }, ...bars),
        caption,
        element(
          "span",
          {
            class: "film-caption",
            "data-tip":
              "Entropy of a primary capsule’s ten coefficients, in nats: ln 10 = 2.3026 where uniform, 0 where all goes to one digit. Mean over all capsules, and the lowest of any.",
          },
          `entropy ${fixed(mean, 5)}, lowest ${fixed(least, 4)}`,
        ),
      );
      return { cell, picture, caption, bars, lengths };
    });
    this.strip.replaceChildren(...this.cells.map(({ cell }) => cell));
    setText(
      this.look,
      `Compare the first iteration with the last. ${payload.measured ? `${payload.measured} ` : ""}` +
        `Entropy starts at ln ${payload.digits} = ${fixed(Math.log(payload.digits), 4)} (all ten alike). ` +
        "The image is what the chosen digit’s v alone draws; whether it is a good likeness is not measured here.",
    );
    this.drawn = null;
  }

  measure() {}

  draw() {
    const { app } = this;
    const { payload, focusDigit: digit } = app;
    const key = `${payload.id}/${digit}`;
    this.cells.forEach(({ cell, picture, caption, bars, lengths }, r) => {
      cell.classList.toggle("current", r === app.now.iteration);
      if (this.drawn === key) return;
      const first = (r * payload.digits + digit) * 784;
      picture.getContext("2d").drawImage(inkCanvas(payload.arrays.drawings.subarray(first, first + 784), 28), 0, 0);
      picture.setAttribute("aria-label", `what capsule ${digit} draws after iteration ${r + 1}`);
      setText(caption, `|v| of ${digit} is ${fixed(lengths[digit], 3)}`);
      bars.forEach((bar, own) => bar.classList.toggle("marked", own === digit));
    });
    this.drawn = key;
  }
}
