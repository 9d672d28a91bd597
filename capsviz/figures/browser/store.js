// Keeps each network's decoder in the window, where it outlasts every run of the script and every change of page.

import { Decoder } from "./decoder.js";
import { fetched } from "./fetching.js";

export default function storeDecoder({ data, setStateValue }) {
  const kept = (window.capsvizDecoder ??= {});
  const stored = () => setStateValue("stored", data.name);
  if (data.name in kept) {
    stored();
    return;
  }
  fetched(data.address).then((packed) => {
    if (!(data.name in kept)) {
      kept[data.name] = new Decoder(packed);
      window.dispatchEvent(new Event("capsviz-decoder"));
    }
    stored();
  });
}
