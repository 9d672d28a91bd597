// A tile of the wall: the drawing, the pixels seen, what was read and how surely, whose it is.

import { element } from "./drawing.js";
import { fill, grey } from "./phone_nodes.js";
import { number, say } from "./texts.js";
import { certainty, named, NONE } from "./wall_order.js";

/** @typedef {import("./wall_order.js").Tile} Tile */

const PAD = 280; // side of the pad, as inputs/drawings.py has it
const ROOMY = 190; // pixels of a drawing's side: beside two digits there is room for their scores
const SVG = "http://www.w3.org/2000/svg";

/**
 * A drawing as it was drawn.
 * @param {Tile} tile
 */
export function ink({ path, width }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${PAD} ${PAD}`);
  svg.setAttribute("class", "ink");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  line.setAttribute("stroke-width", String(width));
  svg.append(line);
  return svg;
}

/**
 * What was read, in as few signs as can be: "7", "3 + 7" of several, "7?" where it is unsure, "–" of none, "…" while it is covered.
 * @param {{ covered?: boolean, verdict: string, reads: string[] }} answer
 */
export function sign({ covered = false, verdict, reads }) {
  if (covered) return "…";
  return verdict === NONE ? "–" : `${reads.join(" + ")}${verdict === "unsure" ? "?" : ""}`;
}

/**
 * A tile in words.
 * @param {Tile} tile
 */
export function inWords(tile) {
  if (tile.covered) return say("class.wall.tileCovered", { name: tile.phone });
  const parts = [say("class.wall.tile", { name: tile.phone, read: sign(tile), score: number(certainty(tile), 2) })];
  if (tile.said) parts.push(say("class.wall.meantBy", { said: tile.said }));
  if (tile.disputed) parts.push(say("class.wall.otherwise", { reads: otherReads(tile).join(", ") }));
  return parts.join(" ");
}

/**
 * What other networks read where it is something else.
 * @param {Tile} tile
 */
export function otherReads(tile) {
  // Whether it is sure does not matter, nor in which order several are read.
  const read = (/** @type {{ verdict: string, reads: string[] }} */ { verdict, reads }) => sign({ verdict: verdict === NONE ? NONE : "", reads: [...reads].sort() });
  return [...new Set((tile.others ?? []).map(read))].filter((other) => other !== read(tile));
}

/**
 * @param {{ open: (id: number) => void, focus: (id: number) => void }} acts
 * @param {number} id
 */
export function newTile(acts, id) {
  const button = element("button", { type: "button", tabindex: -1, onclick: () => acts.open(id), onfocus: () => acts.focus(id) });
  return element("li", { "data-id": id }, button);
}

/**
 * Show a tile's drawing and answer.
 * @param {HTMLElement} item
 * @param {Tile} tile
 * @param {{ size: number, rank?: number, colour: string, seenSize: number }} look
 */
export function showTile(item, tile, look) {
  const button = /** @type {HTMLElement} */ (item.firstElementChild);
  const { size, rank, colour } = look;
  item.classList.toggle("fooled", tile.fooled && !tile.covered);
  fill(button, [tile, named(size), size >= ROOMY, rank, colour], () => [
    element("span", { class: "picture" }, ink(tile), ...marks(tile, rank)),
    element("span", { class: "reading" }, seen(tile, look.seenSize), ...answer(tile, colour, size)),
    named(size) ? element("span", { class: "whose" }, tile.phone) : null,
  ]);
  button.setAttribute("aria-label", inWords(tile));
  button.title = named(size) ? "" : tile.phone;
}

/**
 * @param {Tile} tile
 * @param {number} size
 */
function seen(tile, size) {
  const picture = grey(tile.seen, say("class.wall.seenAlt", { size }));
  picture.className = "seen";
  picture.removeAttribute("role"); // the tile's name says all
  return picture;
}

/**
 * @param {Tile} tile
 * @param {string} colour
 * @param {number} size
 */
function answer(tile, colour, size) {
  const fooled = tile.fooled && !tile.covered;
  const several = !tile.covered && tile.verdict !== NONE && tile.reads.length > 1;
  const read = element("b", { class: several ? "read several" : "read" }, several ? sign(tile).replaceAll(" ", "") : sign(tile));
  read.style.setProperty("--class", tile.covered || tile.verdict === NONE ? "transparent" : colour);
  const scores = [...tile.scores].sort((a, b) => b - a).slice(0, tile.reads.length);
  const told = !tile.covered && (!several || size >= ROOMY);
  const score = element("span", { class: "score" }, told ? scores.map((one) => number(one, 2)).join(" ") : "");
  return [...(fooled ? [element("s", { class: "meant" }, tile.said)] : []), read, score];
}

/**
 * @param {Tile} tile
 * @param {number} [rank]
 */
function marks(tile, rank) {
  const found = [];
  if (rank) found.push(element("span", { class: "rank" }, String(rank)));
  if (tile.disputed && !tile.covered) found.push(element("span", { class: "disputed" }, `≠ ${otherReads(tile).join(" ")}`));
  return found;
}

/**
 * The answers of a drawing in full: what it was, a bar for each class, other networks.
 * @param {Tile} tile
 * @param {any} network its classes and their colours
 * @param {(name: string) => string} titleOf of a network
 */
export function wholeAnswer(tile, network, titleOf) {
  if (tile.covered) return [element("p", {}, say("class.wall.coveredYet"))];
  const rows = tile.scores.map((score, place) => {
    const bar = element("span", { class: "level" });
    bar.style.width = `${(100 * score).toFixed(1)}%`;
    bar.style.background = network.colours[place];
    return element("li", { class: tile.reads.includes(network.classes[place]) ? "best" : "" }, element("span", {}, network.classes[place]), element("span", { class: "track" }, bar), element("span", {}, number(score, 2)));
  });
  const facts = [];
  if (tile.said) facts.push(say(tile.fooled ? "class.wall.saidFooled" : "class.wall.saidSo", { said: tile.said }));
  if (tile.guess) facts.push(say("class.wall.guessed", { guess: tile.guess }));
  const title = element("h3", {}, titleOf(tile.network));
  const others = (tile.others ?? []).map((other) =>
    element("li", {}, `${titleOf(other.network)}: `, element("b", {}, sign(other)), ` ${number(other.score, 2)}`),
  );
  return [
    ...facts.map((fact) => element("p", {}, fact)),
    title,
    element("ol", { class: "scores", "aria-label": say(`class.wall.scores.${network.score}`) }, ...rows),
    element("h3", {}, say("class.wall.others")),
    others.length ? element("ul", { class: "others" }, ...others) : element("p", {}, say(tile.others ? "class.wall.noOthers" : "class.wall.othersYet")),
  ];
}
