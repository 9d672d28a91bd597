// What a link says of the page: ?digit=7&capsule=412&step=5. What may be asked for is declared: payload.link.

import { say } from "./texts.js";

/** @typedef {[number, number] | [number, number, number] | string[]} Values least and greatest of a number, and how many; or words */
/** @typedef {Record<string, Values>} Link the values of each parameter */
/** @typedef {Record<string, string | number | undefined>} Said what an address is to say; undefined is taken out */

const QUOTED = 20; // characters of a link that a sentence repeats at most
const REST = 200; // milliseconds: browsers refuse an address that changes with every step of a dragged slider

/**
 * What was asked for, short and plain: letters, digits, a few signs, as messages.py has it.
 * @param {string} text
 */
export function quoted(text) {
  const plain = text.slice(0, QUOTED).replace(/[^a-zA-Z0-9 .,+-]/g, "?");
  return `${plain}${text.length > QUOTED ? "…" : ""}`;
}

/**
 * The number from low to high that a text writes in the digits 0 to 9; else null.
 * @param {string} text
 * @param {number} low
 * @param {number} high
 */
export function wholeOfText(text, low, high) {
  if (text.length > String(high).length || !/^[0-9]+$/.test(text)) return null;
  const number = Number(text);
  return low <= number && number <= high ? number : null;
}

/**
 * The value that a text writes: a number, several with dots between them, or a word; else null.
 * @param {string} text
 * @param {Values} values
 */
function valueOf(text, values) {
  const [low, high, count] = values;
  if (typeof low === "string" || typeof high === "string") return values.some((word) => word === text) ? text : null;
  if (!count) return wholeOfText(text, low, high);
  const parts = text.split(".", Number(count) + 1).map((part) => wholeOfText(part, low, high));
  return parts.length === count && !parts.includes(null) ? parts : null;
}

/**
 * Of what may be asked for: what is, and a sentence for what cannot be.
 * @param {string} search
 * @param {Link} link
 */
export function readLink(search, link) {
  const asked = new URLSearchParams(search);
  /** @type {Record<string, any>} a number, numbers or a word of each */
  const found = {};
  /** @type {string[]} */
  const problems = [];
  for (const [name, values] of Object.entries(link)) {
    const text = asked.get(name);
    if (text === null) continue;
    const value = valueOf(text, values);
    const [low, high] = values;
    if (value !== null) found[name] = value;
    else if (typeof low === "string") problems.push(say("address.outside.word", { name, asked: quoted(text), known: values.join(", ") }));
    else problems.push(say(`address.outside.${name}`, { asked: quoted(text), low, high }));
  }
  return { found, problems };
}

/**
 * What an address says of these parameters, to be compared with what it said before.
 * @param {string} search
 * @param {string[]} names
 */
export function partOf(search, names) {
  const asked = new URLSearchParams(search);
  return JSON.stringify(names.map((name) => asked.get(name)));
}

/**
 * The same address with other values.
 * @param {string} address
 * @param {Said} values
 */
export function linkWith(address, values) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  return url.href.replaceAll("%2C", ",");
}

/**
 * The address bar says this from now on; the page is not loaded, nor does the browser's history grow.
 * @param {string} address
 */
export function replaceAddress(address) {
  if (address !== window.location.href) window.history.replaceState(window.history.state, "", address);
}

const SETTLE = "capsviz-settle-address";

/** Whatever is still to be written into the address is written now: it is about to be copied. */
export function settleAddress() {
  window.dispatchEvent(new Event(SETTLE));
}

/** Keeps the address bar saying what a view shows, once that rests. */
export class AddressWriter {
  constructor() {
    this.settle = () => this.write();
    window.addEventListener(SETTLE, this.settle);
  }

  /** @param {Said} values */
  say(values) {
    const written = JSON.stringify(Object.entries(values).map(([name, value]) => [name, value ?? null]));
    if (written === this.written) return;
    this.written = written;
    this.values = values;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.settle, REST);
  }

  // What was written may be lost: the page has been changed, or the address bar is another's.
  forget() {
    this.written = null;
  }

  write() {
    clearTimeout(this.timer);
    if (this.values) replaceAddress(linkWith(window.location.href, this.values));
    this.values = null;
  }

  unmount() {
    clearTimeout(this.timer);
    window.removeEventListener(SETTLE, this.settle);
  }
}
