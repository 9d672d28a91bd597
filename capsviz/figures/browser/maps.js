// Coupling coefficients: a map of the places for each digit, and the capsule types by the digits.

import { Picture, drawInk, element, fixed, inkCanvas, setText, signedText } from "./drawing.js";
import { capsuleAt, capsuleOf, gathered, mapFrame, scaleReach } from "./routing.js";
import { say } from "./texts.js";

export class Maps {
  constructor(app) {
    this.app = app;
    this.places = element("div", { class: "maps" });
    this.matrix = new Picture(say("routing.maps.matrix", app.shape), { class: "matrix" });
    this.placeLegend = new Legend(app, "place");
    this.typeLegend = new Legend(app, "type");
    this.element = element(
      "section",
      { class: "couplings" },
      element(
        "div",
        {},
        element("h2", {}, say("routing.maps.where", app.shape)),
        this.places,
        this.placeLegend.element,
        element("p", { class: "look" }, say("routing.maps.whereLook", app.shape)),
      ),
      element(
        "div",
        {},
        element("h2", {}, say("routing.maps.what", app.shape)),
        this.matrix.canvas,
        this.typeLegend.element,
        element("p", { class: "look" }, say("routing.maps.whatLook", app.shape)),
      ),
    );
    this.matrix.canvas.addEventListener("pointermove", (event) => this.pointMatrix(event));
    this.matrix.canvas.addEventListener("pointerleave", () => app.leave());
    this.matrix.canvas.addEventListener("click", (event) => {
      const under = this.matrixUnder(event);
      if (under) app.choose({ digit: under.digit, capsule: app.strongest(under) });
    });
  }

  load(payload) {
    const { rows, columns, stride } = payload.grid;
    const { crop, side, origin } = (this.frame = mapFrame(payload));
    this.ink = inkCanvas(payload.arrays.image, payload.size, 0.45);
    this.pictures = Array.from(payload.classes, (name, digit) => {
      const said = { ...this.app.shape, name };
      const picture = new Picture(say("routing.maps.picture", said), { class: "map" });
      const under = (event) => {
        const pixel = picture.canvas.clientWidth / side;
        const [column, row] = picture.position(event).map((value) => Math.floor((value / pixel + crop - origin) / stride));
        return row >= 0 && row < rows && column >= 0 && column < columns ? capsuleOf(payload, 0, row, column) : null;
      };
      picture.canvas.addEventListener("pointermove", (event) => {
        const place = under(event);
        this.app.point({ digit, place });
        this.app.tell(place === null ? null : () => this.describe("place", place, digit), event);
      });
      picture.canvas.addEventListener("pointerleave", () => this.app.leave());
      const button = element(
        "button",
        {
          type: "button",
          class: "map-button",
          "aria-label": say("routing.maps.map", said),
          onclick: (event) => {
            const place = event.detail ? under(event) : null; // 0: from the keyboard
            this.app.choose(place === null ? { digit } : { digit, capsule: this.app.strongest({ digit, place }) });
          },
        },
        picture.canvas,
        element("span", { style: `border-color:${payload.digitColours[digit]}` }, name),
      );
      return { picture, button };
    });
    this.places.replaceChildren(...this.pictures.map(({ button }) => button));
  }

  measure() {}

  describe(level, index, digit) {
    const { app } = this;
    const at = index * app.payload.digits + digit;
    const mean = gathered(app.routing.c[app.now.c], app.payload, level, false)[at];
    const share = app.now.s < 0 ? 0 : gathered(app.routing.share[app.now.s], app.payload, level, true)[at];
    const where = level === "place" ? capsuleAt(app.payload, index) : { type: index };
    const said = { ...where, name: app.name(digit), c: fixed(mean, 4), shares: signedText(share, 3) };
    return say(`routing.maps.${level}`, said);
  }

  matrixUnder(event) {
    const [x, y] = this.matrix.position(event);
    const { left, top, cellWidth, cellHeight } = this.grid;
    const [type, digit] = [Math.floor((x - left) / cellWidth), Math.floor((y - top) / cellHeight)];
    const { types } = this.app.grid;
    return type >= 0 && digit >= 0 && type < types && digit < this.app.payload.digits ? { type, digit } : null;
  }

  pointMatrix(event) {
    const under = this.matrixUnder(event);
    this.app.point(under ?? {});
    this.app.tell(under && (() => this.describe("type", under.type, under.digit)), event);
  }

  draw() {
    this.drawPlaces();
    this.drawTypes();
    this.placeLegend.draw();
    this.typeLegend.draw();
  }

