// A pad to draw on with a finger, a pen or a mouse. Strokes are ways of the pen in pixels of a pad of a fixed side: what
// they look like to a network is for the server to say.

import { node } from "./phone_nodes.js";

export const MOST_STROKES = 200;
export const MOST_POINTS = 5000;
const LEAST = 1; // pixels that the pen moves from one point to the next

/** @typedef {number[]} Way x, y, x, y, ... */

/**
 * Take a point into a way, on the grid of half pixels, unless the pen has hardly moved; whether it was taken.
 * @param {Way} way
 * @param {number} x
 * @param {number} y
 */
export function extend(way, x, y) {
  const [left, top] = [Math.round(2 * x) / 2, Math.round(2 * y) / 2];
  const last = way.length - 2;
  if (last >= 0 && Math.hypot(left - way[last], top - way[last + 1]) < LEAST) return false;
  way.push(left, top);
  return true;
}

export class Pad {
  /**
   * @param {number} side pixels of the pad
   * @param {number} width pixels of the pen
   * @param {() => void} changed called after each stroke, undo and clear
   */
  constructor(side, width, changed) {
    this.side = side;
    this.width = width;
    this.changed = changed;
    /** @type {Way[]} */
    this.ways = [];
    /** @type {Way[]} */
    this.cleared = []; // what Undo brings back after Clear
    this.pointer = null;
    this.locked = false;
    this.canvas = node("canvas", { class: "pad", tabindex: 0, role: "img" });
    const listen = (/** @type {string} */ name, /** @type {(event: any) => void} */ heard) => this.canvas.addEventListener(name, heard, { passive: false });
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) listen(name, (event) => this.up(event));
    // What touch-action does not keep from scrolling or zooming, or from a menu.
    for (const name of ["touchstart", "touchmove", "contextmenu", "selectstart"]) listen(name, (event) => event.preventDefault());
    window.addEventListener("resize", () => this.draw());
  }

  /** @param {Way[]} ways */
  show(ways) {
    this.ways = ways;
    this.cleared = [];
    this.pointer = null;
    this.draw();
  }

  /** @param {PointerEvent} event */
  down(event) {
    event.preventDefault();
    if (this.locked || this.pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    if (this.ways.length >= MOST_STROKES || this.points() >= MOST_POINTS) return;
    this.pointer = event.pointerId;
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // of a pointer that is gone already
    }
    this.cleared = [];
    this.ways.push([]);
    this.take(event);
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (event.pointerId !== this.pointer) return;
    event.preventDefault();
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of events.length ? events : [event]) this.take(one);
  }

  /** @param {PointerEvent} event */
  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.draw();
    this.changed();
  }

  /** @param {PointerEvent} event */
  take(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.side / (box.width || 1);
    const way = this.ways[this.ways.length - 1];
    if (this.points() < MOST_POINTS && extend(way, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale)) this.draw();
  }

  points() {
    return this.ways.reduce((sum, way) => sum + way.length / 2, 0);
  }

  undo() {
    if (this.ways.length) this.ways.pop();
    else [this.ways, this.cleared] = [this.cleared, []];
    this.draw();
    this.changed();
  }

  clear() {
    if (this.ways.length) [this.cleared, this.ways] = [this.ways, []];
    this.draw();
    this.changed();
  }

  draw() {
    const box = this.canvas.getBoundingClientRect();
    const pixels = Math.round((box.width || this.side) * Math.min(window.devicePixelRatio || 1, 2));
    if (this.canvas.width !== pixels) this.canvas.width = this.canvas.height = pixels;
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.setTransform(pixels / this.side, 0, 0, pixels / this.side, 0, 0);
    context.clearRect(0, 0, this.side, this.side);
    context.strokeStyle = "#fff";
    context.lineWidth = this.width;
    context.lineCap = context.lineJoin = "round";
    for (const way of this.ways) {
      context.beginPath();
      context.moveTo(way[0], way[1]);
      for (let p = 2; p < way.length; p += 2) context.lineTo(way[p], way[p + 1]);
      if (way.length === 2) context.lineTo(way[0], way[1]); // a dot
      context.stroke();
    }
  }
}
