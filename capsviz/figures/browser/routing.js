// The sums of Procedure 1 over what figures/routing.py packed.
//
// Arrays over capsules and classes are flat, index i * J + j, as NumPy lays out [I, J].

import { capital, kindWords, spelled } from "./texts.js";

/**
 * @typedef {{ primary: number, digits: number, grid: Grid }} Sizes I, J, and where the primary capsules sit
 * @typedef {{ b: Float32Array[], c: Float32Array[], agreement: Float32Array[], share: Float32Array[] }} Routing
 */

/**
 * û = W u (Eq. 2), [I * J * D], from W [I, J, D, K] and u [I, K].
 * @param {Float32Array} W
 * @param {Float32Array} u
 * @param {number} I
 */
export function predictions(W, u, I) {
  const K = u.length / I;
  const uHat = new Float32Array(W.length / K);
  const each = uHat.length / I; // J * D
  for (let i = 0; i < I; i++) {
    for (let n = i * each; n < (i + 1) * each; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += W[n * K + k] * u[i * K + k];
      uHat[n] = sum;
    }
  }
  return uHat;
}

/**
 * Vectors [count, J, D] on the two axes [J, 2, D] of each class: [J * count * 2].
 * @param {Float32Array} vectors
 * @param {Float32Array} axes
 * @param {number} J
 */
export function projected(vectors, axes, J) {
  const D = axes.length / (2 * J);
  const count = vectors.length / (J * D);
  const points = new Float32Array(2 * J * count);
  for (let j = 0; j < J; j++) {
    for (let n = 0; n < count; n++) {
      for (let axis = 0; axis < 2; axis++) {
        let sum = 0;
        for (let d = 0; d < D; d++) sum += vectors[(n * J + j) * D + d] * axes[(2 * j + axis) * D + d];
        points[2 * (j * count + n) + axis] = sum;
      }
    }
  }
  return points;
}

/**
 * b [R + 1], c [R], agreement [R] and share [R], each a Float32Array [I * J], from û and v (Eq. 2, 3 and
 * Procedure 1, line 7). b[R] is what the last agreement would have made of the logits.
 * @param {{ primary: number, digits: number, iterations: number, arrays: Record<string, Float32Array> }} payload
 * @returns {Routing}
 */
export function deriveRouting({ primary: I, digits: J, iterations: R, arrays: { u_hat: uHat, v } }) {
  const D = uHat.length / (I * J);
  const b = [new Float32Array(I * J)];
  const c = [];
  const agreement = [];
  const share = [];
  const exponentials = new Float64Array(J);
  for (let r = 0; r < R; r++) {
    const a = new Float32Array(I * J);
    const coupling = new Float32Array(I * J);
    const part = new Float32Array(I * J);
    const next = new Float32Array(I * J);
    const inverse = new Float64Array(J); // 1 / |v_j|
    for (let j = 0; j < J; j++) {
      let squared = 0;
      for (let d = 0; d < D; d++) squared += v[(r * J + j) * D + d] ** 2;
      inverse[j] = squared > 0 ? 1 / Math.sqrt(squared) : 0;
    }
    for (let i = 0; i < I; i++) {
      let highest = -Infinity;
      for (let j = 0; j < J; j++) highest = Math.max(highest, b[r][i * J + j]);
      let total = 0;
      for (let j = 0; j < J; j++) total += exponentials[j] = Math.exp(b[r][i * J + j] - highest);
      for (let j = 0; j < J; j++) {
        const at = i * J + j;
        let product = 0;
        for (let d = 0, p = at * D, q = (r * J + j) * D; d < D; d++) product += uHat[p + d] * v[q + d];
        a[at] = product;
        coupling[at] = exponentials[j] / total;
        part[at] = coupling[at] * product * inverse[j];
        next[at] = b[r][at] + product;
      }
    }
    b.push(next);
    c.push(coupling);
    agreement.push(a);
    share.push(part);
  }
  return { b, c, agreement, share };
}

/**
 * What each scale shows, as figures/routing.py's scale_values: 0 is the neutral middle.
 * @param {Sizes} sizes
 * @param {Routing} routing
 * @param {Scale} scale
 * @param {number} r iteration, -1 where there is none yet
 * @param {Level} level
 */
