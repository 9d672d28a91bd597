// Elements of the phone's page. For browsers of five years ago: what drawing.js has uses signs that they cannot read.

/**
 * An HTML element: "on..." attributes are listeners, true stands for an attribute without value, false and null for none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Nodes of a text with **strong** words.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function strong(text) {
  return text.split("**").map((part, place) => (place % 2 ? node("b", {}, part) : part));
}

/**
 * Put children in place of those that a node has, unless they were made of the same.
 * @param {HTMLElement & { madeOf?: string }} parent
 * @param {any} of what they are made of, as JSON
 * @param {() => (Node | string | null)[]} make
 */
export function fill(parent, of, make) {
  const text = JSON.stringify(of);
  if (parent.madeOf === text) return;
  parent.madeOf = text;
  parent.textContent = "";
  parent.append(...make().filter((child) => child !== null));
}

/**
 * A picture of grey levels, white ink on black.
 * @param {string} base64 row by row, of a square
 * @param {string} label
 */
export function grey(base64, label) {
  const bytes = atob(base64);
  const side = Math.round(Math.sqrt(bytes.length));
  const canvas = node("canvas", { width: side || 1, height: side || 1, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  if (context && side) {
    const pixels = context.createImageData(side, side);
    for (let p = 0; p < bytes.length; p++) pixels.data.set([bytes.charCodeAt(p), bytes.charCodeAt(p), bytes.charCodeAt(p), 255], 4 * p);
    context.putImageData(pixels, 0, 0);
  }
  return canvas;
}
