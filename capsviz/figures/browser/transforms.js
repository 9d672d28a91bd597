// Keeps the matrices W in the window, where they outlast every run of the script and every change of page.

import { fetched } from "./fetching.js";

export default function storeTransforms({ data, setStateValue }) {
  fetched(data.address).then(({ name, arrays }) => {
    window.capsvizTransforms = { name, W: arrays.W };
    setStateValue("stored", name);
  });
}
