// The stage: the drawing under its primary capsules, the digit capsules, and the votes between.

import { Picture, drawInk, element, fillCircles, fixed, inkCanvas, setText, signedText } from "./drawing.js";
import { capsuleAt, capsuleOf } from "./routing.js";
import { say } from "./texts.js";

export class Stage {
  constructor(app) {
    this.app = app;
    // A place of the grid shows its types in so many slots both ways.
    this.slots = Math.ceil(Math.sqrt(app.grid.types));
    this.picture = new Picture(say("routing.stage.picture", app.shape), { class: "stage-picture" });
    this.digits = element("div", {
      class: "stage-digits",
      role: "group",
      "aria-label": say("routing.stage.capsules", app.shape),
    });
    this.box = element("div", { class: "stage-box" }, this.picture.canvas, this.digits);
    this.caption = element("p", { class: "look links", "data-testid": "links" });
    this.element = element("section", { class: "stage", "aria-label": say("routing.stage.label") }, this.box, this.caption);
    this.listen();
  }

  listen() {
    const canvas = this.picture.canvas;
    canvas.addEventListener("pointermove", (event) => {
      const capsule = this.capsuleUnder(event);
      canvas.style.cursor = capsule === null ? "default" : "crosshair";
      this.app.point({ capsule });
      this.app.tell(capsule === null ? null : () => this.describe(capsule), event);
    });
    canvas.addEventListener("pointerleave", () => this.app.leave());
    canvas.addEventListener("click", (event) => {
      const capsule = this.capsuleUnder(event);
      if (capsule !== null) this.app.choose({ capsule });
    });
  }

  load(payload) {
    this.ink = inkCanvas(payload.arrays.image, payload.size, 0.55);
    this.buttons = Array.from({ length: payload.digits }, (_, digit) => {
      const fill = element("span", { class: "fill", style: `background:${payload.digitColours[digit]}` });
      const value = element("span", { class: "value" });
      const button = element(
        "button",
        {
          type: "button",
          class: "stage-digit",
          "data-testid": `digit-${digit}`,
          onclick: () => this.app.choose({ digit, only: !(this.app.only && this.app.digit === digit) }),
          onpointerenter: () => this.app.point({ digit }),
          onpointerleave: () => this.app.point({}),
        },
        element("b", {}, payload.classes[digit]),
        element("span", { class: "track" }, fill),
        value,
      );
      return { button, fill, value };
    });
    this.digits.replaceChildren(...this.buttons.map(({ button }) => button));
    this.measure();
  }

  // Where things are, in CSS pixels of the canvas; read once, not at every frame.
  measure() {
    const width = this.box.clientWidth;
    this.portrait = this.digits.offsetTop > 40;
    this.side = this.portrait ? width : Math.min(this.box.clientHeight, this.digits.offsetLeft - 60);
    this.anchors = this.buttons.map(({ button }) =>
      this.portrait
        ? [this.digits.offsetLeft + button.offsetLeft + button.offsetWidth / 2, this.digits.offsetTop - 2]
        : [this.digits.offsetLeft - 2, this.digits.offsetTop + button.offsetTop + button.offsetHeight / 2],
    );
    const { app, slots } = this;
    const { payload } = app;
    this.pixel = this.side / payload.size;
    this.cell = app.grid.stride * this.pixel;
    // Centre of the field of the capsule at row and column 0, and half a cell back from there.
    this.origin = (app.grid.field / 2) * this.pixel - this.cell / 2;
    this.marks = new Float32Array(2 * payload.primary);
    for (let i = 0; i < payload.primary; i++) {
      const { type, row, column } = capsuleAt(payload, i);
      this.marks[2 * i] = this.origin + (column + ((type % slots) + 0.5) / slots) * this.cell;
      this.marks[2 * i + 1] = this.origin + (row + (Math.floor(type / slots) + 0.5) / slots) * this.cell;
    }
  }

