// Keeps each network's decoder in the window, where it outlasts every run of the script and every change of page.

import { Decoder } from "./decoder.js";
import { unpack } from "./packing.js";

export default function storeDecoder({ data, setStateValue }) {
  const packed = unpack(data);
  const kept = (window.capsvizDecoder ??= {});
  if (!(packed.name in kept)) {
    kept[packed.name] = new Decoder(packed);
    window.dispatchEvent(new Event("capsviz-decoder"));
  }
  setStateValue("stored", packed.name);
}
