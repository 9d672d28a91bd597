// All classes: how long each became, one of them chosen, and which capsule went where.

import { Picture, element, fixed, inkCanvas, paper, setText, signedText } from "./drawing.js";
import { Ends } from "./attention_picture.js";
import { say } from "./texts.js";

const ABREAST = 12; // classes whose lengths have room beside their names

// Lengths as bars, one a class: a click, or an arrow key, chooses one.
export class Strip {
  constructor(app) {
    this.app = app;
    const { classes, digitColours } = app.payload;
    this.bars = classes.map((name, digit) => {
      const fill = element("i", { style: `background:${digitColours[digit]}` });
      const value = element("span", { class: "value" });
      const button = element(
        "button",
        { type: "button", "data-testid": `class-${digit}`, onclick: () => app.choose({ digit }) },
        element("span", { class: "column" }, fill),
        element("b", {}, name),
        value,
      );
      return { button, fill, value };
    });
    const label = say("attention.classes.strip", app.shape);
    const many = classes.length > ABREAST ? " many" : ""; // then numbers stand below the names
    this.element = element("div", { class: `class-strip${many}`, role: "group", "aria-label": label }, ...this.bars.map(({ button }) => button));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const to = this.app.digit + (move ?? 0);
    if (!move) return;
    event.preventDefault(); // and so the steps leave the key alone
    if (!this.bars[to]) return;
    this.app.choose({ digit: to });
    this.bars[to].button.focus();
  }

  draw() {
    const { app } = this;
    this.bars.forEach(({ button, fill, value }, digit) => {
      const length = app.lengthOf("v", digit);
      const said = { ...app.shape, name: app.name(digit), length: fixed(length) };
      fill.style.height = `${100 * length}%`;
      setText(value, fixed(length));
      button.setAttribute("aria-pressed", String(digit === app.digit));
      button.setAttribute("aria-label", say("attention.classes.class", said));
      button.tabIndex = digit === app.digit ? 0 : -1;
      button.classList.toggle("longest", digit === app.payload.prediction);
    });
  }
}

// A row for each capsule, a column for each class.
export class Matrix {
  constructor(app) {
    this.app = app;
    this.picture = new Picture("", { class: "matrix", "data-testid": "classes" });
    this.legend = new Ends("legend-classes");
    this.inputs = app.payload.scales.map((scale) => {
      const input = element("input", { type: "radio", name: "attention-scale", value: scale, onchange: () => app.setScale(scale) });
      const name = element("span", {}, say(`attention.scale.${scale}`, app.shape));
      const tip = say(`attention.scale.${scale}Tip`, app.shape);
      return { scale, input, label: element("label", { class: "choice", "data-tip": tip }, input, name) };
    });
    const { canvas } = this.picture;
    canvas.addEventListener("pointermove", (event) => {
      const under = this.under(event);
      app.point(under ?? {});
      app.tell(under && (() => this.describe(under)), event);
    });
    canvas.addEventListener("pointerleave", () => app.leave());
    canvas.addEventListener("click", (event) => {
      const under = this.under(event);
      if (under) app.choose(under);
    });
    this.element = element(
      "section",
      {},
      element("h2", {}, say("attention.classes.title", app.shape)),
      element(
        "fieldset",
        { class: "attention-scales" },
        element("legend", {}, say("attention.scale.label")),
        ...this.inputs.map(({ label }) => label),
      ),
      canvas,
      this.legend.element,
      element("p", { class: "look" }, say("attention.classes.look", app.shape)),
    );
  }

