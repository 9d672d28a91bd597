// One tile in full: drawing, pixels, all answers, doors into other pages, and what can be done about it.

import { element } from "./drawing.js";
import { grey } from "./phone_nodes.js";
import { say } from "./texts.js";
import { ink, sign, wholeAnswer } from "./wall_tile.js";

/**
 * Open a tile over the wall.
 * @param {any} wall
 * @param {number} id
 */
export function openTile(wall, id) {
  const tile = /** @type {import("./wall_order.js").Tile | undefined} */ (wall.tiles.get(id));
  if (!tile) {
    wall.box.close();
    return;
  }
  const network = wall.networkOf(tile);
  const titleOf = (/** @type {string} */ name) => wall.data.networks[name]?.title ?? name;
  const seen = grey(tile.seen, say("class.wall.seenAlt", { size: network.size }));
  const read = element("b", { class: "large" }, sign(tile));
  const time = new Intl.DateTimeFormat(wall.data.texts.language, { timeStyle: "medium" }).format(1000 * tile.sent);
  const drawing = element("div", { class: "drawing" }, ink(tile), element("div", { class: "beside" }, seen, read));
  const facts = element("div", { class: "facts" }, element("p", { class: "soft" }, say("class.wall.sent", { time })), ...wholeAnswer(tile, network, titleOf), doors(tile, network));
  wall.box.show(`tile ${id}`, tile.phone, element("div", { class: "whole" }, drawing, facts), element("div", { class: "ways" }, ...acts(wall, tile)));
}

/**
 * Pages that say why, with this drawing and its network; in a window of their own, as the wall goes on.
 * @param {import("./wall_order.js").Tile} tile
 * @param {any} network
 */
function doors({ strokes, network: name, covered }, network) {
  if (covered) return element("p", {});
  const query = new URLSearchParams({ network: name, drawing: strokes });
  const links = Object.entries(network.doors ?? {}).map(([page, title]) => element("a", { href: `${page}?${query}`, target: "_blank", rel: "noopener" }, say("class.wall.door", { page: title })));
  return element("p", { class: "doors" }, ...links);
}

/**
 * @param {any} wall
 * @param {import("./wall_order.js").Tile} tile
 */
function acts(wall, tile) {
  const { id, standing, phone } = tile;
  const next = wall.grid.beside(id, 1) ?? wall.grid.beside(id, -1);
  const button = (/** @type {string} */ name, /** @type {() => void} */ act, values = {}) => element("button", { type: "button", "data-name": name, onclick: act }, say(`class.wall.${name}`, values));
  const go = (/** @type {string} */ name, /** @type {number | undefined} */ to) => {
    const way = button(name, () => to !== undefined && openTile(wall, to));
    way.disabled = to === undefined;
    return way;
  };
  const place = async (/** @type {string} */ where) => {
    if (!(await wall.act("place", { ids: [id], standing: where }))) return;
    if (standing === "waiting" && next !== undefined) openTile(wall, next); // one after the other
    else wall.box.close();
  };
  const dismiss = () => wall.box.confirm(say("class.wall.dismissAsk", { name: phone }), say("class.wall.dismiss", { name: phone }), () => wall.act("dismiss", { nickname: phone }));
  const remove = () => wall.box.confirm(say("class.wall.removeAsk"), say("class.wall.remove"), () => wall.act("place", { ids: [id], standing: "removed" }));
  return [
    go("before", wall.grid.beside(id, -1)),
    go("after", wall.grid.beside(id, 1)),
    standing === "shown" ? button("hide", () => place("hidden")) : button(standing === "waiting" ? "let" : "show", () => place("shown")),
    button("remove", remove),
    button("dismiss", dismiss, { name: phone }),
  ];
}
