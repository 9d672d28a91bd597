// What figures/packing.py packed, unpacked.

const KINDS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, float16: Uint16Array };

/**
 * The header, with its arrays; half precision is widened.
 * @param {Uint8Array} bytes
 * @returns {any}
 */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength)));
  /** @type {Record<string, Float32Array | Int32Array | Uint8Array>} */
  const arrays = {};
  for (const [name, { type, shape, offset }] of Object.entries(header.arrays)) {
    const Kind = KINDS[type];
    const length = shape.reduce((product, size) => product * size, 1);
    const begin = 4 + headerLength + offset;
    // A copy: where the bytes begin, a view of 4-byte numbers need not be allowed.
    const array = new Kind(bytes.slice(begin, begin + length * Kind.BYTES_PER_ELEMENT).buffer);
    arrays[name] = type === "float16" ? widened(array) : array;
  }
  return { ...header, arrays };
}

/**
 * The 65,536 half-precision numbers there are, looked up: exact, and needs no Float16Array.
 * @param {Uint16Array} halves
 */
export function widened(halves) {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction ? NaN : sign * Infinity;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return Float32Array.from(halves, (bits) => table[bits]);
}
