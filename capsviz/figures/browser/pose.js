// The Pose page: a slider for each number of a pose, and what the decoder draws from them while they move.

import { AddressWriter, readLink } from "./address.js";
import { Capsules } from "./capsules.js";
import { Diverging, Tip, element, fixed, putInk, setText, signedText } from "./drawing.js";
import { steady } from "./fingers.js";
import { Part } from "./lesson.js";
import { channels, putColours } from "./overlaps.js";
import { Morph } from "./morph.js";
import { locked } from "./prepared.js";
import { UNMEASURED, endsOf, feed, lengthOf, linkTo, logitOf, outside, probabilityOf, rangeOf, readPose, strongestFirst, swing } from "./poses.js";
import { Slider } from "./slider.js";
import { SweepGrid } from "./sweep.js";
import { tells } from "./taking.js";
import { capital, kindWords, say, speak, spelled } from "./texts.js";

const WAIT_FOR_DECODER = 60000; // milliseconds until the page goes on without; a slow line takes half of them
const REST = 160; // milliseconds without a move until the hand is taken to rest
const WALK = 0.18; // how far a random walk goes, of what training showed of each component
const LONGEST = 0.999; // of a pose on a random walk: squashing keeps lengths below 1
const SHORT = 0.1; // m- of the margin loss: a capsule shorter than this says that its class is not there
const NAMED = 3; // dimensions that a sentence names; more are counted
const AT_ONCE = 4; // sliders whose ends are drawn in one frame

class Posing {
  constructor(root, report, data) {
    this.report = report; // report(name, value) tells Python
    this.size = data.size;
    this.classes = data.classes;
    this.dimensions = data.poses[0].length;
    const words = kindWords(data.kind);
    this.kind = words.kind;
    this.kinds = words.kinds;
    this.bent = kindWords(data.kind, "drawn").kind; // what the decoder draws
    this.Kind = words.Kind;
    this.plain = data.score === "length" ? "" : "Plain"; // poses are of no capsules: the end of such texts' names
    this.network = data.decoder; // under its name the window keeps what is of this network alone
    this.language = data.texts.language;
    this.data = data;
    this.element = element("div", { class: "posing" });
    this.tip = new Tip(this.element);
    this.capsule = 0;
    this.mask = "winner";
    this.selected = 0; // the dimension that play and GIF are about
    this.inputs = new Float32Array(this.classes.length * this.dimensions);
    this.painted = 0; // images drawn so far; tests and benchmark read it
    this.pinned = false; // the capsule stays for the next drawing
    this.kept = (window.capsvizKept ??= {})[this.network] ??= { a: null, b: null, before: null }; // outlasts a change of page
    this.keys = (event) => event.key === "Escape" && this.halt();
    document.addEventListener("keydown", this.keys);
    this.chores = [];
    this.address = new AddressWriter();
    this.build();
    root.append(this.element);
    this.part = new Part(
      {
        decoder: () => [this.canvas, this.words],
        sliders: () => [this.list, this.sorting, this.legend, this.tools],
        strongest: () => this.sliders[this.strongest].element,
        capsules: () => this.capsules.element,
        sweep: () => this.grid.element,
        morph: () => this.morphing.element,
      },
      (search) => this.follow(search),
      { pose: () => [this.sorting, this.list, this.tools, this.morphing.element] },
    );
    this.silence = tells(() => (this.decoder ? this.told() : {}));
    const drawn = [this.canvas, this.status];
    this.part.staged = {
      decoder: () => drawn,
      sliders: () => [...drawn, this.list],
      strongest: () => [...drawn, this.sliders[this.strongest].element],
    };
    this.arrived = () => this.start();
    window.addEventListener("capsviz-decoder", this.arrived);
    this.overdue = setTimeout(() => this.report("unsupported", "late"), WAIT_FOR_DECODER);
  }

