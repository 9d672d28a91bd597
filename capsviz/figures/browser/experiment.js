// What every experiment on a drawing shares: how it is asked for, and lengths and reconstruction before and after.

import { AddressWriter } from "./address.js";
import { couplingText } from "./couplings.js";
import { Diverging, Tip, element, fixed, inkCanvas, paper, setText, signedText } from "./drawing.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { locked } from "./prepared.js";
import { Questions } from "./questions.js";
import { builtFor, shapeWords } from "./routing.js";
import { say } from "./texts.js";

export class Experiment {
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
    this.questions = new Questions((number) => this.report("operation", { ...this.operation, number }));
    this.address = new AddressWriter();
    const letters = Math.max(...data.classes.map((name) => name.length));
    const room = letters > 1 ? `--name: ${Math.min(0.5 + 0.6 * letters, 6).toFixed(2)}em` : null;
    this.element = element("div", { class: "surgery", style: room });
    this.tip = new Tip(this.element);
    this.undo = element("button", { type: "button", class: "reset", onclick: () => this.reset() }, say("surgery.undo"));
    this.what = element("p", { class: "what" });
    root.append(this.element);
    this.part = new Part({ surgery: () => this.element }, (search) => this.afresh(search), {
      surgery: () => [this.element.querySelector("h2"), ...this.element.querySelectorAll(".operation, .silencing")],
    });
  }

  // A stop of a lesson begins without any experiment, unless its link brings one: that Python knows.
  afresh(search) {
    if (!this.data) return false;
    if (new URLSearchParams(search).has("surgery")) return true;
    if (this.written()) this.reset();
    else this.show();
    return true;
  }

  unmount() {
    this.part.unmount();
    this.questions.unmount();
    this.address.unmount();
  }

  // The couplings to choose from, by their texts, of the first table that has them.
  choices(couplings, ...tables) {
    this.inputs = couplings.map((coupling) => {
      const input = element("input", {
        type: "radio",
        name: "coupling",
        value: coupling,
        onchange: () => this.change({ coupling }),
      });
      return { coupling, input, label: element("label", { class: "choice" }, input, element("span", {}, couplingText(coupling, "", tables))) };
    });
    return element("fieldset", {}, element("legend", {}, say("surgery.experiment")), ...this.inputs.map(({ label }) => label));
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
    if (locked("surgery")) return this.show();
    Object.assign(this.operation, part);
    this.present();
    this.questions.ask();
  }

  present() {
    this.address.say({ surgery: this.written() });
    this.show();
    this.part.obey(); // whatever it has brought
  }

  // Each kind's own: the operation as a link has it; nothing of one that changes nothing.
  /** @returns {string | undefined} */
  written() {
    return undefined;
  }

  // Each kind's own: the operation that changes nothing is asked for.
  reset() {}

  // Each kind's own: what the operation is, and what came of it.
  show() {}

  load(data) {
    const { number, ...operation } = data.operation;
    // Python's is shown where this view is new, and where it could not do what was asked.
    if (!this.data || (data.problem && !this.questions.waiting)) this.operation = operation;
    this.data = data;
    this.questions.answered(number, Boolean(data.problem));
    this.element.dataset.answered = String(number);
    this.present();
  }

  // What came of it: nothing new if ``untouched``, nothing at all if no capsule is left to vote.
  showOutcome(untouched, voteless) {
    const { data } = this;
    for (const [part, { digit, drawing }] of [[this.before, data.before], [this.after, data.after]]) {
      paper(part.canvas).drawImage(inkCanvas(Uint8Array.from(drawing), data.size), 0, 0);
      part.canvas.setAttribute("aria-label", say("surgery.drawn", { name: data.classes[digit] }));
      setText(part.caption, say("surgery.by", { name: data.classes[digit] }));
    }
    this.showBars();
    const [was, is] = [data.before, data.after];
    const length = (value) => fixed(value, value < 0.01 ? 5 : 3);
    this.undo.disabled = untouched;
    const { coupling, types = [], places = [], capsules = [] } = this.operation;
    const silenced = types.length + places.length + capsules.length;
    this.part.tell({ experiment: coupling, silenced, broken: !untouched && was.digit !== is.digit });
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

/**
 * An experiment as a link has it, app/parameters.py reads it: "random_seed.3_types.0.7".
 * @param {string} coupling
 * @param {Record<string, number | number[] | false>} parts those that are false, or empty, are left out
 */
export function experimentText(coupling, parts) {
  const said = Object.entries(parts).map(([name, value]) => ({ name, numbers: value === false ? [] : [value].flat() }));
  return [coupling, ...said.filter(({ numbers }) => numbers.length).map(({ name, numbers }) => [name, ...numbers].join("."))].join("_");
}

// A grid of capsule groups that are silenced by painting over them, or with arrow keys and space.
export class Toggles {
  /**
   * @param {"place" | "type" | "capsule"} name of the groups
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
      element("button", { type: "button", tabindex: index ? -1 : 0 }, name === "place" ? "" : String(index)),
    );
    const label = say({ place: "surgery.byPlace", type: "surgery.byType", capsule: "surgery.byCapsule" }[name]);
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

/**
 * The default export of a kind of experiment: called by Streamlit at each run of the script, with new data or the same.
 * @param {new (root: HTMLElement, data: any, report: any) => Experiment} Kind
 */
export function operating(Kind) {
  const mount = mounting((root, data, report) => new Kind(root, data, report), builtFor);
  return ({ data, parentElement, setStateValue }) => mount(parentElement, data, setStateValue);
}