export function scaleValues(sizes, routing, scale, r, level) {
  const J = sizes.digits;
  const gather = (/** @type {Float32Array} */ values) => gathered(values, sizes, level, scale === "share");
  if (scale === "share") return r < 0 ? new Float32Array(gather(routing.share[0]).length) : gather(routing.share[r]);
  const now = gather(routing.c[Math.max(r, 0)]);
  if (scale === "last") {
    const before = gather(routing.c[Math.max(r - 1, 0)]);
    return now.map((value, at) => value - before[at]);
  }
  return now.map(scale === "c" ? (value) => Math.log2(Math.max(value * J, 1.2e-38)) : (value) => value - 1 / J);
}

/**
 * How far each side of a scale can be reached: colours are even on both sides of the middle, but c ends at 0 and 1.
 * @param {Scale} scale
 * @param {number} limit
 * @param {number} J
 */
export function scaleReach(scale, limit, J) {
  const most = { c: [Infinity, Math.log2(J)], uniform: [1 / J, 1 - 1 / J] }[scale] ?? [Infinity, Infinity];
  return most.map((end) => Math.min(limit, end));
}

/**
 * [I * J] as it is, or the mean (the sum, if asked for) over all types at a place [places * J], over all places of a
 * type [types * J].
 * @param {Float32Array} values
 * @param {Sizes} sizes
 * @param {Level} level
 * @param {boolean} sum
 */
export function gathered(values, { digits: J, grid, primary }, level, sum) {
  if (level === "capsule") return values;
  const places = grid.rows * grid.columns;
  const out = new Float32Array((level === "place" ? places : grid.types) * J);
  const weight = sum ? 1 : 1 / (level === "place" ? grid.types : places);
  for (let i = 0; i < primary; i++) {
    const to = level === "place" ? i % places : Math.floor(i / places);
    for (let j = 0; j < J; j++) out[to * J + j] += weight * values[i * J + j];
  }
  return out;
}

/**
 * Where a capsule sits.
 * @param {{ grid: Grid }} sizes
 * @param {number} i
 */
export function capsuleAt({ grid: { rows, columns } }, i) {
  const place = i % (rows * columns);
  return { type: Math.floor(i / (rows * columns)), place, row: Math.floor(place / columns), column: place % columns };
}

/**
 * The capsule that sits there.
 * @param {{ grid: Grid }} sizes
 * @param {number} type
 * @param {number} row
 * @param {number} column
 */
export function capsuleOf({ grid: { rows, columns } }, type, row, column) {
  return (type * rows + row) * columns + column;
}

/**
 * The part of the drawing that maps of the grid show, in its pixels: at ``origin`` the cell of the first place begins,
 * half of what lies before it is left out (``crop``) at each edge, where no field has its middle; ``side`` remains.
 * @param {{ size: number, grid: Grid }} sizes
 */
export function mapFrame({ size, grid: { field, stride } }) {
  const origin = (field - stride) / 2;
  const crop = Math.max(0, Math.round(origin / 2));
  return { crop, side: size - 2 * crop, origin };
}

/**
 * What a view is built for: of another network, or in another language, it is built anew.
 * @param {any} payload
 */
export function builtFor({ texts, size, classes, kind, grid, trained }) {
  return JSON.stringify([texts.language, size, classes, kind, grid, trained]);
}

/**
 * What texts say of a network's shape.
 * @param {{ size: number, classes: string[], kind: string, grid: Grid }} shape
 */
export function shapeWords({ classes, kind, grid }) {
  const capsules = grid.types * grid.rows * grid.columns;
  return {
    ...kindWords(kind),
    classes: spelled(classes.length),
    Classes: capital(spelled(classes.length)),
    uniform: `1/${classes.length}`,
    given: `${classes.length}/${capsules}`, // of each capsule, where the softmax goes over all of them
    capsules,
    places: grid.rows * grid.columns,
    types: grid.types,
    field: `${grid.field} × ${grid.field}`,
  };
}
