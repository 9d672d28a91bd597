// The stage: the drawing under its 1152 primary capsules, the ten digit capsules, and the votes between.

const SLOTS = 6; // a place of the grid shows its 32 types in 6 x 6 slots

class Stage {
  constructor(app) {
    this.app = app;
    this.picture = new Picture("Primary capsules over the drawing, and their strongest links to the ten digit capsules", {
      class: "stage-picture",
    });
    this.digits = element("div", { class: "stage-digits", role: "group", "aria-label": "Digit capsules" });
    this.box = element("div", { class: "stage-box" }, this.picture.canvas, this.digits);
    this.caption = element("p", { class: "look links", "data-testid": "links" });
    this.element = element("section", { class: "stage", "aria-label": "Stage" }, this.box, this.caption);
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
    this.ink = inkCanvas(payload.arrays.image, 28, 0.55);
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
        element("b", {}, String(digit)),
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
    const { payload } = this.app;
    this.pixel = this.side / 28;
    this.cell = payload.stride * this.pixel;
    // Centre of the field of the capsule at row and column 0, and half a cell back from there.
    this.origin = (payload.field / 2) * this.pixel - this.cell / 2;
    this.marks = new Float32Array(2 * payload.primary);
    for (let i = 0; i < payload.primary; i++) {
      const { type, row, column } = capsuleAt(payload, i);
      this.marks[2 * i] = this.origin + (column + ((type % SLOTS) + 0.5) / SLOTS) * this.cell;
      this.marks[2 * i + 1] = this.origin + (row + (Math.floor(type / SLOTS) + 0.5) / SLOTS) * this.cell;
    }
  }

  capsuleUnder(event) {
    const { grid, primary } = this.app.payload;
    const [x, y] = this.picture.position(event).map((value) => (value - this.origin) / this.cell);
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= grid || row >= grid) return null;
    const slot = Math.floor((y - row) * SLOTS) * SLOTS + Math.floor((x - column) * SLOTS);
    const type = Math.min(slot, primary / grid ** 2 - 1);
    return (type * grid + row) * grid + column;
  }

  describe(capsule) {
    const { app } = this;
    const { type, row, column } = capsuleAt(app.payload, capsule);
    const at = capsule * app.payload.digits + app.focusDigit;
    const { c, s } = app.now;
    const share = s < 0 ? null : app.routing.share[s][at];
    return (
      `type ${type}, row ${row}, column ${column}: c to ${app.focusDigit} is ${fixed(app.routing.c[c][at], 4)}` +
      (share === null ? "" : `, share of |s| ${signedText(share, 4)}`)
    );
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
    app.element.dataset.frame = app.clock.target;
  }

  drawGrid(context) {
    const { grid } = this.app.payload;
    context.strokeStyle = "rgb(255 255 255 / 0.16)";
    context.lineWidth = 1;
    context.beginPath();
    for (let line = 0; line <= grid; line++) {
      const at = this.origin + line * this.cell;
      context.moveTo(at, this.origin);
      context.lineTo(at, this.origin + grid * this.cell);
      context.moveTo(this.origin, at);
      context.lineTo(this.origin + grid * this.cell, at);
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
    const largest = this.cell / SLOTS / 1.5;
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
    const { payload, pointed } = app;
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
      const step = payload.stride * pixel;
      outline(column * step + 1, row * step + 1, payload.field * pixel - 2, dash);
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.marks[2 * capsule], this.marks[2 * capsule + 1], Math.max(cell, 0) / SLOTS, 0, 2 * Math.PI);
      context.stroke();
    };
    ring(app.capsule, []);
    if (pointed.capsule != null && pointed.capsule !== app.capsule) ring(pointed.capsule, [4, 4]);
    if (pointed.place != null) {
      const [column, row] = [pointed.place % payload.grid, Math.floor(pointed.place / payload.grid)];
      outline(origin + column * cell, origin + row * cell, cell, []);
    }
    if (pointed.type != null) {
      context.strokeStyle = "#fff";
      context.lineWidth = 1.5;
      context.beginPath();
      for (let place = 0; place < payload.grid ** 2; place++) {
        const i = pointed.type * payload.grid ** 2 + place;
        context.moveTo(this.marks[2 * i] + cell / 8, this.marks[2 * i + 1]);
        context.arc(this.marks[2 * i], this.marks[2 * i + 1], Math.max(cell, 0) / 8, 0, 2 * Math.PI);
      }
      context.stroke();
    }
  }

  drawLengths() {
    const { app } = this;
    const lengths = app.blend("v", app.lengths);
    const longest = lengths.indexOf(Math.max(...lengths));
    this.buttons.forEach(({ button, fill, value }, digit) => {
      fill.style.setProperty("--length", lengths[digit].toFixed(4));
      setText(value, app.now.v < 0 ? "–" : fixed(lengths[digit]));
      button.classList.toggle("longest", digit === longest && lengths[digit] > 0);
      button.classList.toggle("marked", digit === app.focusDigit);
      button.setAttribute("aria-pressed", String(app.only && digit === app.digit));
      const length = app.now.v < 0 ? "no length yet" : `length ${fixed(lengths[digit])}`;
      button.setAttribute("aria-label", `Digit capsule ${digit}, ${length}: keep only its links`);
    });
  }

  drawCaption() {
    const { app } = this;
    const { digits } = app.payload;
    const { s } = app.now;
    if (s < 0) {
      setText(this.caption, "No votes are counted yet: in the first step every coefficient is exactly 1/10.");
      return;
    }
    const mine = Array.from(app.payload.arrays.links_of).filter((link) => link % digits === app.focusDigit);
    const sum = (sign) => mine.reduce((total, link) => total + Math.max(sign * app.routing.share[s][link], 0), 0);
    const whole = app.sumLengths(s)[app.focusDigit];
    setText(
      this.caption,
      `Look where the thick links start, the middle of a field of 17 × 17 pixels: width is a capsule’s share of |s|, orange adds, blue takes away. ` +
        `Digit ${app.focusDigit} has |s| = ${fixed(whole)}. To it the ${mine.length} of its ${app.payload.primary} links that matter most in any iteration add ` +
        `${fixed(sum(1))} and take ${fixed(sum(-1))} away; a click on the digit draws these alone.`,
    );
  }
}
