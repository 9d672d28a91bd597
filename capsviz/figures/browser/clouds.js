// Vote clouds: all votes for two digits on two axes each, and s and v as arrows that move.

import { Picture, element, fillCircles, fixed, percent, setText, signedText, words } from "./drawing.js";
import { capsuleAt, projected } from "./routing.js";
import { capital, say, spelled } from "./texts.js";

export class Clouds {
  // On the two axes of each class: votes [J, I, 2], s and v [J, R, 2].
  votes = new Float32Array();
  s = new Float32Array();
  v = new Float32Array();

  constructor(app) {
    this.app = app;
    this.panels = [0, 1].map((index) => this.panel(index));
    this.arrows = element("p", { class: "look" });
    this.element = element(
      "section",
      { class: "clouds" },
      element("h2", {}, say("routing.clouds.title")),
      element("div", { class: "cloud-pair" }, ...this.panels.map(({ element: node }) => node)),
      this.arrows,
      element("p", { class: "look" }, ...words(this.look())),
    );
  }

  look() {
    const { shape } = this.app;
    const many = shape.capsules >= 1000 && shape.capsules < 2000;
    const hidden = shape.pose - 2;
    const sentences = [say(many ? "routing.clouds.leanThousand" : "routing.clouds.lean", shape), say("routing.clouds.dot", shape)];
    if (hidden > 0) {
      const said = { count: hidden, hidden: capital(spelled(hidden)), dimensions: spelled(shape.pose) };
      sentences.push(say("routing.clouds.hidden", said));
    }
    return sentences.join(" ");
  }

  panel(index) {
    const { app } = this;
    const select = element("select", {
      "aria-label": say(index ? "routing.clouds.second" : "routing.clouds.first", app.shape),
      onchange: () => app.compare(index, Number(select.value)),
    });
    const picture = new Picture(say("routing.clouds.picture"), { class: "cloud" });
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
      element("label", {}, `${say("routing.clouds.votes")} `, select),
      picture.canvas,
      caption,
    );
    return { element: node, select, picture, caption };
  }

  load(payload) {
    for (const { select } of this.panels) {
      select.replaceChildren(
        ...Array.from(payload.classes, (name, digit) => {
          const note = { [payload.runnerUp]: "runnerUp", [payload.prediction]: "longest" }[digit];
          return element("option", { value: digit }, note ? say(`routing.clouds.${note}`, { name }) : name);
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
    setText(this.arrows, say("routing.clouds.arrows", { longest: this.longest }));
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
    const at = capsule * app.payload.digits + app.rivals[index];
    const { c, s } = app.now;
    const said = { ...capsuleAt(app.payload, capsule), c: fixed(app.routing.c[c][at], 4) };
    if (s < 0) return say("routing.clouds.spot", said);
    return say("routing.clouds.spotShare", { ...said, share: signedText(app.routing.share[s][at], 4) });
  }

  draw() {
    this.panels.forEach((panel, index) => this.drawPanel(panel, index));
  }

  drawPanel({ picture, caption, select }, index) {
    const { app } = this;
    const { payload } = app;
    const digit = app.rivals[index];
    select.value = String(digit);
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

    arrow(context, width, height, app.blend("v", (r) => this.arrowOf(this.v, digit, r)), radius, 8, payload.digitColours[digit], "#fff");
    arrow(context, width, height, app.blend("s", (r) => this.arrowOf(this.s, digit, r)), radius / this.longest, 2, "#fff", "#000");
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
    const come = s < 0 ? "lengthsNone" : v < 0 ? "lengthsSum" : "lengths";
    const sentences = [
      say(`routing.clouds.${come}`, { v: fixed(app.lengths(v)[digit]), s: fixed(app.sumLengths(s)[digit]) }),
      say("routing.clouds.kept", { percent: percent(payload.kept[digit]) }),
    ];
    if (beyond) sentences.push(say("routing.clouds.beyond", { count: beyond }));
    setText(caption, sentences.join(" "));
  }

  arrowOf(points, digit, r) {
    if (r < 0) return new Float32Array(2);
    const at = 2 * (digit * this.app.payload.iterations + r);
    return points.subarray(at, at + 2);
  }
}

// From the middle of a picture, x and y in the picture's own measure.
export function arrow(context, width, height, [x, y], scale, thickness, colour, edge) {
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
