// Who votes for the two classes in question, in both drawings: a map of the grid's places for each, and what differs.

import { Diverging, Picture, drawInk, element, fixed, inkCanvas, setText, signedText, words } from "./drawing.js";
import { mapFrame, shapeWords } from "./routing.js";
import { say } from "./texts.js";

export const QUANTITIES = ["share", "c", "vote"]; // as figures/versus.py has them
const MARKED = 3; // places that differ most
const COLUMNS = 3; // first, second, what differs

/**
 * Places whose values differ most between two lists, the most first.
 * @param {ArrayLike<number>} differences
 * @param {number} count
 */
export function farthest(differences, count) {
  const order = Array.from(differences, (_, at) => at).sort((a, b) => Math.abs(differences[b]) - Math.abs(differences[a]));
  return order.slice(0, count).filter((at) => differences[at] !== 0);
}

/**
 * The end of a scale up to a number: what is written of it, with one decimal, still holds that number.
 * @param {number} most
 */
export function outward(most) {
  return Math.ceil(10 * most) / 10;
}

/**
 * What a class has in each cell, of an array [R, cells, J].
 * @param {Float32Array} values
 * @param {number} iteration
 * @param {number} klass
 * @param {{ iterations: number, classes: number }} sizes
 */
export function ofClass(values, iteration, klass, { iterations, classes }) {
  const cells = values.length / (iterations * classes);
  return Float32Array.from({ length: cells }, (_, cell) => values[(iteration * cells + cell) * classes + klass]);
}

/**
 * How strong a colour is, in -1..1: it grows with the square root, so that weak places are seen beside the strongest.
 * @param {number} part of what the scale reaches, in -1..1
 */
export function strengthOf(part) {
  return Math.sign(part) * Math.sqrt(Math.min(1, Math.abs(part)));
}

/**
 * Where values stand on the scale, and what they are: its ends, its middle and what is half as strong; and 0, if it ends there.
 * @param {number} middle the neutral value
 * @param {number} limit how far the scale reaches from it
 * @param {boolean} positive whether no value is below 0
 * @returns {{ at: number, value: number }[]} from the lowest on; at, in -1..1, as ``strengthOf`` has it
 */
export function marksOf(middle, limit, positive) {
  const marks = [-1, -0.5, 0, 0.5, 1].map((at) => ({ at, value: middle + Math.sign(at) * at * at * limit }));
  if (!positive || marks[0].value >= 0) return marks;
  const end = { at: strengthOf(-middle / limit), value: 0 };
  return [end, ...marks.filter(({ at, value }) => value > 0 && at - end.at > 0.25)];
}

export class VersusMaps {
  constructor(view, payload) {
    this.view = view;
    this.grid = payload.grid;
    this.element = element("section", { class: "versus-causes", "data-testid": "causes" });
    this.title = element("h2", {}, say("versus.causes"));
    this.none = element("p", { class: "look" });
    this.quantity = element(
      "select",
      { "data-testid": "quantity", "aria-label": say("versus.quantity"), onchange: () => this.look(this.quantity.value) },
      ...QUANTITIES.map((name) => element("option", { value: name }, say(`versus.${name}`))),
    );
    this.selects = [0, 1].map((index) =>
      element(
        "select",
        { "data-testid": `question-${index}`, "aria-label": say(`versus.classLabel.${index ? "second" : "first"}`), onchange: () => view.question(index, Number(this.selects[index].value)) },
        ...payload.classes.map((name, at) => element("option", { value: at }, name)),
      ),
    );
    this.why = element("p", { class: "look", "data-testid": "versus-why" });
    this.ramp = element("div", { class: "ramp" });
    this.marks = element("div", { class: "marks" });
    this.scale = element("div", { class: "versus-scale", role: "img", "data-testid": "versus-scale" }, this.ramp, this.marks);
    this.tools = element("div", { class: "versus-tools" }, this.quantity, this.scale);
    const heads = ["", "first", "second", "difference"].map((name) => element("span", { class: "versus-head" }, name && say(`versus.${name}`)));
    this.pictures = [0, 1].map((row) =>
      Array.from({ length: COLUMNS }, (_, column) => {
        const picture = new Picture("", { class: "versus-map", "data-testid": `map-${row}-${column}` });
        const total = element("span", { class: "versus-total" });
        picture.canvas.addEventListener("pointermove", (event) => this.tell(picture, row, event));
        picture.canvas.addEventListener("pointerleave", () => view.tip.hide());
        return { picture, total, box: element("div", {}, picture.canvas, total) };
      }),
    );
    this.table = element("div", { class: "versus-maps" }, ...heads);
    this.pictures.forEach((row, index) => this.table.append(element("label", { class: "versus-for" }, `${say("versus.for")} `, this.selects[index]), ...row.map(({ box }) => box)));
    this.what = element("p", { class: "look" });
    this.element.append(this.title, this.none, this.why, this.tools, this.table, this.what);
  }

  load(payload) {
    this.colours = new Diverging(payload);
    this.grid = payload.grid;
    const there = Boolean(this.grid);
    for (const node of [this.tools, this.table, this.what]) node.hidden = !there;
    this.why.hidden = !there || !payload.why;
    this.why.replaceChildren(...words(payload.why));
    this.none.hidden = there;
    setText(this.none, there ? "" : say("versus.voteless"));
    if (!there) return;
    const { rows, columns, types } = this.grid;
    this.places = rows * columns > 1;
    // Of one place, its capsules are shown instead, in as many rows as columns.
    this.columns = this.places ? columns : Math.ceil(Math.sqrt(types));
    this.frame = mapFrame(payload);
    this.inks = [0, 1].map((side) => inkCanvas(payload.arrays[`image${side}`], payload.size, 0.45));
    this.sizes = { iterations: payload.iterations, classes: payload.classes.length };
    this.words = { ...shapeWords(payload), uniform: `1/${payload.classes.length}` };
  }

