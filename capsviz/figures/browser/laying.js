// What is laid over the drawing, and where: an example to choose and two sliders. Python makes the picture and reads it.

import { element, fixed, setText } from "./drawing.js";
import { locked } from "./prepared.js";
import { say } from "./texts.js";

export const FARTHEST = 8; // pixels that an example can be moved, as inputs/pairs.py has it
const PATIENCE = 3000; // milliseconds after which an answer is taken for lost

/** @typedef {{ example: number | null, right: number, down: number }} Laid */

export class Laying {
  number = 0; // of the last request
  /** @type {Laid} */
  wanted = { example: null, right: 0, down: 0 };

  /**
   * @param {(name: string, value: object) => void} report tells Python
   * @param {() => void} changed something else is wanted
   */
  constructor(report, changed) {
    this.report = report;
    this.changed = changed;
    const chosen = () => (this.example.value === "" ? null : Number(this.example.value));
    this.example = element("select", { "aria-label": say("overlap.lay"), "data-testid": "over", onchange: () => this.lay({ example: chosen() }) });
    this.moves = ["right", "down"].map((way) => {
      const input = element("input", {
        type: "range",
        min: -FARTHEST,
        max: FARTHEST,
        step: 1,
        "aria-label": say(`overlap.${way}`),
        "data-testid": way,
        oninput: () => this.lay({ [way]: Number(input.value) }),
        ondblclick: () => this.lay({ [way]: 0 }),
      });
      const value = element("output");
      return { way, input, value, label: element("label", { class: "move" }, `${say(`overlap.${way}`)} `, input, value) };
    });
    const labels = this.moves.map(({ label }) => label);
    this.unasked = element("span", { class: "look", "data-testid": "suggested" }, say("overlap.suggested"));
    this.element = element("div", { class: "laying" }, element("label", {}, `${say("overlap.lay")} `, this.example), this.unasked, ...labels);
  }

  unmount() {
    clearTimeout(this.timer);
  }

  // What an address says of it.
  get said() {
    const { example, right, down } = this.wanted;
    if (example === null) return { over: undefined, moved: undefined };
    return { over: example, moved: right || down ? `${right + FARTHEST}.${down + FARTHEST}` : undefined };
  }

  /**
   * What an address asks for.
   * @param {{ over?: number, moved?: number[] }} found
   * @param {boolean} [afresh] whether nothing lies over it where the address names nothing
   */
  follow({ over, moved = [FARTHEST, FARTHEST] }, afresh = false) {
    if (over === undefined && !afresh) return;
    const [right, down] = over === undefined ? [0, 0] : moved.map((at) => at - FARTHEST);
    const asked = { example: over ?? null, right, down };
    if (Object.entries(asked).some(([name, value]) => this.wanted[name] !== value)) this.lay(asked);
  }

  /** @param {Partial<Laid>} change */
  lay(change) {
    if (locked("drawing")) return this.show();
    Object.assign(this.wanted, change);
    this.send();
    this.show();
    this.changed();
  }

  // One question at a time: while Python answers, the latest change waits.
  send() {
    clearTimeout(this.timer);
    const left = this.asked == null ? 0 : this.asked + PATIENCE - performance.now();
    this.waiting = left > 0;
    if (this.waiting) {
      this.timer = setTimeout(() => this.send(), left);
      return;
    }
    this.asked = performance.now();
    this.number += 1;
    this.report("laid", { ...this.wanted, number: this.number });
  }

  /**
   * Python's answer.
   * @param {any} payload
   */
  load({ laid: { number, ...laid }, suggested, examples, problem }) {
    this.suggested = suggested;
    if (this.example.options.length !== examples.length + 1) {
      const options = examples.map((/** @type {string} */ name, /** @type {number} */ at) => element("option", { value: at }, name));
      this.example.replaceChildren(element("option", { value: "" }, say("overlap.nothing")), ...options);
    }
    if (number >= this.number || problem) {
      this.asked = null;
      if (this.waiting) this.send();
      else this.wanted = laid;
    }
    this.number = Math.max(this.number, number);
    this.show();
  }

  show() {
    const { wanted } = this;
    this.example.value = wanted.example === null ? "" : String(wanted.example);
    this.unasked.hidden = !this.suggested;
    for (const { way, input, value, label } of this.moves) {
      label.hidden = wanted.example === null;
      input.value = String(wanted[way]);
      setText(value, fixed(wanted[way], 0));
      input.setAttribute("aria-valuetext", say("overlap.moved", { count: wanted[way] }));
    }
  }
}
