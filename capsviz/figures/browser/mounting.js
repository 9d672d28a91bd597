// How a view comes into its element: Streamlit calls a component's script at each of its runs, with new data or the same.

import { steady } from "./fingers.js";
import { speak } from "./texts.js";

/**
 * What a component's script does then: the view that is there shows the data, or a new one where that was built for another.
 * @template {{ load: (data: any) => void, unmount: () => void, element?: Element, report?: any }} View
 * @param {(root: HTMLElement, data: any, report: any) => View} make
 * @param {(data: any) => string} builtFor tells apart what needs views of their own; they are at least of one language each
 */
export function mounting(make, builtFor = (data) => data.texts.language) {
  /** @type {WeakMap<HTMLElement, { view: View, built: string }>} */
  const mounted = new WeakMap();
  /** @param {HTMLElement} root */
  const leave = (root) => {
    const left = mounted.get(root)?.view;
    left?.unmount();
    left?.element?.remove();
    mounted.delete(root);
  };
  /**
   * @param {HTMLElement} root
   * @param {any} data
   * @param {any} [report] tells Python; another function at each run
   */
  return (root, data, report) => {
    speak(data.texts);
    steady(root);
    const built = builtFor(data);
    if (mounted.get(root)?.built !== built) {
      leave(root);
      mounted.set(root, { view: make(root, data, report), built });
    }
    const { view } = mounted.get(root);
    view.report = report;
    view.load(data);
    return () => leave(root);
  };
}
