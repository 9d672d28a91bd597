// Small helpers that every view uses: elements, numbers, canvases, colours, tips.

import { number, percentSign, say } from "./texts.js";

/**
 * An HTML element: "on..." attributes are listeners, true stands for an attribute without value, false and null for none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * The nodes of a text with marks: **strong**, [[term|what it means]], ++what counts for++ and --against--.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function words(text) {
  return text.split(/(\*\*(?=\S).+?(?<=\S)\*\*|\[\[.+?\]\]|\+\+(?=\S).+?(?<=\S)\+\+|--(?=\S).+?(?<=\S)--)/).map((part, index) => {
    if (index % 2 === 0) return part; // between the marks
    const inner = part.slice(2, -2);
    if (part.startsWith("**")) return element("b", {}, inner);
    if (part.startsWith("++")) return element("b", { class: "cv-for" }, inner);
    if (part.startsWith("--")) return element("b", { class: "cv-against" }, inner);
    const [term, ...meaning] = inner.split("|");
    return element("span", { class: "term", tabindex: 0, "data-tip": meaning.join("|") }, term);
  });
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element & { lastHtml?: string }} node
 * @param {string} html
 */
export function setHtml(node, html) {
  if (node.lastHtml !== html) node.innerHTML = node.lastHtml = html;
}

/**
 * A text as HTML.
 * @param {string} text
 */
export function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/**
 * A text as HTML, with formulas that are HTML already put into it.
 * @param {string} name
 * @param {Record<string, string>} formulas
 */
export function markup(name, formulas) {
  // The text is escaped with its places open, so that no sign of it is taken for HTML.
  const open = say(name, Object.fromEntries(Object.keys(formulas).map((place) => [place, `{${place}}`])));
  const html = escaped(open).replace(/\*\*(?=\S)(.+?)(?<=\S)\*\*/g, "<b>$1</b>");
  return html.replace(/\{([a-zA-Z]+)\}/g, (_, place) => formulas[place]);
}

/**
 * Fixed digits, as the language writes them; what rounds to 0 has no sign.
 * @param {number} value
 */
export function fixed(value, digits = 2) {
  return number(value, digits);
}

/**
 * The same with a plus sign, but for what rounds to 0.
 * @param {number} value
 */
export function signedText(value, digits = 2) {
  return (value > 0 && Number(value.toFixed(digits)) !== 0 ? "+" : "") + fixed(value, digits);
}

/**
 * Of the whole, with one decimal below 10%.
 * @param {number} value
 */
export function percent(value) {
  const digits = Math.abs(value) < 0.0995 ? 1 : 0;
  return fixed(100 * value, digits) + percentSign();
}

/**
 * A picture of one path, which is not read out.
 * @param {string} path
 * @param {string} box its view box
 */
