// The Compare page: the drawing changed by measure, and what up to three networks make of it along one of the changes.
//
// Python measures ahead: for the change that is moved every picture over its whole range comes at once, with the answers at
// the value that is now; the other answers follow, a few at a time. Nothing is interpolated: what is shown at a value was
// measured there.

import { AddressWriter, readLink } from "./address.js";
import { Column } from "./compare_column.js";
import { couplingMeasured, couplingText, tellRule } from "./couplings.js";
import { Tip, element, keepForPaper, putInk, setText } from "./drawing.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { locked } from "./prepared.js";
import { Questions } from "./questions.js";
import { shapeWords } from "./routing.js";
import { number, percentSign, say } from "./texts.js";

const COLUMNS = 3;
const KEPT = 24; // payloads, of up to 0.2 MB each
const MOST_ROUNDS = 50; // as traces/surgery.py has it
const TABLES = ["coupling", "surgery"]; // of texts about rules of routing
const LARGE = 5; // steps of page up and page down
const GLANCE = 400; // milliseconds after which it is said that something is being measured

class CompareView {
  /** @type {any} what is shown */
  payload = null;
  /** @type {Record<string, number>} steps of each change from none */
  steps = {};
  /** @type {Map<string, any>} payloads by what they are of */
  kept = new Map();
  klass = 0; // the class whose score is drawn
  at = 0; // the place among the values whose answers are shown
  /** @type {any[]} what the columns' pictures are of */
  drawn = [];
  size = 16; // of the text

  /**
   * @param {HTMLElement} root
   * @param {(name: string, value: any) => void} report tells Python
   */
  constructor(root, report) {
    this.report = report;
    this.questions = new Questions((number) => {
      const more = !this.ahead && this.known();
      this.report("asked", { ...this.wanted(this.ahead ?? this.change), ahead: Boolean(this.ahead), more, number });
    });
    this.address = new AddressWriter();
    this.element = element("section", { class: "routing compare", "data-testid": "compare" });
    this.tip = new Tip(this.element);
    this.canvas = element("canvas", { class: "compare-seen", role: "img", "data-testid": "seen" });
    this.note = element("p", { class: "compare-note", role: "status" });
    this.sliders = element("div", { class: "compare-sliders" });
    this.undo = element("button", { type: "button", class: "reset", onclick: () => this.undoAll() });
    this.centre = element("p", { class: "look" });
    this.heading = element("h2");
    this.short = element("div", { class: "compare-short", "aria-hidden": "true" });
    const { heading, canvas, short, note, sliders, undo, centre } = this;
    this.controls = element("div", { class: "compare-controls" }, heading, canvas, short, note, sliders, undo, centre);
    this.select = element("select", { "data-testid": "class", onchange: () => this.name(Number(this.select.value)) });
    this.label = element("label", {});
    this.legend = element("p", { class: "look" });
    this.columns = Array.from({ length: COLUMNS }, (_, index) => new Column(this, index));
    this.grid = element("div", { class: "compare-columns" }, ...this.columns.map((column) => column.element));
    this.rule = this.rules();
    const top = element("p", { class: "compare-class" }, this.label);
    this.main = element("div", { class: "compare-main" }, top, this.grid, this.legend, this.rule);
    this.element.append(element("div", { class: "compare-body" }, this.controls, this.main));
    root.append(this.element);
    this.resized = new ResizeObserver(() => this.invalidate());
    this.resized.observe(this.element);
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => this.invalidate();
    this.theme.addEventListener("change", this.themed);
    this.part = new Part({ changes: () => this.controls, columns: () => this.main, rule: () => this.rule }, () => Boolean(this.payload), {
      compare: () => [this.heading, this.controls, this.main],
    });
    this.part.staged = { columns: () => [this.canvas, this.sliders, this.main] };
  }

