// The Routing page of a network with attention: one payload, one selection, and the views that follow them.

import { AddressWriter, partOf, readLink } from "./address.js";
import { Drawn, Matrix, Strip } from "./attention_classes.js";
import { Cloud } from "./attention_cloud.js";
import { Capsule, Cell } from "./attention_microscope.js";
import { AttentionPicture } from "./attention_picture.js";
import { Steps } from "./attention_steps.js";
import { Diverging, Tip, element, keepForPaper } from "./drawing.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { locked } from "./prepared.js";
import { builtFor, shapeWords } from "./routing.js";

const NAMES = ["digit", "capsule", "other", "step", "scale", "contrast"]; // of the address, as app/parameters.py has them

export class Attention {
  // What is chosen: a class, a primary capsule and another one whose votes are compared; picked by hand or not.
  digit = 0;
  capsule = 0;
  other = 0;
  picked = false;
  scale = "weight";
  contrast = 1;
  /** @type {{ digit?: number, capsule?: number, other?: number }} what lies under the pointer */
  pointed = {};

  /**
   * @param {HTMLElement} root
   * @param {any} payload of a network of the shape that the view is built for
   * @param {boolean} [addressed] whether the address bar says what is chosen; not in a page of its own
   */
  constructor(root, payload, addressed = false) {
    this.address = addressed ? new AddressWriter() : null;
    this.built = builtFor(payload);
    payload.components = payload.arrays.u.length / payload.primary;
    this.payload = payload;
    this.steps = payload.steps;
    this.step = this.steps.length - 1;
    this.shape = { ...shapeWords(payload), pose: payload.pose };
    const letters = Math.max(...payload.classes.map((name) => name.length));
    const sizes = `--classes: ${payload.digits}; --components: ${payload.components}; --letters: ${Math.min(letters, 8)};`;
    this.element = element("div", { class: "routing attention", tabindex: -1, style: sizes });
    this.tip = new Tip(this.element);
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    const [strip, steps, picture] = [new Strip(this), new Steps(this), (this.picture = new AttentionPicture(this))];
    const [capsule, cell] = [new Capsule(this), new Cell(this)];
    const [matrix, cloud, drawn] = [new Matrix(this), new Cloud(this), new Drawn(this)];
    /** @type {{ draw: () => void, load?: (payload: any) => void }[]} */
    this.views = [strip, steps, picture, capsule, cell, matrix, cloud, drawn];
    this.element.append(
      this.notice,
      element("div", { class: "attention-top" }, strip.element, steps.list, picture.element, picture.scales, steps.said, picture.look),
      element(
        "div",
        { class: "pair" },
        element("div", {}, capsule.element, matrix.element),
        element("div", {}, cell.element, cloud.element),
      ),
      drawn.element,
    );
    root.append(this.element);
    this.part = new Part(
      {
        picture: () => picture.element,
        algorithm: () => [steps.list, steps.said],
        scale: () => [picture.scales, picture.look],
        clouds: () => cloud.element,
        microscope: () => [capsule.element, cell.element],
        matrix: () => matrix.element,
        drawn: () => drawn.element,
      },
      (search) => this.follow(search),
      { step: () => [steps.list.firstElementChild, steps.list] },
    );
    this.part.staged = { microscope: () => [capsule.element] };
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.resized = new ResizeObserver(() => {
      keepForPaper(this.element);
      this.invalidate();
    });
    this.resized.observe(this.element);
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => this.invalidate();
    this.theme.addEventListener("change", this.themed);
  }

  load(payload) {
    if (this.loaded === payload.id) return;
    // Who comes back to the page finds it as it was left; a new drawing keeps the step.
    const before = this.loaded ? this.left() : window.capsvizAttention;
    const first = !this.loaded;
    this.loaded = payload.id;
    payload.components = payload.arrays.u.length / payload.primary;
    this.payload = payload;
    this.colours = new Diverging(payload);
    this.unchoose();
    if (before) {
      Object.assign(this, { step: before.step, scale: before.scale });
      this.picture.raise(before.contrast);
    }
    if (before?.id === payload.id) Object.assign(this, before.chosen);
    // After Clear the address still says what was chosen in the drawing before, and with another network chosen here, what
    // was chosen in that one's view.
    if (first && !window.capsvizRouting && before?.said !== partOf(window.location.search, NAMES)) this.readAddress();
    this.address?.forget();
    for (const view of this.views) view.load?.(payload);
    this.draw();
  }

  unmount() {
    this.part.unmount();
    this.address?.unmount();
    cancelAnimationFrame(this.request);
    window.capsvizAttention = this.left();
    this.resized.disconnect();
    document.removeEventListener("keydown", this.keys);
    this.theme.removeEventListener("change", this.themed);
  }

  // How the page is left.
  left() {
    const { digit, capsule, other, picked, step, scale, contrast } = this;
    const said = partOf(window.location.search, NAMES);
    return { id: this.loaded, said, step, scale, contrast, chosen: { digit, capsule, other, picked } };
  }

  // Selection.

  name(digit) {
    return this.payload.classes[digit];
  }

  point(what) {
    if (["digit", "capsule", "other"].every((name) => this.pointed[name] === what[name])) return;
    this.pointed = what;
    this.invalidate();
  }