  unmount() {
    this.part.unmount();
    this.silence();
    clearTimeout(this.overdue);
    clearTimeout(this.resting);
    cancelAnimationFrame(this.request);
    cancelAnimationFrame(this.working);
    this.address.unmount();
    if (this.motion) cancelAnimationFrame(this.motion.request);
    document.removeEventListener("keydown", this.keys);
    this.leave();
    window.removeEventListener("capsviz-decoder", this.arrived);
    this.element.remove();
  }

  build() {
    const button = (name, act, tip) => element("button", { type: "button", onclick: act, "data-tip": tip }, name);
    const { size, dimensions } = this;
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.canvas = element("canvas", { width: size, height: size, class: "clay", role: "img", "data-testid": "clay" });
    this.status = element("p", { class: "pose-status", role: "status", "data-testid": "pose-status" });
    this.warning = element("p", { class: "pose-warning", "data-testid": "pose-warning" });
    this.playButton = button("", () => this.play(this.selected), say("pose.play.tip"));
    this.walkButton = button("", () => this.walk(), say("pose.walk.tip"));
    this.meanButton = button("", () => this.take(this.mean), say(`pose.mean.tip${this.plain}`));
    this.sliders = Array.from({ length: dimensions }, (_, dimension) => new Slider(this, dimension));
    this.legend = element("p", { class: "look" });
    const name = say("pose.sliders.name", { Numbers: capital(spelled(dimensions)), numbers: dimensions });
    this.list = element("div", { class: "sliders", role: "group", "aria-label": name });
    this.list.style.setProperty("--rows", String(Math.ceil(dimensions / 2)));
    this.sorted = element("input", { type: "checkbox", checked: true, onchange: () => this.order() });
    this.how = element("span", { class: "term", tabindex: 0, "data-testid": "how-measured" }, say("pose.sliders.how"));
    this.words = element("div", { class: "pose-words" }, this.status, this.warning);
    this.sorting = element("div", { class: "sorting" }, element("label", {}, this.sorted, ` ${say("pose.sliders.sorted")}`), this.how);
    this.capsules = new Capsules(this);
    this.grid = new SweepGrid(this);
    this.morphing = new Morph(this);
    for (const { element } of [this.grid, this.morphing]) steady(element);
    this.tools = element(
      "div",
      { class: "pose-tools" },
      button(say("pose.reset.name"), () => this.reset(), say("pose.reset.tip")),
      this.playButton,
      this.walkButton,
      this.meanButton,
    );
    this.below = element(
      "div",
      { class: "pose-middle" },
      element("div", {}, this.capsules.element, this.morphing.element),
      this.grid.element,
    );
    this.element.append(
      this.notice,
      element(
        "div",
        { class: "pose-top" },
        element(
          "div",
          { class: "pose-left" },
          this.canvas,
          this.words,
          this.tools,
        ),
        element(
          "div",
          {},
          this.sorting,
          this.list,
          this.legend,
        ),
      ),
      this.below,
    );
  }

  load(data) {
    const before = this.drawing ? this.data : null;
    this.data = data;
    if (this.drawing === data.drawing) return;
    this.drawing = data.drawing;
    this.asked = null; // the dimension that a link has chosen
    if (before) this.kept.before = { digit: before.prediction, pose: before.poses[before.prediction] };
    this.colours = new Diverging(data);
    this.origins = data.poses.map((pose) => Float32Array.from(pose));
    this.poses = this.origins.map((pose) => pose.slice());
    if (!this.pinned) {
      this.capsule = data.prediction;
      if (this.mask === "label") this.mask = "winner";
    }
    setText(this.legend, this.explained());
    this.grid.showSpan();
    this.how.dataset.tip = data.howMeasured;
    this.sorting.hidden = !data.measured; // there is nothing to sort by, and how to measure it stands below
    setText(this.notice, "");
    if (before) this.writeAddress(false);
    else if (this.left) this.comeBack(this.left);
    else this.readAddress();
    this.notice.hidden = !this.notice.textContent;
    this.halt();
    this.start();
  }

