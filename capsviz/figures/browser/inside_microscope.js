// The microscopes of Routing, on the Inside page: of the answer, after the last iteration.

import { Capsule } from "./attention_microscope.js";
import { Microscope } from "./microscope.js";
import { deriveRouting, predictions } from "./routing.js";

/**
 * The one for a kind of routing; null where there is none.
 * @param {any} view the page
 * @param {any} payload of a network of the shape that the page is built for
 */
export function microscopeFor(view, payload) {
  if (payload.routing === "dynamic") return new Agreement(view, payload);
  return payload.routing === "attention" ? new Attending(view, payload) : null;
}

// What a microscope asks of the view that it stands in.
class Host {
  digit = 0;
  /** @type {{ digit?: number }} */
  pointed = {};
  begun = false;

  constructor(view, payload) {
    this.view = view;
    this.payload = payload;
    this.grid = payload.grid;
    this.components = payload.components;
    this.shape = { ...view.shape, pose: payload.pose, trained: payload.trained };
  }

  /** @returns {ArrayLike<number>} [I, J] of each capsule in each class */
  get shares() {
    return [];
  }

  get capsule() {
    return this.view.capsule;
  }

  get colours() {
    return this.view.colours;
  }

  get textColour() {
    return this.view.textColour;
  }

  get focusDigit() {
    return this.pointed.digit ?? this.digit;
  }

  name(digit) {
    return this.payload.classes[digit];
  }

  point(what) {
    this.pointed = what;
    this.view.invalidate();
  }

  choose({ digit = this.digit, capsule = this.view.capsule }) {
    this.digit = digit;
    if (capsule !== this.view.capsule) this.view.choose({ capsule });
    else this.view.invalidate();
  }

  // The class that is answered is the one that is looked at, until the drawing is another.
  load(payload) {
    const same = this.payload.prediction === payload.prediction;
    this.payload = payload;
    if (!same || !this.begun) this.digit = payload.prediction;
    this.begun = true;
    this.pointed = {};
  }

  /**
   * The capsule whose share of a class is largest.
   * @param {number} digit
   */
  largest(digit) {
    const { primary, digits } = this.payload;
    const share = this.shares;
    let best = 0;
    for (let i = 1; i < primary; i++) if (share[i * digits + digit] > share[best * digits + digit]) best = i;
    return best;
  }
}

class Agreement extends Host {
  constructor(view, payload) {
    super(view, payload);
    this.microscope = new Microscope(this);
    this.element = this.microscope.element;
  }

  load(payload) {
    payload.arrays.u_hat ??= predictions(window.capsvizTransforms.W, payload.arrays.u, payload.primary);
    super.load(payload);
    this.routing = deriveRouting(payload);
    const last = payload.iterations - 1;
    this.now = { iteration: last, step: 3, c: last, s: last, v: last }; // as figures/routing.py's last frame
    this.microscope.load(payload);
  }

  get shares() {
    return this.routing.share[this.now.s];
  }

  strongest({ digit }) {
    return this.largest(digit);
  }

  blend(quantity, get) {
    return get(this.now[quantity]);
  }

  draw() {
    this.microscope.draw();
  }
}

class Attending extends Host {
  constructor(view, payload) {
    super(view, payload);
    this.microscope = new Capsule(this);
    this.element = this.microscope.element;
  }

  load(payload) {
    super.load({ ...payload, limits: { ...payload.limits, votes: payload.votes } });
  }

  get shares() {
    return this.payload.arrays.share;
  }

  strongest(digit) {
    return this.largest(digit);
  }

  lengthOf(name, index) {
    const { components, arrays } = this.payload;
    return Math.hypot(...arrays[name].subarray(index * components, (index + 1) * components));
  }

  at(name, capsule, digit) {
    return this.payload.arrays[name][capsule * this.payload.digits + digit];
  }

  row(name) {
    const { digits, arrays } = this.payload;
    return arrays[name].subarray(this.capsule * digits, (this.capsule + 1) * digits);
  }

  draw() {
    this.microscope.draw();
  }
}