  /** @param {{ digit?: number, capsule?: number, other?: number }} what */
  choose({ digit = this.digit, capsule = this.capsule, other }) {
    const moved = digit !== this.digit || capsule !== this.capsule;
    Object.assign(this, { digit, capsule, picked: true });
    this.other = other ?? (moved ? this.partner() : this.other);
    this.notice.hidden = true;
    this.invalidate();
  }

  unchoose() {
    this.digit = this.payload.prediction;
    this.capsule = this.strongest(this.digit);
    this.other = this.partner();
    this.picked = false;
  }

  // The capsule with the largest share in a class.
  strongest(digit) {
    let best = 0;
    for (let i = 1; i < this.payload.primary; i++) {
      if (this.at("share", i, digit) > this.at("share", best, digit)) best = i;
    }
    return best;
  }

  // The capsule whose vote attends most to the chosen one's, for or against.
  partner() {
    const { digit, capsule } = this;
    let best = capsule === 0 ? Math.min(1, this.payload.primary - 1) : 0;
    for (let k = 0; k < this.payload.primary; k++) {
      if (k !== capsule && Math.abs(this.attention(digit, capsule, k)) > Math.abs(this.attention(digit, capsule, best))) best = k;
    }
    return best;
  }

  go(step) {
    if (locked("step")) return;
    this.step = Math.max(0, Math.min(step, this.steps.length - 1));
    this.invalidate();
  }

  setScale(scale) {
    this.scale = scale;
    this.invalidate();
  }

  // A link with ?digit=7&capsule=3&step=2 opens with these chosen.
  readAddress(search = window.location.search) {
    const { found, problems } = readLink(search, this.payload.link);
    const { digit = this.digit, step = this.step, scale = this.scale } = found;
    Object.assign(this, { digit, step, scale });
    this.capsule = found.capsule ?? this.strongest(digit);
    this.other = found.other ?? this.partner();
    this.picture.raise(2 ** ((found.contrast ?? 0) / 4));
    if ("digit" in found || "capsule" in found) this.picked = true;
    this.notice.textContent = problems.join(" ");
    this.notice.hidden = !problems.length;
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.loaded) return false;
    this.step = this.steps.length - 1;
    this.unchoose();
    this.readAddress(search);
    this.invalidate();
    return true;
  }

  writeAddress() {
    const [digit, capsule] = this.picked ? [this.digit, this.capsule] : [];
    const other = this.picked && this.other !== this.partner() ? this.other : undefined;
    const step = this.step === this.steps.length - 1 ? undefined : this.step;
    const scale = this.scale === this.payload.scales[0] ? undefined : this.scale;
    const contrast = this.contrast === 1 ? undefined : 4 * Math.log2(this.contrast);
    this.address?.say({ digit, capsule, other, step, scale, contrast });
  }

  // Where a scale ends.
  limit(name) {
    return this.payload.limits[name] / this.contrast;
  }

  tell(describe, { clientX, clientY }) {
    if (describe) this.tip.show(describe(), clientX, clientY);
    else this.tip.hide();
  }

  leave() {
    this.point({});
    this.tip.hide();
  }

  // Numbers of the trace.

  // Of a capsule and a class, as chosen unless said.
  at(name, capsule = this.capsule, digit = this.digit) {
    return this.payload.arrays[name][capsule * this.payload.digits + digit];
  }

  // Of the chosen capsule, for every class.
  row(name) {
    const first = this.capsule * this.payload.digits;
    return this.payload.arrays[name].subarray(first, first + this.payload.digits);
  }

  attention(digit, capsule, other) {
    const { primary, arrays } = this.payload;
    return arrays.attention[(digit * primary + capsule) * primary + other];
  }

  // Which of the vectors u_hat is a capsule's vote for the chosen class.
  vote(capsule = this.capsule) {
    return capsule * this.payload.digits + this.digit;
  }

  // Of one of the vectors in an array.
  lengthOf(name, index) {
    const size = name === "u" ? this.payload.components : this.payload.pose;
    return Math.hypot(...this.payload.arrays[name].subarray(index * size, (index + 1) * size));
  }

  // Drawing, at most once a frame of the screen.

  invalidate() {
    if (!this.loaded || this.request) return;
    this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.element.clientWidth) return; // the page is being left
    const style = getComputedStyle(this.element);
    this.textColour = style.color;
    this.fontFamily = style.fontFamily;
    this.writeAddress();
    this.part.tell({ step: this.step, capsule: this.capsule, class: this.name(this.digit) });
    this.picture.measure();
    for (const view of this.views) view.draw();
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target.closest?.("input:not([type=radio]), textarea, select, [contenteditable], [role=menu], [role=slider]")) return;
    const actions = {
      ArrowRight: () => this.go(this.step + 1),
      ArrowLeft: () => this.go(this.step - 1),
      Home: () => this.go(0),
      End: () => this.go(this.steps.length - 1),
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

const mount = mounting((root, payload, report) => new Attention(root, payload, Boolean(report)), builtFor);

export default function mountAttention({ data, parentElement, setStateValue = undefined }) {
  return mount(parentElement, unpack(data), setStateValue);
}
