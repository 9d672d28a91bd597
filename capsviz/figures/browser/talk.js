// Presenter mode: one view as large as the window, a clicker's keys, a black screen, and the speaker's window.

import { linkWith, replaceAddress } from "./address.js";
import { drawn, element, setText, words } from "./drawing.js";
import { talkKey } from "./keys.js";
import { stage } from "./onstage.js";
import { orderOf, speakerPage } from "./speaker.js";
import { say, speak } from "./texts.js";

const PRESENT = "present"; // the address's parameter, as app/parameters.py has it
const KEPT = "capsviz-links"; // name in the browser's storage: links that a person has made a talk of
const TAB = "capsviz-talk"; // in the tab's: its own name, by which its speaker's window finds it, and when its talk began
const QUIET = 2000; // milliseconds without the mouse until the controls go
const STEP = 1.06; // from one size to the next larger one
const LARGEST = 2.4; // times the smallest one
const MOST_OF_ANSWER = 1.8; // so many times larger is what is said beside the pad
const RAIL = ".st-key-rail";
const BESIDE = ":is(.st-key-guessing, .cv-guess, .st-key-problem)"; // what else may have to be said or asked
const STAGED = "[data-onstage]"; // whatever a view's script has put on the stage
const EDGE = 12; // pixels above and below the view, of those that are enlarged
const PAD = 280; // pixels of the pad's side, as inputs/drawings.py has it
const SIGN = "M3 4h18v2h-1v9H4V6H3zM11 15h2v2l4 4h-3l-2-2.5-2 2.5H7l4-4z";

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

/**
 * The view that is shown: the one that was chosen, the one that a step speaks of, or the page's own.
 * @param {{ chosen: string, lit: string, views: string[] }} of views that the page has, its own first
 */
export function viewOf({ chosen, lit, views }) {
  return [chosen, lit].find((name) => views.includes(name)) ?? views[0] ?? "";
}