  unmount() {
    this.part.unmount();
    this.questions.unmount();
    this.address.unmount();
    this.resized.disconnect();
    this.theme.removeEventListener("change", this.themed);
    cancelAnimationFrame(this.request);
    clearTimeout(this.hovering);
    clearTimeout(this.slow);
    clearTimeout(this.showing);
    this.element.remove();
  }

  rules() {
    this.coupling = element("select", { "data-testid": "rule", onchange: () => this.route({ coupling: this.coupling.value }) });
    this.rounds = element("input", {
      type: "range",
      min: 1,
      max: MOST_ROUNDS,
      step: 1,
      oninput: () => setText(this.roundsText, say("coupling.iterations", { count: Number(this.rounds.value) })),
      onchange: () => this.route({ iterations: Number(this.rounds.value) }),
    });
    this.roundsText = element("output");
    this.bias = element("input", { type: "checkbox", onchange: () => this.route({ bias: this.bias.checked }) });
    this.biasText = element("span");
    this.ruleText = element("span");
    this.what = element("p", { class: "look", "data-testid": "rule-measured" });
    return element(
      "div",
      { class: "compare-rule" },
      element("label", {}, this.ruleText, this.coupling),
      element("label", { class: "rounds" }, "R ", this.rounds, this.roundsText),
      (this.biasLabel = element("label", {}, this.bias, this.biasText)),
      this.what,
    );
  }

  // What is asked of Python: the changes, of which one over its whole range.
  wanted(change) {
    const steps = Object.fromEntries(Object.entries(this.steps).filter(([, count]) => count));
    return { change, steps, beside: this.beside, ...this.routed };
  }

  // What a payload is of: all that is wanted but where its own change stands.
  key(change) {
    const { steps, ...others } = this.wanted(change);
    return JSON.stringify([this.drawing, others, Object.entries(steps).filter(([name]) => name !== change).sort()]);
  }

  /** @param {any} payload another one, or the same again */
  load(payload) {
    const { asked, change, steps, columns } = payload;
    const known = this.payload !== null;
    const afresh = !known || (asked.number === 0 && payload.id !== this.first);
    this.drawing = JSON.stringify([payload.drawing, columns[0]?.name, columns[0]?.iterations, payload.texts.language]);
    if (afresh || (asked.problem && !this.questions.waiting)) {
      this.first = payload.id;
      this.change = change;
      this.steps = { ...steps };
      this.beside = payload.chosen ? payload.beside : null;
      this.routed = { coupling: asked.name, iterations: asked.iterations, bias: asked.bias };
    }
    // Networks that are not there are left out.
    if (!this.questions.waiting && asked.number >= this.questions.number) this.beside = payload.chosen ? payload.beside : null;
    if (!known || this.built !== payload.texts.language) this.build(payload);
    if (payload.drawing !== this.payload?.drawing || columns[0]?.name !== this.payload?.columns[0]?.name) this.aim(payload);
    this.keep(payload);
    this.ahead = null;
    this.questions.answered(asked.number, Boolean(asked.problem));
    this.problem = asked.problem;
    this.element.dataset.answered = String(asked.number);
    this.take();
    this.complete();
    this.part.obey();
  }

  keep(payload) {
    const steps = Object.entries(payload.steps).filter(([name, count]) => count && name !== payload.change).sort();
    const { name: coupling, iterations, bias } = payload.asked;
    const others = { change: payload.change, beside: payload.chosen ? payload.beside : null, coupling, iterations, bias };
    const key = JSON.stringify([this.drawing, others, steps]);
    this.kept.delete(key);
    this.kept.set(key, payload);
    for (const old of this.kept.keys()) if (this.kept.size > KEPT) this.kept.delete(old);
  }

  // Whether what the sliders say has been measured, whatever else of its curve is still to come.
  known(payload = this.kept.get(this.key(this.change))) {
    const { first } = payload?.changes[this.change] ?? {};
    return Boolean(payload) && this.columns.every((column) => column.knows(payload, this.steps[this.change] - first));
  }

