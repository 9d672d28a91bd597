// The Overlap page: two digits in one picture, each drawn again by itself, and how surely each is there.

import { AddressWriter, partOf, readLink } from "./address.js";
import { Tip, element, fixed, putInk, setText, words } from "./drawing.js";
import { Laying } from "./laying.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { channels, crossed, extended, inkOf, putColours, squaredError, together, usualSecond, weightsOf } from "./overlaps.js";
import { unpack } from "./packing.js";
import { beforePause, drawnStrokes } from "./pens.js";
import { builtFor, shapeWords } from "./routing.js";
import { tells } from "./taking.js";
import { say } from "./texts.js";
import { Voters } from "./voters.js";

const NAMES = ["digit", "second", "between", "over", "moved"]; // of the address, as app/parameters.py has them
const BOTH = 50; // of the way from the first alone to the second alone

class Overlap {
  between = BOTH;
  second = 0; // bits of the parts that are of the second digit
  chosen = false; // whether somebody has said which are
  /** @type {number | null} the class that is asked for */
  asked = null;

  /**
   * @param {HTMLElement} root
   * @param {any} data of a network of the shape that the view is built for
   * @param {(name: string, value: object) => void} report tells Python
   */
  constructor(root, data, report) {
    this.built = builtFor(data);
    this.size = data.size;
    this.shape = shapeWords(data);
    this.colours = data.digitColours.map(channels);
    this.address = new AddressWriter();
    this.element = element("div", { class: "overlap" });
    this.tip = new Tip(this.element);
    this.voters = new Voters(this);
    this.silence = tells(() => ({ page: { second: this.second } }));
    this.laying = new Laying(report, () => this.writeAddress());
    this.build(data);
    root.append(this.element);
    this.part = new Part(
      {
        both: () => [this.composite.figure, this.slider.parentElement],
        apart: () => this.apart,
        voters: () => this.voters.element,
        strokes: () => this.strokes,
        laid: () => this.laying.element,
      },
      (search) => this.follow(search),
      { drawing: () => [this.laying.element] },
    );
    this.part.staged = { both: () => [this.composite.figure, this.truth.figure, this.slider.parentElement, this.said] };
    this.resized = new ResizeObserver(() => this.payload && this.voters.draw());
    this.resized.observe(this.element);
  }

  unmount() {
    this.silence();
    this.part.unmount();
    this.resized.disconnect();
    this.laying.unmount();
    cancelAnimationFrame(this.request);
    this.address.unmount();
    window.capsvizOverlap = this.left();
    delete document.documentElement.dataset.drawn;
  }

  // How the page is left.
  left() {
    const { between, second, chosen, asked, payload } = this;
    const said = partOf(window.location.search, NAMES);
    return { id: payload?.id, built: this.built, said, between, second, chosen, asked, suggested: payload?.suggested };
  }

