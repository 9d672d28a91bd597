// Types that several scripts use, and what the views keep in the window, where it outlasts every run of the script and
// every change of page.

/** Where the primary capsules sit, as traces/base.py's CapsuleGrid. */
type Grid = { types: number; rows: number; columns: number; field: number; stride: number };
/** What is gathered: nothing, all types at a place, all places of a type. */
type Level = "capsule" | "place" | "type";
/** As figures/routing.py's SCALES. */
type Scale = "c" | "uniform" | "last" | "share";

interface Window {
  capsvizTransforms?: { name: string; W: Float32Array };
  capsvizRouting?: { id?: string; said?: string; step: number | null; look?: { scale?: Scale; contrast?: number }; chosen?: object };
  [store: `capsviz${string}`]: any;
}
