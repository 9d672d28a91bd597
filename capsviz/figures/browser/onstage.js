// In presenter mode one view fills the screen: its script leaves of it what is shown, and the way there (base.css).

export const STAGE = "capsviz-stage"; // an event: another view fills the screen, or none
const MARKS = ["data-alone", "data-way", "data-view", "data-onstage"];

/** Name of the view that fills the screen; "" outside of presenter mode. */
export function onStage() {
  return /** @type {string} */ (window.capsvizStage ?? "");
}

/**
 * Have a view fill the screen; "" brings all back.
 * @param {string} name
 */
export function stage(name) {
  if (name === onStage()) return;
  window.capsvizStage = name;
  window.dispatchEvent(new Event(STAGE));
}

export class Alone {
  /** @param {(name: string) => (Element | null | undefined)[]} kept what of a view stays; nothing of another script's */
  constructor(kept) {
    this.kept = kept;
    this.shown = "";
    /** @type {(Element | null | undefined)[]} */
    this.nodes = [];
    /** @type {Element[]} */
    this.marked = [];
    this.changed = () => this.show();
    window.addEventListener(STAGE, this.changed);
  }

  show() {
    const name = onStage();
    const nodes = name ? this.kept(name).filter((node) => node?.isConnected) : [];
    if (this.shown === name && nodes.length === this.nodes.length && nodes.every((node, at) => node === this.nodes[at])) return;
    this.shown = name;
    this.nodes = nodes;
    for (const node of this.marked) MARKS.forEach((mark) => node.removeAttribute(mark));
    this.marked = [];
    for (const node of nodes) {
      this.mark(node, "data-alone");
      let top = node;
      for (let way = node.parentElement; way; way = way.parentElement) {
        this.mark(way, "data-way");
        top = way;
      }
      this.mark(top, "data-view", name);
      const root = node.getRootNode();
      if (root instanceof ShadowRoot) this.mark(root.host, "data-onstage", name);
    }
  }

  /**
   * @param {Element} node
   * @param {string} mark
   */
  mark(node, mark, value = "") {
    node.setAttribute(mark, value);
    this.marked.push(node);
  }

  unmount() {
    window.removeEventListener(STAGE, this.changed);
    this.kept = () => [];
    this.show();
  }
}
