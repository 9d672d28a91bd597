// Surgery: the same votes, coupled in another way; lengths and reconstruction before and after.

import { Diverging, Tip, element, fixed, inkCanvas, paper, setText, signedText } from "./drawing.js";
import { builtFor, capsuleAt, mapFrame, shapeWords } from "./routing.js";
import { say, speak } from "./texts.js";

const EXPERIMENTS = ["routing", "uniform", "random", "children", "carried"]; // as app/messages.py has them
const MOST_ITERATIONS = 10; // of an experiment, as traces/surgery.py has it
const PATIENCE = 2000; // milliseconds after which an answer is taken for lost

export class Surgery {
  /**
   * @param {HTMLElement} root
   * @param {any} data of a network of the shape that the view is built for
   * @param {(name: string, value: object) => void} report tells Python
   */
  constructor(root, data, report) {
    this.report = report;
    this.built = builtFor(data);
    this.shape = shapeWords(data);
    this.colours = new Diverging(data);
    this.number = 0; // of the last operation that was sent
    const letters = Math.max(...data.classes.map((name) => name.length));
    const room = letters > 1 ? `--name: ${Math.min(0.5 + 0.6 * letters, 6).toFixed(2)}em` : null;
    this.element = element("div", { class: "surgery", style: room });
    this.tip = new Tip(this.element);
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
      element("div", { class: "surgery-body" }, this.controls(), this.silencing(), this.results(data)),
    );
    root.append(this.element);
  }

  unmount() {
    clearTimeout(this.timer);
  }

  controls() {
    this.inputs = EXPERIMENTS.map((coupling) => {
      const input = element("input", {
        type: "radio",
        name: "coupling",
        value: coupling,
        onchange: () => this.change({ coupling }),
      });
      return { coupling, input, label: element("label", { class: "choice" }, input, element("span", {}, say(`surgery.${coupling}`))) };
    });
    this.what = element("p", { class: "what" });
    this.rounds = element("input", {
      type: "range",
      min: 1,
      max: MOST_ITERATIONS,
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
    this.undo = element("button", { type: "button", class: "reset", onclick: () => this.reset() }, say("surgery.undo"));
    return element(
      "div",
      { class: "operation" },
      element("fieldset", {}, element("legend", {}, say("surgery.experiment")), ...this.inputs.map(({ label }) => label)),
      this.what,
      element("div", { class: "extras" }, this.seed, this.example),
      element("label", { class: "rounds" }, "R ", this.rounds, this.roundsText),
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

  results(data) {
    this.verdict = element("p", { class: "verdict", role: "status", "data-testid": "verdict" });
    this.before = this.drawing(say("surgery.before"), data.size);
    this.after = this.drawing(say("surgery.after"), data.size);
    this.rows = data.classes.map((name, digit) => {
      const [before, after] = [element("i", { class: "was" }), element("i", { class: "is" })];
      after.style.background = data.digitColours[digit];
      const value = element("span", { class: "value", "data-testid": `after-${digit}` });
      const row = element("div", {}, element("b", {}, name), element("span", { class: "track" }, after, before), value);
      return { row, before, after, value };
    });
    const bars = element("div", { class: "paired" }, ...this.rows.map(({ row }) => row));
    this.sums = element("span", { "data-testid": "row-sums" });
    const legend = element("p", { class: "look" }, `${say("surgery.bars")} `, this.sums);
    return element(
      "div",
      { class: "outcome" },
      this.verdict,
      element("div", { class: "outcome-body" }, this.before.element, this.after.element, bars),
      legend,
    );
  }

  drawing(name, size) {
    const canvas = element("canvas", { width: size, height: size, class: "drawn", role: "img" });
    const caption = element("figcaption");
    return { canvas, caption, element: element("figure", {}, element("b", {}, name), canvas, caption) };
  }

  change(part) {
    Object.assign(this.operation, part);
    this.show();
    this.send();
  }

  reset() {
    this.change({ coupling: "routing", iterations: null, types: [], places: [] });
  }

  // One question at a time: while Python answers, the latest change waits. An answer that its run was overtaken by
  // another never comes; then it is sent all the same.
  send() {
    clearTimeout(this.timer);
    const left = this.asked == null ? 0 : this.asked + PATIENCE - performance.now();
    this.waiting = left > 0;
    if (this.waiting) {
      this.timer = setTimeout(() => this.send(), left);
      return;
    }
    this.asked = performance.now();
    this.number += 1;
    this.report("operation", { ...this.operation, number: this.number });
  }

  load(data) {
    const { number, ...operation } = data.operation;
    // Python's is shown where this view is new, and where it could not do what was asked.
    if (!this.data || (data.problem && !this.waiting)) this.operation = operation;
    this.data = data;
    this.number = Math.max(this.number, number);
    this.operation.example ||= data.examples[1];
    if (number >= this.number || data.problem) {
      this.asked = null;
      if (this.waiting) this.send();
    }
    this.element.dataset.answered = String(number);
    this.show();
  }

  show() {
    const { data, operation } = this;
    setText(this.intro, [say("surgery.intro"), data.measured, say("surgery.see")].filter(Boolean).join(" "));
    const iterations = operation.iterations ?? data.before.iterations;
    for (const { coupling, input } of this.inputs) input.checked = coupling === operation.coupling;
    setText(this.what, say(`surgery.${operation.coupling}What`, this.shape));
    this.rounds.value = String(iterations);
    const kept = ["uniform", "random"].includes(operation.coupling);
    this.rounds.disabled = kept; // c stays as it is, however often routing goes round
    const rounds = kept ? "noEffect" : iterations === 1 && operation.coupling === "routing" ? "roundsUniform" : "rounds";
    setText(this.roundsText, say(`surgery.${rounds}`, { count: iterations }));
    this.seed.hidden = operation.coupling !== "random";
    setText(this.seedText, say("surgery.seed", { seed: operation.seed }));
    this.example.hidden = operation.coupling !== "carried";
    if (!this.select.children.length) {
      this.select.append(...data.examples.map((name) => element("option", { value: name }, data.exampleNames?.[name] ?? name)));
    }
    this.select.value = operation.example;
    this.places.show(data.places, operation.places, this.colours);
    this.places.drawUnder(inkCanvas(Uint8Array.from(data.image), data.size, 0.5));
    this.types.show(data.types, operation.types, this.colours);

    for (const [part, { digit, drawing }] of [[this.before, data.before], [this.after, data.after]]) {
      paper(part.canvas).drawImage(inkCanvas(Uint8Array.from(drawing), data.size), 0, 0);
      part.canvas.setAttribute("aria-label", say("surgery.drawn", { name: data.classes[digit] }));
      setText(part.caption, say("surgery.by", { name: data.classes[digit] }));
    }
    this.showBars();
    const [was, is] = [data.before, data.after];
    const length = (value) => fixed(value, value < 0.01 ? 5 : 3);
    const untouched =
      operation.coupling === "routing" && iterations === was.iterations && !operation.types.length && !operation.places.length;
    this.undo.disabled = untouched;
    const voteless = operation.places.length === this.places.buttons.length || operation.types.length === this.types.buttons.length;
    let verdict = "changed";
    if (voteless) verdict = "voteless";
    else if (untouched) verdict = "unchanged";
    else if (was.digit === is.digit) verdict = is.lengths[is.digit] < 0.1 ? "nothing" : "still";
    const result = say(`surgery.${verdict}`, {
      name: data.classes[was.digit],
      before: length(was.lengths[was.digit]),
      after: length(is.lengths[was.digit]),
      other: data.classes[is.digit],
      length: length(is.lengths[is.digit]),
    });
    this.verdict.classList.toggle("changed", voteless || was.digit !== is.digit);
    setText(this.verdict, data.problem || result);
    const [low, high] = data.rowSums;
    const sums = high - low >= 1e-3 ? "sumsBetween" : high < 0.9 ? "sumsAbout" : "sums";
    const said = { ...this.shape, sum: fixed((low + high) / 2, 3), low: fixed(low, 4), high: fixed(high, 4) };
    setText(this.sums, voteless ? "" : say(`surgery.${sums}`, said));
  }

  showBars() {
    const { data } = this;
    this.rows.forEach(({ row, before, after, value }, digit) => {
      before.style.left = `${100 * data.before.lengths[digit]}%`;
      after.style.width = `${100 * data.after.lengths[digit]}%`;
      const length = data.after.lengths[digit];
      setText(value, fixed(length, length > 0 && length < 0.001 ? 5 : 3));
      row.classList.toggle("marked", digit === data.after.digit && data.after.lengths[digit] > 0);
      row.dataset.tip = say("surgery.lengths", {
        name: data.classes[digit],
        before: fixed(data.before.lengths[digit], 4),
        after: fixed(data.after.lengths[digit], 4),
      });
    });
  }
}

// A grid of capsule groups that are silenced by painting over them, or with arrow keys and space.
class Toggles {
  /**
   * @param {"place" | "type"} name of the groups
   * @param {number} count
   * @param {number} columns
   * @param {(index: number) => Record<string, number>} where a group is, for texts
   * @param {(chosen: number[]) => void} changed
   */
  constructor(name, count, columns, where, changed) {
    this.name = name;
    this.columns = columns;
    this.where = where;
    this.changed = changed;
    this.buttons = Array.from({ length: count }, (_, index) =>
      element("button", { type: "button", tabindex: index ? -1 : 0 }, name === "type" ? String(index) : ""),
    );
    const label = say(name === "type" ? "surgery.byType" : "surgery.byPlace");
    this.element = element("div", { class: "toggles", role: "group", "aria-label": label }, ...this.buttons);
    this.element.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    this.element.addEventListener("pointerdown", (event) => this.begin(event));
    this.element.addEventListener("pointermove", (event) => this.paint(event));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => (this.painting = null));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  // The buttons where the grid lies in the part of the drawing that the maps show too.
  lieOver({ crop, side, origin }, { size, grid: { rows, columns, stride } }) {
    const begin = origin - crop;
    const sides = [begin, side - begin - columns * stride, side - begin - rows * stride, begin]; // top, right, bottom, left
    this.element.classList.add("over-drawing");
    this.element.style.padding = sides.map((pixels) => `${(100 * Math.max(0, pixels)) / side}%`).join(" ");
    this.element.style.backgroundSize = `${(100 * size) / side}%`;
  }

  drawUnder(ink) {
    this.element.style.backgroundImage = `url(${ink.toDataURL()})`;
  }

  show(shares, chosen, colours) {
    this.chosen = new Set(chosen);
    const most = Math.max(...shares.map(Math.abs), 1e-6);
    this.buttons.forEach((button, index) => {
      button.style.setProperty("--tint", colours.at(shares[index] / most));
      button.setAttribute("aria-pressed", String(this.chosen.has(index)));
      const said = { ...this.where(index), share: signedText(shares[index], 3) };
      button.setAttribute("aria-label", say(`surgery.${this.name}Share`, said));
      button.dataset.tip = say(`surgery.${this.name}ShareTip`, said);
    });
  }

  under(event) {
    const root = /** @type {Document | ShadowRoot} */ (this.element.getRootNode());
    return this.buttons.indexOf(/** @type {any} */ (root.elementFromPoint(event.clientX, event.clientY)?.closest("button")));
  }

  begin(event) {
    const index = this.under(event);
    if (index < 0) return;
    event.preventDefault();
    event.target.dispatchEvent(new PointerEvent("pointerout", { bubbles: true })); // no tip over what is painted
    this.element.setPointerCapture(event.pointerId);
    this.painting = !this.chosen.has(index);
    this.set(index, this.painting);
    this.focus(index);
  }

  paint(event) {
    if (this.painting == null) return;
    const index = this.under(event);
    if (index >= 0) this.set(index, this.painting);
  }

  set(index, silenced) {
    if (this.chosen.has(index) === silenced) return;
    if (silenced) this.chosen.add(index);
    else this.chosen.delete(index);
    this.changed([...this.chosen].sort((a, b) => a - b));
  }

  focus(index) {
    this.buttons.forEach((button, own) => (button.tabIndex = own === index ? 0 : -1));
    this.buttons[index].focus({ preventScroll: true });
  }

  key(event) {
    const index = this.buttons.indexOf(event.target);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns };
    if (event.key in moves) {
      const to = index + moves[event.key];
      if (to >= 0 && to < this.buttons.length) this.focus(to);
    } else if (event.key === " " || event.key === "Enter") {
      this.set(index, !this.chosen.has(index));
    } else return;
    event.preventDefault(); // and so the page's clock leaves the key alone
  }
}

const operated = new WeakMap();

export default function mountSurgery({ data, parentElement, setStateValue }) {
  const leave = () => {
    const left = operated.get(parentElement);
    left?.unmount();
    left?.element.remove();
    operated.delete(parentElement);
  };
  speak(data.texts);
  if (operated.get(parentElement)?.built !== builtFor(data)) {
    leave();
    operated.set(parentElement, new Surgery(parentElement, data, setStateValue));
  }
  operated.get(parentElement).load(data);
  return leave;
}