  describe({ capsule, digit }) {
    const { app } = this;
    const numbers = Object.fromEntries(["weight", "c", "score", "share"].map((name) => [name, app.at(name, capsule, digit)]));
    const said = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, name === "c" ? fixed(value, 4) : signedText(value, 4)]));
    return say("attention.classes.cell", { ...said, capsule, name: app.name(digit) });
  }

  under(event) {
    const [x, y] = this.picture.position(event);
    const { left, bottom, width, height } = this.grid;
    const { primary, digits } = this.app.payload;
    const [digit, capsule] = [Math.floor((x - left) / width), Math.floor(y / height)];
    return digit >= 0 && digit < digits && capsule >= 0 && capsule < primary && y < bottom ? { capsule, digit } : null;
  }

  draw() {
    const { app } = this;
    const { primary, digits, classes } = app.payload;
    const { scale } = app;
    const { context, width, height } = this.picture.begin();
    const [left, foot] = [24, 22];
    const bottom = height - foot;
    const [cellWidth, cellHeight] = [(width - left) / digits, bottom / primary];
    this.grid = { left, bottom, width: cellWidth, height: cellHeight };
    const limit = app.limit(scale);
    const middle = scale === "c" ? 1 / digits : 0;
    context.fillStyle = "#000";
    context.fillRect(left, 0, width - left, bottom);
    for (let capsule = 0; capsule < primary; capsule++) {
      for (let digit = 0; digit < digits; digit++) {
        context.fillStyle = app.colours.at((app.at(scale, capsule, digit) - middle) / limit);
        context.fillRect(left + digit * cellWidth, capsule * cellHeight, cellWidth - 1, cellHeight - 1);
      }
    }
    const font = (bold) => `${bold ? "bold " : ""}14px ${app.fontFamily}`;
    const now = { capsule: app.pointed.capsule ?? app.capsule, digit: app.pointed.digit ?? app.digit };
    context.fillStyle = app.textColour;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const every = Math.ceil(15 / cellHeight);
    for (let capsule = 0; capsule < primary; capsule++) {
      if (capsule !== now.capsule && (capsule % every || Math.abs(capsule - now.capsule) < every)) continue;
      context.font = font(capsule === now.capsule);
      context.fillText(String(capsule), left / 2 - 1, (capsule + 0.5) * cellHeight, left - 4);
    }
    classes.forEach((name, digit) => {
      context.font = font(digit === now.digit);
      context.fillText(name, left + (digit + 0.5) * cellWidth, bottom + foot / 2, cellWidth);
    });
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.strokeRect(left + now.digit * cellWidth, now.capsule * cellHeight, cellWidth - 1, cellHeight - 1);
    this.picture.canvas.setAttribute("aria-label", say("attention.classes.picture", { ...app.shape, scale: say(`attention.scale.${scale}`, app.shape) }));
    for (const own of this.inputs) own.input.checked = own.scale === scale;
    this.showLegend(scale, limit, middle);
  }

  // No coefficient is below 0: where the scale would go on, its ramp ends.
  showLegend(scale, limit, middle) {
    const clipped = this.app.contrast > 1;
    if (scale !== "c") return this.legend.show(-limit, 0, limit, clipped);
    const low = Math.min(limit, middle);
    const uniform = say("attention.scale.uniform", { value: fixed(middle, 3) });
    return this.legend.show(middle - low, uniform, middle + limit, clipped, [low / limit, 1]);
  }
}

// What each class capsule alone draws.
export class Drawn {
  constructor(app) {
    this.app = app;
    const { classes, size } = app.payload;
    this.pictures = classes.map((name, digit) => {
      const canvas = element("canvas", { width: size, height: size, class: "drawn", role: "img", "aria-label": say("attention.drawn.picture", { name }) });
      const button = element("button", { type: "button", "aria-label": say("attention.drawn.choose", { ...app.shape, name }), onclick: () => app.choose({ digit }) }, canvas, element("b", {}, name));
      return { canvas, button };
    });
    this.element = element(
      "section",
      { class: "attention-drawn" },
      element("h2", {}, say("attention.drawn.title", app.shape)),
      element("div", { class: "drawn-strip" }, ...this.pictures.map(({ button }) => button)),
      element("p", { class: "look" }, say("attention.drawn.look", app.shape)),
    );
  }

  load({ arrays, size }) {
    this.pictures.forEach(({ canvas }, digit) => {
      const pixels = arrays.drawings.subarray(digit * size * size, (digit + 1) * size * size);
      paper(canvas).drawImage(inkCanvas(pixels, size), 0, 0);
    });
  }

  draw() {
    this.pictures.forEach(({ button }, digit) => button.classList.toggle("marked", digit === this.app.digit));
  }
}
