// What is said of a rule of routing, on Surgery and on Compare.

import { words } from "./drawing.js";
import { number, percentSign, knows, say } from "./texts.js";

// Rules by which what a primary capsule gives does not sum to 1: the entropy of its c is of their shares in their sum.
const SCALED = ["maxmin", "leaky", "children"];

/**
 * The text of a rule, of the first of some tables that has one.
 * @param {string} name of the rule
 * @param {"" | "What"} which its name, or what it does
 * @param {string[]} tables
 * @param {Record<string, string | number>} [words]
 */
export function couplingText(name, which, tables, words) {
  const table = tables.find((table) => knows(`${table}.${name}${which}`));
  return say(`${table}.${name}${which}`, words);
}

/**
 * Put words about a rule into an element, with their terms explained; the same again leaves it, and who points there, alone.
 * @param {HTMLElement & { said?: string }} node
 * @param {string} text
 */
export function tellRule(node, text) {
  if (node.said !== text) node.replaceChildren(...words(text));
  node.said = text;
}

/**
 * What it does to test images, and where it comes from.
 * @param {any} row what was measured of it; null where nobody has
 * @param {string} source "" where it has none
 */
export function couplingMeasured(row, source) {
  const percent = (share) => number(100 * share, 1) + percentSign();
  const found = row && {
    wrong: row.wrong,
    images: number(row.images),
    rate: percent(row.error_rate),
    iterations: say("coupling.iterations", { count: row.iterations }),
    same: percent(row.same),
    entropy: percent(row.entropy),
    how: say("coupling.entropyHow"),
  };
  const measured = row && say(SCALED.includes(row.coupling) ? "coupling.measuredScaled" : "coupling.measured", found);
  const said = [measured ?? say("coupling.unmeasured"), source && say("coupling.source", { source })];
  return said.filter(Boolean).join(" ");
}
