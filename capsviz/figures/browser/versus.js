// Two drawings before one network, on one clock: how long each class is in both, who voted for it, and the winners' poses.

import { AddressWriter, readLink } from "./address.js";
import { Clock } from "./clock.js";
import { Transport, clockKeys, isFree } from "./clock_bar.js";
import { Tip, element, fixed, keepForPaper, putInk, setText, signedText, words } from "./drawing.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { locked } from "./prepared.js";
import { Questions } from "./questions.js";
import { capital, kindWords, say } from "./texts.js";
import { QUANTITIES, VersusMaps } from "./versus_maps.js";
import { VersusPoses } from "./versus_poses.js";

const STEPS = ["softmax", "sum", "squash", "agreement"]; // as figures/routing.py has them
const STILL = { c: 0, s: 0, v: 0 }; // of a network without iterations: all there is at once
const SIDES = [0, 1];

/**
 * Where two lists differ most.
 * @param {ArrayLike<number>} first
 * @param {ArrayLike<number>} second
 */
export function widestGap(first, second) {
  const gaps = Array.from(first, (value, at) => Math.abs(value - second[at]));
  return gaps.indexOf(Math.max(...gaps));
}

/**
 * What a view is built for: of another network, or in another language, it is built anew.
 * @param {any} payload
 */
function builtFor({ texts, size, classes, kind, score, routing, pose }) {
  return JSON.stringify([texts.language, size, classes, kind, score, routing, pose]);
}

class VersusView {
  /** @type {any} what is shown */
  payload = null;
  /** @type {number[] | null} the two classes in question, if somebody has chosen them */
  chosen = null;
  quantity = QUANTITIES[0];

  /**
   * @param {HTMLElement} root
   * @param {any} payload of a network of the shape that the view is built for
   * @param {(name: string, value: any) => void} report tells Python
   */
  constructor(root, payload, report) {
    this.report = report;
    this.questions = new Questions((number) => this.report("asked", { drawing: this.wanted, number }));
    this.address = new AddressWriter();
    this.clock = new Clock(() => this.invalidate(), () => locked("compare"));
    this.element = element("section", { class: "routing versus", "data-testid": "two" });
    this.tip = new Tip(this.element);
    this.build(payload);
    root.append(this.element);
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.resized = new ResizeObserver(() => this.invalidate());
    this.resized.observe(this.element);
    this.part = new Part(
      { facing: () => this.facing, causes: () => this.maps.element, poses: () => this.poses.element },
      (search) => this.follow(search),
      { compare: () => [this.choosing, this.choosing, this.bar] },
    );
    this.part.staged = { facing: () => [this.bar, this.facing, this.said] };
  }

  unmount() {
    this.part.unmount();
    this.questions.unmount();
    this.clock.stop();
    document.removeEventListener("keydown", this.keys);
    this.resized.disconnect();
    cancelAnimationFrame(this.request);
    this.address.unmount();
    const { chosen, quantity, clock } = this;
    window.capsvizVersus = { chosen, quantity, step: clock.atEnd ? null : clock.target };
  }

  build(payload) {
    const { classes, digitColours: colours, frames } = payload;
    this.keep = element("button", { type: "button", class: "versus-keep", "data-testid": "keep", onclick: () => this.ask(this.payload.asked.first) }, say("versus.keep"));
    this.example = element("select", { "data-testid": "second", "aria-label": say("versus.example"), onchange: () => this.ask(this.example.value) });
    this.choosing = element("p", { class: "versus-choosing" }, this.keep, element("label", {}, `${say("versus.or")} `, this.example));
    this.offered = element("p", { class: "versus-choosing", role: "group", "aria-label": say("versus.example"), "data-testid": "offered" });
    this.notice = element("p", { class: "notice", role: "status", "data-testid": "versus-notice" });
    this.bars = new Transport(this.clock);
    const { buttons, slider, where } = this.bars;
    this.bar = element("div", { class: "bar", role: "toolbar", "aria-label": say("routing.clock.label") }, buttons, slider, where);
    this.once = element("p", { class: "look" }, frames.length ? "" : say(`versus.once.${payload.routing || "none"}`));
    this.sides = SIDES.map((side) => this.side(side, payload));
    this.rows = classes.map((name, at) => {
      const halves = SIDES.map((side) => {
        const bar = element("i");
        bar.style.background = colours[at];
        const value = element("span", { class: "value", "data-testid": `versus-${side}-${at}` });
        return { bar, value, track: element("span", { class: `track side-${side}` }, bar) };
      });
      const [first, second] = halves;
      const row = element("div", { class: "versus-row" }, first.value, first.track, element("b", {}, name), second.track, second.value);
      return { row, halves };
    });
    this.said = element("p", { class: "versus-said", role: "status", "data-testid": "versus-said" });
    this.lengthsLook = element("p", { class: "look" });
    const list = element("div", { class: "versus-bars" }, ...this.rows.map(({ row }) => row), this.lengthsLook);
    this.facing = element("div", { class: "versus-facing" }, this.sides[0].figure, list, this.sides[1].figure);
    this.maps = new VersusMaps(this, payload);
    this.poses = new VersusPoses(this, payload);
    this.below = element("div", { class: "versus-below" }, this.maps.element, this.poses.element);
    this.element.append(this.choosing, this.notice, this.offered, this.bar, this.once, this.facing, this.said, this.below);
  }

