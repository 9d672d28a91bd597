// Surgery on attention: the same votes, weighted in another way, or without some of the capsules.

import { element, fixed, setText } from "./drawing.js";
import { Experiment, Toggles, experimentText, operating } from "./experiment.js";
import { say } from "./texts.js";

const WEIGHTINGS = ["attention", "uniform", "coupling", "prior"]; // as traces/surgery.py has them
const ABREAST = 4; // capsules in a row of toggles

export class AttentionSurgery extends Experiment {
  constructor(root, data, report) {
    super(root, data, report);
    const count = data.capsules.length;
    this.capsules = new Toggles("capsule", count, Math.min(count, ABREAST), (index) => ({ capsule: index }), (chosen) =>
      this.change({ capsules: chosen }),
    );
    this.element.append(
      element("h2", {}, say("attention.surgery.title")),
      element("p", { class: "surgery-intro" }, say("attention.surgery.intro")),
      element("div", { class: "surgery-body" }, this.controls(), this.silencing(), this.results(data)),
    );
  }

  controls() {
    return element("div", { class: "operation" }, this.choices(WEIGHTINGS, "attention.surgery"), this.what, this.undo);
  }

  silencing() {
    return element(
      "div",
      { class: "silencing single" },
      element("figure", {}, element("figcaption", {}, say("attention.surgery.silence")), this.capsules.element),
      element("p", { class: "look" }, say("surgery.silenced")),
    );
  }

  reset() {
    this.change({ coupling: "attention", capsules: [] });
  }

  written() {
    const { coupling, capsules } = this.operation;
    const text = experimentText(coupling, { capsules });
    return text === WEIGHTINGS[0] ? undefined : text;
  }

  show() {
    const { data, operation } = this;
    for (const { coupling, input } of this.inputs) input.checked = coupling === operation.coupling;
    setText(this.what, say(`attention.surgery.${operation.coupling}What`, this.shape));
    this.capsules.show(data.capsules, operation.capsules, this.colours);
    const untouched = operation.coupling === "attention" && !operation.capsules.length;
    const voteless = operation.capsules.length === data.capsules.length;
    this.showOutcome(untouched, voteless);
    const [low, high] = data.rowSums;
    const sums = high - low >= 1e-3 ? "sumsBetween" : "sums";
    const said = { ...this.shape, sum: fixed((low + high) / 2, 3), low: fixed(low, 3), high: fixed(high, 3) };
    setText(this.sums, voteless ? "" : say(`attention.surgery.${sums}`, said));
  }
}

const mount = operating(AttentionSurgery);

export default function mountAttentionSurgery(component) {
  return mount(component);
}
