// The algorithm of self-attention routing, one line a step, and the chosen line with this drawing's numbers in it.

import { element, escaped, fixed, markup, percent, setHtml, setText, signedText } from "./drawing.js";
import { say } from "./texts.js";

const FORMULAS = {
  votes: "û<sub>j|i</sub> = W<sub>ij</sub> u<sub>i</sub>",
  attention: "A<sub>j</sub> = U<sub>j</sub> U<sub>j</sub>ᵀ / √D",
  score: "e<sub>ij</sub> = Σ<sub>k</sub> A<sub>j,ik</sub>",
  softmax: "c<sub>i</sub> = softmax(e<sub>i</sub>)",
  prior: "w<sub>ij</sub> = c<sub>ij</sub> + b<sub>ij</sub>",
  sum: "s<sub>j</sub> = Σ<sub>i</sub> w<sub>ij</sub> û<sub>j|i</sub>",
  squash: "v<sub>j</sub> = squash(s<sub>j</sub>)",
};

export class Steps {
  constructor(app) {
    this.app = app;
    this.lines = app.steps.map((name, step) => {
      const button = element("button", {
        type: "button",
        "data-tip": say(`attention.steps.${name}Tip`, app.shape),
        "data-testid": `step-${name}`,
        onclick: () => app.go(step),
      });
      button.innerHTML = `<span>${escaped(say(`attention.steps.${name}`))}</span> ${FORMULAS[name]}`;
      return element("li", {}, button);
    });
    this.list = element(
      "section",
      { class: "attention-steps" },
      element("h2", {}, say("attention.steps.title")),
      element("ol", { class: "procedure", "aria-label": say("attention.steps.label") }, ...this.lines),
    );
    this.title = element("h3");
    this.numbers = element("div", { class: "numbers", "aria-live": "polite", "data-testid": "numbers" });
    this.said = element("section", { class: "attention-numbers" }, this.title, this.numbers);
  }

  draw() {
    const { app } = this;
    this.lines.forEach((line, step) => {
      line.classList.toggle("active", step === app.step);
      if (step === app.step) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    });
    const name = app.steps[app.step];
    const said = { ...app.shape, name: app.name(app.digit), capsule: app.capsule, other: app.other };
    setText(this.title, say(name === "attention" ? "attention.steps.pair" : "attention.steps.here", said));
    setHtml(this.numbers, `<p>${this[name]()}</p><p>${escaped(say(`attention.steps.${name}Says`, app.shape))}</p>`);
  }

  votes() {
    const { app } = this;
    const lengths = { u: fixed(app.lengthOf("u", app.capsule), 3), vote: fixed(app.lengthOf("u_hat", app.vote()), 3) };
    return `|u| = ${lengths.u}, |û| = |W u| = <b>${lengths.vote}</b>`;
  }

  attention() {
    const { app } = this;
    const D = app.payload.pose;
    const value = app.attention(app.digit, app.capsule, app.other);
    const [i, k] = [app.capsule, app.other];
    return `û<sub>${i}</sub> · û<sub>${k}</sub> / √${D} = ${signedText(value * Math.sqrt(D), 4)} / ${fixed(Math.sqrt(D), 3)} = <b>${signedText(value, 4)}</b>`;
  }

  score() {
    const { app } = this;
    const row = Array.from({ length: app.payload.primary }, (_, k) => app.attention(app.digit, app.capsule, k));
    const [added, taken] = [1, -1].map((sign) => row.reduce((sum, a) => sum + Math.max(sign * a, 0), 0));
    const value = signedText(app.at("score"), 4);
    return `Σ<sub>k</sub> A<sub>${app.capsule}k</sub> = ${fixed(added, 4)} − ${fixed(taken, 4)} = <b>${value}</b>`;
  }

  softmax() {
    const { app } = this;
    const row = app.row("score");
    const most = Math.max(...row); // kept apart, so that no exponential is too large
    const whole = most + Math.log(row.reduce((sum, e) => sum + Math.exp(e - most), 0));
    const numbers = `${fixed(row[app.digit], 4)} ${whole < 0 ? "+" : "−"} ${fixed(Math.abs(whole), 4)}`;
    return `c = exp(e − ln Σ<sub>j</sub> exp(e<sub>j</sub>)) = exp(${numbers}) = <b>${fixed(app.at("c"), 4)}</b>`;
  }

  prior() {
    const { app } = this;
    const prior = app.at("prior");
    const sign = prior < 0 ? "−" : "+";
    return `c + b = ${fixed(app.at("c"), 4)} ${sign} ${fixed(Math.abs(prior), 4)} = <b>${signedText(app.at("weight"), 4)}</b>`;
  }

  sum() {
    const { app } = this;
    const [weight, share] = [app.at("weight"), app.at("share")];
    const whole = app.lengthOf("s", app.digit);
    const along = weight ? share / weight : 0;
    const formula =
      `w (û · v)/|v| = ${signedText(weight, 4)} × ${signedText(along, 4)} = <b>${signedText(share, 4)}</b>`;
    return markup("attention.steps.share", { formula, part: percent(share / whole), whole: fixed(whole, 4) });
  }

  squash() {
    const { app } = this;
    const whole = app.lengthOf("s", app.digit);
    return `|v| = 1 − exp(−|s|) = 1 − exp(−${fixed(whole, 4)}) = <b>${fixed(app.lengthOf("v", app.digit), 4)}</b>`;
  }
}