  // The class whose score is drawn: that of the link, else what the first network answers without any change.
  aim(payload) {
    const linked = this.payload ? {} : readLink(window.location.search, payload.link).found;
    this.klass = linked.digit ?? payload.true;
    this.select.replaceChildren(...payload.classes.map((name, at) => element("option", { value: at }, name)));
    this.select.value = String(this.klass);
  }

  // What is not measured yet is asked for: after another drawing, all of it; then the rest of the curve, a few values at a time.
  complete() {
    if (this.problem || this.questions.asked !== null || locked("compare")) return;
    const payload = this.kept.get(this.key(this.change));
    if (!payload?.columns.every(({ whole }) => whole)) this.questions.ask();
  }

  // What is measured of where the sliders stand, if it is; until then, the answers that were shown stay.
  take() {
    const payload = this.kept.get(this.key(this.change));
    const known = this.known(payload);
    this.noteThat(known);
    if (known) this.at = this.steps[this.change] - payload.changes[this.change].first;
    if (payload && (known || this.payload === null)) {
      const another = payload !== this.payload;
      this.payload = payload;
      if (another) for (const column of this.columns) column.load(payload);
    }
    // Streamlit sends a question in a task of its own: what stands here until the answer comes is not to be drawn before.
    clearTimeout(this.showing);
    if (known) this.show();
    else this.showing = setTimeout(() => this.show());
  }

  // What is soon there needs no word: one that comes and goes would draw the eye from the answers.
  noteThat(known) {
    this.element.dataset.known = String(known);
    if (known || this.problem) {
      clearTimeout(this.slow);
      this.slow = null;
      setText(this.note, this.problem);
    } else this.slow ??= setTimeout(() => setText(this.note, say("compare.measuring")), GLANCE);
  }

  build(payload) {
    this.built = payload.texts.language;
    setText(this.heading, say("compare.changes"));
    setText(this.undo, say("compare.undo"));
    setText(this.centre, say("compare.centre"));
    setText(this.ruleText, `${say("compare.rule")} `);
    setText(this.biasText, ` ${say("coupling.bias")}`);
    this.biasLabel.dataset.tip = say("coupling.biasTip");
    this.rounds.setAttribute("aria-label", say("compare.rounds"));
    this.label.replaceChildren(`${say("compare.class")} `, this.select);
    this.select.setAttribute("aria-label", say("compare.classLabel", { kind: payload.kind }));
    this.coupling.replaceChildren(...Object.keys(payload.couplings).map((name) => element("option", { value: name }, couplingText(name, "", TABLES))));
    this.rows = Object.entries(payload.changes).map(([name, { first, last }]) => {
      const input = element("input", {
        type: "range",
        min: first,
        max: last,
        step: 1,
        "aria-label": `${say(`compare.${name}`)}: ${say(`compare.tip.${name}`)}`,
        "data-testid": `change-${name}`,
        oninput: () => this.slide(name, Number(input.value)),
        onchange: () => this.settle(),
        onfocus: () => this.prepare(name),
        onpointerdown: (event) => event.pointerType === "touch" || this.prepare(name), // a finger may only scroll
        ondblclick: () => this.undoOne(name),
        onkeydown: (event) => this.pressed(event, name),
      });
      input.style.setProperty("--origin", String(-first / (last - first)));
      const value = element("button", { type: "button", class: "slider-value", onclick: () => this.undoOne(name) });
      const label = element("span", { class: "compare-name", "data-tip": say(`compare.tip.${name}`) }, say(`compare.${name}`));
      const row = element("div", { class: "compare-row", onpointerenter: (event) => event.pointerType === "touch" || this.hover(name) }, label, input, value);
      return { name, input, value, row };
    });
    this.sliders.replaceChildren(...this.rows.map(({ row }) => row));
  }