  // A drawing as it lies on the pad, what the network sees of it, and its answer.
  side(side, { pad, size }) {
    const [drawing, seen] = [pad, size].map((pixels) => element("canvas", { width: pixels, height: pixels, role: "img" }));
    const answer = element("p", { class: "versus-answer", "data-testid": `versus-answer-${side}` });
    const title = element("h2", {}, say(side ? "versus.second" : "versus.first"));
    const caption = element("figcaption", { class: "look" }, say("versus.seen", { size: `${size}\u00a0×\u00a0${size}` }));
    const figure = element("figure", { class: "versus-side" }, title, drawing, element("div", {}, seen, answer), caption);
    return { figure, drawing, seen, answer };
  }

  get classes() {
    return this.chosen ?? this.payload.question;
  }

  // What stands on the screen now: an index into each quantity, -1 where there is none yet.
  get now() {
    const { frames } = this.payload;
    return frames.length ? frames[Math.ceil(this.clock.position)] : STILL;
  }

  name(klass) {
    return this.payload.classes[klass];
  }

  // The classes that a drawing is read as after an iteration, "7 + 3".
  answer(side, r) {
    return this.payload.read[side][r].map((klass) => this.name(klass)).join(" + ");
  }

  /**
   * Of an array [R, J, ...] of a side, what a class has after an iteration.
   * @param {string} array
   * @param {number} side
   * @param {number} iteration
   * @param {number} klass
   */
  partOf(array, side, iteration, klass) {
    const { arrays, classes, iterations } = this.payload;
    const values = arrays[`${array}${side}`];
    const each = values.length / (iterations * classes.length);
    const begin = (iteration * classes.length + klass) * each;
    return values.subarray(begin, begin + each);
  }

  /** @param {string} drawing as a text, which is to be the second */
  ask(drawing) {
    this.wanted = drawing;
    if (drawing && !locked("compare")) this.questions.ask();
    this.choose();
  }

  /** @param {any} payload another one, or the same again */
  load(payload) {
    const before = this.payload;
    this.payload = payload;
    this.questions.answered(payload.asked.number, Boolean(payload.asked.problem));
    const left = before ? { chosen: null, quantity: this.quantity, step: this.clock.atEnd ? null : this.clock.target } : (window.capsvizVersus ?? {});
    if (!before || payload.id !== before.id) {
      this.quantity = left.quantity ?? this.quantity;
      this.chosen = before ? null : (left.chosen ?? null);
      const linked = before ? {} : this.read();
      this.clock.setFrames(Math.max(1, payload.frames.length), linked.step ?? left.step);
      this.bars.slider.max = String(this.clock.last);
      if (payload.whole) for (const side of SIDES) this.putSide(side);
      this.maps.load(payload);
      this.poses.load(payload);
    }
    setText(this.notice, payload.asked.problem || (payload.asked.link === null ? say("versus.large") : this.problem || ""));
    this.notice.hidden = !this.notice.textContent;
    for (const node of [this.facing, this.said, this.below]) node.hidden = !payload.whole;
    this.bar.hidden = !payload.whole || !payload.frames.length;
    this.once.hidden = !payload.whole || Boolean(payload.frames.length);
    this.said.replaceChildren(...words(payload.said));
    this.element.dataset.answered = String(payload.asked.number);
    this.choose();
    this.part.obey();
    this.part.go();
    this.invalidate();
  }

  putSide(side) {
    const { arrays, iterations, kind } = this.payload;
    const { drawing, seen } = this.sides[side];
    const said = { ...kindWords(kind), name: this.answer(side, iterations - 1) };
    for (const [canvas, array] of /** @type {[HTMLCanvasElement, string][]} */ ([[drawing, "pad"], [seen, "image"]])) {
      putInk(canvas, arrays[`${array}${side}`]);
      canvas.setAttribute("aria-label", say(`versus.${array}Alt`, said));
    }
  }

