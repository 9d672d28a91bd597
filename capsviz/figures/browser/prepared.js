// What a prepared link takes away and fixes, by the names of app/panels.py: Python's frame says it on the document.

import { drawn, element } from "./drawing.js";
import { say } from "./texts.js";

export const PREPARED = "capsviz-prepared"; // the window hears it when that has changed
const LOCK = "M7 10V7a5 5 0 0 1 10 0v3h1a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zm2 0h6V7a3 3 0 0 0-6 0z";
const FIELDS = "input, select, button, textarea";

/** @param {"hide" | "lock"} what */
function said(what, name) {
  return (document.documentElement.dataset[what] ?? "").split(" ").includes(name);
}

/** @param {string} name of a panel */
export function hidden(name) {
  return said("hide", name);
}

/** @param {string} name of what can be fixed */
export function locked(name) {
  return said("lock", name);
}

/**
 * Takes elements out of sight, of the tab order and of what is read out, and whatever holds nothing else; or brings them back.
 * @param {(Element | null | undefined)[]} nodes
 * @param {boolean} on
 */
export function hide(nodes, on) {
  for (const node of nodes) {
    node?.toggleAttribute("data-hidden", on);
    for (let around = node?.parentElement; around; around = around.parentElement) {
      around.toggleAttribute("data-hidden", [...around.children].every((child) => child.hasAttribute("data-hidden")));
    }
  }
}

/** A sign that a control beside it is fixed, and why. */
export class Sign {
  constructor() {
    this.element = element("span", { class: "fixed", role: "img", title: say("common.fixed"), "aria-label": say("common.fixed") }, drawn(LOCK, "0 0 24 24"));
  }

  /**
   * @param {Element} at what the sign stands at the end of
   * @param {Element[]} nodes with the fields that are fixed
   * @param {boolean} on
   */
  show(at, nodes, on) {
    if (on) at.append(this.element);
    else this.element.remove();
    for (const node of nodes) {
      node.toggleAttribute("data-fixed", on);
      for (const field of node.matches(FIELDS) ? [node] : node.querySelectorAll(FIELDS)) field.toggleAttribute("disabled", on);
    }
  }
}
