// What a clock is moved with: buttons, a slider, and where it is in words.

import { drawn, element, setText } from "./drawing.js";
import { say } from "./texts.js";

const ICONS = {
  first: "M6 5h2v14H6zM19 5v14l-10-7z",
  back: "M17 5v14L7 12z",
  play: "M7 4v16l13-8z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  forward: "M7 5v14l10-7z",
  last: "M16 5h2v14h-2zM5 5v14l10-7z",
};

function icon(name) {
  return drawn(ICONS[name], "0 0 24 24");
}

export class Transport {
  /** @param {import("./clock.js").Clock} clock */
  constructor(clock) {
    this.clock = clock;
    const button = (name, act) => {
      const label = say(`routing.clock.${name}`);
      return element("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: act }, icon(name));
    };
    this.play = button("play", () => clock.toggle());
    this.slider = element("input", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": say("routing.clock.step"),
      oninput: () => clock.go(Number(this.slider.value)),
    });
    this.where = element("output", { class: "where", "data-testid": "where" });
    this.buttons = element(
      "span",
      { class: "transport" },
      button("first", () => clock.go(0)),
      button("back", () => clock.step(-1)),
      this.play,
      button("forward", () => clock.step(1)),
      button("last", () => clock.go(clock.last)),
    );
  }

  /** @param {string} where the clock is, in words */
  show(where) {
    const { clock, play, slider } = this;
    if (Number(slider.value) !== clock.target) slider.value = String(clock.target);
    setText(this.where, where);
    slider.setAttribute("aria-valuetext", where);
    if (play.dataset.state === String(clock.playing)) return;
    play.dataset.state = String(clock.playing);
    const name = clock.playing ? "pause" : "play";
    const label = say(`routing.clock.${name}`);
    play.replaceChildren(icon(name));
    play.setAttribute("aria-label", label);
    play.title = label;
  }
}

/**
 * Whether a key is for the page: nobody holds a modifier, types, or presses a button with it.
 * @param {KeyboardEvent} event
 */
export function isFree(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = /** @type {Element} */ (event.composedPath()[0]);
  const typing = target.closest?.("input:not([type=radio]), textarea, select, [contenteditable], [role=menu], [role=slider]");
  return !typing && !(event.key === " " && target.closest?.("button, summary, label, [role=button]"));
}

/**
 * What a clock's keys do.
 * @param {import("./clock.js").Clock} clock
 * @returns {Record<string, () => void>}
 */
export function clockKeys(clock) {
  return {
    ArrowRight: () => clock.step(1),
    ArrowLeft: () => clock.step(-1),
    Home: () => clock.go(0),
    End: () => clock.go(clock.last),
    " ": () => clock.toggle(),
  };
}
