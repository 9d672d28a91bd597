// The votes for the chosen class on their two principal axes, with s and v.

import { arrow } from "./clouds.js";
import { Picture, element, fixed, percent, setText, signedText } from "./drawing.js";
import { projected } from "./routing.js";
import { say } from "./texts.js";

const NEAR = 14; // pixels within which a vote is meant

export class Cloud {
  // On the two axes of each class: votes [J, I, 2], s and v [J, 2].
  votes = new Float32Array();
  s = new Float32Array();
  v = new Float32Array();

  constructor(app) {
    this.app = app;
    this.heading = element("h2");
    this.picture = new Picture(say("attention.cloud.picture"), { class: "cloud", "data-testid": "cloud" });
    this.caption = element("p", { class: "look", "data-testid": "cloud-caption" });
    const { canvas } = this.picture;
    canvas.addEventListener("pointermove", (event) => {
      const capsule = this.under(event);
      app.point(capsule === null ? {} : { capsule });
      app.tell(capsule === null ? null : () => this.describe(capsule), event);
    });
    canvas.addEventListener("pointerleave", () => app.leave());
    canvas.addEventListener("click", (event) => {
      const capsule = this.under(event);
      if (capsule !== null) app.choose({ capsule });
    });
    this.element = element(
      "section",
      { class: "attention-cloud" },
      this.heading,
      canvas,
      this.caption,
      element("p", { class: "look" }, say("attention.cloud.look", app.shape)),
    );
  }

  load({ arrays, digits, primary }) {
    const { axes, u_hat: uHat, s, v } = arrays;
    [this.votes, this.s, this.v] = [uHat, s, v].map((vectors) => projected(vectors, axes, digits));
    // How far the longest vote of any class reaches, and v's circle at least; s, longer by far, has a scale of its own.
    this.reach = 1;
    for (let n = 0; n < digits * primary; n++) this.reach = Math.max(this.reach, Math.hypot(this.votes[2 * n], this.votes[2 * n + 1]));
    const sums = Array.from({ length: digits }, (_, digit) => this.app.lengthOf("s", digit));
    this.longest = Math.max(1, Math.ceil(Math.max(...sums)));
  }

  describe(capsule) {
    const { app } = this;
    const said = { weight: signedText(app.at("weight", capsule), 4), share: signedText(app.at("share", capsule), 4) };
    return say("attention.cloud.vote", { ...said, capsule });
  }

  under(event) {
    const [x, y] = this.picture.position(event);
    let best = null;
    let nearest = NEAR ** 2;
    this.points.forEach(([px, py], capsule) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < nearest) [best, nearest] = [capsule, distance];
    });
    return best;
  }

  draw() {
    const { app } = this;
    const { payload, digit } = app;
    const { primary, digitColours, limits } = payload;
    setText(this.heading, say("attention.cloud.title", { ...app.shape, name: app.name(digit) }));
    const { context, width, height } = this.picture.begin();
    const radius = Math.max(Math.min(width, height) / 2 - 12, 1);
    const scale = radius / this.reach;
    this.points = Array.from({ length: primary }, (_, capsule) => {
      const at = 2 * (digit * primary + capsule);
      return [width / 2 + this.votes[at] * scale, height / 2 - this.votes[at + 1] * scale];
    });
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.strokeStyle = "rgb(255 255 255 / 0.3)";
    context.lineWidth = 1;
    context.beginPath();
    context.arc(width / 2, height / 2, scale, 0, 2 * Math.PI);
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    context.moveTo(width / 2, 0);
    context.lineTo(width / 2, height);
    context.stroke();
    const widest = Math.max(...Array.from({ length: primary }, (_, capsule) => Math.abs(app.at("weight", capsule))), limits.weight / 4);
    this.points.forEach(([x, y], capsule) => {
      const size = 3 + 9 * Math.sqrt(Math.abs(app.at("weight", capsule)) / widest);
      context.fillStyle = app.at("share", capsule) < 0 ? app.colours.againstColour : app.colours.forColour;
      context.globalAlpha = 0.85;
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 1;
      if (capsule !== app.capsule && capsule !== app.pointed.capsule) return;
      context.strokeStyle = "#fff";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, size + 3, 0, 2 * Math.PI);
      context.stroke();
    });
    const last = app.steps.length - 1;
    const [s, v] = [this.s, this.v].map((points) => /** @type {[number, number]} */ ([points[2 * digit], points[2 * digit + 1]]));
    if (app.step >= last - 1) arrow(context, width, height, s, scale / this.longest, 2, "#fff", "#000");
    if (app.step >= last) arrow(context, width, height, v, scale, 6, digitColours[digit], "#fff");
    const said = { longest: this.longest, s: fixed(app.lengthOf("s", digit), 3), v: fixed(app.lengthOf("v", digit), 3), percent: percent(payload.kept[digit]) };
    const come = app.step >= last ? "lengths" : app.step >= last - 1 ? "sum" : "none";
    setText(this.caption, say(`attention.cloud.${come}`, said));
  }
}
