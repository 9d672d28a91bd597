// The primary capsules as lengths over the drawing, or what a network without capsules reads in their place.

import { drawInk, element, fixed, inkCanvas, setText } from "./drawing.js";
import { Atlas, OVER } from "./inside_atlas.js";
import { scaleText } from "./inside_first.js";
import { microscopeFor } from "./inside_microscope.js";
import { cellsOver, columnsFor, endsOf, highest, lengthShade, reach, shade } from "./insides.js";
import { capsuleAt, mapFrame } from "./routing.js";
import { number, say } from "./texts.js";

const BARS = 32; // in a row

export class Outputs {
  /**
   * @param {any} view the page
   * @param {any} payload of a network of the shape that the page is built for
   */
  constructor(view, payload) {
    this.view = view;
    this.grid = payload.grid;
    this.places = this.grid ? this.grid.rows * this.grid.columns : 1;
    const tell = (text, event) => view.tell(text, event);
    const { places } = this;
    this.types = new Atlas(
      places > 1
        ? { name: "types", tell, choose: (type) => view.choose({ capsule: type * places + this.spot.place }), describe: (type) => this.typeWords(type), paint: (context, type, x, y, width) => this.paintType(context, type, x, y, width) }
        : { name: "types", tell, choose: (capsule) => view.choose({ capsule }), describe: (capsule) => this.capsuleWords(capsule), paint: (context, index, ...box) => this.paintBar(context, index, box) },
    );
    this.type = new Atlas({ name: "type", tell, choose: (place) => view.choose({ capsule: this.spot.type * places + place }), describe: (place) => this.capsuleWords(this.spot.type * places + place), under: (context, width) => this.drawType(context, width) });
    this.type.element.hidden = places === 1;
    this.title = element("h2");
    this.says = element("p", { class: "look", "data-testid": "outputs-say" });
    this.microscope = microscopeFor(view, payload);
    this.element = element(
      "section",
      { class: `inside-outputs${this.microscope ? "" : " alone"}` },
      this.title,
      this.says,
      element("div", { class: "inside-outputs-body" }, element("div", { class: "inside-lengths" }, this.types.element, this.type.element), ...(this.microscope ? [this.microscope.element] : [])),
    );
  }

  // Where the chosen capsule sits.
  get spot() {
    return this.grid ? capsuleAt(this, this.view.capsule) : { type: this.view.capsule, place: 0, row: 0, column: 0 };
  }

  // The capsule that is looked at until another is chosen: the strongest for the answer; of plain numbers the highest.
  get usual() {
    return this.microscope ? this.microscope.largest(this.payload.prediction) : highest(this.values);
  }

  load(payload) {
    const { arrays, grid, size } = payload;
    this.payload = payload;
    this.element.hidden = !arrays.outputs;
    if (!arrays.outputs) return;
    this.values = arrays.outputs;
    const count = this.values.length;
    this.ink = inkCanvas(arrays.image, size, 0.5);
    const words = { ...this.view.shape, count: number(count), field: grid?.field };
    const kind = this.places > 1 ? "grid" : grid ? "whole" : "plain";
    setText(this.title, say(`inside.outputs.${kind}`, words));
    const sorted = Float32Array.from(this.values).sort();
    // Rounded down: no length is 1, and half are above what is said.
    const [low, median, high] = [0, count >> 1, count - 1].map((at) => fixed(Math.floor(1e4 * Math.min(sorted[at], 1 - 1e-6)) / 1e4, 4));
    setText(this.says, say(`inside.outputs.${kind}Say`, { ...words, low, median, high }));
    if (this.places > 1) {
      const columns = columnsFor(grid.types, 2);
      this.types.lay({ label: say("inside.typesLabel", words), count: grid.types, columns });
      const [begin, part] = cellsOver(size, grid.field, grid.stride, grid.columns);
      const [top, high] = cellsOver(size, grid.field, grid.stride, grid.rows);
      this.type.lay({ label: say("inside.typeLabel"), count: this.places, columns: grid.columns, area: [begin, top, part, high] });
    } else this.types.lay({ label: say(`inside.bars.${kind}`, words), count, columns: Math.min(count, BARS), ratio: count > BARS ? 0.4 : 0.25 });
    this.microscope?.load(payload);
  }

