// The first layer: all kernels and the maps that they make of the drawing, and one of them large.

import { drawInk, element, fixed, inkCanvas, paper, setText, signedText } from "./drawing.js";
import { Atlas, OVER } from "./inside_atlas.js";
import { busiest, cellsOver, columnsFor, endsOf, evenReach, highest, paintShades, products, reach, shade } from "./insides.js";
import { number, say } from "./texts.js";

/** @typedef {{ scope?: string, sheet: HTMLCanvasElement, width: number, height: number }} Tiles pictures below each other, a pixel for each number */

export class FirstLayer {
  count = 1; // kernels, and maps
  side = 1; // of a kernel
  area = 1; // of a map, its numbers
  width = 1; // of a map
  weight = 0; // the one of the chosen kernel that is read out
  /** @type {number | null} where the chosen map is looked at; null where it is highest */
  place = null;
  of = 0; // the map that this is a place of
  /** @type {any} */
  payload = null;
  weights = new Float32Array();
  /** @type {Float32Array | null} the maps; null without a drawing */
  features = null;
  /** @type {Tiles | null} */
  kernelTiles = null;
  /** @type {Tiles | null} */
  mapTiles = null;

  /** @param {any} view the page */
  constructor(view) {
    this.view = view;
    const tell = (text, event) => view.tell(text, event);
    const map = (index) => view.choose({ map: index });
    const place = (index) => this.go(index);
    this.kernels = new Atlas({ name: "kernels", choose: map, tell, describe: (index) => this.kernelWords(index), paint: (context, index, ...box) => this.paintTile(this.kernelTiles, context, index, box) });
    this.maps = new Atlas({ name: "maps", choose: map, tell, describe: (index) => this.mapWords(index), paint: (context, index, ...box) => this.paintTile(this.mapTiles, context, index, box) });
    this.kernel = new Atlas({ name: "kernel", choose: (index) => this.weigh(index), tell, describe: (index) => this.weightWords(index), under: (context, width, height) => this.paintTile(this.kernelTiles, context, view.map, [0, 0, width, height]) });
    this.map = new Atlas({ name: "map", choose: place, tell, describe: (index) => this.placeWords(index), under: (context, width, height) => this.paintTile(this.mapTiles, context, view.map, [0, 0, width, height]) });
    this.fires = new Atlas({ name: "fires", choose: place, tell, describe: (index) => this.placeWords(index), under: (context, width) => this.drawFires(context, width) });
    this.number = element("input", { type: "number", min: 0, step: 1, "data-testid": "map-number", onchange: () => this.typed() });
    this.most = element("button", { type: "button", "data-testid": "busiest", onclick: () => this.features && map(busiest(this.features, this.area)) }, say("inside.busiest"));
    this.reckoned = element("p", { class: "look", "data-testid": "reckoned" });
    this.title = element("h2");
    const { kernels, maps, kernel, map: large, fires } = this;
    this.element = element(
      "section",
      { class: "inside-first" },
      this.title,
      element("div", { class: "inside-tools" }, element("label", {}, `${say("inside.map")} `, this.number), this.most, view.scopes),
      element(
        "div",
        { class: "inside-first-body" },
        element("div", {}, kernels.element, kernel.element),
        element("div", {}, maps.element, large.element),
        element("div", {}, fires.element, this.reckoned),
      ),
    );
  }

  load(payload) {
    const { arrays, size, stride } = payload;
    const count = arrays.biases.length;
    const side = Math.sqrt(arrays.kernels.length / count);
    Object.assign(this, { payload, count, side, weights: arrays.kernels, features: arrays.features ?? null, weight: Math.min(this.weight, side ** 2 - 1) });
    setText(this.title, say("inside.first", { count, side }));
    this.number.max = String(count - 1);
    const columns = columnsFor(count);
    const drawn = Boolean(this.features);
    this.kernels.lay({ label: say("inside.kernelsLabel", { count }), count, columns });
    this.kernel.lay({ label: say("inside.kernelLabel"), count: side ** 2, columns: side });
    for (const { element: node } of [this.maps, this.map, this.fires]) node.hidden = !drawn;
    this.reckoned.hidden = this.most.hidden = !drawn;
    this.element.classList.toggle("empty", !drawn);
    this.kernelTiles = this.mapTiles = this.place = null;
    if (!this.features) return;
    this.area = this.features.length / count;
    this.width = Math.floor((size - side) / stride) + 1; // of a map
    this.image = inkCanvas(arrays.image, size, 0.5);
    this.maps.lay({ label: say("inside.mapsLabel", { count }), count, columns });
    this.map.lay({ label: say("inside.mapLabel"), count: this.area, columns: this.width });
    const [begin, part] = cellsOver(size, side, stride, this.width);
    this.fires.lay({ label: say("inside.firesLabel"), count: this.area, columns: this.width, area: [begin, begin, part, part] });
  }

  typed() {
    const wanted = Math.round(Number(this.number.value));
    this.view.choose({ map: Math.max(0, Math.min(this.count - 1, wanted || 0)) });
  }

  // Where the chosen map is looked at: as chosen, else where it is highest.
  get spot() {
    const at = this.place ?? highest(this.mapOf(this.view.map));
    return { at, row: Math.floor(at / this.width), column: at % this.width };
  }

  go(place) {
    this.place = place;
    this.view.invalidate();
  }

  weigh(index) {
    this.weight = index;
    this.view.invalidate();
  }

  // Of one kernel, of one map.
  kernelOf(index) {
    return this.weights.subarray(index * this.side ** 2, (index + 1) * this.side ** 2);
  }

