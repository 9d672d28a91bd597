// Procedure 1 of the paper, the active line lit, and that line with this drawing's numbers in it.

const LINES = [
  {
    text: "<b>procedure</b> Routing(û<sub>j|i</sub>, r, l)",
    tip: "Procedure 1 of the paper. û: the votes of capsules i in layer l (1152 primary capsules) for capsules j in the next (ten digits). r: number of iterations, R on this page.",
  },
  {
    text: "for all i, j: b<sub>ij</sub> ← 0",
    indent: 1,
    tip: "The logits b start at 0 for every image: nothing is carried over from the image before, and they are not learned.",
  },
  { text: "<b>for</b> r iterations <b>do</b>", indent: 1, tip: "The network was trained with 3. With 1, c stays uniform: no routing." },
  {
    text: "for all i: c<sub>i</sub> ← softmax(b<sub>i</sub>)",
    indent: 2,
    step: 0,
    tip: "Coupling coefficients (Eq. 3): each capsule i shares itself out among the ten digits; its ten c sum to 1.",
  },
  {
    text: "for all j: s<sub>j</sub> ← Σ<sub>i</sub> c<sub>ij</sub> û<sub>j|i</sub>",
    indent: 2,
    step: 1,
    tip: "Each digit capsule sums the votes for it, weighted by c (Eq. 2).",
  },
  {
    text: "for all j: v<sub>j</sub> ← squash(s<sub>j</sub>)",
    indent: 2,
    step: 2,
    tip: "The direction stays, the length comes below 1 (Eq. 1): how surely the digit is there.",
  },
  {
    text: "for all i, j: b<sub>ij</sub> ← b<sub>ij</sub> + û<sub>j|i</sub> · v<sub>j</sub>",
    indent: 2,
    step: 3,
    tip: "Agreement: a vote that points the way of what all votes came to raises b, one that points away lowers it. The next softmax compares a capsule’s ten b: the digit that its vote agreed with most gains weight.",
  },
  { text: "<b>return</b> v<sub>j</sub>", indent: 1, tip: "Ten vectors of 16 numbers; the longest is the answer." },
];

class Algorithm {
  constructor(app) {
    this.app = app;
    this.lines = LINES.map(({ text, indent = 0, step, tip }) => {
      const line = element("li", { class: `indent-${indent}`, "data-tip": tip });
      if (step === undefined) {
        line.innerHTML = text;
        line.tabIndex = 0; // so that its tip can be read without a mouse
      } else {
        const button = element("button", {
          type: "button",
          onclick: () => app.clock.go(4 * app.now.iteration + step),
        });
        button.innerHTML = text;
        line.append(button);
      }
      return { line, step };
    });
    this.title = element("h3", {});
    this.numbers = element("div", { class: "numbers", "aria-live": "polite", "data-testid": "numbers" });
    this.element = element(
      "section",
      { class: "algorithm" },
      element("h2", {}, "The algorithm, line by line"),
      element("ol", { class: "procedure" }, ...this.lines.map(({ line }) => line)),
      this.title,
      this.numbers,
    );
  }

  load() {}

  measure() {}

  draw() {
    const { app } = this;
    const { iteration, step } = app.now;
    for (const { line, step: own } of this.lines) {
      line.classList.toggle("active", own === step);
      if (own === step) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    }
    const { type, row, column } = capsuleAt(app.payload, app.capsule);
    setText(this.title, `Here: digit j = ${app.digit}, capsule i = ${app.capsule} (type ${type}, row ${row}, column ${column})`);
    setHtml(this.numbers, [this.softmax, this.sum, this.squash, this.agreement][step].call(this, iteration));
  }

  softmax(r) {
    const { app } = this;
    const { digits } = app.payload;
    const first = app.capsule * digits;
    const row = app.routing.b[r].subarray(first, first + digits);
    const total = row.reduce((sum, b) => sum + Math.exp(b), 0);
    const b = row[app.digit];
    return (
      `<p>c = e<sup>b</sup> / Σ<sub>k</sub> e<sup>b<sub>k</sub></sup> = e<sup>${fixed(b, 3)}</sup> / ` +
      `${fixed(total, 3)} = <b>${fixed(app.routing.c[r][first + app.digit], 4)}</b></p>` +
      `<p>${r ? "The ten sum to 1: what one digit gains, the others lose." : "b starts at 0 for every image, so all ten are 1/10. They are not learned; W is."}</p>`
    );
  }

  sum(r) {
    const { app } = this;
    const at = app.capsule * app.payload.digits + app.digit;
    const { share } = app.routing;
    const whole = app.sumLengths(r)[app.digit];
    return (
      `<p>s<sub>${app.digit}</sub> = Σ<sub>i</sub> c<sub>i${app.digit}</sub> û<sub>${app.digit}|i</sub>, |s<sub>${app.digit}</sub>| = <b>${fixed(whole, 3)}</b></p>` +
      `<p>This capsule’s share: c (û · v)/|v| = ${fixed(app.routing.c[r][at], 4)} × ${fixed(share[r][at] / app.routing.c[r][at], 4)} ` +
      `= <b>${signedText(share[r][at], 4)}</b>, ${percent(share[r][at] / whole)} of it</p>`
    );
  }

  squash(r) {
    const { app } = this;
    const whole = app.sumLengths(r)[app.digit];
    return (
      `<p>|v<sub>${app.digit}</sub>| = |s|² / (1 + |s|²) = ${fixed(whole ** 2, 3)} / ${fixed(1 + whole ** 2, 3)} ` +
      `= <b>${fixed(app.lengths(r)[app.digit], 4)}</b></p>` +
      "<p>The direction stays, the length comes below 1: how surely the digit is there. Each digit is squashed for itself; the ten need not sum to 1.</p>"
    );
  }

  agreement(r) {
    const { app } = this;
    const at = app.capsule * app.payload.digits + app.digit;
    const last = r === app.payload.iterations - 1;
    return (
      `<p>b + û · v = ${fixed(app.routing.b[r][at], 5)} ${app.routing.agreement[r][at] < 0 ? "−" : "+"} ` +
      `${fixed(Math.abs(app.routing.agreement[r][at]), 5)} = <b>${fixed(app.routing.b[r + 1][at], 4)}</b></p>` +
      `<p>${last ? "Nothing reads this last b any more: there is no softmax after it. v is returned, and the next image starts at b = 0." : "Where the vote points the way of v, b grows. The next c grows if b grew more than for this capsule’s other digits: the softmax compares the ten."}</p>`
    );
  }
}
