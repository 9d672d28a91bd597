// The Routing page: one payload, one clock, one selection, and the views that follow them.

import { AddressWriter, partOf, readLink } from "./address.js";
import { Algorithm } from "./algorithm.js";
import { Clock } from "./clock.js";
import { Transport, clockKeys, isFree } from "./clock_bar.js";
import { Clouds } from "./clouds.js";
import { Diverging, Tip, element, fixed, keepForPaper } from "./drawing.js";
import { Film } from "./film.js";
import { Part } from "./lesson.js";
import { Legend, Maps } from "./maps.js";
import { Microscope } from "./microscope.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { locked } from "./prepared.js";
import { builtFor, capsuleAt, deriveRouting, predictions, scaleValues, shapeWords } from "./routing.js";
import { Stage } from "./stage.js";
import { say } from "./texts.js";

/** @type {Scale[]} */
const SCALES = ["c", "uniform", "last", "share"];
const STEPS = ["softmax", "sum", "squash", "agreement"]; // as figures/routing.py has them
const MOST_ITERATIONS = 10; // that can be asked for, as traces/surgery.py has it
const NAMES = ["digit", "capsule", "step", "scale", "contrast", "only", "clouds"]; // of the address, as app/parameters.py has them

export class Explorer {
  // What is chosen: a class, a primary capsule, and the two classes of the clouds; picked by hand or not.
  digit = 0;
  capsule = 0;
  /** @type {number[]} */
  rivals = [];
  picked = false;
  /** @type {Scale} */
  scale = "c";
  /** @type {{ describe: () => string, at: [number, number] } | null} what lies under the pointer */
  told = null;

