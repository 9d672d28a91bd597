// The decoder of the network, in the browser: 160 masked pose components to 784 pixels.

class Decoder {
  constructor({ name, layers, arrays }) {
    this.name = name;
    this.layers = Array.from({ length: layers }, (_, index) => ({
      weight: arrays[`weight${index}`], // [in, out]
      bias: arrays[`bias${index}`],
      output: new Float32Array(arrays[`bias${index}`].length),
    }));
  }

  // Pixels in 0..1 of inputs [160]; the array is used again by the next call.
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
