// Coupling coefficients: a map of the 36 places for each digit, and the 32 capsule types by the ten digits.

const CROP = 4; // the maps leave out so many pixels at each edge: MNIST's digits do not reach there

class Maps {
  constructor(app) {
    this.app = app;
    this.places = element("div", { class: "maps" });
    this.matrix = new Picture("Capsule types by digits", { class: "matrix" });
    this.placeLegend = new Legend(app, "place");
    this.typeLegend = new Legend(app, "type");
    this.element = element(
      "section",
      { class: "couplings" },
      element(
        "div",
        {},
        element("h2", {}, "Where: a map for each digit"),
        this.places,
        this.placeLegend.element,
        element(
          "p",
          { class: "look" },
          "Look for places that turn orange under one digit and blue under the others (faint ones need more contrast). Each cell gathers the 32 " +
            "capsules whose fields, 17 × 17 pixels, are centred there (mean of c, or sum of shares): what single capsules do, the stage shows.",
        ),
      ),
      element(
        "div",
        {},
        element("h2", {}, "What kind: 32 capsule types by ten digits"),
        this.matrix.canvas,
        this.typeLegend.element,
        element(
          "p",
          { class: "look" },
          "Look for types that side with one digit. A column gathers one type over its 36 places. What a type stands " +
            "for is not shown here: nothing in training names it.",
        ),
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
    this.ink = inkCanvas(payload.arrays.image, 28, 0.45);
    this.pictures = Array.from({ length: payload.digits }, (_, digit) => {
      const picture = new Picture(`Coupling of the 36 places to digit ${digit}`, { class: "map" });
      const under = (event) => {
        const [x, y] = picture.position(event);
        const pixel = picture.canvas.clientWidth / (28 - 2 * CROP);
        const cells = [y, x].map((value) =>
          Math.floor((value / pixel + CROP - (payload.field - payload.stride) / 2) / payload.stride),
        );
        return cells.every((cell) => cell >= 0 && cell < payload.grid) ? cells[0] * payload.grid + cells[1] : null;
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
          "aria-label": `Map of digit ${digit}`,
          onclick: (event) => {
            const place = event.detail ? under(event) : null; // 0: from the keyboard
            this.app.choose(place === null ? { digit } : { digit, capsule: this.app.strongest({ digit, place }) });
          },
        },
        picture.canvas,
        element("span", { style: `border-color:${payload.digitColours[digit]}` }, String(digit)),
      );
      return { picture, button };
    });
    this.places.replaceChildren(...this.pictures.map(({ button }) => button));
  }

  measure() {}

  describe(level, index, digit) {
    const { app } = this;
    const where =
      level === "place"
        ? `row ${Math.floor(index / app.payload.grid)}, column ${index % app.payload.grid}`
        : `type ${index}`;
    const at = index * app.payload.digits + digit;
    const mean = gathered(app.routing.c[app.now.c], app.payload, level, false)[at];
    const share = app.now.s < 0 ? 0 : gathered(app.routing.share[app.now.s], app.payload, level, true)[at];
    return `${where} → ${digit}: mean c ${fixed(mean, 4)}, shares together ${signedText(share, 3)}`;
  }

  matrixUnder(event) {
    const [x, y] = this.matrix.position(event);
    const { left, top, cellWidth, cellHeight } = this.grid;
    const [type, digit] = [Math.floor((x - left) / cellWidth), Math.floor((y - top) / cellHeight)];
    const types = this.app.payload.primary / this.app.payload.grid ** 2;
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
    const { grid, digits, field, stride } = app.payload;
    const values = app.values("place");
    const limit = app.limit("place");
    const chosen = capsuleAt(app.payload, app.pointed.capsule ?? app.capsule).place;
    this.pictures.forEach(({ picture, button }, digit) => {
      const { context, width } = picture.begin();
      const pixel = width / (28 - 2 * CROP);
      const origin = ((field - stride) / 2 - CROP) * pixel;
      const cell = stride * pixel;
      drawInk(context, this.ink, 0, 0, width, CROP, 28 - 2 * CROP);
      for (let place = 0; place < grid * grid; place++) {
        const [x, y] = [origin + (place % grid) * cell, origin + Math.floor(place / grid) * cell];
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
    const { digits, primary, grid } = app.payload;
    const types = primary / grid ** 2;
    const { context, width, height } = this.matrix.begin();
    const [left, top] = [22, 22];
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
    context.font = `14px ${app.fontFamily}`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (let digit = 0; digit < digits; digit++) {
      context.font = `${digit === app.focusDigit ? "bold " : ""}14px ${app.fontFamily}`;
      context.fillText(digit, left / 2 - 2, top + (digit + 0.5) * cellHeight);
    }
    for (let type = 0; type < types; type++) {
      if (type !== chosen && (type % 8 || Math.abs(type - chosen) < 2)) continue;
      context.font = `${type === chosen ? "bold " : ""}14px ${app.fontFamily}`;
      context.fillText(type, Math.min(left + (type + 0.5) * cellWidth, width - 9), top / 2);
    }
    context.lineWidth = 2;
    context.strokeStyle = "#fff";
    context.strokeRect(left + chosen * cellWidth, top + app.focusDigit * cellHeight, cellWidth - 1, cellHeight - 1);
  }
}

// The ends of a scale at one level of gathering, which stay as they are while the clock runs.
class Legend {
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
    setText(this.middle, app.scale === "c" ? `${ends[1]} = uniform` : ends[1]);
    setText(this.high, (clipped && high === limit ? "≥ " : "") + ends[2]);
    this.ramp.style.setProperty("--low", low / limit);
    this.ramp.style.setProperty("--high", high / limit);
  }
}
