// The strip of a lesson at the bottom of the screen: what a stop says, what is to be done, and the way on.

import { done } from "./conditions.js";
import { element, setText, words } from "./drawing.js";
import { typing } from "./keys.js";
import { announce, bringIntoSight } from "./lesson.js";
import { mounting } from "./mounting.js";
import { say } from "./texts.js";

const PATIENCE = 4000; // milliseconds that what is lit may take to come

/**
 * What views are asked for at a stop: what the stop says; where an address led to it, as after a reload, what that one says
 * goes before.
 * @param {string} stop
 * @param {string | null} address null where none led to it
 */
export function searchOf(stop, address) {
  if (address === null) return stop;
  return `?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(stop)), ...Object.fromEntries(new URLSearchParams(address)) })}`;
}

export class Tour {
  constructor(root, report) {
    this.report = report;
    this.visit = 0;
    /** @type {import("./conditions.js").Facts} */
    this.now = {};
    /** @type {import("./conditions.js").Facts} */
    this.then = {};
    const button = (kind, act) => element("button", { type: "button", class: kind, onclick: act });
    this.title = element("h2", {});
    this.count = element("span", { class: "tour-count" });
    this.text = element("p", { class: "tour-text", "aria-live": "polite" });
    this.asked = element("span", {});
    this.mark = element("span", { class: "tour-mark", "aria-hidden": "true" });
    this.noticed = element("b", { role: "status", class: "tour-noticed" });
    this.ask = element("p", { class: "tour-ask" }, this.mark, this.asked, this.noticed);
    this.elsewhere = button("tour-elsewhere", () => this.go(this.stop));
    this.back = button("tour-back", () => this.go(this.stop - 1));
    this.next = button("tour-next", () => this.go(this.stop + 1));
    this.leave = button("tour-leave", () => this.go(0));
    this.present = button("tour-present", () => window.dispatchEvent(new Event("capsviz-present")));
    this.bar = element("i", {});
    this.style = element("style", {});
    this.element = element(
      "section",
      { class: "tour" },
      element("div", { class: "tour-bar", "aria-hidden": "true" }, this.bar),
      element("header", {}, this.title, this.count, this.present, this.leave),
      element("div", { class: "tour-words" }, this.text, this.ask, this.elsewhere),
      element("div", { class: "tour-ways" }, this.back, this.next),
    );
    root.append(this.element);
    document.head.append(this.style);
    this.facts = (event) => this.hear(event.detail);
    this.keys = (event) => this.key(event);
    window.addEventListener("capsviz-facts", this.facts);
    document.addEventListener("keydown", this.keys);
    // What lies under the strip can be scrolled out from under it.
    this.measuring = new ResizeObserver(() =>
      document.documentElement.style.setProperty("--tour", `${this.element.offsetHeight}px`),
    );
    this.measuring.observe(this.element);
  }

  load(data) {
    const { visit, stop, stops, text, ask, facts, title, here } = data;
    this.data = data;
    this.stop = stop;
    this.stops = stops;
    const arrived = visit !== this.visit;
    if (arrived) {
      this.visit = visit;
      this.search = searchOf(data.search, data.linked ? window.location.search : null);
      this.noticing = false;
      this.done = false;
      this.text.replaceChildren(...words(text));
      this.asked.replaceChildren(...words(ask));
    }
    setText(this.title, title);
    setText(this.count, say("tour.count", { stop, stops }));
    this.bar.style.width = `${(100 * stop) / stops}%`;
    this.element.setAttribute("aria-label", say("tour.label", { title, stop, stops }));
    this.ask.hidden = !ask;
    setText(this.back, say("tour.back"));
    setText(this.next, say(stop < stops ? "tour.next" : "tour.finish"));
    setText(this.leave, say("tour.leave"));
    setText(this.present, say("tour.present"));
    this.back.disabled = stop === 1;
    this.next.title = say("tour.key", { key: "N" });
    this.back.title = say("tour.key", { key: "⇧ N" });
    setText(this.elsewhere, say("tour.elsewhere", { page: data.page }));
    this.elsewhere.hidden = here;
    if (arrived) this.arrive(facts);
    else this.hear(facts);
  }

  // Once every view has what came with this stop: only then do facts count, and are what it began with.
  arrive(facts) {
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => {
      this.now = {};
      this.then = {};
      this.noticing = true;
      const { lit, selector, visit, here } = this.data;
      this.hear(facts);
      announce({ visit, lit, search: this.search, here, followed: new Set() });
      this.light(selector);
    });
    this.show();
  }

  // What Python shows, which no view of a script of its own lights.
  light(selector) {
    // By a rule, not a mark on the element: Python makes it anew with every answer.
    this.style.textContent = selector
      ? `${selector} { outline: 4px solid var(--lit) !important; outline-offset: 4px; border-radius: 6px; }`
      : "";
    clearTimeout(this.waiting);
    const until = performance.now() + PATIENCE;
    const look = () => {
      const node = selector && document.querySelector(selector);
      if (node) bringIntoSight(node);
      else if (selector && performance.now() < until) this.waiting = setTimeout(look, 100);
    };
    look();
  }

  hear(facts) {
    if (!this.noticing) return;
    this.now = { ...this.now, ...facts };
    this.then = { ...facts, ...this.then };
    const { wanted } = this.data;
    if (!this.done && Object.keys(wanted).length) this.done = done(wanted, this.now, this.then);
    this.show();
  }

  show() {
    this.element.classList.toggle("done", this.done);
    setText(this.mark, this.done ? "✓" : "○");
    setText(this.noticed, this.done ? say("tour.noticed") : "");
  }

  // 0 leaves; beyond the last one it is over.
  go(stop) {
    this.report("go", { stop: stop > this.stops ? 0 : stop, over: stop > this.stops, visit: this.visit });
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "n") return;
    if (event.repeat || typing(event)) return;
    event.preventDefault();
    if (!event.shiftKey) this.go(this.stop + 1);
    else if (this.stop > 1) this.go(this.stop - 1);
  }

  unmount() {
    cancelAnimationFrame(this.request);
    clearTimeout(this.waiting);
    this.measuring.disconnect();
    document.documentElement.style.removeProperty("--tour");
    this.style.remove();
    this.element.remove();
    window.removeEventListener("capsviz-facts", this.facts);
    document.removeEventListener("keydown", this.keys);
    announce();
  }
}

const mount = mounting((root, _, report) => new Tour(root, report), () => ""); // which goes on in another language

export default function mountTour({ data, parentElement, setTriggerValue }) {
  return mount(parentElement, data, setTriggerValue);
}
