// What the phone keeps of a class. Where nothing can be kept (a private window), it lasts as long as the page.
export class Memory {
  /**
   * @param {string} code
   * @param {Storage | null} storage
   */
  constructor(code, storage) {
    this.name = `capsviz.class.${code}`;
    this.storage = storage;
    /** @type {any} */
    this.value = {};
    try {
      this.value = JSON.parse((storage && storage.getItem(this.name)) || "{}") || {};
    } catch {
      // damaged, or forbidden: as if nothing had been kept
    }
  }

  /** @param {any} changes */
  keep(changes) {
    Object.assign(this.value, changes);
    try {
      if (this.storage) this.storage.setItem(this.name, JSON.stringify(this.value));
    } catch {
      // full, or forbidden
    }
  }

  forget() {
    this.value = {};
    try {
      if (this.storage) this.storage.removeItem(this.name);
    } catch {
      // forbidden
    }
  }
}

/** The browser's, where it has one for this page. */
export function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
