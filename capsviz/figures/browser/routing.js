// The sums of Procedure 1 over what figures/routing.py packed.
//
// Arrays over capsules and digits are flat, index i * J + j, as NumPy lays out [I, J].

// û = W u (Eq. 2), [I * J * D], from W [I, J, D, K] and u [I, K].
function predictions(W, u, I) {
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

// Vectors [count, J, D] on the two axes [J, 2, D] of each digit: [J * count * 2].
function projected(vectors, axes, J) {
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

// b [R + 1], c [R], agreement [R] and share [R], each a Float32Array [I * J], from û and v (Eq. 2, 3 and
// Procedure 1, line 7). b[R] is what the last agreement would have made of the logits.
function deriveRouting({ primary: I, digits: J, iterations: R, arrays: { u_hat: uHat, v, s } }) {
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

// What each scale shows, as figures/routing.py's scale_values: 0 is the neutral middle.
function scaleValues(payload, routing, scale, r, level) {
  const J = payload.digits;
  const gather = (values) => gathered(values, payload, level, scale === "share");
  if (scale === "share") return r < 0 ? new Float32Array(gather(routing.share[0]).length) : gather(routing.share[r]);
  const now = gather(routing.c[Math.max(r, 0)]);
  if (scale === "last") {
    const before = gather(routing.c[Math.max(r - 1, 0)]);
    return now.map((value, at) => value - before[at]);
  }
  return now.map(scale === "c" ? (value) => Math.log2(Math.max(value * J, 1.2e-38)) : (value) => value - 1 / J);
}

// How far each side of a scale can be reached: colours are even on both sides of the middle, but c ends at 0 and 1.
function scaleReach(scale, limit, J) {
  const most = { c: [Infinity, Math.log2(J)], uniform: [1 / J, 1 - 1 / J] }[scale] ?? [Infinity, Infinity];
  return most.map((end) => Math.min(limit, end));
}

// [I * J] as it is, or the mean (sum, for shares) over all types at a place [36 * J], over all places of a
// type [32 * J].
function gathered(values, { digits: J, grid, primary }, level, sum) {
  if (level === "capsule") return values;
  const places = grid * grid;
  const types = primary / places;
  const out = new Float32Array((level === "place" ? places : types) * J);
  const weight = sum ? 1 : 1 / (level === "place" ? types : places);
  for (let i = 0; i < primary; i++) {
    const to = level === "place" ? i % places : Math.floor(i / places);
    for (let j = 0; j < J; j++) out[to * J + j] += weight * values[i * J + j];
  }
  return out;
}

function capsuleAt({ grid }, i) {
  const places = grid * grid;
  const place = i % places;
  return { type: Math.floor(i / places), place, row: Math.floor(place / grid), column: place % grid };
}