  /**
   * A change's value in words.
   * @param {string} name
   * @param {number} steps from none
   */
  value(name, steps) {
    const { step, same } = this.payload.changes[name];
    const value = same + steps * step;
    if (name === "occlusion") return number(100 * value, 1) + percentSign();
    const decimals = (String(step).split(".")[1] ?? "").length;
    return say(`compare.unit.${name}`, { value: number(Number(value.toFixed(decimals)), decimals) });
  }

  // A hand over a slider may move it next: what that will show is asked for ahead.
  hover(name) {
    clearTimeout(this.hovering);
    this.hovering = setTimeout(() => {
      if (this.questions.asked !== null || this.kept.has(this.key(name)) || locked("compare")) return;
      this.ahead = name;
      this.questions.ask();
    }, 60);
  }

  prepare(name) {
    clearTimeout(this.hovering);
    if (!locked("compare") && name !== this.change) this.turn(name, this.steps[name]);
  }

  slide(name, steps) {
    if (locked("compare")) return this.show();
    clearTimeout(this.hovering);
    this.turn(name, steps);
  }

  // To a value of a change: where it stands by now is what is asked for.
  turn(name, steps) {
    this.change = name;
    this.steps[name] = steps;
    if (!this.known()) this.questions.ask();
    this.take();
  }

  // From a curve: to the value under the pointer.
  move(payload, place) {
    this.slide(payload.change, place + payload.changes[payload.change].first);
  }

  // A slider is let go: Python knows where it stands, for when the page is left.
  settle() {
    this.questions.ask();
  }

  undoOne(name) {
    this.slide(name, 0);
    this.settle();
  }

  undoAll() {
    if (locked("compare")) return;
    for (const name of Object.keys(this.steps)) this.steps[name] = 0;
    this.questions.ask();
    this.take();
  }

  pressed(event, name) {
    const { first, last } = this.payload.changes[name];
    const leap = { PageUp: LARGE, PageDown: -LARGE }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.undoOne(name);
    else if (leap) {
      this.slide(name, Math.max(first, Math.min(last, this.steps[name] + leap)));
      this.settle();
    } else return;
    event.preventDefault();
  }

  choose(index, name) {
    if (locked("compare")) return this.take();
    const beside = this.payload.columns.slice(1).map((column) => column.name);
    if (name) beside[index - 1] = name;
    else beside.splice(index - 1, 1);
    this.beside = beside;
    this.questions.ask();
    this.take();
  }

  route(part) {
    if (!locked("compare")) {
      Object.assign(this.routed, part);
      this.questions.ask();
    }
    this.take();
  }

  name(klass) {
    this.klass = klass;
    this.show();
  }

  written() {
    const { coupling, iterations, bias } = this.routed;
    const others = Object.entries(this.steps).filter(([name, count]) => count && name !== this.change);
    const parts = [
      `${this.change}.${this.steps[this.change]}`,
      ...others.map(([name, count]) => `${name}.${count}`),
      ...(this.beside?.length ? this.beside.map((name) => `with.${name}`) : this.beside ? ["with."] : []),
      ...(coupling === "routing" ? [] : [`rule.${coupling}`]),
      ...(iterations === null ? [] : [`R.${iterations}`]),
      ...(bias ? ["bias.1"] : []),
    ];
    return parts.length === 1 && parts[0] === "rotation.0" ? undefined : parts.join("_");
  }

