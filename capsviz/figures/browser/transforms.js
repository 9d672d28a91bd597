// Keeps the matrices W in the window, where they outlast every run of the script and every change of page.

import { unpack } from "./packing.js";

export default function storeTransforms({ data, setStateValue }) {
  const { name, arrays } = unpack(data);
  window.capsvizTransforms = { name, W: arrays.W };
  setStateValue("stored", name);
}
