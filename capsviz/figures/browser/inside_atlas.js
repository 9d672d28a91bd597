// Many cells in one picture, of which one is chosen: by pointer, finger or keys.

import { Picture, element, setText } from "./drawing.js";

const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const GAP = 1; // CSS pixels between cells that have room for it
export const OVER = 0.8; // of a colour that lies over the drawing, which is seen through it

/**
 * @typedef {object} Wishes
 * @property {string} name of the picture, for tests
 * @property {(index: number) => void} choose
 * @property {(index: number) => string} describe a cell
 * @property {(context: CanvasRenderingContext2D, width: number, height: number) => void} [under] what lies below all cells
 * @property {(context: CanvasRenderingContext2D, index: number, x: number, y: number, width: number, height: number) => void} [paint] a cell
 * @property {(text: string | null, event: MouseEvent) => void} tell what lies under the pointer
 */

export class Atlas {
  count = 1;
  columns = 1;
  chosen = 0;
  /** @type {[number, number, number, number]} where the cells are, as parts of the picture: left, top, width, height */
  area = [0, 0, 1, 1];

  /** @param {Wishes} wishes */
  constructor(wishes) {
    this.wishes = wishes;
    this.picture = new Picture("", { role: "slider", tabindex: 0, class: "atlas", "data-testid": wishes.name, "aria-valuemin": 0 });
    this.caption = element("figcaption");
    this.element = element("figure", { class: `inside-${wishes.name}` }, this.picture.canvas, this.caption);
    const { canvas } = this.picture;
    canvas.addEventListener("pointermove", (event) => {
      const index = this.under(event);
      canvas.style.cursor = index === null ? "default" : "pointer";
      wishes.tell(index === null ? null : wishes.describe(index), event);
    });
    canvas.addEventListener("pointerleave", (event) => wishes.tell(null, event));
    canvas.addEventListener("click", (event) => {
      const index = this.under(event);
      if (index !== null) wishes.choose(index);
    });
    canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  get rows() {
    return Math.ceil(this.count / this.columns);
  }

  /**
   * How many cells there are, in how many columns, and how wide a cell is for its height.
   * @param {{ label: string, count: number, columns: number, ratio?: number, area?: [number, number, number, number] }} cells
   */
  lay({ label, count, columns, ratio = 1, area = [0, 0, 1, 1] }) {
    Object.assign(this, { count, columns, area });
    const { canvas } = this.picture;
    canvas.setAttribute("aria-label", label);
    canvas.setAttribute("aria-valuemax", String(count - 1));
    canvas.style.aspectRatio = area[2] === 1 ? `${columns * ratio} / ${this.rows}` : "1";
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = KEYS[event.key];
    let index = this.chosen;
    if (event.key === "Home") index = 0;
    else if (event.key === "End") index = this.count - 1;
    else if (move) index += move[0] + move[1] * this.columns;
    else return;
    event.preventDefault();
    if (index >= 0 && index < this.count) this.wishes.choose(index);
  }

  /** @param {MouseEvent} event */
  under(event) {
    const [x, y] = this.picture.position(event);
    const { clientWidth, clientHeight } = this.picture.canvas;
    const [left, top, width, height] = this.area;
    const column = Math.floor(((x / clientWidth - left) / width) * this.columns);
    const row = Math.floor(((y / clientHeight - top) / height) * this.rows);
    const index = row * this.columns + column;
    return column < 0 || column >= this.columns || row < 0 || index >= this.count ? null : index;
  }

  /**
   * @param {number} chosen
   * @param {string} caption
   */
  draw(chosen, caption) {
    this.chosen = chosen;
    const { wishes, columns, rows } = this;
    const { context, width, height } = this.picture.begin();
    wishes.under?.(context, width, height);
    const [left, top] = [this.area[0] * width, this.area[1] * height];
    const [wide, high] = [(this.area[2] * width) / columns, (this.area[3] * height) / rows];
    const gap = wishes.paint && wide > 4 ? GAP : 0;
    const box = (index) => /** @type {const} */ ([left + (index % columns) * wide, top + Math.floor(index / columns) * high, wide - gap, high - gap]);
    if (wishes.paint) for (let index = 0; index < this.count; index++) wishes.paint(context, index, ...box(index));
    for (const [colour, thick] of /** @type {const} */ ([["#000", 4], ["#fff", 2]])) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.strokeRect(...box(chosen));
    }
    setText(this.caption, caption);
    const { canvas } = this.picture;
    canvas.setAttribute("aria-valuenow", String(chosen));
    canvas.setAttribute("aria-valuetext", wishes.describe(chosen));
  }
}
