// Two digits in one picture, as numbers: how their drawings are mixed, and which strokes are of which.

/** @typedef {ArrayLike<number>} Grey levels 0..255 of a picture */

/**
 * How strongly each of the two is drawn: 0 is the first alone, 50 both, 100 the second alone.
 * @param {number} between
 * @returns {[number, number]}
 */
export function weightsOf(between) {
  return [Math.min(1, (100 - between) / 50), Math.min(1, between / 50)];
}

/**
 * The colours of pictures, added: red, green, blue and 255 of each pixel.
 * @param {Uint8ClampedArray} pixels into which it is written
 * @param {{ picture: Grey, colour: number[], weight: number }[]} layers each as strong as its weight, or 255 times that if its
 *   levels go to 1
 */
export function mix(pixels, layers) {
  for (let p = 0; 4 * p < pixels.length; p++) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (const { picture, colour, weight } of layers) sum += (weight * picture[p] * colour[channel]) / 255;
      pixels[4 * p + channel] = sum; // clamped, and rounded
    }
    pixels[4 * p + 3] = 255;
  }
}

/**
 * The same on a canvas of as many pixels.
 * @param {HTMLCanvasElement & { pixels?: ImageData }} canvas
 * @param {{ picture: Grey, colour: number[], weight: number }[]} layers
 */
export function putColours(canvas, layers) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = (canvas.pixels ??= context.createImageData(canvas.width, canvas.height));
  mix(pixels.data, layers);
  context.putImageData(pixels, 0, 0);
}

/**
 * Red, green and blue of "#rrggbb".
 * @param {string} colour
 */
export function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/**
 * Squared error of pixels in 0..1, summed.
 * @param {Grey} one
 * @param {Grey} other
 */
export function squaredError(one, other) {
  let sum = 0;
  for (let p = 0; p < one.length; p++) sum += ((one[p] - other[p]) / 255) ** 2;
  return sum;
}

/**
 * The ink of a picture, in white pixels.
 * @param {Grey} picture
 */
export function inkOf(picture) {
  return Array.from(picture).reduce((sum, level) => sum + level, 0) / 255;
}

/**
 * The lightest of the chosen pictures at each pixel; null if none is chosen.
 * @param {Grey[]} pictures
 * @param {(at: number) => boolean} chosen
 */
export function together(pictures, chosen) {
  const some = pictures.filter((_, at) => chosen(at));
  if (!some.length) return null;
  return Uint8Array.from(some[0], (_, p) => Math.max(...some.map((picture) => picture[p])));
}

/**
 * Whether two drawings are the more like two pictures when they change places.
 * @param {Grey[]} drawings both
 * @param {Grey[]} pictures both
 */
export function crossed([a, b], [first, second]) {
  const straight = squaredError(a, first) + squaredError(b, second);
  return squaredError(a, second) + squaredError(b, first) < straight;
}

/**
 * Which parts of a drawing are of the second digit, where nobody has said so: bits, the lowest the first part's.
 * @param {{ count: number, below: boolean, pause: number | null }} drawing how many parts, whether the first lies below the
 *   strokes, and how many strokes came before a pause
 */
export function usualSecond({ count, below, pause }) {
  const every = 2 ** count - 1;
  if (below) return every - 1; // what was drawn on it
  if (pause !== null) return every - (2 ** Math.min(pause, count) - 1);
  return count === 2 ? 2 : 0;
}

/**
 * The same after strokes have been added, where somebody had said which are which: new ones are of the last one's digit.
 * @param {number} second
 * @param {number} before so many parts
 * @param {number} count so many now
 */
export function extended(second, before, count) {
  let bits = second & (2 ** before - 1);
  for (let at = before; at < count; at++) if (second & (2 ** (before - 1))) bits |= 2 ** at;
  return bits;
}
