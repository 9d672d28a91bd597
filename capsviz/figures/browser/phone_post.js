// Asking the server over a bad network: what is sent is kept until it is answered, and sent again with growing pauses.
// It carries a mark of its own, by which the server knows it again, so nothing arrives twice.

const PATIENCE = 20000; // milliseconds for an answer
const FIRST = 1000; // milliseconds: the pause after a first failure
const LONGEST = 20000;

/** What the server answered, or null where none was reached. @typedef {{ status: number, value: any } | null} Reply */

/**
 * Ask the server once.
 * @param {string} path
 * @param {{ token?: string, body?: any }} [options] a body is sent by POST
 * @returns {Promise<Reply>}
 */
export async function ask(path, { token, body } = {}) {
  const away = new AbortController();
  const timer = setTimeout(() => away.abort(), PATIENCE);
  try {
    const reply = await fetch(path, { method: body ? "POST" : "GET", headers: headers(token, body), body: body && JSON.stringify(body), signal: away.signal, cache: "no-store" });
    return { status: reply.status, value: await reply.json() };
  } catch {
    return null; // no network, or an answer of somebody else on the way
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} [token]
 * @param {any} [body]
 */
export function headers(token, body) {
  /** @type {Record<string, string>} */
  const found = { "Accept-Language": document.documentElement.lang };
  if (token) found.Authorization = `Bearer ${token}`;
  if (body) found["Content-Type"] = "application/json";
  return found;
}

/**
 * Milliseconds until the next attempt: twice as long after each failure, never all phones at once.
 * @param {number} failures 1 or more
 * @param {number} [chance] 0 to 1
 */
export function pause(failures, chance = Math.random()) {
  return Math.min(LONGEST, FIRST * 2 ** (failures - 1)) * (0.75 + chance / 2);
}

/**
 * Whether the same may be granted later.
 * @param {Reply} reply
 */
export function passing(reply) {
  return reply === null || reply.status === 409 || reply.status === 429 || reply.status >= 500;
}

/** A random name for a drawing. */
export function newMark() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// One thing at a time that has to reach the server.
export class Outbox {
  /**
   * @param {(item: any) => Promise<Reply>} post
   * @param {(reply: Reply) => void} failed told of each attempt that did not get through
   * @param {(milliseconds: number) => { over: Promise<void>, end: () => void }} [wait]
   */
  constructor(post, failed, wait = sleep) {
    this.post = post;
    this.failed = failed;
    this.wait = wait;
    this.current = 0;
    /** @type {{ over: Promise<void>, end: () => void } | null} */
    this.waiting = null;
  }

  /**
   * What the server answers in the end; null if something else has been sent meanwhile, or it was taken back.
   * @param {any} item
   * @returns {Promise<Reply>}
   */
  async send(item) {
    const own = ++this.current;
    this.hurry();
    for (let failures = 1; ; failures++) {
      const reply = await this.post(item);
      if (own !== this.current) return null;
      if (!passing(reply)) return reply;
      this.failed(reply);
      const asked = 1000 * Number((reply && reply.value && reply.value.retry) || 0);
      this.waiting = this.wait(Math.max(asked, pause(failures)));
      await this.waiting.over;
      if (own !== this.current) return null;
    }
  }

  /** Try again now: the network is back, or the page is looked at again. */
  hurry() {
    if (this.waiting) this.waiting.end();
  }

  takeBack() {
    this.current++;
    this.hurry();
  }
}

/** @param {number} milliseconds */
export function sleep(milliseconds) {
  let end = () => {};
  const over = new Promise((/** @type {(value: void) => void} */ done) => {
    const timer = setTimeout(done, milliseconds);
    end = () => {
      clearTimeout(timer);
      done();
    };
  });
  return { over, end };
}
