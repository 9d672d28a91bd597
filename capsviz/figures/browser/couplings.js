// What is said of a rule of routing, on Surgery and on Compare.

import { number, percentSign, knows, say } from "./texts.js";

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
    entropy: number(row.entropy, 2),
  };
  const said = [row ? say("coupling.measured", found) : say("coupling.unmeasured"), source && say("coupling.source", { source })];
  return said.filter(Boolean).join(" ");
}
