// The big picture: how the votes for a class attend to each other and, in the same rows, what became of each capsule.

import { Picture, element, enlarged, fixed, setText, signedText } from "./drawing.js";
import { say } from "./texts.js";

const SMALLEST = 9; // pixels of a row that has a number beside it
// Quantities of a capsule in their order, the step that makes each, its decimals, and whether its bar begins in the middle.
const COLUMNS = [
  { name: "u", formula: "|u|", step: 0, digits: 3 },
  { name: "score", formula: "e", step: 2, digits: 2, signed: true },
  { name: "c", formula: "c", step: 3, digits: 3 },
  { name: "prior", formula: "b", step: 4, digits: 3, signed: true },
  { name: "weight", formula: "w", step: 4, digits: 3, signed: true },
  { name: "share", formula: "share", step: 5, digits: 3, signed: true },
];

export class AttentionPicture {
  constructor(app) {
    this.app = app;
    this.picture = new Picture("", { class: "attention-map", "data-testid": "attention", tabindex: 0 });
    this.legend = new Ends("legend-attention");
    this.heading = element("h2");
    this.look = element("p", { class: "look attention-look" });
    this.rows = Array.from({ length: app.payload.primary }, (_, capsule) => this.row(capsule));
    this.heads = COLUMNS.map(({ name, formula }) => headOf(formula, say(`attention.column.${name}`, app.shape)));
    this.total = element("td", { colspan: COLUMNS.length, "data-testid": "total" });
    this.table = element(
      "table",
      { class: "attention-table" },
      element("caption", {}, say("attention.picture.table")),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "i"), ...this.heads)),
      element("tbody", {}, ...this.rows.map(({ node }) => node)),
      element("tfoot", {}, element("tr", {}, element("td"), this.total)),
    );
    const { canvas } = this.picture;
    canvas.addEventListener("pointermove", (event) => this.pointAt(event));
    canvas.addEventListener("pointerleave", () => app.leave());
    canvas.addEventListener("click", (event) => {
      const under = this.under(event);
      if (under && app.step > 0) app.choose(under);
      else if (under) app.choose({ capsule: under.capsule });
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.element = element(
      "section",
      { class: "attention-picture" },
      this.heading,
      element("div", { class: "attention-rows" }, canvas, this.table),
    );
    this.scales = element("div", { class: "attention-legend" }, this.legend.element, this.contrast());
  }

  // Of all scales: what lies beyond their ends has the ends' colours.
  contrast() {
    const { app } = this;
    const input = (this.slider = element("input", {
      type: "range",
      min: 0,
      max: 4,
      step: 0.25,
      value: 0,
      "aria-label": say("attention.picture.contrastLabel"),
      "aria-valuetext": say("attention.picture.times", { times: fixed(1, 1) }),
      oninput: () => {
        this.raise(2 ** Number(input.value));
        app.invalidate();
      },
    }));
    const tip = say("attention.picture.contrastTip");
    return element("label", { class: "contrast", "data-tip": tip }, `${say("attention.picture.contrast")} `, input);
  }

  raise(contrast) {
    this.app.contrast = contrast;
    this.slider.value = String(Math.log2(contrast));
    this.slider.setAttribute("aria-valuetext", say("attention.picture.times", { times: fixed(contrast, 1) }));
  }

  row(capsule) {
    const { app } = this;
    const cells = COLUMNS.map(({ signed }) => {
      const bar = element("i");
      const value = element("span", { class: "value" });
      return { bar, value, cell: element("td", {}, element("span", { class: signed ? "mark signed" : "mark" }, bar), value) };
    });
    const node = element(
      "tr",
      {
        "data-testid": `capsule-${capsule}`,
        onpointerenter: () => app.point({ capsule }),
        onpointerleave: () => app.point({}),
        onclick: () => app.choose({ capsule }),
      },
      element("th", { scope: "row" }, String(capsule)),
      ...cells.map(({ cell }) => cell),
    );
    return { node, cells };
  }

  // Pixels of the labels beside the cells, and of a cell: as high as a row of the table.
  measure() {
    const [first, last] = [this.rows[0].node, this.rows.at(-1).node].map((node) => node.getBoundingClientRect());
    const { top } = this.table.getBoundingClientRect();
    const scale = enlarged(this.table);
    this.margin = (first.top - top) / scale;
    // Where the table lies below, cells are as large as there is room for.
    const room = (this.element.clientWidth - this.margin) / this.rows.length;
    this.side = Math.min((last.bottom - first.top) / scale / this.rows.length, room);
    const whole = `${this.margin + this.side * this.rows.length}px`;
    Object.assign(this.picture.canvas.style, { width: whole, height: whole });
  }

  get columns() {
    const { primary, pose } = this.app.payload;
    return this.app.step > 0 ? primary : pose;
  }

  get cellWidth() {
    return (this.side * this.app.payload.primary) / this.columns;
  }

  under(event) {
    const [x, y] = this.picture.position(event);
    const [other, capsule] = [Math.floor((x - this.margin) / this.cellWidth), Math.floor((y - this.margin) / this.side)];
    const inside = capsule >= 0 && other >= 0 && capsule < this.app.payload.primary && other < this.columns;
    return inside ? { capsule, other } : null;
  }

  pointAt(event) {
    const under = this.under(event);
    this.app.point(under ?? {});
    this.app.tell(under && (() => this.describe(under)), event);
  }

  describe({ capsule, other }) {
    const { app } = this;
    const value = signedText(this.value(capsule, other), 4);
    if (app.step === 0) return say("attention.picture.component", { capsule, component: other, value });
    return say("attention.picture.cell", { capsule, other, value });
  }

  value(capsule, other) {
    const { app } = this;
    if (app.step > 0) return app.attention(app.digit, capsule, other);
    return app.payload.arrays.u_hat[app.vote(capsule) * app.payload.pose + other];
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (!move) return;
    const { app } = this;
    const within = (at) => Math.max(0, Math.min(at, app.payload.primary - 1));
    app.choose({ capsule: within(app.capsule + move[0]), other: within(app.other + move[1]) });
    event.preventDefault(); // and so the steps leave the key alone
  }

  draw() {
    const { app } = this;
    const said = { ...app.shape, name: app.name(app.digit), capsule: app.capsule, other: app.other };
    const votes = app.step === 0;
    setText(this.heading, say(votes ? "attention.picture.votes" : "attention.picture.title", said));
    setText(this.look, say(votes ? "attention.picture.lookVotes" : "attention.picture.look", said));
    const limit = app.limit(votes ? "votes" : "attention");
    this.legend.show(-limit, 0, limit, app.contrast > 1);
    const chosen = signedText(app.attention(app.digit, app.capsule, app.other), 4);
    this.picture.canvas.setAttribute("aria-label", say("attention.picture.label", { ...said, value: chosen }));
    this.drawMap(limit);
    this.drawTable();
  }

  drawMap(limit) {
    const { app, margin, side, cellWidth } = this;
    const { primary } = app.payload;
    const { context, width } = this.picture.begin();
    const font = (bold) => `${bold ? "bold " : ""}14px ${app.fontFamily}`;
    context.fillStyle = "#000";
    context.fillRect(margin, margin, width - margin, width - margin);
    for (let capsule = 0; capsule < primary; capsule++) {
      for (let other = 0; other < this.columns; other++) {
        context.fillStyle = app.colours.at(this.value(capsule, other) / limit);
        context.fillRect(margin + other * cellWidth, margin + capsule * side, cellWidth - 1, side - 1);
      }
    }
    const [row, column] = [app.pointed.capsule ?? app.capsule, app.pointed.other ?? app.other];
    context.fillStyle = app.textColour;
    context.textBaseline = "middle";
    context.textAlign = "center";
    const every = Math.ceil(18 / Math.min(side, cellWidth));
    for (let at = 0; at < Math.max(primary, this.columns); at++) {
      const middle = (size) => margin + (at + 0.5) * size;
      if (at < primary && (at === row || (at % every === 0 && side >= SMALLEST))) {
        context.font = font(at === row);
        context.fillText(String(at), margin / 2, middle(side), margin);
      }
      if (at < this.columns && (at % every === 0 || (at === column && app.step > 0))) {
        context.font = font(at === column && app.step > 0);
        context.fillText(String(at), middle(cellWidth), margin / 2);
      }
    }
    context.strokeStyle = "#fff";
    context.lineWidth = 1;
    context.strokeRect(margin + 0.5, margin + row * side - 0.5, width - margin - 1, side);
    if (app.step > 0) {
      context.lineWidth = 3;
      context.strokeRect(margin + column * cellWidth + 0.5, margin + row * side + 0.5, cellWidth - 2, side - 2);
    }
  }

  drawTable() {
    const { app } = this;
    const { limits } = app.payload;
    const most = { u: 1, c: 1, ...Object.fromEntries(["score", "prior", "weight", "share"].map((name) => [name, limits[name]])) };
    const now = app.pointed.capsule ?? app.capsule;
    this.heads.forEach((head, at) => head.classList.toggle("active", COLUMNS[at].step === app.step));
    this.rows.forEach(({ node, cells }, capsule) => {
      node.classList.toggle("marked", capsule === now);
      cells.forEach(({ bar, value, cell }, at) => {
        const { name, step, digits, signed } = COLUMNS[at];
        const number = name === "u" ? app.lengthOf("u", capsule) : app.at(name, capsule);
        const part = Math.min(Math.abs(number) / most[name], 1) * (signed ? 50 : 100);
        cell.classList.toggle("active", step === app.step);
        cell.classList.toggle("later", step > app.step); // not made yet
        bar.className = signed ? (number < 0 ? "against" : "for") : "plain";
        bar.style.width = `${part}%`;
        bar.style.left = signed ? `${number < 0 ? 50 - part : 50}%` : "0";
        setText(value, signed ? signedText(number, digits) : fixed(number, digits));
      });
    });
    const whole = { s: fixed(app.lengthOf("s", app.digit), 3), v: fixed(app.lengthOf("v", app.digit), 3) };
    const last = app.steps.length - 1;
    setText(this.total, app.step < last - 1 ? "" : say(app.step < last ? "attention.picture.sum" : "attention.picture.total", whole));
  }
}

