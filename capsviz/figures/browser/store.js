// Keeps the decoder in the window, where it outlasts every run of the script and every change of page.

export default function storeDecoder({ data, setStateValue }) {
  const payload = unpack(data);
  if (window.capsvizDecoder?.name !== payload.name) {
    window.capsvizDecoder = new Decoder(payload);
    window.dispatchEvent(new Event("capsviz-decoder"));
  }
  setStateValue("stored", payload.name);
}
