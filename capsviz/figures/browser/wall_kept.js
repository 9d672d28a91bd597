// The classes that this browser presents: their secrets, on which the presenter's rights hang, and which one this tab shows.

const ALL = "capsviz.presents"; // in the browser's storage
const HERE = "capsviz.presents.here"; // in the tab's
const MOST = 20;
const FRAGMENT = "presents="; // of the link by which a class is run from another machine: no server is sent it
const SECRET = /^[\w-]{20,100}$/;
const CODE = /^[A-Z0-9]{4,8}$/;

/** @typedef {{ code: string, secret: string, opened?: number, ends?: number, link?: string }} Kept */

/**
 * What was kept, as far as it is that.
 * @param {string | null} text
 * @returns {Kept[]}
 */
export function parseKept(text) {
  try {
    const found = JSON.parse(text ?? "[]");
    if (!Array.isArray(found)) return [];
    return found.filter((one) => SECRET.test(one?.secret) && CODE.test(one?.code)).slice(0, MOST);
  } catch {
    return [];
  }
}

/**
 * The secret in the fragment of a presenter's link; "" without.
 * @param {string} hash
 */
export function secretOf(hash) {
  const text = hash.replace(/^#/, "");
  const found = text.startsWith(FRAGMENT) ? text.slice(FRAGMENT.length) : "";
  return SECRET.test(found) ? found : "";
}

/**
 * By which a class is run from another machine.
 * @param {string} page address of this page, as that machine finds it
 * @param {string} secret
 */
export function presenterLink(page, secret) {
  return `${page.split(/[?#]/)[0]}#${FRAGMENT}${secret}`;
}

// A browser may forbid storage: then a class lasts as long as the page.
export class Presented {
  /**
   * @param {() => Storage} [local]
   * @param {() => Storage} [tab]
   */
  constructor(local = () => window.localStorage, tab = () => window.sessionStorage) {
    this.local = local;
    this.tab = tab;
    /** @type {Kept[]} */
    this.own = []; // where nothing can be kept
  }

  /** The last one first. */
  all() {
    return this.try(() => parseKept(this.local().getItem(ALL))) ?? this.own;
  }

  /** The one that this tab shows: the last one, unless another was chosen. */
  here() {
    const code = this.try(() => this.tab().getItem(HERE));
    if (code === "") return null; // none was chosen
    const all = this.all();
    return all.find((one) => one.code === code) ?? all[0] ?? null;
  }

  /** @param {Kept} one */
  keep(one) {
    const before = this.all().find(({ code }) => code === one.code);
    this.write([{ ...before, ...one }, ...this.all().filter(({ code }) => code !== one.code)].slice(0, MOST));
  }

  /** @param {string} code of the class that this tab shows from now on; "" for none */
  show(code) {
    this.try(() => this.tab().setItem(HERE, code));
  }

  /** @param {string} gone secret of a class that is over */
  forget(gone) {
    this.write(this.all().filter(({ secret }) => secret !== gone));
  }

  /** @param {Kept[]} all */
  write(all) {
    this.own = all;
    this.try(() => this.local().setItem(ALL, JSON.stringify(all)));
  }

  /**
   * @template T
   * @param {() => T} act
   * @returns {T | null}
   */
  try(act) {
    try {
      return act();
    } catch {
      return null;
    }
  }
}
