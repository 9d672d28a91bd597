// The decoder of a network, in the browser: the J * D masked pose components to the S * S pixels.

/**
 * @typedef {object} Packed what figures/pose.py sends of a decoder
 * @property {string} name of the weights
 * @property {number} layers
 * @property {Record<string, Float32Array>} arrays "weight0" [in, out], "bias0" [out], "weight1", ...
 */

export class Decoder {
  /** @param {Packed} packed */
  constructor({ name, layers, arrays }) {
    this.name = name;
    this.layers = Array.from({ length: layers }, (_, index) => ({
      weight: arrays[`weight${index}`],
      bias: arrays[`bias${index}`],
      output: new Float32Array(arrays[`bias${index}`].length),
    }));
  }

  /**
   * Pixels in 0..1 of inputs [J * D]; the array is used again by the next call.
   * @param {ArrayLike<number>} inputs
   */
  decode(inputs) {
    let values = inputs;
    for (const { weight, bias, output } of this.layers) {
      const width = output.length;
      output.set(bias);
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value === 0) continue;
        for (let o = 0, w = i * width; o < width; o++, w++) output[o] += weight[w] * value;
      }
      const last = output === this.layers.at(-1).output;
      for (let o = 0; o < width; o++) {
        if (last) output[o] = 1 / (1 + Math.exp(-output[o]));
        else if (output[o] < 0) output[o] = 0;
      }
      values = output;
    }
    return values;
  }
}