  lengthsOf(type) {
    return this.values.subarray(type * this.places, (type + 1) * this.places);
  }

  // Where the colours of a type, or the bars, end; a single number has no scale of its own.
  ends(type) {
    const { outputs, all } = this.payload.limits;
    return endsOf(this.view.scope, outputs, all, () => (this.places > 1 ? reach(this.lengthsOf(type)) : outputs));
  }

  // Of one scale with the maps, as it is; else stretched near 1, where most lengths are.
  shade(length, ends) {
    return this.view.scope === "all" ? shade(length, ends) : lengthShade(length, ends);
  }

  typeWords(type) {
    const [low, high] = reach(this.lengthsOf(type)).map((length) => fixed(length, 3));
    return say("inside.typeIs", { type, low, high });
  }

  capsuleWords(index) {
    const value = fixed(this.values[index], 3);
    if (!this.grid) return say("inside.outputIs", { index, value });
    return say(this.places > 1 ? "inside.capsuleIs" : "inside.wholeIs", { ...capsuleAt(this, index), index, value });
  }

  // A small picture of a type: the drawing, and over each place its capsule's length.
  paintType(context, type, x, y, width) {
    const { rows, columns, stride } = this.grid;
    const { crop, side, origin } = mapFrame(this.payload);
    const cell = (stride / side) * width;
    const first = ((origin - crop) / side) * width;
    const ends = this.ends(type);
    const values = this.lengthsOf(type);
    drawInk(context, this.ink, x, y, width, crop, side);
    context.globalAlpha = OVER;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        context.fillStyle = this.view.colours.at(this.shade(values[row * columns + column], ends));
        context.fillRect(x + first + column * cell, y + first + row * cell, cell, cell);
      }
    }
    context.globalAlpha = 1;
  }

  paintBar(context, index, [x, y, width, height]) {
    context.fillStyle = "#000";
    context.fillRect(x, y, width, height);
    const [value, most] = [this.values[index], this.ends(index)[1]];
    const bar = (this.grid ? this.shade(value, [0, most]) : shade(value, [0, most])) * height;
    context.fillStyle = this.view.colours.forColour;
    context.fillRect(x, y + height - bar, width, bar);
  }

  drawType(context, width) {
    const { field, stride, columns } = this.grid;
    const { type, row, column } = this.spot;
    const pixel = width / this.payload.size;
    const [cell, first] = [stride * pixel, ((field - stride) / 2) * pixel];
    drawInk(context, this.ink, 0, 0, width);
    const ends = this.ends(type);
    context.globalAlpha = OVER;
    this.lengthsOf(type).forEach((length, place) => {
      context.fillStyle = this.view.colours.at(this.shade(length, ends));
      context.fillRect(first + (place % columns) * cell, first + Math.floor(place / columns) * cell, cell - 1, cell - 1);
    });
    context.globalAlpha = 1;
    this.view.outline(context, column * cell, row * cell, field * pixel);
  }

  draw() {
    if (!this.payload.arrays.outputs) return;
    const { capsule, scope } = this.view;
    const { type, place } = this.spot;
    const stretched = this.grid && scope !== "all" ? say("inside.stretched") : "";
    if (this.places > 1) {
      const ends = this.ends(type);
      this.types.draw(type, say("inside.typesSay", { scale: scaleText(scope, ends) + stretched }));
      this.type.draw(place, say("inside.typeSay", { type, scale: scaleText("", ends) + stretched, capsule: this.capsuleWords(capsule) }));
    } else this.types.draw(capsule, say("inside.barsSay", { capsule: this.capsuleWords(capsule), most: fixed(this.ends(capsule)[1], 3) + stretched }));
    this.microscope?.draw();
  }
}
