// The shortcuts of every page: each presses a control that is on the page; a button, and "?", list them all.

import { element } from "./drawing.js";
import { mounting } from "./mounting.js";
import { knows, say } from "./texts.js";

/** @typedef {{ name: string, keys: string[], presses: string, control: boolean, shift?: boolean, begins?: boolean }} Key as app/keys.py has it */

const FIELDS = "input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable], [role=textbox]";

/**
 * Whether a person types where a key was pressed: then it is a letter and no shortcut.
 * @param {KeyboardEvent} event
 */
export function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest(FIELDS) !== null;
}

/**
 * The shortcut that a key is, of those that press a control; null if it is none, or comes with other keys held.
 * @param {KeyboardEvent} event
 * @param {Key[]} keys
 */
export function shortcut(event, keys) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.repeat) return null;
  return keys.find(({ presses, keys: names }) => presses && names.includes(event.key.toLowerCase())) ?? null;
}

/**
 * What a key does of a talk; null if nothing. Page up and page down stay a slider's that has the focus.
 * @param {KeyboardEvent} event
 * @param {Key[]} keys of a talk
 * @param {boolean} on whether presenter mode is on: outside of it, a key only begins it
 */
export function talkKey(event, keys, on) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.repeat || typing(event)) return null;
  const path = event.composedPath().filter((node) => node instanceof Element);
  if (path.some((node) => node.matches("dialog[open]"))) return null; // the list of keys: it has its own
  const slides = path[0]?.matches("input[type=range], [role=slider]");
  if (slides && event.key.startsWith("Page")) return null;
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return keys.find(({ keys: names, shift, begins }) => (on || begins) && names.includes(pressed) && Boolean(shift) === event.shiftKey)?.name ?? null;
}

class Shortcuts {
  constructor(root) {
    this.list = element("dl");
    this.dialog = element(
      "dialog",
      { "aria-label": say("keys.title") },
      element("h2", {}, say("keys.title")),
      this.list,
      element("button", { type: "button", onclick: () => this.dialog.close() }, say("keys.close")),
    );
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close()); // beside it
    // While the list is open its keys are its own: Escape closes it, and does nothing to the view behind it.
    this.dialog.addEventListener("keydown", (event) => event.key !== "?" && event.stopPropagation());
    this.button = element(
      "button",
      { type: "button", class: "ask", "aria-label": say("keys.title"), title: say("keys.tip"), onclick: () => this.toggle() },
      "?",
    );
    this.element = element("div", { class: "shortcuts" }, this.button, this.dialog);
    root.append(this.element);
    this.listen = (event) => this.key(event);
    document.addEventListener("keydown", this.listen);
  }

  load({ keys }) {
    this.keys = keys;
    this.list.replaceChildren(
      ...keys.flatMap(({ name, keys: names, control, shift }) => [
        element(
          "dt",
          {},
          ...[...(control ? ["Control"] : []), ...(shift ? ["Shift"] : []), ...names].map((key) =>
            element("kbd", {}, knows(`keys.key.${key}`) ? say(`keys.key.${key}`) : key.trim().toUpperCase() || say("keys.key.Space")),
          ),
        ),
        element("dd", {}, say(`keys.${name}`)),
      ]),
    );
  }

  toggle() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  key(event) {
    if (typing(event)) return;
    if (event.key === "?" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.toggle();
      return;
    }
    if (this.dialog.open) return;
    const found = shortcut(event, this.keys);
    if (!found) return;
    event.preventDefault();
    const control = /** @type {HTMLElement | null} */ (document.querySelector(`.st-key-${found.presses} button:not(:disabled)`));
    control?.click();
  }

  unmount() {
    document.removeEventListener("keydown", this.listen);
    this.element.remove();
  }
}

const mount = mounting((root) => new Shortcuts(root));

export default function mountKeys({ data, parentElement }) {
  return mount(parentElement, data);
}