  // What this network's page was when it was left.
  get left() {
    return window.capsvizPose?.[this.network];
  }

  // Whoever comes back to the page finds it as it was left; with another drawing, only the settings.
  leave() {
    const { drawing, capsule, mask, pinned, poses, selected } = this;
    const said = this.notice.textContent; // Streamlit may take a page apart and build it anew while it loads
    const [span, share] = [this.grid.span.value, this.morphing.scrubber.value];
    (window.capsvizPose ??= {})[this.network] = { drawing, capsule, mask, pinned, poses, selected, said, span, share };
  }

  comeBack(left) {
    this.grid.span.value = left.span;
    this.grid.showSpan();
    this.morphing.scrubber.value = left.share;
    if (left.drawing === this.drawing) {
      const { capsule, mask, pinned, poses, selected } = left;
      Object.assign(this, { capsule, mask, pinned, poses, selected });
      setText(this.notice, left.said);
    } else if (left.pinned) Object.assign(this, { capsule: left.capsule, mask: left.mask, pinned: true });
    else if (left.mask === "all") this.mask = left.mask;
    if (left.drawing !== this.drawing) this.writeAddress(false);
    else if (!left.said) this.writeAddress();
  }

  start() {
    this.decoder = window.capsvizDecoder?.[this.network] ?? null;
    const here = this.decoder !== null;
    this.element.classList.toggle("waiting", !here);
    for (const part of [this.list, this.tools, this.below]) part.inert = !here;
    if (here) clearTimeout(this.overdue);
    this.choose(this.capsule);
    this.select(this.left?.drawing === this.drawing ? this.selected : (this.asked ?? this.strongest));
    if (!here) this.wait();
  }

  // Until the decoder has come: everything in its place, and the reconstruction that the server knows.
  wait() {
    const { prediction, drawn, megabytes } = this.data;
    const name = this.classes[prediction];
    putInk(this.canvas, Uint8Array.from(drawn));
    setText(this.status, this.about(prediction, "one", this.origins));
    setText(this.warning, say("pose.waiting.note", { megabytes: fixed(megabytes, 1), kind: this.bent }));
    this.capsules.show();
    this.showMean();
    this.morphing.label();
    this.canvas.setAttribute("aria-label", say(`pose.waiting.picture${this.plain}`, { class: name, kind: this.kind }));
  }

