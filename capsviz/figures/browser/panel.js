// A control in the frame of every page: a button with a sign, and a panel below it.

import { drawn, element } from "./drawing.js";

/** Opens at its button; closes there, at its cross, by Escape or at a press elsewhere. */
export class Panel {
  /**
   * @param {{ kind: string, sign: string, name: string, title: string, closing: string, opens: () => void }} what class
   *   of the element, path of the sign, words, and what is done before the panel opens
   * @param {...Node} contents
   */
  constructor({ kind, sign, name, title, closing, opens }, ...contents) {
    const icon = drawn(sign, "0 0 24 24");
    icon.setAttribute("class", "icon");
    this.opens = opens;
    this.button = element("button", { type: "button", title: name, "aria-expanded": "false", onclick: () => this.toggle() }, icon, element("span", {}, name));
    this.panel = element(
      "div",
      { class: "panel", role: "dialog", "aria-label": title, hidden: true },
      element("button", { type: "button", class: "close", "aria-label": closing, onclick: () => this.close(true) }, "×"),
      ...contents,
    );
    this.element = element("div", { class: `control ${kind}` }, this.button, this.panel);
    this.outside = (event) => !event.composedPath().includes(this.element) && this.close();
    this.keys = (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.preventDefault();
      this.close(true);
    };
    document.addEventListener("pointerdown", this.outside);
    document.addEventListener("keydown", this.keys, true);
  }

  get open() {
    return !this.panel.hidden;
  }

  toggle() {
    if (this.open) return this.close(true);
    this.opens();
    this.show(true);
  }

  /** @param {boolean} [focus] whether the button gets the focus back */
  close(focus = false) {
    if (!this.open) return;
    this.show(false);
    if (focus) this.button.focus();
  }

  show(on) {
    this.panel.hidden = !on;
    this.button.setAttribute("aria-expanded", String(on));
  }

  unmount() {
    document.removeEventListener("pointerdown", this.outside);
    document.removeEventListener("keydown", this.keys, true);
    this.element.remove();
  }
}

