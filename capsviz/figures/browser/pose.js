// The Pose page: sixteen sliders, and the digit that the decoder draws from them while they move.

const DIMENSIONS = 16;
const WAIT_FOR_DECODER = 60000; // milliseconds until the page goes on without; a slow line takes half of them
const REST = 160; // milliseconds without a move until the hand is taken to rest
const WALK = 0.18; // how far a random walk goes, of what training showed of each component
const LONGEST = 0.999; // of a pose on a random walk: squashing keeps lengths below 1
const UNMEASURED = 0.25; // to both sides of the encoded value, where nobody has measured: as in Figure 4
const GRAIN = 1000; // parts of 1 that a slider tells apart; its ends are whole ones
const NUMBER = /^-?\d{1,3}(\.\d{1,20})?(e-\d{1,2})?$/; // in a link, as writeAddress writes it
const SHORT = 0.1; // m- of the margin loss: a capsule shorter than this says that its digit is not there
const MASKS = [
  ["winner", "winner", "The longest capsule, whatever is drawn. The other nine poses are fed as 0."],
  ["label", "chosen by hand", "The capsule chosen above; pressed, it stays for the next drawing. So the decoder is trained: with the true digit’s capsule, even where another one is longer."],
  ["all", "all ten, unmasked", "All 160 numbers at once. The decoder never saw that in training."],
];

class Posing {
  constructor(root, report) {
    this.report = report; // report(name, value) tells Python
    this.element = element("div", { class: "posing" });
    this.tip = new Tip(this.element);
    this.digit = 0;
    this.mask = "winner";
    this.selected = 0; // the dimension that play and GIF are about
    this.inputs = new Float32Array(10 * DIMENSIONS);
    this.painted = 0; // images drawn so far; tests and benchmark read it
    this.pinned = false; // the digit stays for the next drawing
    this.kept = window.capsvizKept ??= { a: null, b: null, before: null }; // outlasts a change of page
    this.keys = (event) => event.key === "Escape" && this.halt();
    document.addEventListener("keydown", this.keys);
    this.chores = [];
    this.build();
    root.append(this.element);
    this.arrived = () => this.start();
    window.addEventListener("capsviz-decoder", this.arrived);
    this.overdue = setTimeout(() => this.report("unsupported", "late"), WAIT_FOR_DECODER);
  }

  unmount() {
    clearTimeout(this.overdue);
    clearTimeout(this.resting);
    cancelAnimationFrame(this.request);
    cancelAnimationFrame(this.working);
    if (this.motion) cancelAnimationFrame(this.motion.request);
    document.removeEventListener("keydown", this.keys);
    this.leave();
    window.removeEventListener("capsviz-decoder", this.arrived);
    this.element.remove();
  }