  drawPlaces() {
    const { app } = this;
    const { digits, grid } = app.payload;
    const { crop, side, origin } = this.frame;
    const values = app.values("place");
    const limit = app.limit("place");
    const chosen = capsuleAt(app.payload, app.pointed.capsule ?? app.capsule).place;
    this.pictures.forEach(({ picture, button }, digit) => {
      const { context, width } = picture.begin();
      const pixel = width / side;
      const first = (origin - crop) * pixel;
      const cell = grid.stride * pixel;
      drawInk(context, this.ink, 0, 0, width, crop, side);
      for (let place = 0; place < grid.rows * grid.columns; place++) {
        const { row, column } = capsuleAt(app.payload, place);
        const [x, y] = [first + column * cell, first + row * cell];
        context.fillStyle = app.colours.at(values[place * digits + digit] / limit);
        context.fillRect(x, y, cell - 1, cell - 1);
        const pointed = app.pointed.place === place;
        if (pointed || (place === chosen && app.pointed.place == null)) {
          context.strokeStyle = "#fff";
          context.lineWidth = pointed ? 2 : 1;
          context.strokeRect(x, y, cell - 1, cell - 1);
        }
      }
      button.classList.toggle("marked", digit === app.focusDigit);
    });
  }

  drawTypes() {
    const { app } = this;
    const { digits, classes, grid } = app.payload;
    const { types } = grid;
    const { context, width, height } = this.matrix.begin();
    const font = (bold) => `${bold ? "bold " : ""}14px ${app.fontFamily}`;
    context.font = font(true);
    const widest = Math.max(...classes.map((name) => context.measureText(name).width));
    const top = 22;
    const left = Math.max(top, Math.min(Math.ceil(widest) + 12, width / 3)); // longer names are drawn narrower
    const cellWidth = (width - left) / types;
    const cellHeight = (height - top) / digits;
    this.grid = { left, top, cellWidth, cellHeight };
    const values = app.values("type");
    const limit = app.limit("type");
    const chosen = app.pointed.type ?? capsuleAt(app.payload, app.pointed.capsule ?? app.capsule).type;
    context.fillStyle = "#000";
    context.fillRect(left, top, width - left, height - top);
    for (let type = 0; type < types; type++) {
      for (let digit = 0; digit < digits; digit++) {
        context.fillStyle = app.colours.at(values[type * digits + digit] / limit);
        context.fillRect(left + type * cellWidth, top + digit * cellHeight, cellWidth - 1, cellHeight - 1);
      }
    }
    context.fillStyle = app.textColour;
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (let digit = 0; digit < digits; digit++) {
      context.font = font(digit === app.focusDigit);
      context.fillText(classes[digit], left / 2 - 2, top + (digit + 0.5) * cellHeight, left - 6);
    }
    // Four numbers or so, and always the chosen one's, with room around it.
    const every = 2 ** Math.max(0, Math.ceil(Math.log2(types / 4)));
    for (let type = 0; type < types; type++) {
      if (type !== chosen && (type % every || Math.abs(type - chosen) < every / 4)) continue;
      context.font = font(type === chosen);
      context.fillText(String(type), Math.min(left + (type + 0.5) * cellWidth, width - 9), top / 2);
    }
    context.lineWidth = 2;
    context.strokeStyle = "#fff";
    context.strokeRect(left + chosen * cellWidth, top + app.focusDigit * cellHeight, cellWidth - 1, cellHeight - 1);
  }
}

// The ends of a scale at one level of gathering, which stay as they are while the clock runs.
export class Legend {
  constructor(app, level) {
    this.app = app;
    this.level = level;
    this.low = element("span");
    this.middle = element("span");
    this.high = element("span");
    this.ramp = element("div", { class: "ramp", "aria-hidden": "true" });
    this.element = element(
      "div",
      { class: "legend", "data-testid": `legend-${level}` },
      this.ramp,
      element("div", { class: "ends" }, this.low, this.middle, this.high),
    );
  }

  draw() {
    const { app } = this;
    const limit = app.limit(this.level);
    const [low, high] = scaleReach(app.scale, limit, app.payload.digits);
    const uniform = 1 / app.payload.digits;
    const ends =
      app.scale === "c"
        ? [uniform * 2 ** -low, uniform, uniform * 2 ** high].map((value) => fixed(value, value < 0.01 ? 4 : 3))
        : [-low, 0, high].map((value) => signedText(value, limit < 0.01 ? 4 : 3));
    // What lies beyond the ends has their colour: with contrast, and always the few strongest single capsules.
    // Beyond 0 and 1 no c can lie, and there the ramp ends before its full colour.
    const clipped = app.contrast > 1 || this.level === "capsule";
    setText(this.low, (clipped && low === limit ? "≤ " : "") + ends[0]);
    setText(this.middle, app.scale === "c" ? say("routing.maps.uniform", { value: ends[1] }) : ends[1]);
    setText(this.high, (clipped && high === limit ? "≥ " : "") + ends[2]);
    this.ramp.style.setProperty("--low", String(low / limit));
    this.ramp.style.setProperty("--high", String(high / limit));
  }
}
