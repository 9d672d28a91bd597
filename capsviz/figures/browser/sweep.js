// Figure 4 of the paper for this drawing: a row for each dimension, 11 steps around the encoded value; a click takes
// the pose.

import { element, fixed, putInk, setText, signedText } from "./drawing.js";
import { say } from "./texts.js";

export const STEPS = 11;
const MIDDLE = (STEPS - 1) / 2;
const SPAN = 5; // of the range, at first; each 0.05 units
const LINE = 1; // pixel around an image

/**
 * How far from the encoded value a step of the sweep is.
 * @param {number} span
 * @param {number} step
 */
export function moveOf(span, step) {
  return span * (step / MIDDLE - 1);
}

/**
 * What stands below a column: the ends' and the middle's moves.
 * @param {number} span
 * @param {number} step
 */
export function columnLabel(span, step) {
  return step % MIDDLE ? "" : signedText(moveOf(span, step));
}

export class SweepGrid {
  constructor(page) {
    this.page = page;
    const { dimensions } = page;
    this.cell = page.size + 2 * LINE;
    this.canvas = element("canvas", {
      class: "sweep",
      width: STEPS * this.cell,
      height: dimensions * this.cell,
      role: "img",
      "aria-label": say("pose.sweep.name"),
      "data-testid": "sweep",
      onclick: (event) => this.click(event),
      onpointermove: (event) => {
        const { dimension, move } = this.under(event);
        page.tip.show(say("pose.sweep.tip", { dimension, move: signedText(move, 3) }), event.clientX, event.clientY);
      },
      onpointerleave: () => page.tip.hide(),
    });
    this.span = element("input", { type: "range", min: 0.05, max: 0.6, step: 0.05, value: 0.05 * SPAN, "aria-label": say("pose.sweep.span"), oninput: () => this.respan() });
    this.spanText = element("output");
    this.labels = Array.from({ length: dimensions }, (_, d) => element("span", {}, String(d)));
    const beside = element("div", { class: "sweep-labels", "aria-hidden": "true" }, ...this.labels);
    beside.style.gridTemplateRows = `repeat(${dimensions}, 1fr)`;
    this.columns = Array.from({ length: STEPS }, () => element("span"));
    this.element = element(
      "section",
      {},
      element("h2", {}, say("pose.sweep.heading")),
      element(
        "div",
        { class: "span" },
        element("label", {}, `${say("pose.sweep.range")} `, this.span),
        this.spanText,
        element("button", { type: "button", onclick: () => page.reset() }, say("pose.sweep.reset")),
      ),
      element(
        "div",
        { class: "sweep-frame" },
        beside,
        this.canvas,
        element("div", { class: "sweep-columns", "aria-hidden": "true" }, ...this.columns),
      ),
      element("p", { class: "look" }, say("pose.sweep.look", { numbers: dimensions, kind: page.bent })),
    );
    this.small = element("canvas", { width: page.size, height: page.size });
    this.showSpan();
  }

  // Dimension and step under the pointer.
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (offset, size, count) => Math.max(0, Math.min(Math.floor((offset / size) * count), count - 1));
    const dimension = at(event.clientY - box.top, box.height, this.page.dimensions);
    return { dimension, move: this.moveOf(at(event.clientX - box.left, box.width, STEPS)) };
  }

  // How far the ends of a row are from its middle.
  get reach() {
    return Number(this.span.value) * this.page.data.unit;
  }

  moveOf(step) {
    return moveOf(this.reach, step);
  }

  click(event) {
    const { dimension, move } = this.under(event);
    const pose = this.page.pose.slice();
    pose[dimension] = this.middle(dimension) + move;
    this.page.select(dimension);
    this.page.take(pose);
  }

  // The value in the middle column: were it the one of now, the grid would move under the pointer.
  middle(dimension) {
    return this.page.origins[this.page.capsule][dimension];
  }

  mark(dimension) {
    this.labels.forEach((label, d) => label.classList.toggle("marked", d === dimension));
  }

  // The range as a link has it.
  written() {
    const steps = Math.round(Number(this.span.value) / Number(this.span.step));
    return steps === SPAN ? undefined : steps;
  }

  setSpan(steps) {
    this.span.value = String(steps * Number(this.span.step));
    this.showSpan();
  }

  respan() {
    this.showSpan();
    this.page.writeLook();
    this.page.halt();
    this.page.rest();
  }

  showSpan() {
    const span = this.reach;
    setText(this.spanText, `±${fixed(span)}`);
    this.span.setAttribute("aria-valuetext", this.spanText.textContent);
    this.columns.forEach((label, step) => setText(label, columnLabel(span, step)));
  }

  drawRow(dimension) {
    const { page, small, cell } = this;
    const context = this.canvas.getContext("2d");
    context.fillStyle = "#5a5a5a";
    context.fillRect(0, dimension * cell, this.canvas.width, cell);
    const pose = page.pose.slice();
    for (let step = 0; step < STEPS; step++) {
      pose[dimension] = this.middle(dimension) + this.moveOf(step);
      putInk(small, page.decoder.decode(page.feed(pose)));
      context.drawImage(small, step * cell + LINE, dimension * cell + LINE);
    }
    // Where the pose of now is, if not in the middle.
    const now = (page.pose[dimension] - this.middle(dimension)) / this.reach;
    if (Math.abs(now) < 1e-6 || Math.abs(now) > 1.001) return;
    const x = (now + 1) * MIDDLE * cell;
    context.strokeStyle = "#f08a24";
    context.strokeRect(x + 0.5, dimension * cell + 0.5, cell - 1, cell - 1);
  }
}