  build() {
    const button = (name, act, tip) => element("button", { type: "button", onclick: act, "data-tip": tip }, name);
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.canvas = element("canvas", { width: 28, height: 28, class: "clay", role: "img", "data-testid": "clay" });
    this.status = element("p", { class: "pose-status", role: "status", "data-testid": "pose-status" });
    this.warning = element("p", { class: "pose-warning", "data-testid": "pose-warning" });
    this.playButton = button("", () => this.play(this.selected), "Back and forth between the ends of the thick part; Escape stops");
    this.walkButton = button("random walk", () => this.walk(), "Slowly through the neighbourhood of this pose; Escape stops");
    this.meanButton = button("", () => this.take(this.mean), "The mean pose of this capsule over the training images that were measured");
    this.sliders = Array.from({ length: DIMENSIONS }, (_, dimension) => new Slider(this, dimension));
    this.legend = element("p", { class: "look" });
    this.list = element("div", { class: "sliders", role: "group", "aria-label": "Sixteen pose dimensions" });
    this.sorted = element("input", { type: "checkbox", checked: true, onchange: () => this.order() });
    this.buildCapsules();
    this.grid = new SweepGrid(this);
    this.morphing = new Morph(this);
    this.exports = new Exports(this);
    this.tools = element(
      "div",
      { class: "pose-tools" },
      button("reset all", () => this.reset(), "Every slider back to the encoded pose. Double-click or Delete resets one."),
      this.playButton,
      this.walkButton,
      this.meanButton,
    );
    this.below = element(
      "div",
      { class: "pose-middle" },
      element("div", {}, this.capsules, this.morphing.element, this.exports.element),
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
          element("div", { class: "pose-words" }, this.status, this.warning),
          this.tools,
        ),
        element(
          "div",
          {},
          element(
            "div",
            { class: "sorting" },
            element("label", {}, this.sorted, " strongest effect first"),
            element("span", { class: "term", tabindex: 0, "data-testid": "how-measured" }, "how the captions were measured"),
          ),
          this.list,
          this.legend,
        ),
      ),
      this.below,
    );
  }

  buildCapsules() {
    this.digits = Array.from({ length: 10 }, (_, digit) => {
      const value = element("span");
      const choose = () => {
        if (this.mask === "winner") this.mask = "label";
        this.choose(digit);
        this.writeAddress();
      };
      const button = element("button", { type: "button", "data-testid": `capsule-${digit}`, onclick: choose }, element("b", {}, String(digit)), value);
      return { button, value };
    });
    this.masks = MASKS.map(([mask, name, tip]) => {
      const choose = () => {
        this.mask = mask;
        this.pinned = mask === "label";
        this.choose(mask === "winner" ? this.data.prediction : this.digit);
        this.writeAddress();
      };
      const input = element("input", { type: "radio", name: "mask", onclick: choose });
      return { mask, input, label: element("label", { class: "choice", "data-tip": tip }, input, element("span", {}, name)) };
    });
    this.fed = new Picture("The 160 inputs of the decoder", { class: "fed", "data-testid": "fed" });
    this.capsules = element(
      "section",
      {},
      element("h2", {}, "Which capsule is decoded?"),
      element("div", { class: "capsules" }, ...this.digits.map(({ button }) => button)),
      element("fieldset", {}, element("legend", {}, "mask"), ...this.masks.map(({ label }) => label)),
      this.fed.canvas,
      element(
        "p",
        { class: "look" },
        "The decoder’s 160 inputs: a row for each digit capsule’s 16 numbers. Orange is above 0, blue below, black 0; full colour is 0.6 or more. Only the row that is not empty tells the decoder which digit to draw.",
      ),
    );
  }

  load(data) {
    const before = this.data;
    this.data = data;
    this.exports.answered(data.gif);
    if (before && before.drawing === data.drawing && before.decoder === data.decoder) return;
    if (before) this.kept.before = { digit: before.prediction, pose: before.poses[before.prediction], name: "the drawing before" };
    this.colours = new Diverging(data);
    this.origins = data.poses.map((pose) => Float32Array.from(pose));
    this.poses = this.origins.map((pose) => pose.slice());
    if (!this.pinned) {
      this.digit = data.prediction;
      if (this.mask === "label") this.mask = "winner";
    }
    setText(this.legend, this.explained());
    this.element.querySelector("[data-testid=how-measured]").dataset.tip = data.howMeasured;
    setText(this.notice, "");
    if (before) this.writeAddress(false);
    else if (window.capsvizPose) this.comeBack(window.capsvizPose);
    else this.readAddress();
    this.notice.hidden = !this.notice.textContent;
    this.halt();
    this.start();
  }

  // Whoever comes back to the page finds it as it was left; with another drawing, only the settings.
  leave() {
    if (!this.data) return;
    const { digit, mask, pinned, poses, selected } = this;
    const { drawing, decoder } = this.data;
    const said = this.notice.textContent; // Streamlit may take a page apart and build it anew while it loads
    window.capsvizPose = { drawing, decoder, digit, mask, pinned, poses, selected, said, span: this.grid.span.value, share: this.morphing.scrubber.value };
  }

  comeBack(left) {
    this.grid.span.value = left.span;
    this.grid.showSpan();
    this.morphing.scrubber.value = left.share;
    if (left.drawing === this.data.drawing && left.decoder === this.data.decoder) {
      const { digit, mask, pinned, poses, selected } = left;
      Object.assign(this, { digit, mask, pinned, poses, selected });
      setText(this.notice, left.said);
    } else if (left.pinned) Object.assign(this, { digit: left.digit, mask: left.mask, pinned: true });
    else if (left.mask === "all") this.mask = left.mask;
    if (left.drawing !== this.data.drawing) this.writeAddress(false);
    else if (!left.said) this.writeAddress();
  }

  start() {
    if (!this.data) return;
    const here = window.capsvizDecoder?.name === this.data.decoder;
    this.decoder = here ? window.capsvizDecoder : null;
    this.element.classList.toggle("waiting", !here);
    for (const part of [this.list, this.tools, this.below]) part.inert = !here;
    if (here) clearTimeout(this.overdue);
    this.choose(this.digit);
    const first = this.sliders.find(({ element: node }) => node === this.list.firstElementChild).dimension;
    this.select(window.capsvizPose?.drawing === this.data.drawing ? this.selected : first);
    if (!here) this.wait();
  }

  // Until the decoder has come: everything in its place, and the reconstruction that the server knows.
  wait() {
    const { prediction, lengths, drawn, megabytes } = this.data;
    putInk(this.canvas, Uint8Array.from(drawn));
    setText(this.status, `capsule ${prediction}, |v| = ${fixed(lengths[prediction], 3)}`);
    setText(this.warning, `The decoder is on its way to your browser (${fixed(megabytes, 1)} MB, once): then the sliders bend this digit.`);
    this.showCapsules();
    this.morphing.label();
    this.canvas.setAttribute("aria-label", `What the decoder has drawn from capsule ${prediction}`);
  }

  // What thick, mark and captions mean, in the words of what was measured.
  explained() {
    const { middle, reach } = this.data;
    const drag = "Drag: the digit follows. Mark: the encoded value.";
    if (middle === null) return `${drag} Thick: ${UNMEASURED} to either side of it, the two ends in the small pictures.`;
    return `${drag} Thick: the middle ${middle}% of training images, its two ends in the small pictures. Captions: the mean effect of +${2 * reach}, from ${reach} below the encoded value to ${reach} above.`;
  }

  // A link with ?digit=7&pose=16 numbers opens that pose; with 160 numbers, all ten capsules unmasked. Nothing of a
  // link with a bad part is taken.
  readAddress() {
    const asked = new URL(window.location.href).searchParams;
    const [digit, pose] = [asked.get("digit"), asked.get("pose")];
    const all = 10 * DIMENSIONS;
    const texts = pose === null ? [] : pose.split(",", all + 1).map((text) => text.trim());
    const odd = texts.find((text) => !NUMBER.test(text) || Math.abs(text) > this.data.farthest);
    const wrong = [];
    if (digit !== null && !/^[0-9]$/.test(digit)) wrong.push(`digit ${cited(digit)} is none of 0 to 9`);
    if (pose !== null && ![DIMENSIONS, all].includes(texts.length)) {
      const count = texts.length > all ? `more than ${all}` : texts.length;
      wrong.push(`pose holds ${count} instead of ${DIMENSIONS} numbers (or ${all} for all capsules)`);
    } else if (odd !== undefined) wrong.push(`pose has ${cited(odd)}, which is no number from −${this.data.farthest} to ${this.data.farthest}`);
    if (wrong.length) {
      setText(this.notice, `The link’s ${wrong.join(", and its ")}: the drawing’s own pose is shown instead.`);
      return;
    }
    if (digit !== null) {
      this.digit = Number(digit);
      this.mask = "label";
    }
    if (pose === null) return;
    const numbers = texts.map(Number);
    if (numbers.length === DIMENSIONS) this.poses[this.digit].set(numbers);
    else {
      this.mask = "all";
      this.poses.forEach((own, capsule) => own.set(numbers.slice(capsule * DIMENSIONS, (capsule + 1) * DIMENSIONS)));
    }
    setText(this.notice, "This pose comes with the link, not from the drawing at the left: “reset all” goes to the drawing’s own.");
  }

  writeAddress(chosen = true) {
    const url = new URL(window.location.href);
    url.searchParams.delete("digit");
    url.searchParams.delete("pose");
    if (chosen) {
      const numbers = this.mask === "all" ? this.feed() : this.pose;
      url.searchParams.set("digit", this.digit);
      // Nine digits tell every single-precision number from its neighbours.
      url.searchParams.set("pose", Array.from(numbers, (value) => Number(value.toPrecision(9))).join(","));
    }
    window.history.replaceState(window.history.state, "", url.href.replaceAll("%2C", ","));
    return window.location.href;
  }

  get pose() {
    return this.poses[this.digit];
  }

  // What training showed of a dimension of the chosen capsule: caption, strength, low and high end.
  measured(dimension) {
    return this.data.measured?.[this.digit][dimension];
  }

  // [16] the mean pose of the chosen capsule over the images that were measured.
  get mean() {
    return this.data.measured[this.digit].map(({ mean }) => mean);
  }

  ends(dimension) {
    const origin = this.origins[this.digit][dimension];
    return this.measured(dimension) ?? { low: origin - UNMEASURED, high: origin + UNMEASURED };
  }

  // The ends of a slider: beyond what training showed, so that one sees what happens there.
  range(dimension) {
    const { low, high } = this.ends(dimension);
    const [origin, now] = [this.origins[this.digit][dimension], this.pose[dimension]];
    const margin = 0.3 * (high - low);
    const [least, most] = [Math.min(low - margin, origin - 0.1, now), Math.max(high + margin, origin + 0.1, now)];
    return [Math.floor(least * GRAIN) / GRAIN, Math.ceil(most * GRAIN) / GRAIN];
  }

  choose(digit) {
    this.halt();
    this.digit = digit;
    this.order();
    for (const slider of this.sliders) slider.place();
    this.rest();
  }

  order() {
    const strength = ({ dimension }) => this.measured(dimension)?.strength ?? 0;
    const order = [...this.sliders];
    if (this.sorted.checked && this.data.measured) order.sort((a, b) => strength(b) - strength(a));
    if (order.some((slider, at) => this.list.children[at] !== slider.element)) {
      this.list.replaceChildren(...order.map((slider) => slider.element));
    }
  }

  select(dimension) {
    this.selected = dimension;
    this.sliders.forEach((slider, at) => slider.element.classList.toggle("selected", at === dimension));
    this.grid.mark(dimension);
    this.showMotion();
  }

  // What moves says how to stop it.
  showMotion() {
    const names = { play: `play dimension ${this.selected}`, walk: "random walk", morph: "loop" };
    for (const [name, button] of [["play", this.playButton], ["walk", this.walkButton], ["morph", this.morphing.loopButton]]) {
      const moves = this.motion?.name.startsWith(name) ?? false;
      setText(button, moves ? "■ stop" : names[name]);
      button.setAttribute("aria-pressed", String(moves));
    }
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
    this.showCapsules();
    for (const slider of this.sliders) slider.place();
    // The rest is drawn some at a time, so that a hand that moves again never waits for it.
    this.chores = [() => this.drawFed(), () => this.morphing.show()];
    for (let at = 0; at < DIMENSIONS; at += 4) {
      this.chores.push(() => this.sliders.slice(at, at + 4).forEach((slider) => slider.drawEnds()));
    }
    if (!this.motion) for (let d = 0; d < DIMENSIONS; d++) this.chores.push(() => this.grid.drawRow(d));
    this.working ??= requestAnimationFrame(() => this.work());
  }

  work() {
    this.chores.shift()?.();
    this.working = this.chores.length ? requestAnimationFrame(() => this.work()) : null;
    this.element.dataset.busy = this.working !== null;
  }

  reset() {
    setText(this.notice, "");
    this.notice.hidden = true;
    if (this.mask === "all") this.poses.forEach((pose, digit) => pose.set(this.origins[digit]));
    this.take(this.origins[this.digit]);
  }

  // Another pose of the chosen capsule, all of it at once.
  take(pose) {
    this.halt();
    this.pose.set(pose);
    this.rest();
    this.writeAddress();
  }

  // [160] what the decoder is fed: with another pose for the chosen digit, if one is given.
  feed(pose = this.pose) {
    for (let digit = 0; digit < 10; digit++) {
      const fed = digit === this.digit ? pose : this.mask === "all" ? this.poses[digit] : null;
      if (fed) this.inputs.set(fed, digit * DIMENSIONS);
      else this.inputs.fill(0, digit * DIMENSIONS, (digit + 1) * DIMENSIONS);
    }
    return this.inputs;
  }

  paint() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.decoder) return;
    putInk(this.canvas, this.decoder.decode(this.feed()));
    this.painted += 1;
    this.element.dataset.painted = this.painted;
    this.showStatus();
  }

  showStatus() {
    const length = Math.hypot(...this.pose);
    const all = this.mask === "all";
    setText(this.status, `${all ? "all ten; the sliders move " : ""}capsule ${this.digit}, |v| = ${fixed(length, 3)}`);
    const beyond = [];
    this.pose.forEach((value, dimension) => {
      const known = this.measured(dimension);
      if (known && (value < known.low || value > known.high)) beyond.push(dimension);
    });
    const notes = [];
    if (length >= 1) notes.push("No capsule can be this long: squashing keeps lengths below 1.");
    if (length < SHORT && !all) notes.push("Nearly 0: the decoder draws what its biases make of nothing, and captions do not hold.");
    else if (beyond.length) {
      const where = beyond.length > 3 ? `${beyond.length} dimensions` : `dimension ${beyond.join(", ")}`;
      notes.push(`Outside the middle ${this.data.middle}% of training images in ${where}.`);
    }
    if (all) notes.push("Captions were measured with one capsule alone.");
    setText(this.warning, notes.join(" "));
  }

  showCapsules() {
    this.canvas.setAttribute("aria-label", `What the decoder draws from capsule ${this.digit}`);
    for (const { mask, input } of this.masks) input.checked = mask === this.mask;
    this.meanButton.hidden = !this.data.measured;
    setText(this.meanButton, `mean ${this.digit}`);
    this.digits.forEach(({ button, value }, digit) => {
      const length = fixed(this.data.lengths[digit]);
      button.setAttribute("aria-pressed", String(digit === this.digit));
      button.classList.toggle("longest", digit === this.data.prediction);
      button.style.setProperty("--digit", this.data.digitColours[digit]);
      button.setAttribute("aria-label", `Decode capsule ${digit}, length ${length}`);
      setText(value, length);
    });
  }

  drawFed() {
    const { context, width, height } = this.fed.begin();
    const [left, top] = [20, 20];
    const [cell, row] = [(width - left) / DIMENSIONS, (height - top) / 10];
    const fed = this.feed();
    const style = getComputedStyle(this.element);
    context.textBaseline = "middle";
    context.textAlign = "center";
    const label = (text, x, y, bold) => {
      context.fillStyle = style.color;
      context.font = `${bold ? "bold " : ""}14px ${style.fontFamily}`;
      context.fillText(text, x, y);
    };
    for (let d = 0; d < DIMENSIONS; d++) label(d, left + (d + 0.5) * cell, top / 2, d === this.selected);
    context.fillStyle = "#000";
    context.fillRect(left, top, width - left, height - top);
    for (let digit = 0; digit < 10; digit++) {
      label(digit, left / 2, top + (digit + 0.5) * row, digit === this.digit);
      for (let d = 0; d < DIMENSIONS; d++) {
        context.fillStyle = this.colours.at(fed[digit * DIMENSIONS + d] / 0.6);
        context.fillRect(left + d * cell, top + digit * row, cell - 1, row - 1);
      }
    }
    context.strokeStyle = "#fff";
    context.strokeRect(left + 0.5, top + this.digit * row, width - left - 1, row - 1);
  }

  // Motion: one thing at a time moves by itself. Asked for again, it stops.

  move(name, frame) {
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
    const from = this.pose[dimension];
    const { low, high } = this.ends(dimension);
    const [least, most] = [Math.min(low, from), Math.max(high, from)];
    const [middle, swing] = [(least + most) / 2, (most - least) / 2];
    const phase = Math.asin(Math.max(-1, Math.min((from - middle) / swing, 1))); // it starts where it is
    this.move(`play ${dimension}`, (seconds) => {
      this.pose[dimension] = middle + swing * Math.sin(phase + (2 * Math.PI * seconds) / 3);
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
        const swing = Math.sin(2 * Math.PI * (seconds / waves[d].period + waves[d].phase));
        // Near the pose it starts from: components are not independent, and far from it in all of them
        // at once lie poses that no drawing has.
        this.pose[d] = from + fade * WALK * (high - low) * swing;
      });
      const length = Math.hypot(...this.pose);
      if (length > LONGEST) this.pose.forEach((value, d) => (this.pose[d] = (value * LONGEST) / length));
      for (const slider of this.sliders) slider.follow();
      this.touch();
    });
  }
}

// What a link says, short enough and plain enough to stand in a sentence (as messages.py has it).
function cited(text) {
  return text ? `“${text.slice(0, 20).replace(/[^A-Za-z0-9 .,+-]/g, "?")}${text.length > 20 ? "…" : ""}”` : "nothing";
}

const posed = new WeakMap();

export default function mountPose({ data, parentElement, setStateValue }) {
  if (!posed.has(parentElement)) posed.set(parentElement, new Posing(parentElement, setStateValue));
  posed.get(parentElement).load(data);
  return () => {
    posed.get(parentElement)?.unmount();
    posed.delete(parentElement);
  };
}