  // Which drawing is the second, among those that can be.
  choose() {
    const { examples, asked } = this.payload;
    const options = [["", say("versus.pick")], ...examples];
    const key = JSON.stringify([options, asked.first]);
    if (this.options !== key) {
      this.example.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
      const others = examples.filter(([value]) => value !== asked.first);
      this.offered.replaceChildren(...others.map(([value, text]) => element("button", { type: "button", onclick: () => this.ask(value) }, text)));
    }
    this.options = key;
    // Before there is a second one, nothing else is on the page.
    this.offered.hidden = Boolean(asked.second) || locked("compare");
    this.example.value = examples.some(([text]) => text === asked.second) ? asked.second : "";
    this.keep.disabled = locked("compare") || asked.second === asked.first;
  }

  read(search = window.location.search) {
    const { found, problems } = readLink(search, this.payload.link);
    const [a, b] = found.classes ?? [];
    if (found.classes && a !== b) this.chosen = found.classes;
    this.problem = problems.join(" ");
    return found;
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.payload?.whole) return false;
    this.chosen = null;
    this.clock.lead(this.read(search).step ?? this.clock.last);
    return true;
  }

  /**
   * @param {number} index which of the two in question
   * @param {number} klass
   */
  question(index, klass) {
    const now = [...this.classes];
    if (now[1 - index] === klass) now.reverse();
    else now[index] = klass;
    this.chosen = now.join() === this.payload.question.join() ? null : now;
    this.poses.load(this.payload);
    this.invalidate();
  }

  writeAddress() {
    if (this.clock.playing) return;
    const { asked, whole, frames } = this.payload;
    const step = whole && frames.length && !this.clock.atEnd ? this.clock.target : undefined;
    this.address.say({ versus: asked.link ?? undefined, step, classes: this.chosen?.join("."), digit: undefined });
  }

  key(event) {
    if (!this.payload?.whole || !this.payload.frames.length || !isFree(event)) return;
    const act = clockKeys(this.clock)[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  invalidate() {
    if (this.payload) this.request ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.request = null;
    if (!this.element.clientWidth) return; // the page is being left
    keepForPaper(this.element);
    this.writeAddress();
    const { frames, iterations, whole } = this.payload;
    if (!whole) return;
    const { now } = this;
    if (frames.length) this.bars.show(say(`routing.clock.${STEPS[now.step]}`, { iteration: now.iteration + 1, iterations }));
    this.drawLengths(now.v);
    this.maps.draw();
    this.poses.draw(now.v);
    this.part.tell({ step: this.clock.target });
    this.element.dataset.step = String(this.clock.target);
  }

  // What is framed: the class whose scores differ most, if any do.
  look(r, widest, scores) {
    if (r < 0) return say("versus.noLengths");
    return widest < 0 ? "" : say("versus.gap", { name: this.name(widest), gap: signedText(scores[1][widest] - scores[0][widest], 2) });
  }

  /** @param {number} r the iteration whose lengths there are; -1 before the first */
  drawLengths(r) {
    const scores = SIDES.map((side) => this.payload.classes.map((_, klass) => (r < 0 ? 0 : this.partOf("scores", side, r, klass)[0])));
    const widest = this.payload.same ? -1 : widestGap(scores[0], scores[1]);
    this.rows.forEach(({ row, halves }, klass) => {
      halves.forEach(({ bar, value }, side) => {
        bar.style.width = `${100 * scores[side][klass]}%`;
        setText(value, r < 0 ? "–" : fixed(scores[side][klass], 3));
        value.classList.toggle("marked", r >= 0 && this.payload.read[side][r].includes(klass));
      });
      row.classList.toggle("asked", this.classes.includes(klass));
      row.classList.toggle("differs", r >= 0 && klass === widest);
    });
    SIDES.forEach((side) => {
      if (r < 0) return setText(this.sides[side].answer, "–");
      const read = this.payload.read[side][r].map((klass) => fixed(scores[side][klass]));
      const score = read.reduce((first, second) => say("versus.and", { first, second }));
      setText(this.sides[side].answer, say("compare.answer", { name: this.answer(side, r), score }));
    });
    setText(this.lengthsLook, `${capital(say(`compare.${this.payload.score}`))}. ${this.look(r, widest, scores)}`.trim());
  }
}

const mount = mounting((root, payload, report) => new VersusView(root, payload, report), builtFor);

export default function mountVersus({ data, parentElement, setStateValue }) {
  return mount(parentElement, unpack(data), setStateValue);
}