  // What thick, mark and captions mean, in the words of what was measured.
  explained() {
    const { middle, reach, unit, howMeasured } = this.data;
    const kind = this.bent;
    if (middle === null) return `${say("pose.legend.unmeasured", { kind, reach: UNMEASURED * unit })} ${howMeasured}`;
    return say("pose.legend.measured", { kind, middle, reach, whole: 2 * reach });
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.drawing) return false;
    this.halt();
    this.poses.forEach((pose, capsule) => pose.set(this.origins[capsule]));
    Object.assign(this, { capsule: this.data.prediction, mask: "winner", pinned: false });
    this.readAddress(search);
    this.notice.hidden = !this.notice.textContent;
    this.choose(this.capsule);
    return true;
  }

  readAddress(search = window.location.search) {
    const { dimensions, classes } = this;
    const limits = { classes: classes.length, dimensions, farthest: this.data.farthest };
    const { digit, numbers, problem } = readPose(search, limits);
    const { found, problems } = readLink(search, this.data.link ?? {});
    setText(this.notice, [problem, ...problems].filter(Boolean).join(" "));
    this.asked = found.dimension ?? null;
    if (found.span) this.grid.setSpan(found.span);
    if (digit !== undefined) {
      this.capsule = digit;
      this.mask = "label";
    }
    if (!numbers) return;
    if (numbers.length === dimensions) this.pose.set(numbers);
    else {
      this.mask = "all";
      this.poses.forEach((own, capsule) => own.set(numbers.slice(capsule * dimensions, (capsule + 1) * dimensions)));
    }
    setText(this.notice, [say("pose.link.note"), ...problems].join(" "));
  }

  writeAddress(chosen = true) {
    const numbers = this.mask === "all" ? this.feed() : this.pose;
    const address = linkTo(window.location.href, chosen ? { digit: this.capsule, numbers } : null);
    window.history.replaceState(window.history.state, "", address);
  }

  // What is chosen beside the pose.
  writeLook() {
    const dimension = this.selected === this.strongest ? undefined : this.selected;
    this.address.say({ dimension, span: this.grid.written() });
  }

  get pose() {
    return this.poses[this.capsule];
  }

  // What files are made of: the sliders as they stand, a row of the grid or all of it, the way from A to B.
  told() {
    const { capsule, mask, pose, poses, selected, grid } = this;
    const digit = capsule;
    const fed = mask === "all" ? poses : [pose];
    // As in the grid: around the encoded value; unmasked, all poses.
    const [own, all] = [Array.from(pose), poses.map((values) => Array.from(values))];
    own[selected] = all[capsule][selected] = grid.middle(selected);
    const moved = mask === "all" ? all : own;
    return {
      page: { digit, pose: fed.map((values) => Array.from(values).join()).join() },
      sweep: { digit, motion: { kind: "sweep", digit, pose: moved, dimension: selected, span: grid.reach } },
      morph: { digit, motion: { kind: "morph", ...this.morphing.ends() } },
    };
  }

  // What training showed of a dimension of the chosen capsule.
  measured(dimension) {
    return this.data.measured?.[this.capsule][dimension];
  }

  // [D] the mean pose of the chosen capsule over the images that were measured.
  get mean() {
    return this.data.measured[this.capsule].map(({ mean }) => mean);
  }

  ends(dimension) {
    return endsOf(this.measured(dimension), this.origins[this.capsule][dimension], this.data.unit);
  }

  range(dimension) {
    return rangeOf(this.ends(dimension), this.origins[this.capsule][dimension], this.pose[dimension], this.data.unit);
  }

  // A capsule was clicked, or a way to mask.
  pick(capsule) {
    if (this.mask === "winner") this.mask = "label";
    this.choose(capsule);
    this.writeAddress();
  }

  setMask(mask) {
    this.mask = mask;
    this.pinned = mask === "label";
    this.choose(mask === "winner" ? this.data.prediction : this.capsule);
    this.writeAddress();
  }

  choose(capsule) {
    this.halt();
    this.capsule = capsule;
    this.order();
    for (const slider of this.sliders) slider.place();
    this.rest();
  }

  // The dimension that changes the most pixels of the chosen capsule's drawing.
  get strongest() {
    const components = this.data.measured?.[this.capsule];
    return components ? strongestFirst(components)[0] : 0;
  }

  order() {
    const components = this.sorted.checked ? this.data.measured?.[this.capsule] : null;
    const order = components ? strongestFirst(components).map((d) => this.sliders[d]) : this.sliders;
    if (order.some((slider, at) => this.list.children[at] !== slider.element)) {
      this.list.replaceChildren(...order.map((slider) => slider.element));
    }
  }

  select(dimension) {
    this.selected = dimension;
    this.sliders.forEach((slider, at) => slider.element.classList.toggle("selected", at === dimension));
    this.grid.mark(dimension);
    this.writeLook();
    this.showMotion();
  }

  // What moves says how to stop it.
  showMotion() {
    const show = (button, motion, name) => {
      const moves = this.motion?.name.startsWith(motion) ?? false;
      setText(button, moves ? say("pose.stop") : name);
      button.setAttribute("aria-pressed", String(moves));
    };
    show(this.playButton, "play", say("pose.play.name", { dimension: this.selected }));
    show(this.walkButton, "walk", say("pose.walk.name"));
    show(this.morphing.loopButton, "morph", say("pose.morph.loop"));
  }

  showMean() {
    this.meanButton.hidden = !this.data.measured;
    setText(this.meanButton, say("pose.mean.name", { class: this.classes[this.capsule] }));
  }

  // The pose has moved: the image follows at the screen's next frame, the rest once the hand rests.
  touch() {
    this.request ??= requestAnimationFrame(() => this.paint());
    this.chores = [];
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), REST);
  }

  rest() {
    clearTimeout(this.resting);
    this.chores = [];
    if (!this.decoder) return;
    this.paint();
    this.tell();
    this.canvas.setAttribute("aria-label", say(`pose.picture${this.plain}`, { class: this.classes[this.capsule], kind: this.kind }));
    this.capsules.show();
    this.showMean();
    for (const slider of this.sliders) slider.place();
    // The rest is drawn some at a time, so that a hand that moves again never waits for it.
    this.chores = [() => this.capsules.draw(), () => this.morphing.show()];
    for (let at = 0; at < this.dimensions; at += AT_ONCE) {
      this.chores.push(() => this.sliders.slice(at, at + AT_ONCE).forEach((slider) => slider.drawEnds()));
    }
    if (!this.motion) for (let d = 0; d < this.dimensions; d++) this.chores.push(() => this.grid.drawRow(d));
    this.working ??= requestAnimationFrame(() => this.work());
  }

  tell() {
    const by = Array.from(this.pose, (value, d) => value - this.origins[this.capsule][d]);
    const moved = { capsule: this.capsule, by, strongest: this.strongest, toString: () => `${this.capsule}/${by}` };
    this.part.tell({ moved, class: this.classes[this.capsule] });
    this.part.light();
  }

  work() {
    this.chores.shift()?.();
    this.working = this.chores.length ? requestAnimationFrame(() => this.work()) : null;
    this.element.dataset.busy = String(this.working !== null);
  }

  reset() {
    setText(this.notice, "");
    this.notice.hidden = true;
    if (this.mask === "all") this.poses.forEach((pose, capsule) => pose.set(this.origins[capsule]));
    this.take(this.origins[this.capsule]);
  }

  // Another pose of the chosen capsule, all of it at once.
  take(pose) {
    if (locked("pose")) return;
    this.halt();
    this.pose.set(pose);
    this.rest();
    this.writeAddress();
  }

  // [J * D] what the decoder is fed: with another pose for the chosen capsule, if one is given.
  feed(pose = this.pose) {
    return feed(this.inputs, this.poses, { digit: this.capsule, pose }, this.mask !== "all");
  }

  paint() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.decoder) return;
    const others = this.standing; // before: the decoder's array is used again by each call
    const bent = this.decoder.decode(this.feed());
    if (others.length) putColours(this.canvas, [this.layer(this.capsule, bent), ...others]);
    else putInk(this.canvas, bent);
    this.painted += 1;
    this.element.dataset.painted = String(this.painted);
    this.showStatus();
  }

  // What the capsules draw that are there beside the chosen one, from the poses that were encoded: nothing of all at once.
  get standing() {
    const { drawing, capsule, data, mask } = this;
    const places = mask === "all" || !data.together.includes(capsule) ? [] : data.together.filter((place) => place !== capsule);
    const key = `${drawing}/${places}`;
    if (this.stood?.key !== key) {
      const inputs = new Float32Array(this.inputs.length);
      const drawn = (place) => this.decoder.decode(feed(inputs, this.origins, { digit: place, pose: this.origins[place] }, true)).slice();
      this.stood = { key, layers: places.map((place) => this.layer(place, drawn(place))) };
    }
    return this.stood.layers;
  }

  stoodNames() {
    return this.data.together.filter((place) => place !== this.capsule).map((place) => this.classes[place]).join(", ");
  }

  layer(place, picture) {
    return { picture, colour: channels(this.data.digitColours[place]), weight: 255 };
  }

  // What the pose of a class says of it: its length, or the logit and the probability that it comes to.
  about(place, which, poses = this.poses) {
    const { kind, plain } = this;
    const values = { class: this.classes[place], kind, all: spelled(this.classes.length) };
    if (!plain) return say(`pose.status.${which}`, { ...values, length: fixed(lengthOf(poses[place]), 3) });
    const [logit, probability] = [signedText(logitOf(poses[place])), fixed(probabilityOf(poses, place), 3)];
    return say(`pose.status.${which}Plain`, { ...values, logit, probability });
  }

  showStatus() {
    const length = lengthOf(this.pose);
    const all = this.mask === "all";
    setText(this.status, this.about(this.capsule, all ? "all" : "one"));
    const beyond = outside(this.pose, this.data.measured?.[this.capsule]);
    const notes = this.standing.length ? [say("pose.status.stands", { class: this.stoodNames() })] : [];
    if (length >= 1 && !this.plain) notes.push(say("pose.note.long"));
    if (length < SHORT && !all && !this.plain) notes.push(say("pose.note.short"));
    else if (beyond.length) {
      const where = { middle: this.data.middle, dimensions: beyond.join(", "), count: beyond.length };
      notes.push(say(beyond.length > NAMED ? "pose.note.many" : "pose.note.outside", where));
    }
    if (all) notes.push(say(`pose.note.all${this.plain}`));
    setText(this.warning, notes.join(" "));
  }

  // Motion: one thing at a time moves by itself. Asked for again, it stops.

  move(name, frame) {
    if (locked("pose")) return;
    const again = this.motion?.name === name;
    this.halt();
    if (again) return;
    const began = performance.now();
    const next = (now) => {
      this.motion.request = requestAnimationFrame(next);
      frame(Math.max(0, now - began) / 1000);
    };
    this.motion = { name, request: requestAnimationFrame(next) };
    this.showMotion();
  }

  halt() {
    if (!this.motion) return;
    cancelAnimationFrame(this.motion.request);
    this.motion = null;
    this.showMotion();
    this.rest();
  }

  play(dimension) {
    const value = swing(this.pose[dimension], this.ends(dimension));
    this.move(`play ${dimension}`, (seconds) => {
      this.pose[dimension] = value(seconds);
      this.sliders[dimension].follow();
      this.touch();
    });
  }

  walk() {
    const start = this.pose.slice();
    // Sines of unrelated periods: smooth, and it does not come round again.
    const waves = Array.from(start, () => ({ period: 4 + 6 * Math.random(), phase: Math.random() }));
    this.move("walk", (seconds) => {
      const fade = Math.min(seconds / 2, 1);
      start.forEach((from, d) => {
        const { low, high } = this.ends(d);
        const wave = Math.sin(2 * Math.PI * (seconds / waves[d].period + waves[d].phase));
        // Near the pose it starts from: components are not independent, and far from it in all of them
        // at once lie poses that no drawing has.
        this.pose[d] = from + fade * WALK * (high - low) * wave;
      });
      const length = lengthOf(this.pose);
      if (length > LONGEST && !this.plain) this.pose.forEach((value, d) => (this.pose[d] = (value * LONGEST) / length));
      for (const slider of this.sliders) slider.follow();
      this.touch();
    });
  }
}

const posed = new WeakMap();

/** The view that stands in an element; for who looks into it. */
export function posingIn(parentElement) {
  return posed.get(parentElement);
}

export default function mountPose({ data, parentElement, setStateValue }) {
  speak(data.texts);
  const before = posed.get(parentElement);
  if (before && (before.network !== data.decoder || before.language !== data.texts.language)) {
    if (before.network !== data.decoder) before.writeAddress(false); // a pose of the one is none of the other
    before.unmount();
    posed.delete(parentElement);
  }
  if (!posed.has(parentElement)) posed.set(parentElement, new Posing(parentElement, setStateValue, data));
  posed.get(parentElement).load(data);
  return () => {
    posed.get(parentElement)?.unmount();
    posed.delete(parentElement);
  };
}
