// What the views keep in the window, where it outlasts every run of the script and every change of page.

interface Window {
  capsvizTransforms?: { name: string; W: Float32Array };
  capsvizRouting?: { id?: string; search?: string; step: number | null; chosen?: object };
  [store: `capsviz${string}`]: any;
}