// The head of a column: its formula, and what that means.
export function headOf(formula, tip) {
  return element("th", { scope: "col" }, element("span", { class: "term", tabindex: 0, "data-tip": tip }, formula));
}

// A colour scale with its two ends and its middle.
export class Ends {
  constructor(name) {
    this.spans = [0, 1, 2].map(() => element("span"));
    this.ramp = element("div", { class: "ramp", "aria-hidden": "true" });
    const ends = element("div", { class: "ends" }, ...this.spans);
    this.element = element("div", { class: "legend", "data-testid": name }, this.ramp, ends);
  }

  /**
   * @param {number} low
   * @param {number | string} middle a number, or in words
   * @param {number} high
   * @param {boolean} clipped whether values lie beyond the ends
   * @param {[number, number]} reach how far each end gets towards full colour
   */
  show(low, middle, high, clipped, [from, to] = [1, 1]) {
    const digits = Math.max(Math.abs(low), Math.abs(high)) < 0.01 ? 4 : 3;
    const texts = [low, middle, high].map((value) => (typeof value === "string" ? value : signedText(value, digits)));
    const signs = clipped ? ["≤ ", "", "≥ "] : ["", "", ""];
    texts.forEach((text, at) => setText(this.spans[at], signs[at] + text));
    this.ramp.style.setProperty("--low", String(from));
    this.ramp.style.setProperty("--high", String(to));
  }
}