  // Everything but the pictures, which are drawn once a frame of the screen.
  show() {
    const { payload } = this;
    if (!payload) return;
    for (const { name, input, value, row } of this.rows) {
      input.value = String(this.steps[name]);
      const { first, last } = payload.changes[name];
      input.style.setProperty("--at", String((this.steps[name] - first) / (last - first)));
      const said = this.value(name, this.steps[name]);
      input.setAttribute("aria-valuetext", said);
      setText(value, said);
      value.setAttribute("aria-label", say("compare.undoOne", { change: `${say(`compare.${name}`)} ${said}` }));
      row.classList.toggle("chosen", name === this.change);
      row.classList.toggle("changed", this.steps[name] !== 0);
      value.tabIndex = this.steps[name] ? 0 : -1; // there is nothing to undo
    }
    this.undo.disabled = !Object.values(this.steps).some(Boolean);
    const { at } = this;
    const seenIn = this.kept.get(this.key(this.change));
    const { size: side } = seenIn?.columns[0] ?? {};
    if (side) {
      const place = this.steps[this.change] - seenIn.changes[this.change].first;
      if (this.canvas.width !== side) Object.assign(this.canvas, { width: side, height: side, pixels: undefined, cells: undefined });
      const seen = seenIn.arrays.images.subarray(place * side * side, (place + 1) * side * side);
      putInk(this.canvas, seen);
      if (!this.note.textContent && !seen.some(Boolean)) setText(this.note, say("compare.nothing"));
      const changed = this.rows.filter(({ name }) => this.steps[name]).map(({ name }) => `${say(`compare.${name}`)} ${this.value(name, this.steps[name])}`);
      this.canvas.setAttribute("aria-label", say("compare.seenAlt", { changes: changed.join(", ") || say("compare.none") }));
    }
    this.select.value = String(this.klass);
    const measured = payload.columns.find(({ means }) => means);
    const grey = measured ? say("compare.means", { images: number(measured.means.images) }) : say("compare.noMeans");
    setText(this.legend, `${say("compare.curve", { change: say(`compare.${payload.change}`) })} ${grey}`);
    for (const column of this.columns) {
      column.follow(at);
      column.words();
    }
    this.short.replaceChildren(...this.columns.filter(({ own }) => own).map(({ own, answer }) => element("p", {}, element("b", {}, answer.textContent), " ", element("span", { "data-verbatim": true }, own.title))));
    this.showRule();
    this.element.dataset.place = String(at);
    this.element.dataset.whole = String(payload.columns.every(({ whole }) => whole));
    this.element.dataset.change = payload.change;
    const digit = this.klass === payload.true ? undefined : this.klass;
    this.address.say({ compare: this.written(), digit, versus: undefined, step: undefined, classes: undefined });
    // Until its answers are there, a step of a slider changes nothing of these: drawn again, they would hold up the question.
    if ([payload, at, this.klass].some((of, index) => of !== this.drawn[index])) this.invalidate();
  }

  showRule() {
    const { payload, routed } = this;
    const column = payload.columns.find(({ iterates }) => iterates);
    this.rule.hidden = !column;
    if (!column) return;
    const { rule, iterations: count } = column;
    this.coupling.value = routed.coupling;
    this.rounds.value = String(count);
    setText(this.roundsText, say("coupling.iterations", { count }));
    this.bias.checked = routed.bias;
    const words = { ...shapeWords({ ...column, classes: payload.classes, kind: payload.kindName }), images: number(rule?.averaged ?? 0) };
    const what = couplingText(routed.coupling, "What", TABLES, words);
    const source = payload.couplings[routed.coupling];
    tellRule(this.what, `${what} ${say("compare.ruleLook")} ${couplingMeasured(rule, source)}`);
  }

  invalidate() {
    this.request ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.request = null;
    if (!this.payload || !this.element.clientWidth) return;
    keepForPaper(this.element);
    const style = getComputedStyle(this.element);
    this.size = Math.max(14, parseFloat(style.fontSize));
    const look = {
      text: style.color,
      page: style.getPropertyValue("--page").trim(),
      accent: style.getPropertyValue("--accent").trim(),
      font: style.fontFamily,
      size: this.size,
    };
    for (const column of this.columns) column.draw(this.at, look);
    this.drawn = [this.payload, this.at, this.klass];
  }
}

const mount = mounting((root, payload, report) => new CompareView(root, report), () => ""); // it learns other languages

export default function mountCompare({ data, parentElement, setStateValue }) {
  return mount(parentElement, unpack(data), setStateValue);
}