  mapOf(index) {
    return /** @type {Float32Array} */ (this.features).subarray(index * this.area, (index + 1) * this.area);
  }

  // Where the colours of one end.
  kernelEnds(index) {
    const { kernels } = this.payload.limits;
    return endsOf(this.view.scope, kernels, kernels, () => evenReach(this.kernelOf(index)));
  }

  mapEnds(index) {
    const { maps, all } = this.payload.limits;
    return endsOf(this.view.scope, maps, all, () => reach(this.mapOf(index)));
  }

  // Words.

  kernelWords(index) {
    return say("inside.kernelIs", { index, bias: signedText(this.payload.arrays.biases[index], 3), most: fixed(evenReach(this.kernelOf(index))[1], 3) });
  }

  mapWords(index) {
    const values = this.mapOf(index);
    const active = values.reduce((sum, value) => sum + Number(value > 0), 0);
    return say("inside.mapIs", { index, most: fixed(reach(values)[1], 3), active, count: values.length });
  }

  weightWords(index) {
    const [row, column] = [Math.floor(index / this.side), index % this.side];
    return say("inside.weightIs", { row, column, value: signedText(this.kernelOf(this.view.map)[index], 4) });
  }

  placeWords(index) {
    const [row, column] = [Math.floor(index / this.width), index % this.width];
    return say("inside.placeIs", { row, column, value: fixed(this.mapOf(this.view.map)[index], 4) });
  }

  // Drawing.

  // Coloured anew only where the scale or the drawing is another.
  colour() {
    const { scope } = this.view;
    if (this.kernelTiles?.scope === scope) return;
    this.kernelTiles = { scope, ...this.tiles(this.side, (index) => this.kernelOf(index), (index) => this.kernelEnds(index)) };
    this.mapTiles = this.features ? this.tiles(this.width, (index) => this.mapOf(index), (index) => this.mapEnds(index)) : null;
  }

  // All pictures below each other, a pixel for each number.
  tiles(width, valuesOf, endsFor) {
    const height = valuesOf(0).length / width;
    const sheet = element("canvas", { width, height: height * this.count });
    const context = paper(sheet);
    const pixels = context.createImageData(width, height * this.count);
    for (let index = 0; index < this.count; index++) paintShades(valuesOf(index), endsFor(index), this.payload, pixels.data, index * width * height);
    context.putImageData(pixels, 0, 0);
    return { sheet, width, height };
  }

  /**
   * @param {Tiles | null} tiles
   * @param {CanvasRenderingContext2D} context
   * @param {number} index
   * @param {number[]} box
   */
  paintTile(tiles, context, index, [x, y, width, height]) {
    if (!tiles) return;
    context.imageSmoothingEnabled = width < 2 * tiles.width; // so small, a pixel would be twice as wide as the next
    context.drawImage(tiles.sheet, 0, index * tiles.height, tiles.width, tiles.height, x, y, width, height);
  }

  // The map over the drawing, each of its values in the middle of what it was made of.
  drawFires(context, width) {
    const { payload, side, view } = this;
    const pixel = width / payload.size;
    const { stride } = payload;
    drawInk(context, this.image, 0, 0, width);
    const values = this.mapOf(view.map);
    const ends = this.mapEnds(view.map);
    const first = ((side - stride) / 2) * pixel;
    context.globalAlpha = OVER;
    values.forEach((value, place) => {
      context.fillStyle = view.colours.at(shade(value, ends));
      context.fillRect(first + (place % this.width) * stride * pixel, first + Math.floor(place / this.width) * stride * pixel, stride * pixel, stride * pixel);
    });
    context.globalAlpha = 1;
    const { row, column } = this.spot;
    view.outline(context, column * stride * pixel, row * stride * pixel, side * pixel);
  }

  draw() {
    const { view, payload, side } = this;
    const { map } = view;
    this.colour();
    this.number.value = String(map);
    const ends = this.kernelEnds(map);
    this.kernels.draw(map, say("inside.kernelsSay", { scale: scaleText(view.scope, ends) }));
    this.kernel.draw(this.weight, say("inside.kernelSay", { index: map, scale: scaleText("", ends), weight: this.weightWords(this.weight) }));
    if (!this.features) return;
    const values = this.mapOf(map);
    if (this.place !== null && this.of !== map) this.place = null;
    this.of = map;
    const { at, row, column } = this.spot;
    const shown = scaleText("", this.mapEnds(map));
    this.maps.draw(map, say("inside.mapsSay", { scale: scaleText(view.scope, this.mapEnds(map)) }));
    this.map.draw(at, say("inside.mapSay", { index: map, width: this.width, scale: shown }));
    this.fires.draw(at, say("inside.firesSay", { index: map, row, column, side }));
    const { image, biases } = payload.arrays;
    const sum = products(image, payload.size, this.kernelOf(map), row * payload.stride, column * payload.stride);
    const said = { row, column, count: number(side ** 2), sum: signedText(sum, 4), bias: signedText(biases[map], 4), total: signedText(sum + biases[map], 4), value: fixed(values[at], 4) };
    setText(this.reckoned, say("inside.reckoned", said));
  }
}

/**
 * The ends of a scale in words; where each picture has its own, that it has.
 * @param {string} scope
 * @param {[number, number]} ends
 */
export function scaleText(scope, [low, high]) {
  return scope === "map" ? say("inside.ownScale") : say("inside.scale", { low: low < 0 ? signedText(low, 3) : fixed(low, 3), high: fixed(high, 3) });
}