  capsuleUnder(event) {
    const { app, slots } = this;
    const { types, rows, columns } = app.grid;
    const [x, y] = this.picture.position(event).map((value) => (value - this.origin) / this.cell);
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
    const slot = Math.floor((y - row) * slots) * slots + Math.floor((x - column) * slots);
    return capsuleOf(app.payload, Math.min(slot, types - 1), row, column);
  }

  describe(capsule) {
    const { app } = this;
    const at = capsule * app.payload.digits + app.focusDigit;
    const { c, s } = app.now;
    const said = { ...capsuleAt(app.payload, capsule), name: app.name(app.focusDigit), c: fixed(app.routing.c[c][at], 4) };
    if (s < 0) return say("routing.stage.spot", said);
    return say("routing.stage.spotShare", { ...said, share: signedText(app.routing.share[s][at], 4) });
  }

  draw() {
    const { app } = this;
    const { context } = this.picture.begin();
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.side, this.side);
    drawInk(context, this.ink, 0, 0, this.side);
    this.drawGrid(context);
    this.drawLinks(context);
    this.drawMarks(context);
    this.drawChosen(context);
    this.drawLengths();
    this.drawCaption();
    app.element.dataset.frame = String(app.clock.target);
  }

  drawGrid(context) {
    const { origin, cell } = this;
    const { rows, columns } = this.app.grid;
    context.strokeStyle = "rgb(255 255 255 / 0.16)";
    context.lineWidth = 1;
    context.beginPath();
    for (let column = 0; column <= columns; column++) {
      context.moveTo(origin + column * cell, origin);
      context.lineTo(origin + column * cell, origin + rows * cell);
    }
    for (let row = 0; row <= rows; row++) {
      context.moveTo(origin, origin + row * cell);
      context.lineTo(origin + columns * cell, origin + row * cell);
    }
    context.stroke();
  }

  shownLinks() {
    const { app } = this;
    const { digits, arrays } = app.payload;
    if (app.pointed.capsule != null) return Array.from({ length: digits }, (_, j) => app.pointed.capsule * digits + j);
    if (!app.only && app.pointed.digit == null) return arrays.links;
    const each = arrays.links_of.length / digits;
    return arrays.links_of.subarray(app.focusDigit * each, (app.focusDigit + 1) * each);
  }

  // Width is the share of |s_j|, on one scale for all digits and iterations.
  drawLinks(context) {
    const { app } = this;
    const { digits, widest } = app.payload;
    const shares = app.blend("s", app.shares);
    const thickest = Math.max(5, this.side / 44);
    context.lineCap = "round";
    for (const link of this.shownLinks()) {
      const share = shares[link];
      const width = (thickest * Math.abs(share)) / widest;
      if (width < 0.08) continue;
      const capsule = Math.floor(link / digits);
      const [x0, y0] = [this.marks[2 * capsule], this.marks[2 * capsule + 1]];
      const [x1, y1] = this.anchors[link % digits];
      context.strokeStyle = share < 0 ? app.colours.againstColour : app.colours.forColour;
      context.globalAlpha = Math.min(0.65, 0.2 + width / 8);
      context.lineWidth = Math.max(width, 0.5);
      context.beginPath();
      context.moveTo(x0, y0);
      if (this.portrait) context.bezierCurveTo(x0, (y0 + y1) / 2 + 20, x1, (y0 + y1) / 2 + 20, x1, y1);
      else context.bezierCurveTo((x0 + x1) / 2 + 20, y0, (x0 + x1) / 2 + 20, y1, x1, y1);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  // Area of a mark is its value on the chosen scale, colour its sign.
  drawMarks(context) {
    const { app, marks } = this;
    const values = app.values("capsule");
    const limit = app.limit("capsule");
    const { digits, primary } = app.payload;
    const largest = this.cell / this.slots / 1.5;
    const faint = [];
    const [positive, negative] = [[], []];
    for (let i = 0; i < primary; i++) {
      const value = values[i * digits + app.focusDigit] / limit;
      const radius = largest * Math.sqrt(Math.min(Math.abs(value), 1));
      if (radius < 0.55) faint.push(marks[2 * i], marks[2 * i + 1], 0.55);
      else (value < 0 ? negative : positive).push(marks[2 * i], marks[2 * i + 1], radius);
    }
    fillCircles(context, [
      ["rgb(160 160 160 / 0.6)", faint],
      [app.colours.againstColour, negative],
      [app.colours.forColour, positive],
    ]);
  }

  drawChosen(context) {
    const { app, cell, origin, pixel } = this;
    const { payload, pointed, grid } = app;
    const outline = (x, y, size, dash) => {
      context.setLineDash(dash);
      context.strokeStyle = "#000";
      context.lineWidth = 4;
      context.strokeRect(x, y, size, size);
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.strokeRect(x, y, size, size);
      context.setLineDash([]);
    };
    const ring = (capsule, dash) => {
      const { row, column } = capsuleAt(payload, capsule);
      const step = grid.stride * pixel;
      outline(column * step + 1, row * step + 1, grid.field * pixel - 2, dash);
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.marks[2 * capsule], this.marks[2 * capsule + 1], Math.max(cell, 0) / this.slots, 0, 2 * Math.PI);
      context.stroke();
    };
    ring(app.capsule, []);
    if (pointed.capsule != null && pointed.capsule !== app.capsule) ring(pointed.capsule, [4, 4]);
    if (pointed.place != null) {
      const { row, column } = capsuleAt(payload, pointed.place); // of the first type
      outline(origin + column * cell, origin + row * cell, cell, []);
    }
    if (pointed.type != null) {
      context.strokeStyle = "#fff";
      context.lineWidth = 1.5;
      context.beginPath();
      const places = grid.rows * grid.columns;
      for (let i = pointed.type * places; i < (pointed.type + 1) * places; i++) {
        context.moveTo(this.marks[2 * i] + cell / 8, this.marks[2 * i + 1]);
        context.arc(this.marks[2 * i], this.marks[2 * i + 1], Math.max(cell, 0) / 8, 0, 2 * Math.PI);
      }
      context.stroke();
    }
  }

  drawLengths() {
    const { app } = this;
    const lengths = app.blend("v", app.lengths);
    const ordered = Array.from(lengths).sort((a, b) => b - a);
    const least = ordered[app.payload.answers - 1]; // of those that are the answer
    this.buttons.forEach(({ button, fill, value }, digit) => {
      fill.style.setProperty("--length", lengths[digit].toFixed(4));
      setText(value, app.now.v < 0 ? "–" : fixed(lengths[digit]));
      button.classList.toggle("longest", lengths[digit] >= least && lengths[digit] > 0);
      button.classList.toggle("marked", digit === app.focusDigit);
      button.setAttribute("aria-pressed", String(app.only && digit === app.digit));
      const said = { ...app.shape, name: app.name(digit), length: fixed(lengths[digit]) };
      button.setAttribute("aria-label", say(`routing.stage.${app.now.v < 0 ? "uncounted" : "capsule"}`, said));
    });
  }

  drawCaption() {
    const { app } = this;
    const { digits } = app.payload;
    const { s } = app.now;
    if (s < 0) {
      setText(this.caption, say("routing.stage.none", app.shape));
      return;
    }
    const mine = Array.from(app.payload.arrays.links_of).filter((link) => link % digits === app.focusDigit);
    const sum = (sign) => mine.reduce((total, link) => total + Math.max(sign * app.routing.share[s][link], 0), 0);
    const said = {
      ...app.shape,
      name: app.name(app.focusDigit),
      length: fixed(app.sumLengths(s)[app.focusDigit]),
      links: mine.length,
      added: fixed(sum(1)),
      taken: fixed(sum(-1)),
    };
    setText(this.caption, say("routing.stage.links", said));
  }
}
