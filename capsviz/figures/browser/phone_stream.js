// Hearing of what changes in the class: one connection that the server writes to, and where something on the way holds
// back what it writes, a question from time to time.

import { ask, headers, pause, sleep } from "./phone_post.js";

const SILENCE = 25000; // milliseconds without a sign after which the connection is taken for dead
const FIRST = 8000; // within which the first message comes, if nothing holds it back
const EVERY = 4000; // from one question to the next

/**
 * The messages in what has come of a stream, and what is left of it.
 * @param {string} text
 * @returns {[any[], string]}
 */
export function messages(text) {
  const parts = text.split("\n\n");
  const rest = parts.pop() || "";
  const found = parts.filter((part) => part.startsWith("data: ")).map((part) => JSON.parse(part.slice(6)));
  return [found, rest];
}

export class Listener {
  /**
   * @param {(kind: "stream" | "state") => string} address of what is listened to, or asked
   * @param {string} token
   * @param {(told: any) => void} told
   * @param {(there: boolean) => void} connected
   * @param {(status: number) => void} refused
   */
  constructor(address, token, told, connected, refused) {
    this.address = address;
    this.token = token;
    this.told = told;
    this.connected = connected;
    this.refused = refused;
    this.ended = false;
    this.asking = false;
    /** @type {AbortController | null} */
    this.away = null;
    /** @type {{ over: Promise<void>, end: () => void } | null} */
    this.waiting = null;
    this.run();
  }

  async run() {
    for (let failures = 0; !this.ended; ) {
      const heard = this.asking ? await this.poll() : await this.listen();
      if (this.ended) return;
      failures = heard ? 0 : failures + 1;
      if (!heard) this.connected(false);
      this.waiting = sleep(heard ? (this.asking ? EVERY : 300) : pause(failures));
      await this.waiting.over;
    }
  }

  /** Whether anything came. */
  async listen() {
    const away = (this.away = new AbortController());
    let heard = false;
    let timer = setTimeout(() => away.abort(), FIRST);
    try {
      const reply = await fetch(this.address("stream"), { headers: headers(this.token), signal: away.signal, cache: "no-store" });
      if (!this.fine(reply.status) || !reply.body) return false;
      const reader = reply.body.getReader();
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return heard;
        clearTimeout(timer);
        timer = setTimeout(() => away.abort(), SILENCE);
        const [found, rest] = messages(text + decoder.decode(value, { stream: true }));
        text = rest;
        heard = true;
        this.connected(true);
        for (const message of found) this.told(message);
      }
    } catch {
      // The server answers, but nothing comes of what it writes: so it is asked.
      if (!heard && !this.ended && (await this.poll())) this.asking = true;
      return heard || this.asking;
    } finally {
      clearTimeout(timer);
    }
  }

  async poll() {
    const reply = await ask(this.address("state"), { token: this.token });
    if (reply === null || !this.fine(reply.status)) return false;
    this.connected(true);
    this.told(reply.value);
    return true;
  }

  /** @param {number} status */
  fine(status) {
    if (status === 403 || status === 410) {
      this.end();
      this.refused(status);
    }
    return status === 200;
  }

  /** Try again now. */
  hurry() {
    if (this.waiting) this.waiting.end();
  }

  end() {
    this.ended = true;
    if (this.away) this.away.abort();
    this.hurry();
  }
}
