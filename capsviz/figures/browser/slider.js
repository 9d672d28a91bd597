// One dimension of the pose: caption, thumbnails of its two ends, track with range and origin, value.

import { element, putInk, setText, signedText } from "./drawing.js";
import { sideways } from "./fingers.js";
import { GRAIN } from "./poses.js";
import { locked } from "./prepared.js";
import { say } from "./texts.js";

const STEP = 0.01; // units, by an arrow key;
const LARGE_STEP = 0.05; // with shift, or by page up and down

export class Slider {
  constructor(page, dimension) {
    this.page = page;
    this.dimension = dimension;
    this.caption = element("span", { class: "slider-caption" });
    // The number is a button too: a finger has neither double-click nor Delete.
    this.value = element("button", { type: "button", class: "slider-value", onclick: () => this.reset() });
    const thumb = (end) =>
      element("canvas", { width: page.size, height: page.size, class: "thumb", role: "img", "data-testid": `${end}-${dimension}` });
    this.low = thumb("low");
    this.high = thumb("high");
    this.finger = null; // where one has touched the track, until its click has come
    this.input = element("input", {
      type: "range",
      step: 1 / GRAIN, // what is read out, too, has no more digits
      "data-testid": `slider-${dimension}`,
      oninput: () => this.moved(),
      onchange: () => this.changed(),
      onfocus: () => page.select(dimension),
      onpointerdown: (event) => this.touched(event),
      onpointermove: (event) => this.slid(event),
      onpointercancel: () => this.letGo(),
      onclick: () => (this.finger = null),
      ondblclick: () => this.reset(),
      onkeydown: (event) => this.key(event),
    });
    this.head = element("div", { class: "slider-head" }, element("b", {}, String(dimension)), this.caption);
    this.element = element(
      "div",
      { class: "slider" },
      this.low,
      element(
        "div",
        { class: "slider-middle" },
        this.head,
        element("div", { class: "slider-track" }, this.input, this.value),
      ),
      this.high,
    );
  }

  // A finger on the track may be on its way down the page. Browsers move the thumb at its first touch; here it counts
  // once the finger has gone sideways.
  touched(event) {
    const touch = event.pointerType === "touch";
    this.finger = touch ? { x: event.clientX, y: event.clientY, from: this.page.pose[this.dimension], slides: null } : null;
    if (!touch) this.page.select(this.dimension);
  }

  slid(event) {
    if (this.finger?.slides !== null || event.pointerType !== "touch") return;
    this.finger.slides = sideways(this.finger, event);
    if (this.finger.slides) this.page.select(this.dimension);
  }

  // The browser has taken the finger for scrolling after all.
  letGo() {
    if (this.finger?.slides) {
      this.page.pose[this.dimension] = this.finger.from;
      this.page.touch();
    }
    this.finger = null;
    this.follow();
  }

  moved() {
    if (this.finger && !this.finger.slides) this.follow();
    else this.bend(Number(this.input.value));
  }

  bend(value) {
    if (locked("pose")) return this.follow();
    this.page.halt();
    this.page.pose[this.dimension] = value;
    this.page.touch();
    this.showValue();
  }

  changed() {
    if (!this.finger || this.finger.slides) this.page.writeAddress();
  }

  // After a change of capsule, drawing or pose: range, marks, caption, value.
  place() {
    const { page, dimension, input } = this;
    const [low, high] = page.range(dimension);
    // Not under a hand that holds it: the thumb would run away.
    if (Number(input.min) !== low || Number(input.max) !== high) Object.assign(input, { min: low, max: high });
    const share = (value) => ((value - low) / (high - low)).toFixed(4);
    const ends = page.ends(dimension);
    const marks = { "--low": ends.low, "--high": ends.high, "--origin": page.origins[page.capsule][dimension] };
    for (const [name, value] of Object.entries(marks)) input.style.setProperty(name, share(value));
    const known = page.measured(dimension);
    // A number and its unit stay on one line.
    const caption = (known?.caption ?? "").replace(/ (?=px)/g, "\u00a0");
    setText(this.caption, caption);
    const text = (value) => signedText(value, 3);
    this.head.dataset.tip = say(known ? "pose.slider.measured" : "pose.slider.unmeasured", {
      middle: page.data.middle,
      low: text(ends.low),
      high: text(ends.high),
      origin: text(marks["--origin"]),
      step: STEP * page.data.unit,
      large: LARGE_STEP * page.data.unit,
    });
    input.setAttribute("aria-label", say(caption ? "pose.slider.captioned" : "pose.slider.name", { dimension, caption }));
    this.low.setAttribute("aria-label", say("pose.slider.low", { dimension, value: text(ends.low) }));
    this.high.setAttribute("aria-label", say("pose.slider.high", { dimension, value: text(ends.high) }));
    this.follow();
  }

  drawEnds() {
    const { page, dimension } = this;
    const { low, high } = page.ends(dimension);
    const pose = page.pose.slice();
    for (const [canvas, end] of [[this.low, low], [this.high, high]]) {
      pose[dimension] = end;
      putInk(canvas, page.decoder.decode(page.feed(pose)));
    }
  }

  follow() {
    this.input.value = this.page.pose[this.dimension];
    this.showValue();
  }

  showValue() {
    const value = signedText(this.page.pose[this.dimension], 3);
    setText(this.value, value);
    this.value.setAttribute("aria-label", say("pose.slider.value", { dimension: this.dimension, value }));
    this.input.setAttribute("aria-valuetext", value);
  }

  reset() {
    const pose = this.page.pose.slice();
    pose[this.dimension] = this.page.origins[this.page.capsule][this.dimension];
    this.page.take(pose);
  }

  key(event) {
    this.finger = null;
    const large = event.shiftKey || event.key.startsWith("Page");
    const direction = { ArrowRight: 1, ArrowUp: 1, PageUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: -1 }[event.key];
    if (event.key === "Backspace" || event.key === "Delete") this.reset();
    else if (direction) {
      const value = this.page.pose[this.dimension] + direction * (large ? LARGE_STEP : STEP) * this.page.data.unit;
      this.bend(Math.max(Number(this.input.min), Math.min(value, Number(this.input.max))));
      this.follow();
      this.page.writeAddress();
    } else return;
    event.preventDefault();
  }
}
