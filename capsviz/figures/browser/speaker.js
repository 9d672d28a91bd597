// The speaker's window: what is to be said at this place of a talk, what comes next, and the time. It is a page of its own
// (app/assets.py), whose window's name is the channel of the browser over which it hears of the talk: no server knows of it,
// and whichever of the two is loaded again finds the other.

const LONGEST = 2000; // characters of a text over the channel
const MOST = 1000; // places of a talk

/**
 * Where a talk is.
 * @typedef {{ title: string, page: string, note: string, ask: string }} Place
 * @typedef {{ kind: "state", stop: number, stops: number, now: Place, next: Place | null, blank: boolean, began: number }} State
 *   began in milliseconds since 1970, 0 before the first move
 * @typedef {{ [name: string]: string }} Words
 */

/**
 * What came over the channel as the state of a talk; null of anything else.
 * @param {any} sent
 * @returns {State | null}
 */
export function stateOf(sent) {
  const whole = (/** @type {unknown} */ value, /** @type {number} */ last) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= last;
  const place = (/** @type {any} */ value) =>
    typeof value === "object" && value !== null && ["title", "page", "note", "ask"].every((name) => typeof value[name] === "string" && value[name].length <= LONGEST);
  if (typeof sent !== "object" || sent === null || sent.kind !== "state") return null;
  const { stop, stops, now, next, blank, began } = sent;
  const right = whole(stops, MOST) && whole(stop, stops) && place(now) && (next === null || place(next)) && typeof blank === "boolean";
  return right && whole(began, Number.MAX_SAFE_INTEGER) ? sent : null;
}

/**
 * What the speaker's window asks of the talk: one of these words; null of anything else.
 * @param {any} sent
 */
export function orderOf(sent) {
  const known = ["hello", "next", "back", "blank", "start", "clock"];
  return typeof sent === "object" && sent !== null && known.includes(sent.kind) ? /** @type {string} */ (sent.kind) : null;
}

/**
 * Milliseconds as minutes and seconds, with hours where there are any.
 * @param {number} milliseconds
 */
export function clockText(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/**
 * All that the speaker's window does.
 * @param {Document} page its own
 * @param {string} channelName
 * @param {Words} say
 */
export function speaker(page, channelName, say) {
  const AWAY = 5000; // milliseconds without a word from the talk until it is said to be gone
  const ASK = 1500; // and from one question whether it is there to the next
  const channel = new BroadcastChannel(channelName);
  const send = (/** @type {string} */ kind) => channel.postMessage({ kind });
  const add = (/** @type {string} */ tag, /** @type {string} */ name, /** @type {Node} */ to) => {
    const node = page.createElement(tag);
    node.className = name;
    to.appendChild(node);
    return node;
  };
  const set = (/** @type {HTMLElement} */ node, /** @type {string} */ text) => {
    if (node.textContent !== text) node.textContent = text;
    node.hidden = !text;
  };
  const button = (/** @type {string} */ kind, /** @type {Node} */ to) => {
    const node = add("button", kind, to);
    node.textContent = say[kind];
    node.addEventListener("click", () => send(kind));
    return node;
  };
  page.title = say.window;
  const head = add("header", "", page.body);
  const place = add("b", "place", head);
  const title = add("span", "title", head);
  const elapsed = add("span", "elapsed", head);
  button("clock", head);
  const gone = add("p", "gone", page.body);
  gone.setAttribute("role", "status");
  const both = add("div", "both", page.body);
  const main = add("main", "", both);
  const ask = add("p", "ask", main);
  const note = add("p", "note", main);
  const ahead = add("aside", "", both);
  const nextTitle = add("h2", "", ahead);
  const nextAsk = add("p", "ask", ahead);
  const nextNote = add("p", "", ahead);
  const ways = add("nav", "", page.body);
  const back = /** @type {HTMLButtonElement} */ (button("back", ways));
  const next = /** @type {HTMLButtonElement} */ (button("next", ways));
  const blank = button("blank", ways);
  button("start", ways);

  let began = 0;
  let heard = Date.now();
  const tick = () => {
    elapsed.textContent = clockText(began ? Date.now() - began : 0);
    set(gone, Date.now() - heard > AWAY ? say.gone : "");
  };
  channel.onmessage = ({ data }) => {
    if (data?.kind === "gone") {
      heard = 0;
      tick();
      return;
    }
    const state = stateOf(data);
    if (!state) return;
    heard = Date.now();
    began = state.began;
    place.textContent = state.stops ? `${state.stop}/${state.stops}` : "";
    title.textContent = [state.now.title, state.now.page].filter(Boolean).join(" · ");
    set(ask, state.now.ask);
    set(note, state.now.note || say.noteless);
    set(nextTitle, state.next ? `${say.ahead} ${state.next.page}` : state.stops ? say.last : "");
    set(nextAsk, state.next?.ask ?? "");
    set(nextNote, state.next?.note ?? "");
    back.disabled = state.stop <= 1;
    next.disabled = !state.next;
    blank.setAttribute("aria-pressed", String(state.blank));
    tick();
  };
  page.addEventListener("keydown", (event) => {
    // What it shows is never old, and the server that it would come from may be away.
    if (event.key === "F5" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "r")) {
      event.preventDefault();
      send("hello");
    }
    const orders = { PageDown: "next", ArrowRight: "next", PageUp: "back", ArrowLeft: "back", b: "blank", ".": "start" };
    const order = orders[event.key];
    if (!order || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    event.preventDefault();
    send(order);
  });
  setInterval(tick, 250);
  setInterval(() => send("hello"), ASK);
  send("hello");
  tick();
}
