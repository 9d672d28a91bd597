// The tiles of the wall, each in its place: as large as all of them have room, none moves until it is sorted anew, but for
// new ones that come in front.

import { element, setText } from "./drawing.js";
import { onStage } from "./onstage.js";
import { number, say } from "./texts.js";
import { below, columnsOf, gap, MOST, ordered, placed, ranks, sizeFor, small } from "./wall_order.js";
import { newTile, showTile } from "./wall_tile.js";

const LEAST = 60; // pixels of a drawing's side
const LEAST_ON_STAGE = 30; // where each is as large as two
const LOWEST = 260; // pixels of height that tiles are fitted into at least
const UNSCORED = 56; // below which a tile has room for its answer alone
const MOVING = 120; // tiles that are seen to move: of more, nobody follows any
const SLIDE = 300; // milliseconds

export class Grid {
  /** @param {(id: number) => void} open */
  constructor(open) {
    this.list = element("ol", { class: "tiles", onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) });
    this.more = element("p", { class: "soft" });
    this.nothing = element("p", { class: "soft nothing" });
    this.element = element("div", { class: "grid" }, this.nothing, this.list, this.more);
    this.acts = { open, focus: (/** @type {number} */ id) => (this.focused = id) };
    /** @type {Map<number, HTMLElement>} */
    this.items = new Map();
    this.clear();
  }

  clear() {
    this.items.forEach((item) => item.remove());
    this.items.clear();
    /** @type {number[]} */
    this.order = [];
    this.fresh = 0; // tiles that have come since it was sorted
    this.size = Infinity;
    this.sorting = true;
    this.focused = 0;
  }

  /** With the next drawing, all tiles go where they belong. */
  sort() {
    this.sorting = true;
    this.size = Infinity;
  }

  /**
   * @param {import("./wall_order.js").Tile[]} tiles that are to be seen
   * @param {any} wall
   */
  draw(tiles, wall) {
    const ids = tiles.map(({ id }) => id);
    const before = this.order;
    if (this.sorting) {
      this.order = ordered(tiles, wall.order, wall.about).map(({ id }) => id);
      this.fresh = 0;
    } else {
      this.order = placed(before, ids);
      const there = new Set(before);
      this.fresh += ids.filter((id) => !there.has(id)).length;
    }
    const [first, sorted] = [!before.length, this.sorting];
    this.sorting = false;
    const seen = this.order.slice(0, MOST);
    const places = this.places(seen);
    this.arrange(seen);
    this.fit();
    const known = new Map(tiles.map((tile) => [tile.id, tile]));
    const ranked = wall.order === "task" && wall.room.task ? ranks(tiles, wall.about) : new Map();
    for (const id of seen) {
      const tile = /** @type {import("./wall_order.js").Tile} */ (known.get(id));
      const network = wall.networkOf(tile);
      const colour = network.colours[network.classes.indexOf(tile.read)];
      showTile(/** @type {HTMLElement} */ (this.items.get(id)), tile, { size: this.size, rank: ranked.get(id), colour, seenSize: network.size });
    }
    if (!first || sorted) this.slide(places);
    this.tab();
    setText(this.more, this.order.length > MOST ? say("class.wall.more", { shown: MOST, all: number(this.order.length) }) : "");
    setText(this.nothing, seen.length ? "" : say(wall.tiles.size ? "class.wall.nothingHere" : "class.wall.nothingYet"));
  }

  /**
   * The items in their order; what stands right is left alone, so that nothing loses its focus.
   * @param {number[]} seen
   */
  arrange(seen) {
    const there = new Set(seen);
    for (const [id, item] of this.items) {
      if (there.has(id)) continue;
      item.remove();
      this.items.delete(id);
    }
    let next = this.list.firstElementChild;
    for (const id of seen) {
      let item = this.items.get(id);
      if (!item) {
        item = newTile(this.acts, id);
        this.items.set(id, item);
      }
      if (item === next) next = next.nextElementSibling;
      else this.list.insertBefore(item, next);
    }
  }

  /** As large as there is room for all; smaller ones grow again when it is sorted. */
  fit() {
    const count = Math.min(this.order.length, MOST);
    if (!count || !this.list.clientWidth) return;
    const stage = onStage();
    const room = stage ? this.onStageRoom() : window.innerHeight - 40 - Math.max(0, this.list.getBoundingClientRect().top + this.scrolled());
    const width = this.list.clientWidth;
    const key = `${width} ${Math.round(room / 40)} ${stage}`;
    if (key !== this.fitted) this.size = Infinity;
    this.fitted = key;
    this.size = Math.min(this.size, sizeFor(count, width, Math.max(room, LOWEST), stage ? LEAST_ON_STAGE : LEAST));
    this.list.style.setProperty("--tile", `${this.size}px`);
    this.list.style.setProperty("--below", `${below(this.size)}px`);
    this.list.style.setProperty("--gap", `${gap(this.size)}px`);
    this.list.classList.toggle("small", small(this.size));
    this.list.classList.toggle("tiny", this.size < UNSCORED);
  }

  scrolled() {
    return this.element.closest(".stMain")?.scrollTop ?? document.querySelector(".stMain")?.scrollTop ?? 0;
  }

  onStageRoom() {
    const root = getComputedStyle(this.element);
    const above = this.list.offsetTop - (/** @type {HTMLElement} */ (this.element.parentElement)?.offsetTop ?? 0);
    return parseFloat(root.getPropertyValue("--stage-room")) - above || 0;
  }

  /** @param {number[]} seen */
  places(seen) {
    if (seen.length > MOVING || window.matchMedia("(prefers-reduced-motion: reduce)").matches) return null;
    return new Map([...this.items].map(([id, item]) => [id, [item.offsetLeft, item.offsetTop]]));
  }

  /**
   * Each goes from where it was to where it is.
   * @param {Map<number, number[]> | null} places
   */
  slide(places) {
    if (!places) return;
    for (const [id, item] of this.items) {
      const [left, top] = places.get(id) ?? [NaN, NaN];
      const [x, y] = [left - item.offsetLeft, top - item.offsetTop];
      if (Number.isNaN(x)) item.animate([{ opacity: 0, transform: "scale(0.7)" }, {}], { duration: SLIDE, easing: "ease-out" });
      else if (x || y) item.animate([{ transform: `translate(${x}px, ${y}px)` }, {}], { duration: SLIDE, easing: "ease-out" });
    }
  }

  // --- the keyboard -----------------------------------------------------------------------------------------

  /** One tile at a time takes part in the order of the tabulator. */
  tab() {
    if (!this.items.has(this.focused)) this.focused = this.order[0] ?? 0;
    for (const [id, item] of this.items) /** @type {HTMLElement} */ (item.firstElementChild).tabIndex = id === this.focused ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const columns = Math.max(1, columnsOf(this.size, this.list.clientWidth));
    const last = Math.min(this.order.length, MOST) - 1;
    const at = this.order.indexOf(this.focused);
    const goes = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: last }[event.key];
    if (goes === undefined || goes < 0 || goes > last) return;
    event.preventDefault();
    event.stopPropagation();
    this.focused = this.order[goes];
    this.tab();
    const button = /** @type {HTMLElement | undefined} */ (this.items.get(this.focused)?.firstElementChild);
    button?.focus();
  }

  /**
   * The tile before or after another one.
   * @param {number} id
   * @param {number} step
   */
  beside(id, step) {
    const place = this.order.indexOf(id);
    return place < 0 ? undefined : this.order[place + step];
  }

  unmount() {
    this.clear();
  }
}
