// Vote clouds: the 1152 votes for two digits on two axes each, and s and v as arrows that move.

class Clouds {
  constructor(app) {
    this.app = app;
    this.panels = [0, 1].map((index) => this.panel(index));
    this.arrows = element("p", { class: "look" });
    this.element = element(
      "section",
      { class: "clouds" },
      element("h2", {}, "Vote clouds: do the capsules agree?"),
      element("div", { class: "cloud-pair" }, ...this.panels.map(({ element: node }) => node)),
      this.arrows,
      element(
        "p",
        { class: "look" },
        ...words(
          "Look which way the dots lean: no tight bundle, but over a thousand small votes, of which the winner’s lean " +
            "one way. A dot is one [[vote û|û = W u: what a primary capsule predicts the pose of the digit capsule to be (Eq. 2)]], " +
            "its size c, orange if it lengthens the digit capsule. Both pictures have the same scales. Fourteen of " +
            "the sixteen dimensions are not shown.",
        ),
      ),
    );
  }

  panel(index) {
    const { app } = this;
    const select = element("select", {
      "aria-label": index ? "Second digit" : "First digit",
      onchange: () => app.compare(index, Number(select.value)),
    });
    const picture = new Picture("Votes on two principal axes", { class: "cloud" });
    const caption = element("figcaption", { "data-testid": `cloud-${index}` });
    picture.canvas.addEventListener("pointermove", (event) => {
      const capsule = this.voteUnder(index, picture.position(event));
      app.point({ capsule });
      app.tell(capsule === null ? null : () => this.describe(index, capsule), event);
    });
    picture.canvas.addEventListener("pointerleave", () => app.leave());
    picture.canvas.addEventListener("click", (event) => {
      const capsule = this.voteUnder(index, picture.position(event));
      if (capsule !== null) app.choose({ capsule });
    });
    const node = element(
      "figure",
      { class: "cloud-panel" },
      element("label", {}, "Votes for ", select),
      picture.canvas,
      caption,
    );
    return { element: node, select, picture, caption };
  }

  load(payload) {
    for (const { select } of this.panels) {
      select.replaceChildren(
        ...Array.from({ length: payload.digits }, (_, digit) => {
          const note = digit === payload.prediction ? " (longest)" : digit === payload.runnerUp ? " (runner-up)" : "";
          return element("option", { value: digit }, `${digit}${note}`);
        }),
      );
    }
    const { axes, u_hat: uHat, s, v } = payload.arrays;
    [this.votes, this.s, this.v] = [uHat, s, v].map((vectors) => projected(vectors, axes, payload.digits));
    // How far all but a few of all votes reach, and how long s becomes: the same for all digits.
    const reach = Float32Array.from({ length: payload.primary * payload.digits }, (_, vote) =>
      Math.hypot(this.votes[2 * vote], this.votes[2 * vote + 1]),
    ).sort();
    this.reach = Math.max(reach[Math.floor(0.998 * (reach.length - 1))], 1e-6);
    this.longest = Math.max(1, Math.ceil(Math.max(...payload.frames.map(({ s }) => (s < 0 ? 0 : Math.max(...this.app.sumLengths(s)))))));
    setText(this.arrows, `Thick arrow: v, the circle is length 1. Thin arrow: s, the circle is length ${this.longest}. Both are seen from one side, so they look shorter than they are, never longer. Votes have a scale of their own.`);
  }

  measure() {}

  // Positions of all votes for a panel's digit in CSS pixels; those beyond the edge lie on it.
  place(index, width, height) {
    const { payload, rivals } = this.app;
    const key = `${payload.id}/${rivals[index]}/${width}`;
    const panel = this.panels[index];
    if (panel.key !== key) {
      const first = rivals[index] * payload.primary;
      const radius = Math.min(width, height) / 2 - 6;
      panel.points = new Float32Array(2 * payload.primary);
      panel.beyond = 0;
      for (let i = 0; i < payload.primary; i++) {
        const [x, y] = this.votes.subarray(2 * (first + i), 2 * (first + i) + 2);
        const distance = Math.hypot(x, y) / this.reach;
        if (distance > 1) panel.beyond += 1;
        const scale = radius / this.reach / Math.max(distance, 1);
        panel.points[2 * i] = width / 2 + x * scale;
        panel.points[2 * i + 1] = height / 2 - y * scale;
      }
      panel.key = key;
    }
    return panel.points;
  }

  voteUnder(index, [x, y]) {
    const { points } = this.panels[index];
    let best = null;
    let nearest = 64; // squared pixels
    for (let i = 0; i < this.app.payload.primary; i++) {
      const distance = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
      if (distance < nearest) [best, nearest] = [i, distance];
    }
    return best;
  }

