// What a view has to do with a lesson: it lights its own elements, goes where a stop leads, and says what is so; and with a
// prepared link: it takes its own elements away, and fixes its controls.

import { Alone } from "./onstage.js";
import { PREPARED, Sign, hidden, hide, locked } from "./prepared.js";

/**
 * Where a lesson is: what is lit, what its link asks of scripts, whether its page is shown, and the views that went there.
 * @typedef {{ visit: number, lit: string, search: string, here: boolean, followed: Set<string> }} Stop
 */

const TALL = 0.6; // of the window: an element higher than this is shown from its top

/** Whether a view that is mounted now stands on a page of a lesson, and where that is. */
function now() {
  return /** @type {Stop | undefined} */ (window.capsvizStop);
}

/**
 * Have every view know where the lesson is; none without one.
 * @param {Stop} [stop]
 */
export function announce(stop) {
  window.capsvizStop = stop;
  window.dispatchEvent(new CustomEvent("capsviz-stop"));
}

/**
 * An element comes into sight, unless it is there already: under the frame's header, above the lesson's strip.
 * @param {Element} node
 */
export function bringIntoSight(node) {
  const { height } = node.getBoundingClientRect();
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const block = height > TALL * window.innerHeight ? "start" : "nearest";
  node.scrollIntoView({ block, behavior: still ? "auto" : "smooth" });
}

export class Part {
  /**
   * @param {Record<string, () => Element | Element[] | null | undefined>} elements of the view, by the names of
   *   app/panels.py's PANELS; of several the first is lit, and all are taken away
   * @param {(search: string) => boolean} [follow] goes where a link with these parameters would; false as long as it cannot
   * @param {Record<string, () => Element[]>} [controls] what can be fixed, by the names of its LOCKS: where the sign stands,
   *   and then whatever has fields
   */
  constructor(elements, follow, controls = {}) {
    this.elements = elements;
    /** @type {Record<string, () => Element[]>} what of a view fills the screen in presenter mode, where that is more than what is lit */
    this.staged = {};
    this.alone = new Alone((name) => this.staged[name]?.() ?? [this.elements[name]?.()].flat());
    this.follow = follow;
    this.controls = controls;
    /** @type {Record<string, Sign>} */
    this.signs = {};
    this.gone = new Set();
    this.told = {};
    this.name = Object.keys(elements).join();
    this.arrive = () => {
      this.go();
      this.told = {}; // said again for the new stop
      this.light(true);
    };
    this.prepare = () => this.obey();
    window.addEventListener("capsviz-stop", this.arrive);
    window.addEventListener(PREPARED, this.prepare);
    // Once the view stands, and before it is painted.
    requestAnimationFrame(() => {
      this.obey();
      this.light(true);
      this.alone.show();
    });
  }

  // What a prepared link takes away, and what it fixes.
  obey() {
    for (const [name, get] of Object.entries(this.elements)) {
      if (hidden(name) === this.gone.has(name)) continue;
      hide([get()].flat(), hidden(name));
      if (hidden(name)) this.gone.add(name);
      else this.gone.delete(name);
    }
    for (const [name, get] of Object.entries(this.controls)) {
      if (!locked(name) && !(name in this.signs)) continue;
      const [at, ...nodes] = get();
      (this.signs[name] ??= new Sign()).show(at, nodes, locked(name));
      if (!locked(name)) delete this.signs[name];
    }
  }

  // Each view goes to a stop once; one that is still being built, when it first says what is so.
  go() {
    const stop = now();
    if (!stop?.here || !this.follow || stop.followed.has(this.name)) return;
    stop.followed.add(this.name);
    if (!this.follow(stop.search)) stop.followed.delete(this.name);
  }

  /** @param {boolean} [seen] whether what is lit must come into sight */
  light(seen = false) {
    const lit = now()?.lit;
    for (const [name, get] of Object.entries(this.elements)) {
      if (name !== lit) continue;
      const [node] = [get()].flat();
      if (node) {
        if (this.lit !== node) this.lit?.removeAttribute("data-lit");
        this.lit = node;
        node.setAttribute("data-lit", "");
        if (seen) requestAnimationFrame(() => bringIntoSight(node));
      }
    }
    if (!lit || !(lit in this.elements)) {
      this.lit?.removeAttribute("data-lit");
      this.lit = null;
    }
    this.alone.show();
  }

  /**
   * What is so now, for whoever notices: names of app/conditions.py.
   * @param {Record<string, any>} facts
   */
  tell(facts) {
    if (!now()) return;
    this.go();
    const news = Object.entries(facts).filter(([name, value]) => String(this.told[name]) !== String(value));
    if (!news.length) return;
    Object.assign(this.told, facts);
    window.dispatchEvent(new CustomEvent("capsviz-facts", { detail: Object.fromEntries(news) }));
  }

  unmount() {
    window.removeEventListener("capsviz-stop", this.arrive);
    this.alone.unmount();
    window.removeEventListener(PREPARED, this.prepare);
    this.elements = {};
    this.controls = {};
  }
}
