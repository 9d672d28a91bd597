// What a talk keeps in the browser, for a server or a page that begins anew.

/**
 * The drawing with which a talk began: Python says so once it has begun, and after a restart of the server no more.
 * @typedef {{ title: string, drawing: string }} Opening title: of the talk
 * @param {Opening | null} kept
 * @param {{ title: string, opening: string | null }} data
 * @returns {Opening | null}
 */
export function openingOf(kept, { title, opening }) {
  if (opening) return { title, drawing: opening };
  return title && kept?.title !== title ? null : kept; // without a title the server is not yet where the talk is
}

// A browser may forbid storage; then nothing is kept, and all else works.
export function read(/** @type {"localStorage" | "sessionStorage"} */ storage, /** @type {string} */ name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

export function write(/** @type {"localStorage" | "sessionStorage"} */ storage, /** @type {string} */ name, /** @type {string} */ text) {
  try {
    if (text) window[storage].setItem(name, text);
    else window[storage].removeItem(name);
  } catch {
    // full or forbidden
  }
}
