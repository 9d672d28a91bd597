// Which places voted for the one digit, for the other, for both: discs over the picture.

import { Picture, drawInk, element, fixed, inkCanvas, words } from "./drawing.js";
import { number, say } from "./texts.js";

const FULL = 0.62; // of the way to the next place: the radius of the largest disc

export class Voters {
  constructor(app) {
    this.app = app;
    this.picture = new Picture(say("overlap.voters.picture"), { class: "discs", "data-testid": "voters" });
    this.says = element("p", { class: "look" });
    this.element = element(
      "section",
      { class: "voters" },
      this.picture.canvas,
      element("div", {}, element("h2", {}, say("overlap.voters.title")), this.says),
    );
    this.picture.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.picture.canvas.addEventListener("pointerleave", () => app.tip.hide());
  }

  /**
   * @param {any} payload
   * @param {number[]} pair the two classes, the first one first
   * @param {boolean} turned whether the payload has them the other way round
   */
  load(payload, pair, turned) {
    this.payload = payload;
    const [first, second] = pair.map((digit) => payload.classes[digit]);
    const sides = turned ? [2, 1, 0] : [0, 1, 2];
    this.sides = sides;
    this.colours = [payload.digitColours[pair[0]], "#ffffff", payload.digitColours[pair[1]]];
    this.ink = inkCanvas(payload.arrays.image, payload.size, 0.4);
    const [one, both, two] = sides.map((side) => payload.capsules[side]);
    this.named = { first, second };
    const [mine, theirs] = [one, two].map((count) => say("overlap.voters.capsules", { count: count + both }));
    const said = { ...this.app.shape, first, second, one: mine, two: theirs, both, capsules: number(this.app.shape.capsules) };
    this.says.replaceChildren(...words(say("overlap.voters.says", said)));
    this.draw();
  }

  // Of a place: counts and amounts for the first, for both, for the second.
  at(place) {
    const { counts, amounts } = this.payload.arrays;
    return this.sides.map((side) => ({ count: counts[3 * place + side], amount: amounts[3 * place + side] }));
  }

  draw() {
    const { context, width } = this.picture.begin();
    if (!this.payload || !width) return;
    const { grid, size } = this.payload;
    const pixel = width / size;
    drawInk(context, this.ink, 0, 0, width);
    const places = Array.from({ length: grid.rows * grid.columns }, (_, place) => this.at(place));
    const most = Math.max(...places.map((sides) => sides.reduce((sum, { amount }) => sum + amount, 0)), 1e-9);
    places.forEach((sides, place) => {
      const sum = sides.reduce((all, { amount }) => all + amount, 0);
      if (sum <= 0) return;
      const [x, y] = this.middle(place).map((at) => at * pixel);
      const radius = FULL * grid.stride * pixel * Math.sqrt(sum / most);
      let angle = -Math.PI / 2;
      sides.forEach(({ amount }, side) => {
        const next = angle + (2 * Math.PI * amount) / sum;
        context.beginPath();
        context.moveTo(x, y);
        context.arc(x, y, radius, angle, next);
        context.fillStyle = this.colours[side];
        context.fill();
        angle = next;
      });
    });
  }

  // The middle of what a place sees, in pixels of the picture.
  middle(place) {
    const { columns, field, stride } = this.payload.grid;
    return [place % columns, Math.floor(place / columns)].map((at) => at * stride + field / 2);
  }

  point(event) {
    const { grid, size } = this.payload;
    const pixel = this.picture.canvas.clientWidth / size;
    const [column, row] = this.picture.position(event).map((at) => Math.round((at / pixel - grid.field / 2) / grid.stride));
    if (row < 0 || row >= grid.rows || column < 0 || column >= grid.columns) return this.app.tip.hide();
    const [one, both, two] = this.at(row * grid.columns + column);
    const said = { row, column, ...this.named };
    const some = one.count + both.count + two.count > 0;
    const added = { oneAdds: fixed(one.amount, 3), bothAdds: fixed(both.amount, 3), twoAdds: fixed(two.amount, 3) };
    const text = some ? say("overlap.voters.place", { ...said, one: one.count, both: both.count, two: two.count, ...added }) : say("overlap.voters.none", said);
    this.app.tip.show(text, event.clientX, event.clientY);
  }
}
