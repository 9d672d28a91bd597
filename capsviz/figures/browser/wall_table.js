// What the class has drawn in numbers: how many were read as what, and what they were meant to be.

import { element, percent } from "./drawing.js";
import { confusion, counts } from "./wall_order.js";
import { kindWords, say } from "./texts.js";

/**
 * @param {import("./wall_order.js").Tile[]} tiles that are on the wall
 * @param {{ classes: string[], kind: string }} network
 */
export function tableNodes(tiles, network) {
  const words = kindWords(network.kind);
  const read = counts(tiles, network.classes);
  const { table, told, agreed } = confusion(tiles, network.classes);
  const [none, columns] = [table.some((row) => row[network.classes.length]), [...network.classes]];
  if (none || read[network.classes.length]) columns.push("–");
  const most = Math.max(1, ...table.flat());
  const head = element("tr", {}, element("th", { scope: "col" }, say("class.wall.saidRead")), ...columns.map((name) => element("th", { scope: "col" }, name)));
  const all = element("tr", { class: "all" }, element("th", { scope: "row" }, say("class.wall.all")), ...columns.map((_, place) => element("td", {}, String(read[place]))));
  const meant = network.classes.map((name, row) => ({ name, row })).filter(({ row }) => table[row].some(Boolean)); // of the others there is nothing to see
  const rows = meant.map(({ name, row }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      ...columns.map((_, place) => {
        const count = table[row][place];
        const cell = element("td", { class: row === place ? "agreed" : count ? "other" : "" }, count ? String(count) : "·");
        cell.style.setProperty("--share", String(count / most));
        return cell;
      }),
    ),
  );
  const said = told ? say("class.wall.agreed", { count: told, agreed, share: percent(agreed / told) }) : say("class.wall.untold", words);
  return [
    element("h2", {}, say("class.wall.table")),
    element("p", { class: "soft" }, said),
    element("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": say("class.wall.table") }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows, all))),
  ];
}
