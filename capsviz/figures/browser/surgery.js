// Surgery: the same votes, coupled in another way; lengths and reconstruction before and after.

import { couplingMeasured, couplingText, tellRule } from "./couplings.js";
import { element, fixed, inkCanvas, setText } from "./drawing.js";
import { Experiment, Toggles, experimentText, operating } from "./experiment.js";
import { capsuleAt, mapFrame } from "./routing.js";
import { number, say } from "./texts.js";

const CARRIED = "carried"; // as app/experiments.py has it
const MOST_ROUNDS = 50; // of an experiment, as traces/surgery.py has it
const KEPT = ["uniform", "mean", "random"]; // couplings that stay as they are, however often routing goes round

export class Surgery extends Experiment {
  constructor(root, data, report) {
    super(root, data, report);
    this.intro = element("p", { class: "surgery-intro" });
    this.places = new Toggles("place", data.places.length, data.grid.columns, (index) => capsuleAt(data, index), (chosen) =>
      this.change({ places: chosen }),
    );
    this.types = new Toggles("type", data.types.length, Math.min(data.types.length, 8), (index) => ({ type: index }), (chosen) =>
      this.change({ types: chosen }),
    );
    this.places.lieOver(mapFrame(data), data);
    this.element.append(
      element("h2", {}, say("surgery.title")),
      this.intro,
      element("div", { class: "surgery-body" }, this.controls(data), this.silencing(), this.results(data)),
    );
  }

  controls(data) {
    this.experiments = [...Object.keys(data.couplings), CARRIED];
    this.bias = element("input", { type: "checkbox", onchange: () => this.change({ bias: this.bias.checked }) });
    this.rounds = element("input", {
      type: "range",
      min: 1,
      max: MOST_ROUNDS,
      step: 1,
      "aria-label": say("surgery.iterations"),
      oninput: () => this.change({ iterations: Number(this.rounds.value) }),
    });
    this.roundsText = element("output");
    this.seedText = element("output");
    this.seed = element(
      "span",
      { class: "extra" },
      element("button", { type: "button", onclick: () => this.change({ seed: this.operation.seed + 1 }) }, say("surgery.again")),
      this.seedText,
    );
    this.select = element("select", {
      "aria-label": say("surgery.keptLabel"),
      onchange: () => this.change({ example: this.select.value }),
    });
    this.example = element("label", { class: "extra" }, `${say("surgery.kept")} `, this.select);
    return element(
      "div",
      { class: "operation" },
      this.choices(this.experiments, "surgery", "coupling"),
      this.what,
      element("div", { class: "extras" }, this.seed, this.example),
      element("label", { class: "rounds" }, "R ", this.rounds, this.roundsText),
      element("label", { "data-tip": say("coupling.biasTip") }, this.bias, ` ${say("coupling.bias")}`),
      this.undo,
    );
  }

  silencing() {
    return element(
      "div",
      { class: "silencing" },
      element("figure", {}, element("figcaption", {}, say("surgery.silencePlaces")), this.places.element),
      element("figure", {}, element("figcaption", {}, say("surgery.silenceTypes")), this.types.element),
      element("p", { class: "look" }, say("surgery.silenced")),
    );
  }

  reset() {
    this.change({ coupling: "routing", iterations: null, bias: false, types: [], places: [] });
  }

  written() {
    const { coupling, iterations, bias, seed, example, types, places } = this.operation;
    const { before, examples } = this.data;
    const text = experimentText(coupling, {
      R: iterations !== null && iterations !== before.iterations && iterations,
      bias: Boolean(bias) && 1,
      seed: coupling === "random" && seed,
      of: coupling === CARRIED && examples.indexOf(example),
      types,
      places,
    });
    return text === "routing" ? undefined : text;
  }

  load(data) {
    data.operation.example ||= data.examples[1];
    super.load(data);
  }

  show() {
    const { data, operation } = this;
    setText(this.intro, [say("surgery.intro"), data.measured, say("surgery.see")].filter(Boolean).join(" "));
    const iterations = operation.iterations ?? data.before.iterations;
    for (const { coupling, input } of this.inputs) input.checked = coupling === operation.coupling;
    const words = { ...this.shape, images: number(data.rule?.averaged ?? 0) };
    const what = couplingText(operation.coupling, "What", ["surgery", "coupling"], words);
    const silenced = operation.types.length + operation.places.length > 0;
    const tested = operation.coupling !== CARRIED && !silenced;
    tellRule(this.what, tested ? `${what} ${couplingMeasured(data.rule, data.couplings[operation.coupling])}` : what);
    this.bias.checked = operation.bias;
    this.rounds.value = String(iterations);
    const kept = KEPT.includes(operation.coupling);
    this.rounds.disabled = kept;
    const rounds = kept ? "noEffect" : iterations === 1 && operation.coupling === "routing" ? "roundsUniform" : "rounds";
    setText(this.roundsText, say(`surgery.${rounds}`, { count: iterations }));
    this.seed.hidden = operation.coupling !== "random";
    setText(this.seedText, say("surgery.seed", { seed: operation.seed }));
    this.example.hidden = operation.coupling !== CARRIED;
    if (!this.select.children.length) {
      this.select.append(...data.examples.map((name) => element("option", { value: name }, data.exampleNames?.[name] ?? name)));
    }
    this.select.value = operation.example;
    this.places.show(data.places, operation.places, this.colours);
    this.places.drawUnder(inkCanvas(Uint8Array.from(data.image), data.size, 0.5));
    this.types.show(data.types, operation.types, this.colours);
    const untouched =
      operation.coupling === "routing" && iterations === data.before.iterations && !operation.bias && !silenced;
    const voteless = operation.places.length === this.places.buttons.length || operation.types.length === this.types.buttons.length;
    this.showOutcome(untouched, voteless);
    const [low, high] = data.rowSums;
    const sums = high - low >= 1e-3 ? "sumsBetween" : high < 0.9 ? "sumsAbout" : "sums";
    const said = { ...this.shape, sum: fixed((low + high) / 2, 3), low: fixed(low, 4), high: fixed(high, 4) };
    setText(this.sums, voteless ? "" : say(`surgery.${sums}`, said));
  }
}

const mount = operating(Surgery);

export default function mountSurgery(component) {
  return mount(component);
}
