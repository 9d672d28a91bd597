// When the pen was set down on the pad and lifted from it: what was drawn after a pause may be something else.

const PAUSE = 1000; // milliseconds without a pen on the pad

/** @typedef {{ down: number, up: number }} Stroke when it began and ended, in milliseconds of one clock */

/**
 * How many strokes came before the first pause, of so many; null where nobody knows: they were not drawn here, or all at once.
 * @param {Stroke[]} strokes that were seen being drawn
 * @param {number} count of the drawing
 */
export function beforePause(strokes, count) {
  if (strokes.length !== count) return null;
  const first = strokes.findIndex(({ down }, at) => at > 0 && down - strokes[at - 1].up >= PAUSE);
  return first < 0 ? null : first;
}

/** Those of the drawing on the pad of this window. */
export function drawnStrokes() {
  return (window.capsvizPens ??= []);
}

/** Watches a canvas, and lets go of what is no longer on it. */
export class Pens {
  constructor() {
    this.up = () => {
      const last = drawnStrokes().at(-1);
      if (last && last.up === Infinity) last.up = performance.now();
    };
    this.down = () => drawnStrokes().push({ down: performance.now(), up: Infinity });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, this.up, true);
  }

  /** @param {Element} canvas */
  watch(canvas) {
    if (this.canvas === canvas) return;
    this.canvas?.removeEventListener("pointerdown", this.down, true);
    canvas.addEventListener("pointerdown", this.down, true);
    this.canvas = canvas;
  }

  /**
   * The pad was told to show another drawing, after undo say.
   * @param {string} tag of what it was told
   * @param {number} count of its strokes
   */
  told(tag, count) {
    if (this.tag !== undefined && this.tag !== tag) drawnStrokes().length = Math.min(drawnStrokes().length, count);
    this.tag = tag;
  }

  unmount() {
    this.canvas?.removeEventListener("pointerdown", this.down, true);
    for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, this.up, true);
  }
}