  build(data) {
    this.said = element("p", { class: "sees", role: "status", "data-testid": "sees" });
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.composite = this.picture(say("overlap.composite", this.shape), "composite");
    this.truth = this.picture(say("overlap.truth"), "truth");
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      "aria-label": say("overlap.between"),
      "data-testid": "between",
      oninput: () => this.slide(Number(this.slider.value)),
      ondblclick: () => this.slide(BOTH),
    });
    this.ends = [0, BOTH, 100].map((at) => element("button", { type: "button", class: "end", onclick: () => this.slide(at) }));
    const slider = element("div", { class: "between" }, this.slider, element("div", { class: "ends" }, ...this.ends));
    const names = ["seen", "first", "second", "firstOwn", "secondOwn", "asked"];
    this.small = Object.fromEntries(names.map((name) => [name, this.picture("", name)]));
    const { asked, seen, ...each } = this.small;
    this.apart = element("div", { class: "apart" }, seen.figure, this.truth.figure, ...Object.values(each).map(({ figure }) => figure));
    this.bars = data.classes.map((_, digit) => this.bar(digit));
    const lengths = element("div", { class: "lengths", role: "group", "aria-label": say("overlap.lengths", this.shape) });
    lengths.append(...this.bars.map(({ button }) => button));
    this.below = element("p", { class: "look" });
    this.element.append(
      this.notice,
      this.controls(),
      element(
        "div",
        { class: "overlap-top" },
        element("div", {}, this.composite.figure, slider),
        this.apart,
        element("div", {}, lengths, this.below, this.said, asked.figure),
      ),
      this.voters.element,
    );
  }

  controls() {
    const label = say("overlap.strokes", this.shape);
    this.strokes = element("div", { class: "strokes", role: "group", "aria-label": label, "data-tip": say("overlap.strokesTip") });
    return element("div", { class: "overlap-controls" }, this.strokes, this.laying.element);
  }

  picture(label, name) {
    const canvas = element("canvas", { width: this.size, height: this.size, role: "img", "aria-label": label, "data-testid": name });
    const caption = element("figcaption");
    return { canvas, caption, figure: element("figure", { class: name }, canvas, caption) };
  }

  bar(digit) {
    const fill = element("i", { class: "fill" });
    const value = element("span", { class: "value", "data-testid": `length-${digit}` });
    const note = element("span", { class: "note" });
    const button = element(
      "button",
      { type: "button", "aria-pressed": "false", onclick: () => this.ask(digit) },
      element("b", {}, ""),
      element("span", { class: "track" }, fill, element("i", { class: "limit" })),
      value,
      note,
    );
    return { button, fill, value, note };
  }

  load(data) {
    const before = this.payload;
    if (data.id === before?.id && data.laid.number === before.laid.number && data.problem === before.problem) return;
    this.payload = data;
    const area = this.size ** 2;
    const { parts, drawings } = data.arrays;
    this.parts = Array.from({ length: parts.length / area }, (_, at) => parts.subarray(at * area, (at + 1) * area));
    this.drawings = data.classes.map((_, digit) => drawings.subarray(digit * area, (digit + 1) * area));
    const laid = data.laid.example !== null;
    this.laying.load(data);
    if (!before) this.begin();
    else if (laid !== this.laid) this.chosen = false;
    this.laid = laid;
    this.assign(before ? this.count : this.parts.length);
    this.count = this.parts.length;
    this.show();
    this.element.dataset.answered = String(data.laid.number);
  }

  // What the page was when it was left, or what its link says.
  begin() {
    const left = window.capsvizOverlap;
    const own = left?.built === this.built && left.said === partOf(window.location.search, NAMES);
    if (own) Object.assign(this, { between: left.between, asked: left.asked });
    if (left?.built === this.built && left.id === this.payload.id) Object.assign(this, { second: left.second, chosen: left.chosen });
    const { second, chosen } = this;
    // What lay over it unasked is no wish.
    this.readAddress(window.location.search, false, own && left.suggested);
    // What the page itself had written of strokes may be of a drawing that was cleared since.
    if (own || this.second >= 2 ** this.parts.length) Object.assign(this, { second, chosen });
  }

  readAddress(search = window.location.search, afresh = false, suggested = false) {
    const { found, problems } = readLink(search, this.payload.link);
    if ("between" in found) this.between = found.between;
    if ("digit" in found) this.asked = found.digit;
    if ("second" in found) Object.assign(this, { second: found.second, chosen: true });
    if (!suggested) this.laying.follow(found, afresh);
    setText(this.notice, problems.join(" "));
    this.notice.hidden = !problems.length;
    return found;
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.payload) return false;
    Object.assign(this, { between: BOTH, asked: null, chosen: false });
    this.readAddress(search, true);
    this.assign(this.count);
    this.show();
    return true;
  }

  writeAddress() {
    const { between, second, asked } = this;
    this.address.say({
      digit: asked ?? undefined,
      second: this.laid || !second || this.parts.length < 2 ? undefined : second,
      between: between === BOTH ? undefined : between,
      ...this.laying.said,
    });
  }

  // Which parts are of the second digit: as somebody has said, or as the drawing has it.
  assign(before) {
    const count = this.parts.length;
    if (this.laid) this.second = 2;
    else if (!this.chosen || count < before) {
      this.chosen = false;
      const { below } = this.payload;
      this.second = usualSecond({ count, below, pause: below ? null : beforePause(drawnStrokes(), count) });
    } else this.second = extended(this.second, before, count);
  }

  // Of a part: whether it is of the second digit.
  isSecond(at) {
    return (this.second & (2 ** at)) !== 0;
  }

  turn(at) {
    this.second ^= 2 ** at;
    this.chosen = true;
    this.show();
  }

  slide(between) {
    this.between = between;
    this.slider.value = String(between);
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => this.paint());
    this.part.tell({ slid: Math.abs(between - BOTH) });
    this.writeAddress();
  }

  ask(digit) {
    this.asked = this.asked === digit ? null : digit;
    this.show();
  }

  // Everything but what only the slider changes.
  show() {
    const { payload, parts } = this;
    const { classes, lengths, limit, order } = payload;
    const pictures = [false, true].map((side) => together(parts, (at) => this.isSecond(at) === side));
    const known = pictures.every(Boolean);
    // The first is the one that was drawn first, where that is known; else the longest.
    const longest = order.slice(0, 2);
    const turned = known && crossed(longest.map((digit) => this.drawings[digit]), pictures);
    this.pair = turned ? longest.toReversed() : longest;
    this.turned = turned;
    this.pictures = known ? pictures : null;
    this.said.replaceChildren(...words(payload.problem || payload.said[Number(turned)]));
    // The answer in the rail is of the drawing alone.
    document.documentElement.dataset.drawn = turned && !this.laid ? "turned" : "";
    this.names = this.pair.map((digit) => (lengths[digit] < limit ? `${classes[digit]}?` : classes[digit]));
    const [first, second] = this.names;
    for (const [at, name] of [say("overlap.alone", { name: first }), say("overlap.both"), say("overlap.alone", { name: second })].entries()) setText(this.ends[at], name);
    this.bars.forEach((bar, digit) => this.showBar(bar, digit));
    setText(this.below, [say("overlap.limit", { limit: fixed(limit) }), this.laid && this.overIt()].filter(Boolean).join(". "));
    this.showApart(known);
    this.showStrokes();
    this.slider.value = String(this.between);
    this.paint();
    this.voters.load(payload, this.pair, turned);
    this.writeAddress();
    this.part.tell({ laid: this.laid, asked: this.asked === null ? "" : classes[this.asked] });
    this.part.obey();
  }

  // What lies over the drawing.
  overIt() {
    const { examples, laid } = this.payload;
    const [right, down] = [laid.right, laid.down].map((pixels) => fixed(pixels, 0));
    return say("overlap.exampleIs", { name: examples[laid.example], right, down });
  }

  showBar({ button, fill, value, note }, digit) {
    const { classes, lengths, limit, order, digitColours, kind } = this.payload;
    const length = lengths[digit];
    setText(button.firstChild, classes[digit]);
    fill.style.width = `${100 * length}%`;
    fill.style.background = digitColours[digit];
    button.style.setProperty("--limit", `${100 * limit}%`);
    setText(value, fixed(length));
    setText(note, order[2] === digit ? say("overlap.third") : "");
    button.classList.toggle("marked", this.pair.includes(digit) && length >= limit);
    button.setAttribute("aria-pressed", String(this.asked === digit));
    button.dataset.tip = say("overlap.askedTip", { ...this.shape, name: classes[digit], length: fixed(length, 4), kind: this.shape.kind ?? kind });
  }

  showApart(known) {
    const { classes } = this.payload;
    const { small, drawings, pair, names } = this;
    putInk(small.seen.canvas, this.payload.arrays.image);
    this.caption(small.seen, say("overlap.seen"));
    for (const [side, name] of ["first", "second"].entries()) {
      const picture = small[name];
      this.tint(picture, [{ picture: drawings[pair[side]], colour: this.colours[pair[side]], weight: 1 }]);
      this.caption(picture, say("overlap.redrawn", { name: names[side] }));
      const own = small[`${name}Own`];
      own.figure.hidden = !known;
      if (!known) continue;
      this.tint(own, [{ picture: this.pictures[side], colour: this.colours[pair[side]], weight: 1 }]);
      const error = fixed(squaredError(drawings[pair[side]], this.pictures[side]), 1);
      this.caption(own, say("overlap.own"), say("overlap.error", { error }));
    }
    const asked = small.asked;
    asked.figure.hidden = this.asked === null;
    if (this.asked !== null) {
      const picture = drawings[this.asked];
      this.tint(asked, [{ picture, colour: this.colours[this.asked], weight: 1 }]);
      const [ink, most] = [picture, drawings[this.payload.order[0]]].map((of) => fixed(inkOf(of), 1));
      const there = pair.includes(this.asked) && this.payload.lengths[this.asked] >= this.payload.limit;
      this.caption(asked, say("overlap.asked", { name: classes[this.asked] }), say(there ? "overlap.isThere" : "overlap.here", { ink, most }));
    }
  }

  caption({ canvas, caption }, name, more = "") {
    caption.replaceChildren(element("b", {}, name), more ? ` ${more}` : "");
    canvas.setAttribute("aria-label", `${name} ${more}`.trim());
  }

  tint({ canvas }, layers) {
    putColours(canvas, layers);
  }

  showStrokes() {
    const { parts, laid, payload } = this;
    this.strokes.hidden = laid || parts.length < 2;
    if (this.strokes.hidden) return;
    if (this.strokes.children.length !== parts.length) {
      this.strokes.replaceChildren(
        ...parts.map((_, at) => element("button", { type: "button", "data-testid": `stroke-${at}`, onclick: () => this.turn(at) }, element("canvas", { width: this.size, height: this.size }))),
      );
    }
    for (const [at, button] of [...this.strokes.children].entries()) {
      const side = Number(this.isSecond(at));
      const which = say(side ? "overlap.second" : "overlap.first");
      const lies = payload.below && at === 0;
      const number = payload.below ? at : at + 1;
      button.setAttribute("aria-label", say(lies ? "overlap.below" : "overlap.stroke", { ...this.shape, number, which }));
      button.setAttribute("aria-pressed", String(side === 1));
      /** @type {HTMLElement} */ (button).style.setProperty("--side", payload.digitColours[this.pair[side]]);
      this.tint({ canvas: button.firstChild }, [{ picture: parts[at], colour: this.colours[this.pair[side]], weight: 1 }]);
    }
  }

  // What the slider changes, at each frame of a drag.
  paint() {
    const weights = weightsOf(this.between);
    const layers = (pictures) => pictures.map((picture, side) => ({ picture, colour: this.colours[this.pair[side]], weight: weights[side] }));
    this.tint(this.composite, layers(this.pair.map((digit) => this.drawings[digit])));
    this.composite.canvas.dataset.painted = String(Number(this.composite.canvas.dataset.painted ?? 0) + 1);
    const [first, second] = this.names;
    setText(this.composite.caption, this.between === 0 ? first : this.between === 100 ? second : `${first} + ${second}`);
    if (this.pictures) this.tint(this.truth, layers(this.pictures));
    else putInk(this.truth.canvas, this.payload.arrays.image);
    // Of one part there is nothing to be told apart: it would be what is seen once more.
    this.truth.figure.classList.toggle("alone", this.parts.length < 2);
    setText(this.truth.caption, this.pictures ? say("overlap.own") : this.parts.length > 1 ? say("overlap.unknown", this.shape) : say("overlap.seen"));
    this.ends.forEach((end, at) => end.setAttribute("aria-pressed", String(this.between === [0, BOTH, 100][at])));
  }
}

const mount = mounting((root, payload, report) => new Overlap(root, payload, report), builtFor);

export default function mountOverlap({ data, parentElement, setStateValue }) {
  return mount(parentElement, unpack(data), setStateValue);
}
