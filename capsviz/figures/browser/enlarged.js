// In presenter mode, one view as large as the window, and its type large enough for the last row.

import { element } from "./drawing.js";

const STEP = 1.06; // from one size to the next larger one
const LARGEST = 2.4; // times the smallest one
const MOST_OF_ANSWER = 1.8; // so many times larger is what is said beside the pad
const RAIL = ".st-key-rail";
const BESIDE = ":is(.st-key-guessing, .cv-guess, .st-key-problem)"; // what else may have to be said or asked
const STAGED = "[data-onstage]"; // whatever a view's script has put on the stage
const EDGE = 12; // pixels above and below the view, of those that are enlarged
const PAD = 280; // pixels of the pad's side, as inputs/drawings.py has it

/**
 * How much larger everything is than on a screen that is read at a desk: type of 14 pixels, the smallest there is, has 28
 * on a window 1920 wide.
 * @param {number} width
 * @param {number} height
 */
export function scaleOf(width, height) {
  return Math.max(1, 2 * Math.min(width / 1920, height / 1080));
}

/**
 * The largest size at which something still fits; the least if none does.
 * @param {number} least
 * @param {number} most
 * @param {(size: number) => boolean} fits
 */
export function largest(least, most, fits) {
  let found = least;
  for (let size = least; size <= most && fits(size); size *= STEP) found = size;
  return found;
}

export class Enlarged {
  /** @param {HTMLElement} ask the question above the view, hidden where there is none */
  constructor(ask) {
    this.ask = ask;
    this.on = false;
    this.selector = "";
    this.style = element("style", {});
    document.head.append(this.style);
    window.addEventListener("resize", () => this.refit());
    this.resized = new ResizeObserver(() => this.refit());
    this.changed = new MutationObserver(() => this.refit());
    this.changed.observe(document.body, { childList: true, subtree: true });
  }

  /**
   * By rules, not by marks: Python makes the page anew with every answer.
   * @param {string} view
   * @param {{ rail: string[], hands: string, selectors: Record<string, string> }} data views that stand beside the page, what
   *   must be at hand beside the view, and selectors of views that no script of their own puts on the stage
   */
  show(view, { rail: beside, hands, selectors }) {
    const root = document.documentElement;
    this.on = true;
    const rail = beside.includes(view);
    root.setAttribute("data-talk", rail ? "rail" : "page");
    root.setAttribute("data-talk-view", view);
    root.setAttribute("data-talk-hands", hands);
    const shown = (this.selector = rail ? RAIL : selectors[view] ?? STAGED);
    const kept = `:is(${shown}, ${BESIDE})`;
    const page = `:root[data-talk="page"] .st-key-page:has(${shown})`;
    this.style.textContent = rail
      ? ""
      : `${page} :not(:has(${kept}), ${kept}, ${kept} *) { display: none !important; }
         ${page}, ${page} :has(${shown}) { display: block !important; width: 100% !important; }`;
    this.refit();
  }

  end() {
    this.on = false;
    for (const mark of ["data-talk", "data-talk-view", "data-talk-hands"]) document.documentElement.removeAttribute(mark);
    this.style.textContent = "";
  }

  refit() {
    if (!this.on) return;
    cancelAnimationFrame(this.fitting);
    this.fitting = requestAnimationFrame(() => this.fit());
  }

  fit() {
    const { style } = document.documentElement;
    const least = scaleOf(window.innerWidth, window.innerHeight);
    style.setProperty("--stage-least", String(least));
    const above = this.ask.hidden ? 0 : this.ask.getBoundingClientRect().height;
    style.setProperty("--stage-above", `${above}px`);
    const others = [...document.querySelectorAll(`.st-key-page ${BESIDE}`)];
    const taken = () => others.reduce((sum, node) => sum + (node.closest(".stElementContainer, .stLayoutWrapper") ?? node).getBoundingClientRect().height, above);
    const set = (/** @type {number} */ size) => {
      style.setProperty("--stage", String(size));
      const room = Math.floor((window.innerHeight - taken()) / size) - 2 * EDGE;
      style.setProperty("--stage-room", `${room}px`);
      style.setProperty("--stage-pad", String((room - 4) / PAD));
    };
    set(least);
    this.hold(least, above);
    const shown = document.querySelector(this.selector);
    if (!shown) return; // still on its way
    this.resized.observe(shown);
    const main = document.querySelector(".stMain");
    const inside = (/** @type {number} */ size) =>
      main.scrollHeight <= main.clientHeight + 1 && shown.getBoundingClientRect().height <= window.innerHeight - taken() - 2 * EDGE * size + 1;
    if (this.selector === RAIL) {
      const answer = (/** @type {number} */ size) => style.setProperty("--stage-answer", String(size));
      const read = shown.querySelector(".cv-reading");
      const wide = () => !read || read.scrollWidth <= read.clientWidth + 1; // probability is a long word in German
      answer(largest(1, MOST_OF_ANSWER, (size) => (answer(size), inside(least) && wide())));
      return;
    }
    // Larger type must not make pictures smaller.
    const pictures = [...shown.querySelectorAll("img"), ...(shown.shadowRoot?.querySelectorAll("canvas") ?? [])];
    const area = () => pictures.reduce((sum, node) => sum + node.getBoundingClientRect().width * node.getBoundingClientRect().height, 0);
    const enough = 0.98 * area();
    const asked = others.flatMap((node) => [...node.querySelectorAll("[role=radiogroup], [role=group]")]);
    const fits = (/** @type {number} */ size) => {
      set(size);
      return inside(size) && [shown, ...asked].every((node) => node.scrollWidth <= node.clientWidth + 1) && area() >= enough;
    };
    // A chart fills what its type leaves: whatever fits while it is still to be drawn, it would be drawn too small.
    set(shown.querySelector(".stPlotlyChart") ? least : largest(least, LARGEST * least, fits));
  }

  // The pad beside a view is as large as everything else, if the window is high enough for it and the answer.
  hold(least, above) {
    const { style } = document.documentElement;
    style.setProperty("--stage-hand", String(least));
    const rail = this.selector !== RAIL && document.querySelector(RAIL);
    const room = window.innerHeight - above - 2 * EDGE * least;
    const height = rail ? rail.getBoundingClientRect().height : 0;
    if (height > room) style.setProperty("--stage-hand", String((least * room) / height));
  }
}