// A browser may forbid storage; then nothing is kept, and all else works.
function read(/** @type {"localStorage" | "sessionStorage"} */ storage, /** @type {string} */ name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

function write(/** @type {"localStorage" | "sessionStorage"} */ storage, /** @type {string} */ name, /** @type {string} */ text) {
  try {
    if (text) window[storage].setItem(name, text);
    else window[storage].removeItem(name);
  } catch {
    // full or forbidden
  }
}

const plain = (/** @type {string} */ text) => words(text).map((node) => (typeof node === "string" ? node : node.textContent)).join("");

class Talk {
  constructor() {
    const button = (kind, act) => element("button", { type: "button", class: kind, onclick: act });
    this.chosen = "";
    this.on = false;
    this.began = Number(read("sessionStorage", `${TAB}-began`)) || 0;
    this.asked = 0; // so many times Python has asked for presenter mode
    this.start = element("button", { type: "button", class: "start", onclick: () => this.enter() }, drawn(SIGN, "0 0 24 24"));
    this.ask = element("p", { class: "ask" });
    this.place = element("b", { class: "place" });
    this.said = element("p", { class: "said", role: "status" });
    this.views = element("select", { onchange: () => this.choose(this.views.value) });
    this.back = button("back", () => this.walk(-1));
    this.next = button("next", () => this.walk(1));
    this.again = button("again", () => this.reset());
    this.dark = button("dark", () => this.cover(true));
    this.second = button("second", () => this.openSpeaker());
    this.leaving = button("leave", () => this.leave());
    const parts = [this.place, this.back, this.next, this.views, this.again, this.dark, this.second, this.leaving];
    this.bar = element("div", { class: "stage-bar", role: "toolbar", onfocusin: () => this.wake() }, ...parts);
    this.black = element("div", { class: "black", popover: "manual" });
    this.element = element("div", { class: "talk" }, this.start, this.ask, this.said, this.bar, this.black);
    this.style = element("style", {});
    document.head.append(this.style);
    window.addEventListener("resize", () => this.refit());
    window.addEventListener("capsviz-present", () => this.enter());
    window.addEventListener("pagehide", () => this.channel.postMessage({ kind: "gone" }));
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("mousemove", () => this.wake());
    document.addEventListener("pointerdown", (event) => this.pressed(event), true);
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || !this.filled || this.leave());
    this.resized = new ResizeObserver(() => this.refit());
    this.changed = new MutationObserver(() => this.refit());
    this.changed.observe(document.body, { childList: true, subtree: true });
    const tab = read("sessionStorage", TAB) || String(Math.random()).slice(2);
    write("sessionStorage", TAB, tab);
    this.name = `${TAB}-${tab}`;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.order(orderOf(data));
  }

  load(data, report, keep) {
    speak(data.texts);
    const arrived = data.visit !== this.data?.visit;
    this.data = data;
    this.report = report;
    this.keep = keep;
    this.label();
    this.keepLinks();
    if (arrived) {
      this.wanted = data.stop;
      this.chosen = "";
    }
    if (data.asked > this.asked) {
      this.chosen = data.view;
      this.enter();
    }
    this.asked = data.asked;
    this.show();
  }

  label() {
    const { title } = this.data;
    const names = { start: "start", back: "back", next: "next", again: "again", dark: "blank", second: "speaker", leaving: "leave" };
    for (const [part, name] of Object.entries(names)) {
      if (part !== "start") setText(this[part], say(`talk.${name}`));
      this[part].title = say(`talk.${name}Tip`);
    }
    this.start.setAttribute("aria-label", say("talk.start"));
    this.bar.setAttribute("aria-label", say("talk.bar", { title: title || say("talk.name") }));
    this.views.setAttribute("aria-label", say("talk.view"));
  }

  // The links that a person has made a talk of: kept here, for sessions that have none.
  keepLinks() {
    const { links, wanting } = this.data;
    if (links !== null) {
      write("localStorage", KEPT, links);
      this.offered = false;
    } else if (!this.offered) {
      const kept = read("localStorage", KEPT) ?? "";
      if (!kept && !wanting) return;
      this.offered = true;
      this.keep({ links: kept, sent: Date.now() });
    }
  }

  // --- on and off

  enter() {
    if (!this.on) {
      this.on = true;
      // Where a key or a press allows it.
      document.documentElement.requestFullscreen?.().then(
        () => (this.filled = true),
        () => {},
      );
    }
    this.show();
    this.wake();
  }

  leave() {
    this.on = false;
    this.chosen = "";
    this.cover(false);
    if (this.filled && document.fullscreenElement) document.exitFullscreen();
    this.filled = false;
    this.show();
  }

  address(value) {
    replaceAddress(linkWith(window.location.href, { [PRESENT]: value }));
  }

  show() {
    const { data, on } = this;
    const view = on ? viewOf({ ...data, chosen: this.chosen }) : "";
    this.element.classList.toggle("on", on);
    this.element.classList.toggle("choosing", data.hands.includes("network"));
    setText(this.ask, on ? plain(data.ask) : "");
    this.ask.hidden = !this.ask.textContent;
    setText(this.place, data.stops ? `${data.stop}/${data.stops}` : "");
    for (const part of [this.place, this.back, this.next, this.again]) part.hidden = !data.stops;
    this.back.disabled = data.stop <= 1;
    this.next.disabled = data.stop >= data.stops;
    this.views.hidden = data.views.length < 2;
    this.views.replaceChildren(...data.views.map((name) => element("option", { value: name, selected: name === view }, data.names[name])));
    if (on || new URLSearchParams(window.location.search).has(PRESENT)) this.address(on ? this.chosen || 1 : undefined);
    stage(view);
    this.light(view);
    this.refit();
    this.broadcast();
  }

  choose(view) {
    this.chosen = view;
    this.show();
  }

  // --- one view as large as the window

  // By rules, not by marks: Python makes the page anew with every answer.
  light(view) {
    const root = document.documentElement;
    if (!this.on) {
      for (const mark of ["data-talk", "data-talk-view", "data-talk-hands"]) root.removeAttribute(mark);
      this.style.textContent = "";
      return;
    }
    const rail = this.data.rail.includes(view);
    root.setAttribute("data-talk", rail ? "rail" : "page");
    root.setAttribute("data-talk-view", view);
    root.setAttribute("data-talk-hands", this.data.hands);
    const shown = (this.selector = rail ? RAIL : this.data.selectors[view] ?? STAGED);
    const kept = `:is(${shown}, ${BESIDE})`;
    const page = `:root[data-talk="page"] .st-key-page:has(${shown})`;
    this.style.textContent = rail
      ? ""
      : `${page} :not(:has(${kept}), ${kept}, ${kept} *) { display: none !important; }
         ${page}, ${page} :has(${shown}) { display: block !important; width: 100% !important; }`;
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
    const fits = (/** @type {number} */ size) => {
      set(size);
      return inside(size) && shown.scrollWidth <= shown.clientWidth + 1 && area() >= enough;
    };
    set(largest(least, LARGEST * least, fits));
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

  // --- keys and the mouse

  key(event) {
    if (!this.data) return;
    if (this.covered) {
      event.preventDefault();
      event.stopPropagation();
      this.cover(false);
      return;
    }
    if (this.on && event.key === "Tab") this.wake();
    const name = talkKey(event, this.data.keys, this.on);
    if (!name) return;
    event.preventDefault();
    event.stopPropagation();
    const acts = {
      present: () => (this.on ? this.leave() : this.enter()),
      forward: () => this.walk(1),
      backward: () => this.walk(-1),
      blank: () => this.cover(true),
      again: () => this.reset(),
      view: () => this.turn(1),
      viewBack: () => this.turn(-1),
      speaker: () => this.openSpeaker(),
      leave: () => this.leave(),
    };
    acts[name]?.();
  }

  pressed(event) {
    if (!this.covered) return;
    event.preventDefault();
    event.stopPropagation();
    this.cover(false);
  }

  // The next prepared state; without any, the page's next view.
  walk(by) {
    const { stops } = this.data;
    if (!stops) {
      this.turn(by);
      return;
    }
    const stop = this.wanted + by;
    if (stop < 1 || stop > stops) return;
    this.wanted = stop;
    this.begin();
    this.report("go", { stop, again: false, sent: Date.now() });
  }

  turn(by) {
    const { views } = this.data;
    const at = views.indexOf(this.views.value);
    if (views.length) this.choose(views[(at + by + views.length) % views.length]);
  }

  reset() {
    if (!this.data.stops) return;
    this.wanted = 1;
    this.report("go", { stop: 1, again: true, sent: Date.now() });
  }

  begin() {
    if (!this.began) this.time(Date.now());
  }

  time(began) {
    this.began = began;
    write("sessionStorage", `${TAB}-began`, String(began));
    this.broadcast();
  }

  cover(on) {
    if (on === Boolean(this.covered) || (on && !this.on)) return;
    this.covered = on;
    if (on) this.black.showPopover();
    else this.black.hidePopover();
    this.broadcast();
  }

  wake() {
    if (!this.on) return;
    this.bar.classList.add("awake");
    clearTimeout(this.sleeping);
    this.sleeping = setTimeout(() => this.bar.matches(":has(:focus-visible)") || this.bar.classList.remove("awake"), QUIET);
  }

  tell(sentence) {
    setText(this.said, sentence);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => setText(this.said, ""), 4 * QUIET);
  }

  // --- the speaker's window

  openSpeaker() {
    const names = ["window", "gone", "ahead", "last", "noteless", "next", "back", "blank", "start", "clock"];
    const page = speakerPage(this.name, Object.fromEntries(names.map((name) => [name, say(`talk.notes.${name}`)])), this.data.texts.language);
    const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
    const opened = window.open(address, this.name, "popup,width=1000,height=700");
    if (!opened) this.tell(say("talk.notes.blocked"));
  }

  order(name) {
    const acts = {
      hello: () => this.broadcast(),
      next: () => this.walk(1),
      back: () => this.walk(-1),
      blank: () => this.cover(!this.covered),
      start: () => this.reset(),
      clock: () => this.time(Date.now()),
    };
    acts[name]?.();
  }

  broadcast() {
    if (!this.data) return;
    const { stop, stops, now, next } = this.data;
    const place = (/** @type {any} */ step) => step && { ...step, note: plain(step.note), ask: plain(step.ask) };
    this.channel.postMessage({ kind: "state", stop, stops, now: place(now), next: place(next), blank: Boolean(this.covered), began: this.began });
  }
}

// It stays when a page is left for another, where its component is mounted anew.
export default function mountTalk({ data, parentElement, setTriggerValue, setStateValue }) {
  /** @type {Talk} */
  const talk = (window.capsvizTalk ??= new Talk());
  if (talk.element.parentNode !== parentElement) parentElement.append(talk.element);
  talk.load(data, setTriggerValue, (kept) => setStateValue("kept", kept));
}
