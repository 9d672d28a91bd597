// Beside the drawing canvas: keeps the drawing in the browser's tab, tells the server when the connection is back, and
// gives the canvas what it lacks, a name and keys.

import { Pens } from "./pens.js";
import { PREVIEW } from "./preview.js";
import { say, speak } from "./texts.js";

const KEPT = "capsviz-drawing"; // name in the tab's storage
const PREVIEWS = window.name === PREVIEW; // which shares it with the tab: what that has kept is not its own
const PATIENCE = 6000; // milliseconds that a page may stand without an answer before one is asked for; then twice as long
const AFTER = 500; // milliseconds between a new session's first message and that run
const HIDDEN_AT_MOST = 2000; // milliseconds that a page waits for the kept drawing instead of showing the example

// A browser may forbid storage; then nothing is kept, and all else works.
function readKept() {
  if (PREVIEWS) return null;
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

function writeKept(kept) {
  if (PREVIEWS) return;
  try {
    const text = JSON.stringify(kept);
    if (sessionStorage.getItem(KEPT) !== text) sessionStorage.setItem(KEPT, text);
  } catch {
    // full or forbidden
  }
}

class Pad {
  constructor(setStateValue) {
    this.setStateValue = setStateValue;
    this.app = document.querySelector("[data-test-connection-state]");
    this.connected = this.isConnected();
    this.watching = new MutationObserver(() => this.connection());
    if (this.app) this.watching.observe(this.app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
    this.pens = new Pens();
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.watch(PATIENCE);
  }

  load({ drawing, told, tag, width, fresh, kind, strokes }) {
    this.kind = kind;
    this.pens.told(String(tag), strokes);
    this.dress();
    this.kept = { drawing, told, tag, width };
    if (this.returned) {
      // What is drawn before the canvas has its place in the new session is looked at in one more run.
      this.returned = false;
      clearTimeout(this.looking);
      this.looking = setTimeout(() => this.setStateValue("asked", Date.now()), AFTER);
    }
    if (!fresh) {
      writeKept(this.kept);
      this.uncover();
      return;
    }
    // A session that has just begun shows its example: what this tab had drawn is sent to take its place.
    const kept = readKept();
    if (kept === null || this.offered) {
      if (kept === null) this.uncover();
      return;
    }
    this.offered = true;
    this.cover();
    this.offer(kept, false);
  }

  // The example must not flash up before the kept drawing.
  cover() {
    this.style = document.createElement("style");
    this.style.textContent = ".st-key-frame { visibility: hidden; }";
    document.head.append(this.style);
    this.timer = setTimeout(() => this.uncover(), HIDDEN_AT_MOST);
  }

  uncover() {
    clearTimeout(this.timer);
    this.style?.remove();
  }

  // Whatever keeps a run from its end (or what it sent from the page) must not leave a page without an answer for good:
  // the page asks for another run, less and less often, so that a slow one comes to its end.
  watch(patience) {
    this.watcher = setTimeout(() => {
      const whole = document.querySelector(".st-key-rail .cv-reading") && document.querySelector(".st-key-page .cv-question");
      const asks = !whole && this.connected;
      if (asks) this.setStateValue("asked", Date.now());
      this.watch(asks ? 2 * patience : patience);
    }, patience);
  }

  isConnected() {
    return this.app?.getAttribute("data-test-connection-state") === "CONNECTED";
  }

  // What was drawn while there was no connection has not been sent: any new value lets the page send all it has. The
  // server may have forgotten this session, so the value is what the tab has kept.
  connection() {
    const before = this.connected;
    this.connected = this.isConnected();
    if (before && !this.connected) this.away();
    if (this.connected && !before) {
      this.returned = true;
      this.back();
      this.offer(this.kept, true);
      window.dispatchEvent(new Event("capsviz-returned"));
    }
  }

  // The address too: what Streamlit sends of it is what the page was opened with.
  offer(kept, live) {
    this.setStateValue("kept", { ...kept, live, search: window.location.search, sent: Date.now() });
  }

  // Streamlit's own dialog would lie over the canvas and speaks to whoever runs the server: ours takes its place.
  away() {
    this.notice = document.createElement("div");
    this.notice.setAttribute("role", "status");
    this.notice.className = "cv-away";
    this.notice.textContent = say("pad.away");
    document.body.append(this.notice);
    const close = () => {
      const dialog = [...document.querySelectorAll('[data-testid="stDialog"]')].find((node) => node.textContent.includes("Connection error"));
      /** @type {HTMLElement | null | undefined} */ (dialog?.querySelector('[aria-label="Close"]'))?.click();
    };
    this.closing = new MutationObserver(close);
    this.closing.observe(document.body, { childList: true, subtree: true });
    close();
  }

  back() {
    this.notice?.remove();
    this.closing?.disconnect();
  }

  // The canvas stands in a shadow root, which a style sheet of the page does not reach, and comes after this.
  dress() {
    cancelAnimationFrame(this.request);
    const host = [...document.querySelectorAll(".st-key-canvas *")].find((node) => node.shadowRoot);
    const canvas = host?.shadowRoot.querySelector(".upper-canvas");
    if (!canvas) {
      this.request = requestAnimationFrame(() => this.dress());
      return;
    }
    if (!host.shadowRoot.querySelector("style.capsviz")) {
      const style = document.createElement("style");
      style.className = "capsviz";
      // The canvas's own toolbar would open over the navigation, and doubles undo and clear.
      style.textContent =
        ".dc-toolbar { display: none !important; } .upper-canvas:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }";
      host.shadowRoot.append(style);
    }
    this.pens.watch(canvas);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", say("pad.canvas", { kind: this.kind }));
    canvas.setAttribute("tabindex", "0");
    for (const other of host.shadowRoot.querySelectorAll("canvas")) {
      if (other !== canvas) other.setAttribute("aria-hidden", "true");
    }
  }

  key(event) {
    const target = event.composedPath()[0];
    if (target.closest?.("input, textarea, select, [contenteditable]")) return;
    const undo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    const clear = event.key === "Delete" && target.classList?.contains("upper-canvas");
    if (!undo && !clear) return;
    event.preventDefault();
    /** @type {HTMLElement | null} */ (document.querySelector(`.st-key-${undo ? "undo" : "clear"} button`))?.click();
  }

  unmount() {
    cancelAnimationFrame(this.request);
    clearTimeout(this.watcher);
    clearTimeout(this.looking);
    this.uncover();
    this.back();
    this.watching.disconnect();
    this.pens.unmount();
    document.removeEventListener("keydown", this.keys);
  }
}

const pads = new WeakMap();

export default function mountPad({ data, parentElement, setStateValue }) {
  speak(data.texts);
  if (!pads.has(parentElement)) pads.set(parentElement, new Pad(setStateValue));
  const pad = pads.get(parentElement);
  pad.setStateValue = setStateValue;
  pad.load(data);
  return () => {
    pad.unmount();
    pads.delete(parentElement);
  };
}