  look(quantity) {
    this.view.quantity = quantity;
    this.view.invalidate();
  }

  // Of a class in question, what each cell has in the first drawing, in the second, and how far apart these are.
  values(row) {
    const { payload, classes, quantity, now } = this.view;
    const at = quantity === "c" ? now.c : now.s;
    if (at < 0) return null;
    const [first, second] = [0, 1].map((side) => ofClass(payload.arrays[`${quantity}${side}`], at, classes[row], this.sizes));
    return [first, second, first.map((value, cell) => second[cell] - value)];
  }

  get middle() {
    return this.view.quantity === "c" ? 1 / this.sizes.classes : 0;
  }

  // Where a cell lies in a picture, of its side.
  cell(cell, side) {
    const [row, column] = [Math.floor(cell / this.columns), cell % this.columns];
    if (!this.places) return [(column * side) / this.columns, (row * side) / this.columns, side / this.columns];
    const { crop, side: shown, origin } = this.frame;
    const pixel = side / shown;
    const { stride } = this.grid;
    return [(origin - crop + column * stride) * pixel, (origin - crop + row * stride) * pixel, stride * pixel];
  }

  tell(picture, row, event) {
    const values = this.values(row);
    const [x, y] = picture.position(event);
    const side = picture.canvas.clientWidth;
    const under = values?.[0].findIndex((_, cell) => {
      const [left, top, size] = this.cell(cell, side);
      return x >= left && x < left + size && y >= top && y < top + size;
    });
    if (!values || under === undefined || under < 0) return this.view.tip.hide();
    const digits = this.view.quantity === "share" ? 3 : 4;
    const where = this.places ? say("versus.place", { row: Math.floor(under / this.columns), column: under % this.columns }) : say("versus.capsule", { capsule: under });
    const [first, second, difference] = values.map((list) => list[under]);
    const said = { where, name: this.view.name(this.view.classes[row]), first: fixed(first, digits), second: fixed(second, digits), difference: signedText(difference, digits) };
    this.view.tip.show(say("versus.cell", said), event.clientX, event.clientY);
  }

  draw() {
    if (!this.grid || !this.element.clientWidth) return;
    const { view } = this;
    const { quantity, payload } = view;
    this.quantity.value = quantity;
    const told = [say(`versus.${quantity}What`, { ...this.words, scale: say("versus.scaleSays") }), payload.same ? "" : say("versus.frames"), this.places ? "" : say("versus.each")];
    setText(this.what, told.filter(Boolean).join(" "));
    const limit = payload.limits[quantity];
    this.drawScale(limit, quantity === "c");
    this.pictures.forEach((pictures, row) => {
      const klass = view.classes[row];
      this.selects[row].value = String(klass);
      const values = this.values(row);
      const marked = values && !payload.same ? farthest(values[2], MARKED) : [];
      pictures.forEach(({ picture, total }, column) => this.drawMap(picture, total, { values, column, marked, limit, klass }));
    });
  }

  // One scale for all maps; c cannot be below 0.
  drawScale(limit, positive) {
    const marks = marksOf(this.middle, limit, positive);
    const left = marks[0].at;
    const place = (/** @type {number} */ at) => (100 * (at - left)) / (1 - left);
    const stops = Array.from({ length: 33 }, (_, step) => `${this.colours.at(left + ((1 - left) * step) / 32)} ${(100 * step) / 32}%`);
    this.ramp.style.backgroundImage = `linear-gradient(90deg, ${stops.join(", ")})`;
    const text = positive ? fixed : signedText;
    const said = marks.map(({ value }) => text(value, 2));
    const labels = marks.map(({ at }, n) => {
      const label = element("span", {}, said[n]);
      label.style.left = `${place(at)}%`;
      return label;
    });
    this.marks.replaceChildren(...labels);
    this.scale.setAttribute("aria-label", say("versus.scale", { low: said[0], high: said[said.length - 1] }));
  }

  drawMap(picture, total, { values, column, marked, limit, klass }) {
    const { context, width } = picture.begin();
    const { view, frame } = this;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, width);
    if (column < 2 && this.places) drawInk(context, this.inks[column], 0, 0, width, frame.crop, frame.side);
    const name = view.name(klass);
    const which = say(`versus.${["first", "second", "difference"][column]}`);
    picture.canvas.setAttribute("aria-label", say("versus.mapAlt", { quantity: say(`versus.${view.quantity}`), name, which }));
    setText(total, values ? this.total(values[column], column) : "–");
    if (!values) return;
    const middle = column < 2 ? this.middle : 0;
    values[column].forEach((value, cell) => {
      const [x, y, side] = this.cell(cell, width);
      context.fillStyle = this.colours.at(strengthOf((value - middle) / limit));
      context.fillRect(x, y, side, side);
      context.strokeStyle = "rgb(128 128 128 / 0.4)";
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    });
    for (const cell of marked) {
      const [x, y, side] = this.cell(cell, width);
      context.strokeStyle = "#fff";
      context.lineWidth = 2.5;
      context.strokeRect(x + 1.5, y + 1.5, side - 3, side - 3);
    }
  }

  // The sum of all shares is |s|, and that of what they differ by no length; of c and of votes the mean is shown.
  total(values, column) {
    const sum = values.reduce((total, value) => total + value, 0);
    const text = column < 2 ? fixed : signedText;
    return this.view.quantity === "share" ? `${column < 2 ? "" : "Δ"}|s| ${text(sum, 2)}` : say("versus.mean", { value: text(sum / values.length, 3) });
  }
}
