// What can be taken along of a view, beside what the server knows of it: asked when a file is, told by the view.

const TAKING = "capsviz-taking";

/**
 * @typedef {Record<string, any>} Told of each thing what it is now, {page: {digit, pose}, ...}; as "files" those that the
 *   view has itself
 * @typedef {{ name: string, file: string, problem: string, make: () => Promise<Blob> }} File its button, its name, and what
 *   is said if it does not come
 */

/**
 * What the views that stand on the page tell.
 * @returns {Told}
 */
export function toldNow() {
  const detail = {};
  window.dispatchEvent(new CustomEvent(TAKING, { detail }));
  return detail;
}

/**
 * A view tells, from now on.
 * @param {() => Told} tell
 * @returns {() => void} ends it
 */
export function tells(tell) {
  const listen = (event) => Object.assign(event.detail, tell());
  window.addEventListener(TAKING, listen);
  return () => window.removeEventListener(TAKING, listen);
}
