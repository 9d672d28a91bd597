// What the Inside page reckons with: colour scales, the numbers behind a map, and squares of the image.

/** @typedef {[number, number]} Ends least and greatest of a colour scale */
/** @typedef {{ forColour: number[], againstColour: number[] }} Colours */

const NEAREST = 1e-6; // the ends of a scale: of equal values none has a colour

/**
 * The ends of what is shown, by the scope that is chosen: of one map alone, of its layer, or of all.
 * @param {string} scope
 * @param {Ends} layer
 * @param {Ends} all
 * @param {() => Ends} own
 */
export function endsOf(scope, layer, all, own) {
  return scope === "map" ? own() : scope === "all" ? all : layer;
}

/**
 * The least and the greatest.
 * @param {ArrayLike<number>} values
 * @returns {Ends}
 */
export function reach(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    low = Math.min(low, values[at]);
    high = Math.max(high, values[at]);
  }
  return [low, high];
}

/**
 * The same, even on both sides of 0.
 * @param {ArrayLike<number>} values
 * @returns {Ends}
 */
export function evenReach(values) {
  const most = Math.max(...reach(values).map(Math.abs));
  return [-most, most];
}

/**
 * Where a value lies on a scale: from its middle, 0, to -1 and 1 if its ends lie on both sides; else from 0 to 1.
 * @param {number} value
 * @param {Ends} ends
 */
export function shade(value, [low, high]) {
  const part = low < 0 ? value / Math.max(high, -low, NEAREST) : (value - low) / Math.max(high - low, NEAREST);
  return Math.max(low < 0 ? -1 : 0, Math.min(1, part));
}

/**
 * Where a length that squash has brought near to 1 lies on a scale of -log(1 - |u|): differences near 1 are seen too.
 * @param {number} length
 * @param {Ends} ends lengths
 */
export function lengthShade(length, ends) {
  const stretched = /** @param {number} value */ (value) => -Math.log(Math.max(1 - value, NEAREST));
  return shade(stretched(length), [stretched(ends[0]), stretched(ends[1])]);
}

/**
 * Pixels of values on black, four bytes each.
 * @param {ArrayLike<number>} values
 * @param {Ends} ends
 * @param {Colours} colours
 * @param {Uint8ClampedArray} pixels
 * @param {number} [first] of the pixels that are written
 */
export function paintShades(values, ends, { forColour, againstColour }, pixels, first = 0) {
  for (let at = 0; at < values.length; at++) {
    const part = shade(values[at], ends);
    const colour = part < 0 ? againstColour : forColour;
    for (let c = 0; c < 3; c++) pixels[4 * (first + at) + c] = colour[c] * Math.abs(part);
    pixels[4 * (first + at) + 3] = 255;
  }
}

/**
 * Of values in pieces of so many each, the piece whose sum is largest; the first of several.
 * @param {ArrayLike<number>} values
 * @param {number} each
 */
export function busiest(values, each) {
  let [best, most] = [0, -Infinity];
  for (let piece = 0; piece < values.length / each; piece++) {
    let sum = 0;
    for (let at = piece * each; at < (piece + 1) * each; at++) sum += values[at];
    if (sum > most) [best, most] = [piece, sum];
  }
  return best;
}

/**
 * Where the greatest value is; the first of several.
 * @param {ArrayLike<number>} values
 */
export function highest(values) {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at] > values[best]) best = at;
  return best;
}

/**
 * The sum of the products of a kernel's weights with the pixels that it lies on.
 * @param {ArrayLike<number>} image
 * @param {number} size of the image
 * @param {ArrayLike<number>} kernel
 * @param {number} row of its first pixel
 * @param {number} column
 */
export function products(image, size, kernel, row, column) {
  const side = Math.sqrt(kernel.length);
  let sum = 0;
  for (let at = 0; at < kernel.length; at++) sum += kernel[at] * image[(row + Math.floor(at / side)) * size + column + (at % side)];
  return sum;
}

/**
 * The part of an image in whose cells places stand, each in the middle of what it sees: [beginning, side] as parts of the image.
 * @param {number} size of the image
 * @param {number} field that a place sees, in pixels
 * @param {number} stride from one to the next
 * @param {number} places along a side
 * @returns {[number, number]}
 */
export function cellsOver(size, field, stride, places) {
  return [(field - stride) / 2 / size, (places * stride) / size];
}

/**
 * Into how many columns so many cells go: as many as fill all rows, where there is such a number near to the square root.
 * @param {number} count
 * @param {number} [ratio] how many more columns than rows there should be
 */
export function columnsFor(count, ratio = 1) {
  const fewest = Math.ceil(Math.sqrt(ratio * count));
  for (let columns = fewest; columns <= 2 * fewest; columns++) if (count % columns === 0) return columns;
  return fewest;
}
