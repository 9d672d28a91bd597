// A finger on a slider or a plot may be on its way down the page: it moves what it touches once it has gone sideways, or by a
// tap. Browsers move a slider at the first touch, and scroll all the same. The sheets leave panning up and down to them.

const SLOP = 6; // pixels that a finger moves before it tells whether it slides or scrolls

/**
 * Whether a finger slides; null while it has not told.
 * @param {{ x: number, y: number }} from where it touched
 * @param {{ clientX: number, clientY: number }} at where it is
 */
export function sideways({ x, y }, { clientX, clientY }) {
  const [across, down] = [Math.abs(clientX - x), Math.abs(clientY - y)];
  return Math.max(across, down) < SLOP ? null : across > down;
}

const touching = (event) => event.pointerType === "touch";

const steadied = new WeakSet();

/**
 * Keep the native sliders below a node from a finger that scrolls.
 * @param {HTMLElement} root
 */
export function steady(root) {
  if (steadied.has(root)) return;
  steadied.add(root);
  /** @type {{ input: HTMLInputElement, x: number, y: number, from: string, to: string, slides: boolean | null } | null} */
  let finger = null;
  const on = (name, act) => root.addEventListener(name, act, true); // before the slider hears of it
  on("pointerdown", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const held = touching(event) && input.matches('input[type="range"]');
    finger = held ? { input, x: event.clientX, y: event.clientY, from: input.value, to: input.value, slides: null } : null;
  });
  on("pointermove", (event) => {
    if (finger?.slides === null) finger.slides = sideways(finger, event);
  });
  for (const name of ["input", "change"]) {
    on(name, (event) => {
      if (!finger || finger.slides || event.target !== finger.input) return;
      if (name === "input") finger.to = finger.input.value;
      finger.input.value = finger.from;
      event.stopPropagation();
    });
  }
  /** @param {string} value at which the finger leaves it */
  const leave = (value) => {
    const { input } = finger;
    finger.slides = true;
    input.value = value;
    for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
  };
  on("pointerup", () => {
    if (finger?.slides === null && finger.to !== finger.from) leave(finger.to); // a tap
    else if (finger?.slides) finger = null;
  });
  on("pointercancel", () => {
    if (!finger) return;
    if (finger.slides) leave(finger.from);
    finger.slides = false; // what the browser still sends of this touch is not heard
  });
  for (const name of ["pointerup", "pointercancel"]) {
    on(name, () => {
      const over = finger;
      setTimeout(() => finger === over && (finger = null));
    });
  }
}

/**
 * Have a place along a plot follow the mouse that is held down on it, or a finger that goes sideways or taps.
 * @param {HTMLElement} node
 * @param {object} plot
 * @param {(event: PointerEvent) => number} plot.at the place under the pointer
 * @param {() => number} plot.now the place that is now
 * @param {(place: number) => void} plot.go
 * @param {() => void} [plot.end] it is let go
 * @param {(place: number, event: PointerEvent) => void} plot.over the mouse is over a place
 * @param {() => void} plot.out and no longer
 */
export function followed(node, { at, now, go, end = () => {}, over, out }) {
  /** @type {{ x: number, y: number, from: number, slides: boolean | null } | null} */
  let finger = null;
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    out();
    finger = touching(event) ? { x: event.clientX, y: event.clientY, from: now(), slides: null } : null;
    if (!finger) go(at(event));
  });
  node.addEventListener("pointermove", (event) => {
    if (finger?.slides === null) finger.slides = sideways(finger, event);
    if (finger?.slides || (!finger && event.buttons)) go(at(event));
    else if (!finger) over(at(event), event);
  });
  node.addEventListener("pointerup", (event) => {
    const { slides } = finger ?? { slides: true };
    finger = null;
    if (slides === null) go(at(event));
    if (slides !== false) end();
  });
  node.addEventListener("pointercancel", () => {
    if (finger?.slides) {
      go(finger.from);
      end();
    }
    finger = null;
    out();
  });
  node.addEventListener("pointerleave", out);
}
