// Presenter mode: one view as large as the window, a clicker's keys, a black screen, and the speaker's window.

import { linkWith, replaceAddress } from "./address.js";
import { drawn, element, setText, words } from "./drawing.js";
import { Enlarged } from "./enlarged.js";
import { talkKey } from "./keys.js";
import { stage } from "./onstage.js";
import { orderOf } from "./speaker.js";
import { openingOf, read, write } from "./talk_kept.js";
import { say, speak } from "./texts.js";

const PRESENT = "present"; // the address's parameter, as app/parameters.py has it
const KEPT = "capsviz-links"; // name in the tab's storage, and the browser's: links that a person has made a talk of
const TAB = "capsviz-talk"; // in the tab's: its own name, by which its speaker's window finds it, when its talk began, and with which drawing
const BEGAN = `${TAB}-began`;
const OPENING = `${TAB}-opening`;
const QUIET = 2000; // milliseconds without the mouse until the controls go
const PATIENCE = 2000; // milliseconds until what was asked for is asked for again
const REMINDERS = 3;
const RESTING = '.stApp[data-test-script-state="notRunning"]';
const SIGN = "M3 4h18v2h-1v9H4V6H3zM11 15h2v2l4 4h-3l-2-2.5-2 2.5H7l4-4z";

/**
 * The view that is shown: the one that was chosen, the one that a step speaks of, or the page's own.
 * @param {{ chosen: string, lit: string, views: string[] }} of views that the page has, its own first
 */
export function viewOf({ chosen, lit, views }) {
  return [chosen, lit].find((name) => views.includes(name)) ?? views[0] ?? "";
}

/**
 * Where a talk is to be: a clicker is quicker than Python, several of whose steps may be on their way, and a server that was
 * away has not heard of any.
 * @typedef {{ stop: number, again: boolean }} Place again: as the talk began
 */
export class Way {
  stop = 0;
  /** @type {Place | null} */
  awaited = null;
  rejoined = false; // the server is back since Python last said where it is

  /** @param {Place} place */
  ask(place) {
    this.awaited = place;
    this.stop = place.stop;
  }

  /**
   * The stop that lies so many further; 0 where there is none.
   * @param {number} by
   * @param {number} stops
   */
  ahead(by, stops) {
    const stop = this.stop + by;
    return stop >= 1 && stop <= stops ? stop : 0;
  }

  /**
   * Python says where it is; what it must be asked for again.
   * @param {{ stop: number, stops: number }} found
   * @returns {Place | null}
   */
  settle({ stop, stops }) {
    const { rejoined } = this;
    this.rejoined = false;
    if (!stops || stop === this.awaited?.stop) this.awaited = null;
    if (!this.awaited) this.stop = stop;
    return rejoined ? this.awaited : null;
  }
}

const plain = (/** @type {string} */ text) => words(text).map((node) => (typeof node === "string" ? node : node.textContent)).join("");

class Talk {
  constructor() {
    const button = (kind, act) => element("button", { type: "button", class: kind, onclick: act });
    this.chosen = "";
    this.on = false;
    this.tab = "";
    this.began = 0; // milliseconds since 1970, 0 before the first move
    /** @type {import("./talk_kept.js").Opening | null} */
    this.opening = null;
    this.way = new Way();
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
    this.enlarged = new Enlarged(this.ask);
    window.addEventListener("capsviz-present", () => this.enter());
    window.addEventListener("capsviz-returned", () => this.returned());
    window.addEventListener("pagehide", () => this.pause());
    window.addEventListener("pageshow", () => this.resume());
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("mousemove", () => this.wake());
    document.addEventListener("pointerdown", (event) => this.pressed(event), true);
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || !this.filled || this.leave());
    this.resume();
    this.name = `${TAB}-${this.tab}`;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => this.order(orderOf(data));
  }

  // The tab's name and time are in its storage only while no page is: a copy of the tab gets others than it has.
  pause() {
    this.channel.postMessage({ kind: "gone" });
    write("sessionStorage", TAB, this.tab);
    write("sessionStorage", BEGAN, String(this.began));
    write("sessionStorage", OPENING, JSON.stringify(this.opening));
  }

  resume() {
    this.tab ||= read("sessionStorage", TAB) || String(Math.random()).slice(2);
    this.began ||= Number(read("sessionStorage", BEGAN)) || 0;
    this.opening ??= JSON.parse(read("sessionStorage", OPENING) || "null");
    for (const name of [TAB, BEGAN, OPENING]) write("sessionStorage", name, "");
  }

  load(data, report, keep) {
    speak(data.texts);
    this.report = report;
    this.keep = keep;
    this.keepLinks(data);
    if (data.wanting && this.data) return; // Python waits for the list of links: until it has it, all stays as it is
    const moved = data.stop !== this.data?.stop || data.title !== this.data.title;
    this.data = data;
    this.opening = openingOf(this.opening, data);
    this.label();
    if (moved) this.chosen = "";
    const place = this.way.settle(data);
    if (place) this.go(place);
    if (data.asked > this.asked) {
      this.chosen = data.view;
      this.enter();
    }
    this.asked = data.asked;
    this.show();
  }

  // A server that has just been started knows no parts of a page (app/follow.py), and drops what they send, as the pad does:
  // by a word from outside of them it shows the page. Streamlit would send it with the pad's if it came at the same moment.
  returned() {
    this.way.rejoined = true;
    setTimeout(() => (this.way.awaited ? this.go(this.way.awaited) : this.report("back", Date.now())));
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
  keepLinks({ links, wanting }) {
    if (links !== null) {
      write("sessionStorage", KEPT, links);
      write("localStorage", KEPT, links);
      this.offered = false;
    } else if (!this.offered) {
      const kept = read("sessionStorage", KEPT) ?? read("localStorage", KEPT) ?? "";
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
    if (on) this.enlarged.show(view, data);
    else this.enlarged.end();
    this.broadcast();
  }

  choose(view) {
    this.chosen = view;
    this.show();
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
    const stop = this.way.ahead(by, stops);
    if (!stop) return;
    this.begin();
    this.go({ stop, again: false });
  }

  /**
   * @param {Place} place
   * @param {number} more how often it is asked for again: of one press in thirty, while pages change, Streamlit tells Python nothing
   */
  go(place, more = REMINDERS) {
    this.way.ask(place);
    this.report("go", { ...place, drawing: place.again ? this.opening?.drawing : undefined, sent: Date.now() });
    this.remind(more);
  }

  remind(more) {
    clearTimeout(this.reminder);
    this.reminder = setTimeout(() => {
      if (!this.way.awaited || !more) return;
      if (document.querySelector(RESTING)) this.go(this.way.awaited, more - 1);
      else this.remind(more); // what runs may be what was asked for
    }, PATIENCE);
  }

  turn(by) {
    const { views } = this.data;
    const at = views.indexOf(this.views.value);
    if (views.length) this.choose(views[(at + by + views.length) % views.length]);
  }

  reset() {
    if (!this.data.stops) return;
    this.chosen = "";
    this.go({ stop: 1, again: true });
  }

  begin() {
    if (!this.began) this.time(Date.now());
  }

  time(began) {
    this.began = began;
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
    const opened = window.open(new URL(this.data.speaker, document.baseURI), this.name, "popup,width=1000,height=700");
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
