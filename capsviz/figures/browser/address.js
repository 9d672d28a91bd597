// What a link says of the page: ?digit=7&capsule=412&step=5. What may be asked for is declared: payload.link.

import { say } from "./texts.js";

/** @typedef {Record<string, [number, number]>} Link least and greatest number of each parameter */

const QUOTED = 20; // characters of a link that a sentence repeats at most

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
 * Of what may be asked for: what is, and a sentence for what cannot be.
 * @param {string} search
 * @param {Link} link
 */
export function readLink(search, link) {
  const asked = new URLSearchParams(search);
  /** @type {Record<string, number>} */
  const found = {};
  /** @type {string[]} */
  const problems = [];
  for (const [name, [low, high]] of Object.entries(link)) {
    const text = asked.get(name);
    if (text === null) continue;
    const number = wholeOfText(text, low, high);
    if (number !== null) found[name] = number;
    else problems.push(say(`address.outside.${name}`, { asked: quoted(text), low, high }));
  }
  return { found, problems };
}

/**
 * The same address with other values; what is undefined is taken out.
 * @param {string} address
 * @param {Record<string, number | undefined>} values
 */
export function linkWith(address, values) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  return url;
}