  /**
   * @param {HTMLElement} root
   * @param {any} payload of a network of the shape that the view is built for
   * @param {(name: string, value: number) => void} [report] tells Python; absent in a page of its own
   */
  constructor(root, payload, report) {
    const { grid, iterations, primary, digits, trained, arrays } = payload;
    this.report = report;
    this.built = builtFor(payload);
    this.grid = grid;
    this.components = arrays.u.length / primary;
    this.shape = { ...shapeWords(payload), pose: arrays.v.length / (iterations * digits), trained };
    this.contrast = 1;
    this.only = false;
    this.address = report ? new AddressWriter() : null;
    this.pointed = {};
    this.clock = new Clock(() => this.invalidate(), () => locked("step"));
    // Room for names, and a column for each: more than one letter takes more, and beyond five or so it is cut off.
    const letters = Math.max(...payload.classes.map((name) => name.length));
    const room = letters > 1 ? `--name: ${Math.min(0.5 + 0.85 * letters, 4.5).toFixed(2)}em;` : "";
    const columns = `--classes: ${digits}; --maps: ${Math.min(digits, 5)}; --components: ${this.components};`;
    this.element = element("div", { class: "routing", tabindex: -1, style: `${columns} ${room}` });
    this.tip = new Tip(this.element);
    this.stage = new Stage(this);
    this.algorithm = new Algorithm(this);
    this.maps = new Maps(this);
    this.clouds = new Clouds(this);
    this.film = new Film(this);
    this.microscope = new Microscope(this);
    this.views = [this.stage, this.algorithm, this.maps, this.clouds, this.film, this.microscope];
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.element.append(
      this.notice,
      element("div", { class: "top" }, this.stage.element, this.algorithm.element),
      this.bar(),
      this.scaleBar(),
      this.maps.element,
      element("div", { class: "pair" }, this.clouds.element, this.microscope.element),
      this.film.element,
    );
    root.append(this.element);
    this.part = new Part(
      {
        picture: () => this.stage.element,
        algorithm: () => this.algorithm.element,
        clouds: () => this.clouds.element,
        microscope: () => this.microscope.element,
        clock: () => [this.bars.buttons, this.bars.slider, this.bars.where, this.speed.parentElement],
        iterations: () => this.rounds.parentElement,
        scale: () => this.scales,
        places: () => this.maps.element,
        film: () => this.film.element,
      },
      (search) => this.follow(search),
      {
        iterations: () => [this.rounds.parentElement, this.rounds],
        step: () => [this.bars.where, this.bars.buttons, this.bars.slider, this.speed, ...this.element.querySelectorAll(".procedure button, .film button")],
      },
    );
    // The picture says nothing without the moment that it shows.
    const picture = () => [this.stage.element, this.bars.buttons.parentElement];
    this.part.staged = { picture, clock: picture, iterations: picture };
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.resized = new ResizeObserver(() => {
      keepForPaper(this.element);
      if (!this.payload) return;
      this.views.forEach((view) => view.measure());
      this.invalidate();
    });
    this.resized.observe(this.element);
    this.seen = new Set(this.views);
    this.watching = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const view = this.views.find(({ element: node }) => node === target);
        if (isIntersecting) this.seen.add(view);
        else this.seen.delete(view);
      }
      this.invalidate();
    });
    this.views.forEach((view) => this.watching.observe(view.element));
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => requestAnimationFrame(() => this.invalidate());
    this.theme.addEventListener("change", this.themed);
  }

  load(payload) {
    if (payload.id === this.payload?.id) return;
    const before = this.payload;
    // Who comes back to the page finds it as it was left; a new drawing keeps the step, and the end stays the end.
    const left = before ? this.left() : (window.capsvizRouting ?? { step: null });
    payload.arrays.u_hat ??= predictions(window.capsvizTransforms.W, payload.arrays.u, payload.primary);
    this.payload = payload;
    this.routing = deriveRouting(payload);
    this.cache = new Map();
    this.colours = new Diverging(payload);
    // The same drawing with another number of iterations keeps what was chosen; a new drawing does not.
    const same = before?.arrays.image.every((value, p) => value === payload.arrays.image[p]);
    if (!same) {
      this.unchoose();
      if (left.id === payload.id) Object.assign(this, left.chosen);
    }
    if (!before) this.look(left.look ?? {});
    this.pointed = {};
    this.told = null;
    this.views.forEach((view) => view.load(payload));
    this.part.obey(); // also what was made anew
    // After Clear the address still says what was chosen in the drawing before.
    const link = before || left.said === partOf(window.location.search, NAMES) ? {} : this.readAddress();
    this.clock.setFrames(payload.frames.length, link.step ?? left.step);
    this.address?.forget();
    this.bars.slider.max = String(this.clock.last);
    this.rounds.value = String(payload.iterations);
    this.views.forEach((view) => view.measure());
    this.draw();
  }

  unmount() {
    this.part.unmount();
    this.clock.stop();
    this.address?.unmount();
    window.capsvizRouting = this.left();
    this.resized.disconnect();
    this.watching.disconnect();
    document.removeEventListener("keydown", this.keys);
    this.theme.removeEventListener("change", this.themed);
  }

  // How the page is left; a step of null is the end.
  left() {
    const { digit, capsule, rivals, only, picked, scale, contrast } = this;
    return {
      id: this.payload?.id,
      said: partOf(window.location.search, NAMES),
      step: this.clock.atEnd ? null : this.clock.target,
      look: { scale, contrast },
      chosen: { digit, capsule, rivals, only, picked },
    };
  }

  // Selection.

  // Of a class.
  name(digit) {
    return this.payload.classes[digit];
  }

  get focusDigit() {
    return this.pointed.digit ?? this.digit;
  }

  point(what) {
    const names = ["digit", "capsule", "place", "type"];
    if (names.every((name) => (this.pointed[name] ?? null) === (what[name] ?? null))) return;
    this.pointed = what;
    this.invalidate();
  }

  choose({ digit = this.digit, capsule = this.capsule, only = this.only }) {
    Object.assign(this, { digit, capsule, only });
    // The clouds show the chosen digit, beside the longest or, if that is the chosen one, its rival.
    if (!this.rivals.includes(digit)) this.rivals = this.rivalsOf(digit);
    this.notice.hidden = true;
    this.picked = true;
    this.invalidate();
  }

  unchoose() {
    const { prediction } = this.payload;
    Object.assign(this, { digit: prediction, rivals: this.rivalsOf(prediction), only: false, picked: false });
    this.capsule = this.strongest({ digit: prediction });
  }

  compare(index, digit) {
    this.rivals[index] = digit;
    this.invalidate();
  }

  rivalsOf(digit) {
    const { prediction, runnerUp } = this.payload;
    return [prediction, digit === prediction ? runnerUp : digit];
  }

  // The primary capsule with the largest share in a digit at the end; of one place or type, if given.
  /** @param {{ digit: number, place?: number, type?: number }} among */
  strongest({ digit, place, type }) {
    const { payload, routing } = this;
    const share = routing.share.at(-1);
    let best = null;
    for (let i = 0; i < payload.primary; i++) {
      const capsule = capsuleAt(payload, i);
      if ((place !== undefined && capsule.place !== place) || (type !== undefined && capsule.type !== type)) continue;
      if (best === null || share[i * payload.digits + digit] > share[best * payload.digits + digit]) best = i;
    }
    return best;
  }

  // A link with ?digit=7&capsule=412&step=5 opens with these chosen.
  readAddress(search = window.location.search) {
    const { digits, primary, frames, link } = this.payload;
    const own = { digit: [0, digits - 1], capsule: [0, primary - 1], step: [0, frames.length - 1] };
    const { found, problems } = readLink(search, { ...own, ...link });
    const { digit = this.digit, capsule = this.capsule, only = 0, clouds } = found;
    if ("digit" in found || "capsule" in found) this.choose({ digit, capsule, only: only === 1 });
    if (clouds) this.rivals = clouds;
    this.look({ scale: found.scale, contrast: 2 ** ((found.contrast ?? 0) / 4) });
    this.notice.textContent = problems.join(" ");
    this.notice.hidden = !problems.length;
    return found;
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.payload) return false;
    this.unchoose();
    this.clock.lead(this.readAddress(search).step ?? this.clock.last);
    return true;
  }

  // Of the colours of all views.
  look({ scale = "c", contrast = 1 }) {
    Object.assign(this, { scale, contrast });
    this.contrastSlider.value = String(Math.log2(contrast));
    this.contrastSlider.setAttribute("aria-valuetext", say("routing.scale.times", { times: fixed(contrast, 1) }));
  }

  // Once the clock rests.
  writeAddress() {
    if (this.clock.playing) return;
    // Those that were picked, not those that a drawing begins with.
    const [digit, capsule] = this.picked ? [this.digit, this.capsule] : [];
    const step = this.clock.atEnd ? undefined : this.clock.target;
    const scale = this.scale === "c" ? undefined : this.scale;
    const contrast = this.contrast === 1 ? undefined : 4 * Math.log2(this.contrast);
    const usual = this.rivals.join() === this.rivalsOf(this.digit).join();
    const [only, clouds] = [this.only ? 1 : undefined, usual ? undefined : this.rivals.join(".")];
    this.address?.say({ digit, capsule, step, scale, contrast, only, clouds });
  }

  // What lies under the pointer in a picture, said again as the clock moves; null says nothing.
  tell(describe, { clientX, clientY }) {
    this.told = describe && { describe, at: [clientX, clientY] };
    if (describe) this.tip.show(describe(), clientX, clientY);
    else this.tip.hide();
  }

  leave() {
    this.point({});
    this.told = null;
    this.tip.hide();
  }

  // What is shown now: quantities between two frames are mixed while the clock moves.

  // The step whose result is on the screen, or is just coming.
  get now() {
    return this.payload.frames[Math.ceil(this.clock.position)];
  }

  blend(quantity, get) {
    const before = this.payload.frames[Math.floor(this.clock.position)][quantity];
    const after = this.now[quantity];
    if (before === after) return get(after);
    const t = this.clock.position % 1;
    const [from, to] = [get(before), get(after)];
    return to.map((value, at) => from[at] + t * (value - from[at]));
  }

  cached(key, compute) {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key);
  }

  values(level) {
    return this.blend(this.scale === "share" ? "s" : "c", (r) =>
      this.cached(`${this.scale}/${level}/${r}`, () => scaleValues(this.payload, this.routing, this.scale, r, level)),
    );
  }

  shares = (r) => (r < 0 ? this.cached("none", () => new Float32Array(this.routing.share[0].length)) : this.routing.share[r]);

  lengths = (r) => this.norms("v", r);

  sumLengths = (r) => this.norms("s", r);

  norms(name, r) {
    const { digits, arrays, iterations } = this.payload;
    return this.cached(`|${name}|/${r}`, () =>
      Float64Array.from({ length: digits }, (_, j) => {
        if (r < 0) return 0;
        const D = arrays[name].length / (iterations * digits);
        const at = (r * digits + j) * D;
        return Math.hypot(...arrays[name].subarray(at, at + D));
      }),
    );
  }

  limit(level) {
    return this.payload.limits[this.scale][level] / this.contrast;
  }

  // Drawing, at most once a frame of the screen; while the clock moves, only what can be seen.

  invalidate() {
    if (!this.payload || this.request) return;
    this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.element.clientWidth) return; // the page is being left
    const style = getComputedStyle(this.element);
    this.textColour = style.color;
    this.fontFamily = style.fontFamily;
    this.drawBar();
    this.writeAddress();
    this.part.tell({ step: this.clock.target, capsule: this.capsule, class: this.name(this.digit) });
    if (this.told && !this.tip.node.hidden) this.tip.show(this.told.describe(), ...this.told.at);
    for (const view of this.clock.moving ? this.seen : this.views) view.draw();
  }

  // The clock's controls, and the scale's.

  bar() {
    const { clock } = this;
    this.bars = new Transport(clock);
    this.speed = element(
      "select",
      { "aria-label": say("routing.clock.speedLabel"), onchange: () => (clock.speed = Number(this.speed.value)) },
      ...[0.5, 1, 2, 4].map((speed) => element("option", { value: speed, selected: speed === 1 }, `${speed}×`)),
    );
    this.rounds = element(
      "select",
      { "aria-label": say("routing.clock.iterations"), onchange: () => this.report?.("iterations", Number(this.rounds.value)) },
      ...Array.from({ length: MOST_ITERATIONS }, (_, n) => element("option", { value: n + 1 }, String(n + 1))),
    );
    this.rounds.disabled = !this.report;
    return element(
      "div",
      { class: "bar", role: "toolbar", "aria-label": say("routing.clock.label") },
      this.bars.buttons,
      this.bars.slider,
      this.bars.where,
      element("label", {}, `${say("routing.clock.speed")} `, this.speed),
      element("label", { "data-tip": say("routing.clock.iterationsTip", this.shape) }, "R = ", this.rounds),
    );
  }

  drawBar() {
    const { now } = this;
    const said = { iteration: now.iteration + 1, iterations: this.payload.iterations };
    this.bars.show(say(`routing.clock.${STEPS[now.step]}`, said));
    for (const { scale, input } of this.scaleInputs) input.checked = scale === this.scale;
    this.legend.draw();
  }

  scaleBar() {
    this.scaleInputs = SCALES.map((scale) => {
      const input = element("input", {
        type: "radio",
        name: "scale",
        value: scale,
        onchange: () => {
          this.scale = scale;
          this.invalidate();
        },
      });
      const tip = say(`routing.scale.${scale}Tip`, this.shape);
      const name = element("span", {}, say(`routing.scale.${scale}`, this.shape));
      return { scale, input, label: element("label", { class: "choice", "data-tip": tip }, input, name) };
    });
    this.legend = new Legend(this, "capsule");
    const contrast = (this.contrastSlider = element("input", {
      type: "range",
      min: 0,
      max: 4,
      step: 0.25,
      value: 0,
      "aria-label": say("routing.scale.contrastLabel"),
      "aria-valuetext": say("routing.scale.times", { times: fixed(1, 1) }),
      oninput: () => {
        this.look({ scale: this.scale, contrast: 2 ** Number(contrast.value) });
        this.invalidate();
      },
    }));
    this.scales = element(
      "div",
      { class: "scale-bar" },
      element(
        "fieldset",
        {},
        element("legend", {}, say("routing.scale.label")),
        ...this.scaleInputs.map(({ label }) => label),
      ),
      element("div", { class: "scale-legend" }, element("span", {}, say("routing.scale.stage")), this.legend.element),
      element(
        "label",
        { class: "contrast", "data-tip": say("routing.scale.contrastTip") },
        `${say("routing.scale.contrast")} `,
        contrast,
      ),
    );
    return this.scales;
  }

  key(event) {
    if (!this.payload || !isFree(event)) return;
    const actions = {
      ...clockKeys(this.clock),
      Escape: () => {
        this.unchoose();
        this.invalidate();
      },
    };
    if (/^[0-9]$/.test(event.key) && Number(event.key) < this.payload.digits) {
      actions[event.key] = () => this.choose({ digit: Number(event.key) });
    }
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}

const mount = mounting((root, payload, report) => new Explorer(root, payload, report), builtFor);

export default function mountRouting({ data, parentElement, setStateValue = undefined }) {
  return mount(parentElement, unpack(data), setStateValue);
}
