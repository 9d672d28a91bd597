// Procedure 1 of the paper, the active line lit, and that line with this drawing's numbers in it.

import { element, escaped, fixed, markup, percent, setHtml, setText, signedText } from "./drawing.js";
import { capsuleAt } from "./routing.js";
import { say } from "./texts.js";

// Each line's text, its formula, and the step of the clock that it is.
const LINES = [
  { name: "procedure", formula: "û<sub>j|i</sub>" },
  { name: "start", formula: "b<sub>ij</sub> ← 0", indent: 1 },
  { name: "loop", formula: "", indent: 1 },
  { name: "softmax", formula: "c<sub>i</sub> ← softmax(b<sub>i</sub>)", indent: 2, step: 0 },
  { name: "sum", formula: "s<sub>j</sub> ← Σ<sub>i</sub> c<sub>ij</sub> û<sub>j|i</sub>", indent: 2, step: 1 },
  { name: "squash", formula: "v<sub>j</sub> ← squash(s<sub>j</sub>)", indent: 2, step: 2 },
  { name: "agreement", formula: "b<sub>ij</sub> ← b<sub>ij</sub> + û<sub>j|i</sub> · v<sub>j</sub>", indent: 2, step: 3 },
  { name: "result", formula: "v<sub>j</sub>", indent: 1 },
];

export class Algorithm {
  constructor(app) {
    this.app = app;
    this.lines = LINES.map(({ name, formula, indent = 0, step }) => {
      const text = markup(`routing.algorithm.${name}`, { formula });
      const line = element("li", { class: `indent-${indent}`, "data-tip": say(`routing.algorithm.${name}Tip`, app.shape) });
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
      element("h2", {}, say("routing.algorithm.title")),
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
    const said = { ...app.shape, ...capsuleAt(app.payload, app.capsule), name: app.name(app.digit), capsule: app.capsule };
    setText(this.title, say("routing.algorithm.here", said));
    setHtml(this.numbers, [this.softmax, this.sum, this.squash, this.agreement][step].call(this, iteration));
  }

  // A paragraph below the numbers.
  sentence(name) {
    return `<p>${escaped(say(`routing.algorithm.${name}`, this.app.shape))}</p>`;
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
      this.sentence(r ? "shared" : "uniform")
    );
  }

  sum(r) {
    const { app } = this;
    const at = app.capsule * app.payload.digits + app.digit;
    const { share } = app.routing;
    const whole = app.sumLengths(r)[app.digit];
    const j = escaped(app.name(app.digit));
    const formula =
      `c (û · v)/|v| = ${fixed(app.routing.c[r][at], 4)} × ${fixed(share[r][at] / app.routing.c[r][at], 4)} ` +
      `= <b>${signedText(share[r][at], 4)}</b>`;
    return (
      `<p>s<sub>${j}</sub> = Σ<sub>i</sub> c<sub>i${j}</sub> û<sub>${j}|i</sub>, |s<sub>${j}</sub>| = <b>${fixed(whole, 3)}</b></p>` +
      `<p>${markup("routing.algorithm.share", { formula, part: percent(share[r][at] / whole) })}</p>`
    );
  }

  squash(r) {
    const { app } = this;
    const whole = app.sumLengths(r)[app.digit];
    return (
      `<p>|v<sub>${escaped(app.name(app.digit))}</sub>| = |s|² / (1 + |s|²) = ${fixed(whole ** 2, 3)} / ${fixed(1 + whole ** 2, 3)} ` +
      `= <b>${fixed(app.lengths(r)[app.digit], 4)}</b></p>` +
      this.sentence("squashed")
    );
  }

  agreement(r) {
    const { app } = this;
    const at = app.capsule * app.payload.digits + app.digit;
    const last = r === app.payload.iterations - 1;
    return (
      `<p>b + û · v = ${fixed(app.routing.b[r][at], 5)} ${app.routing.agreement[r][at] < 0 ? "−" : "+"} ` +
      `${fixed(Math.abs(app.routing.agreement[r][at]), 5)} = <b>${fixed(app.routing.b[r + 1][at], 4)}</b></p>` +
      this.sentence(last ? "last" : "next")
    );
  }
}