export function drawn(path, box) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", box);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/**
 * What a canvas is drawn on with.
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function paper(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * How large a pixel of an element is in the window: presenter mode enlarges it.
 * @param {HTMLElement} node
 */
export function enlarged(node) {
  const scale = node.getBoundingClientRect().width / node.offsetWidth || 1;
  return Math.round(100 * scale) / 100; // whole pixels of the one are parts of the other
}

// A canvas that fills its box at the screen's own resolution; begin() clears it and scales to CSS pixels.
export class Picture {
  /**
   * @param {string} label
   * @param {Record<string, any>} [attributes]
   */
  constructor(label, attributes = {}) {
    this.canvas = element("canvas", { role: "img", "aria-label": label, ...attributes });
    this.context = paper(this.canvas);
  }

  begin() {
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    const ratio = Math.min(window.devicePixelRatio || 1, 2) * enlarged(this.canvas);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  /**
   * Position of a pointer event in CSS pixels of the canvas.
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  position(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = enlarged(this.canvas);
    return [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
  }
}

/**
 * White ink on black, from grey levels 0..255 (bytes) or 0..1, onto a canvas of as many pixels.
 * @param {HTMLCanvasElement & { pixels?: ImageData, cells?: Uint32Array }} canvas
 * @param {ArrayLike<number>} values
 */
export function putInk(canvas, values, strength = 1) {
  const context = paper(canvas);
  const pixels = (canvas.pixels ??= context.createImageData(canvas.width, canvas.height));
  const cells = (canvas.cells ??= new Uint32Array(pixels.data.buffer));
  const full = strength * (values instanceof Uint8Array ? 1 : 255);
  // Red, green and blue alike, and opaque: one word a pixel, in whatever order the machine has them.
  for (let p = 0; p < cells.length; p++) cells[p] = 0xff000000 | (Math.round(values[p] * full) * 0x010101);
  context.putImageData(pixels, 0, 0);
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} side
 */
export function inkCanvas(values, side, strength = 1) {
  const canvas = element("canvas", { width: side, height: side });
  putInk(canvas, values, strength);
  return canvas;
}

/**
 * A square of an ink canvas, [from, from + side) both ways, as a square of ``size`` at x, y.
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement} ink
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function drawInk(context, ink, x, y, size, from = 0, side = ink.width) {
  context.imageSmoothingEnabled = false;
  context.drawImage(ink, from, from, side, side, x, y, size, size);
}

// Orange for, blue against; strength by alpha, so that black (or the dimmed digit) is the neutral middle.
export class Diverging {
  /** @param {{ forColour: number[], againstColour: number[] }} colours */
  constructor({ forColour, againstColour }) {
    const ramp = (/** @type {number[]} */ colour) =>
      Array.from({ length: 33 }, (_, step) => `rgb(${colour.join(" ")} / ${(step / 32).toFixed(3)})`);
    this.positive = ramp(forColour);
    this.negative = ramp(againstColour);
    this.forColour = this.positive[32];
    this.againstColour = this.negative[32];
  }

  /**
   * Colour of a value in -1..1; beyond, the end's.
   * @param {number} value
   */
  at(value) {
    const step = Math.round(32 * Math.min(Math.abs(value), 1));
    return value < 0 ? this.negative[step] : this.positive[step];
  }
}

/**
 * Many circles of few colours: one path a colour is what makes thousands of them cheap.
 * @param {CanvasRenderingContext2D} context
 * @param {Iterable<[string, number[]]>} groups a colour, and x, y and radius of each circle
 */
export function fillCircles(context, groups) {
  for (const [colour, circles] of groups) {
    context.fillStyle = colour;
    context.beginPath();
    for (let n = 0; n < circles.length; n += 3) {
      context.moveTo(circles[n] + circles[n + 2], circles[n + 1]);
      context.arc(circles[n], circles[n + 1], circles[n + 2], 0, 2 * Math.PI);
    }
    context.fill();
  }
}

// One tip for the whole view, for [data-tip] elements and for what lies under the pointer in a picture.
export class Tip {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.node = element("div", { class: "tip", id: "tip", role: "tooltip", hidden: true });
    root.append(this.node);
    const show = (event) => {
      const target = event.target.closest?.("[data-tip]");
      if (!target) return;
      const box = target.getBoundingClientRect();
      this.show(target.dataset.tip, box.left + box.width / 2, box.bottom);
      if (event.type === "focusin") event.target.setAttribute("aria-describedby", this.node.id);
    };
    const hide = (event) => {
      if (event.type === "focusout") event.target.removeAttribute("aria-describedby");
      if (event.target.closest?.("[data-tip]")) this.hide();
    };
    for (const name of ["pointerover", "focusin"]) root.addEventListener(name, show);
    for (const name of ["pointerout", "focusout"]) root.addEventListener(name, hide);
    // A finger leaves nothing behind: what it has pressed needs no tip any more, nor what it scrolls away.
    root.addEventListener("click", ({ target }) => {
      if (/** @type {Element} */ (target).closest("button, label")) this.hide();
    });
    root.addEventListener("touchmove", () => this.hide(), { passive: true });
  }

  /**
   * Under a point of the window, moved so that it stays within it.
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  show(text, x, y) {
    setText(this.node, text);
    this.node.hidden = false;
    const { width, height } = this.node.getBoundingClientRect();
    const scale = enlarged(this.node);
    const below = y + 14 + height < window.innerHeight;
    this.node.style.left = `${Math.max(8, Math.min(x - width / 2, window.innerWidth - width - 8)) / scale}px`;
    this.node.style.top = `${(below ? y + 14 : y - height - 14) / scale}px`;
  }

  hide() {
    this.node.hidden = true;
  }
}

const PAPER = 690; // CSS pixels between the margins of a sheet (A4, or Letter, which is wider)

/**
 * A view that is laid out for its width stands on paper as on the screen, only smaller: no script can draw it anew there.
 * @param {HTMLElement} view with what base.css says of paper
 */
export function keepForPaper(view) {
  if (!view.clientWidth || window.matchMedia("print").matches) return;
  view.style.setProperty("--wide", `${view.clientWidth}px`);
  view.style.setProperty("--paper", String(Math.min(1, PAPER / view.clientWidth)));
}