  describe(index, capsule) {
    const { app } = this;
    const { type, row, column } = capsuleAt(app.payload, capsule);
    const at = capsule * app.payload.digits + app.rivals[index];
    const { c, s } = app.now;
    return (
      `type ${type}, row ${row}, column ${column}: c ${fixed(app.routing.c[c][at], 4)}` +
      (s < 0 ? "" : `, share of |s| ${signedText(app.routing.share[s][at], 4)}`)
    );
  }

  draw() {
    this.panels.forEach((panel, index) => this.drawPanel(panel, index));
  }

  drawPanel({ picture, caption, select }, index) {
    const { app } = this;
    const { payload } = app;
    const digit = app.rivals[index];
    select.value = digit;
    const { context, width, height } = picture.begin();
    const points = this.place(index, width, height);
    const radius = Math.min(width, height) / 2 - 6;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.strokeStyle = "rgb(255 255 255 / 0.3)";
    context.lineWidth = 1;
    context.beginPath();
    context.arc(width / 2, height / 2, Math.max(radius, 0), 0, 2 * Math.PI);
    context.moveTo(width / 2 - radius, height / 2);
    context.lineTo(width / 2 + radius, height / 2);
    context.moveTo(width / 2, height / 2 - radius);
    context.lineTo(width / 2, height / 2 + radius);
    context.stroke();

    const couplings = app.blend("c", (r) => app.routing.c[r]);
    const shares = app.blend("s", app.shares);
    const limit = payload.limits.share.capsule / app.contrast;
    const bins = Array.from({ length: 9 }, () => []);
    for (let i = 0; i < payload.primary; i++) {
      const at = i * payload.digits + digit;
      const strength = Math.max(-1, Math.min(shares[at] / limit, 1));
      bins[Math.round(4 * strength) + 4].push(points[2 * i], points[2 * i + 1], 5.2 * Math.sqrt(couplings[at]));
    }
    const colour = (bin) => {
      const end = bin < 4 ? payload.againstColour : payload.forColour;
      const t = Math.abs(bin - 4) / 4;
      return `rgb(${end.map((channel) => Math.round(150 + (channel - 150) * t)).join(" ")} / ${0.5 + 0.45 * t})`;
    };
    // The strong ones on top.
    const order = [4, 3, 5, 2, 6, 1, 7, 0, 8];
    fillCircles(context, order.map((bin) => [colour(bin), bins[bin]]));

    this.arrow(context, width, height, app.blend("v", (r) => this.arrowOf(this.v, digit, r)), radius, 8, payload.digitColours[digit], "#fff");
    this.arrow(context, width, height, app.blend("s", (r) => this.arrowOf(this.s, digit, r)), radius / this.longest, 2, "#fff", "#000");
    for (const [capsule, size] of [[app.capsule, 7], [app.pointed.capsule, 9]]) {
      if (capsule == null) continue;
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(points[2 * capsule], points[2 * capsule + 1], Math.max(size, 0), 0, 2 * Math.PI);
      context.stroke();
    }
    const { v, s } = app.now;
    const beyond = this.panels[index].beyond;
    setText(
      caption,
      `|v| = ${v < 0 ? "not yet" : fixed(app.lengths(v)[digit])}, |s| = ${s < 0 ? "not yet" : fixed(app.sumLengths(s)[digit])}. ` +
        `The axes keep ${percent(payload.kept[digit])} of the votes’ variance.` +
        (beyond ? ` ${beyond} votes lie beyond the edge.` : ""),
    );
  }

  arrowOf(points, digit, r) {
    if (r < 0) return new Float32Array(2);
    const at = 2 * (digit * this.app.payload.iterations + r);
    return points.subarray(at, at + 2);
  }

  arrow(context, width, height, [x, y], scale, thickness, colour, edge) {
    const [dx, dy] = [x * scale, -y * scale];
    const length = Math.hypot(dx, dy);
    if (length < 1) return;
    const [ux, uy] = [dx / length, dy / length];
    const head = Math.min(2 * thickness + 4, length);
    const [tx, ty] = [width / 2 + dx, height / 2 + dy];
    for (const [style, extra] of [[edge, 2], [colour, 0]]) {
      context.strokeStyle = context.fillStyle = style;
      context.lineWidth = thickness + extra;
      context.beginPath();
      context.moveTo(width / 2, height / 2);
      context.lineTo(tx - ux * head, ty - uy * head);
      context.stroke();
      context.beginPath();
      const wing = head * 0.6 + extra;
      context.moveTo(tx + ux * extra, ty + uy * extra);
      context.lineTo(tx - ux * head - uy * wing, ty - uy * head + ux * wing);
      context.lineTo(tx - ux * head + uy * wing, ty - uy * head - ux * wing);
      context.fill();
    }
  }
}
