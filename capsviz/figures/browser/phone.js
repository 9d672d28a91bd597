// The page on a phone: join, draw, send, see the answer. What must last is kept by the phone, what counts by the server.

import { answerNodes, seenNode } from "./phone_answer.js";
import { Memory, storage } from "./phone_memory.js";
import { fill, node, strong } from "./phone_nodes.js";
import { Pad } from "./phone_pen.js";
import { pollNodes } from "./phone_poll.js";
import { ask, newMark, Outbox, passing, pause, sleep } from "./phone_post.js";
import { Listener } from "./phone_stream.js";
import { kindWords, say, speak } from "./texts.js";

const API = "api";

class Phone {
  /**
   * @param {HTMLElement} root
   * @param {{ side: number, width: number }} given
   */
  constructor(root, given) {
    this.root = root;
    this.given = given;
    /** @type {Listener | null} */
    this.listener = null;
    /** @type {any} */
    this.told = null;
    this.there = true;
    this.problem = "";
    this.waits = "";
    this.outbox = new Outbox(
      (item) => ask(`${API}/${item.to}`, { token: this.memory.value.token, body: item.body }),
      (reply) => this.failed(reply),
    );
    const again = () => {
      this.outbox.hurry();
      if (this.listener) this.listener.hurry();
      if (this.joining) this.joining.end();
    };
    window.addEventListener("online", again);
    document.addEventListener("visibilitychange", () => document.hidden || again());
    this.begin(codeOf(window.location.pathname));
  }

  /** @param {string} code */
  begin(code) {
    this.memory = new Memory(code, storage());
    if (!code) this.askCode("");
    else if (this.memory.value.token) this.enter();
    else this.join(code);
  }

  // --- joining ------------------------------------------------------------------------------------------

  /** @param {string} problem */
  askCode(problem) {
    const input = node("input", { name: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 12, required: true });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const code = codeOf(`/${input.value}`);
      if (code) this.join(code);
    };
    this.put(
      node(
        "form",
        { class: "join", onsubmit: submit },
        node("h1", {}, say("class.phone.welcome")),
        problem ? node("p", { class: "problem", role: "alert" }, problem) : null,
        node("label", {}, say("class.phone.code"), input),
        node("button", { class: "main" }, say("class.phone.join")),
      ),
    );
    input.focus();
  }

  /** @param {string} code */
  async join(code) {
    const status = node("p", { role: "status" }, say("class.phone.joining"));
    this.put(node("div", { class: "join" }, node("h1", {}, say("class.phone.class", { code })), status));
    for (let failures = 1; ; failures++) {
      const reply = await ask(`${API}/join`, { body: { code } });
      if (reply && reply.status === 200) {
        const { token, ...told } = reply.value;
        this.memory = new Memory(told.code, storage());
        this.memory.keep({ token });
        window.history.replaceState(null, "", told.code + window.location.search);
        this.enter(told);
        return;
      }
      if (!passing(reply)) {
        this.askCode(reply.value.problem);
        return;
      }
      status.textContent = reply ? reply.value.problem : say("class.phone.away");
      this.joining = sleep(Math.max(pause(failures), 1000 * ((reply && reply.value.retry) || 0)));
      await this.joining.over;
    }
  }

  // --- in the class -------------------------------------------------------------------------------------

  /** @param {any} [told] */
  enter(told) {
    const kept = this.memory.value;
    this.told = told || kept.told || null;
    this.pad = new Pad(this.given.side, this.given.width, () => this.drawn());
    this.pad.show(kept.ways || []);
    this.build();
    this.listener = new Listener(
      (kind) => `${API}/${kind}`,
      kept.token,
      (message) => this.tell(message),
      (there) => this.connected(there),
      () => this.lost(),
    );
    if (kept.pending) this.deliver(kept.pending);
    this.draw();
  }

  /** The server does not know this phone any more: its class is over, or it is another server. */
  lost() {
    if (this.listener) this.listener.end();
    const { closed } = this.told || {};
    const code = codeOf(window.location.pathname);
    this.outbox.takeBack();
    this.memory.forget();
    // A class that went on without this phone, of a server with another key: join it anew.
    if (code && !closed) this.join(code);
    else this.askCode(say("class.phone.ended"));
  }

  /** @param {any} message */
  tell(message) {
    if (message.over) {
      this.told = { ...this.told, closed: true };
      if (this.listener) this.listener.end();
    } else {
      const wentOn = this.told && this.told.paused && !message.paused;
      this.told = message;
      const { answer } = this.memory.value;
      if (answer && message.own.last && message.own.last.mark === answer.mark) answer.standing = message.own.last.standing;
      this.memory.keep({ told: message, answer });
      if (wentOn) this.outbox.hurry();
    }
    this.draw();
  }

  /** @param {boolean} there */
  connected(there) {
    if (there && !this.there) this.outbox.hurry();
    this.there = there;
    this.draw();
  }

  drawn() {
    this.problem = "";
    this.memory.keep({ ways: this.pad.ways });
    this.draw();
  }

  send() {
    const { ways } = this.pad;
    if (!ways.length) {
      this.problem = say("class.phone.blank", this.words());
      this.draw();
      return;
    }
    this.deliver({ to: "send", body: { mark: newMark(), strokes: ways, width: this.given.width, said: this.meant() } });
  }

  /** @param {string} guess a class, or "" to see the answer without */
  guess(guess) {
    this.deliver({ to: "guess", body: { mark: this.memory.value.answer.mark, guess } });
  }

  /** @param {any} item */
  async deliver(item) {
    this.problem = "";
    this.waits = say("class.phone.sending");
    this.memory.keep({ pending: item });
    this.draw();
    const reply = await this.outbox.send(item);
    if (reply === null) return;
    this.waits = "";
    if (reply.status === 200) {
      this.memory.keep({ pending: null, answer: reply.value, shown: this.told && this.told.network });
    } else {
      this.memory.keep({ pending: null });
      this.problem = reply.value.problem || "";
      if (reply.status === 403) this.lost();
      else if (reply.status === 410) this.told = { ...this.told, closed: true };
    }
    this.draw();
  }

  /** @param {any} reply */
  failed(reply) {
    this.waits = say(reply === null ? "class.phone.waiting" : reply.status === 409 ? "class.phone.pausedDrawing" : "class.phone.busy");
    this.draw();
  }

  change() {
    this.outbox.takeBack();
    this.waits = "";
    this.memory.keep({ pending: null });
    this.draw();
  }

  next() {
    this.memory.keep({ answer: null, ways: [], said: "" });
    this.pad.show([]);
    this.draw();
    this.pad.canvas.focus({ preventScroll: true });
  }

  /** @param {number} choice */
  async vote(choice) {
    const { number } = this.told.poll;
    const reply = await ask(`${API}/vote`, { token: this.memory.value.token, body: { poll: number, choice } });
    if (reply && reply.status === 200) this.told.own.vote = reply.value.vote;
    else this.problem = reply ? reply.value.problem : say("class.phone.away");
    this.draw();
  }

  // --- what is seen -------------------------------------------------------------------------------------

  words() {
    return kindWords(this.told ? this.told.network.kind : "digit", "drawn");
  }

  /** What the drawing is meant to be: as chosen, or as the task has it. */
  meant() {
    const { said } = this.memory.value;
    if (said) return said;
    return (this.told && this.told.task && this.told.task.drawn) || "";
  }

  /** @param {HTMLElement} content */
  put(content) {
    this.root.textContent = "";
    this.root.append(content);
  }

  build() {
    const part = (/** @type {string} */ name, /** @type {any} */ more = {}) => node("div", { class: name, ...more });
    this.parts = {
      head: node("header"),
      notice: part("notice", { role: "status" }),
      task: part("task"),
      poll: part("poll"),
      tools: part("tools"),
      meant: part("meant"),
      problem: part("problem", { role: "alert" }),
      answer: part("answer"),
    };
    const { head, notice, task, poll, tools, meant, problem, answer } = this.parts;
    this.hint = node("span", { class: "hint", "aria-hidden": "true" });
    this.drawing = node("section", { class: "drawing" }, node("div", { class: "field" }, this.pad.canvas, this.hint), node("div", { class: "controls" }, problem, meant, tools));
    this.put(node("div", { class: "page" }, head, notice, task, poll, this.drawing, answer));
    this.pad.draw();
  }

  draw() {
    // Nothing moves under a finger that is drawing: the stroke's end draws the rest.
    if (!this.told || !this.parts || this.pad.pointer !== null) return;
    const { told, parts, memory } = this;
    const { pending, answer } = memory.value;
    const words = this.words();
    const over = told.closed || told.own.dismissed; // nothing more is taken
    const notice = told.own.dismissed ? say("class.phone.dismissed") : told.closed ? say("class.phone.ended") : !this.there ? say("class.phone.away") : told.paused && !pending ? say("class.phone.paused") : "";
    fill(parts.head, [told.own.nickname, told.code], () => [node("span", {}, ...strong(say("class.phone.you", { name: told.own.nickname }))), node("span", { class: "code" }, say("class.phone.class", { code: told.code }))]);
    fill(parts.notice, [notice, over], () => [notice, over ? node("button", { onclick: () => this.leave() }, say("class.phone.other")) : null]);
    const task = over ? null : told.task;
    fill(parts.task, task, () => (task ? [node("h2", {}, say("class.phone.task")), node("p", {}, task.text)] : []));
    fill(parts.poll, [told.poll, told.own.vote, told.own.dismissed], () => (told.poll && !told.own.dismissed ? pollNodes(told.poll, told.own.vote, (choice) => this.vote(choice)) : []));
    const covered = Boolean(answer && answer.covered && !pending);
    const shown = answer && !(pending && pending.to === "send");
    this.drawing.hidden = Boolean(shown) || over;
    parts.answer.hidden = !shown;
    this.pad.locked = Boolean(pending);
    this.pad.canvas.setAttribute("aria-label", say(pending ? "class.phone.drawnAlt" : "class.phone.pad", words));
    this.hint.textContent = this.pad.ways.length ? "" : say("class.phone.hint", words);
    fill(parts.problem, this.problem, () => [this.problem]);
    parts.meant.hidden = Boolean(pending); // so that all that can be pressed is in sight
    fill(parts.meant, [told.network.classes, this.meant(), told.network.kind], () => [this.meantNode()]);
    const [empty, waits] = [!this.pad.ways.length, this.waits];
    fill(parts.tools, [empty, this.pad.cleared.length > 0, pending && waits], () => (pending ? this.waitingNodes() : this.toolNodes(empty)));
    const network = this.networkOf(answer);
    fill(parts.answer, [shown ? answer : null, told.letThrough, covered, pending && waits, over], () => (shown ? this.answerParts(answer, network, covered, pending) : []));
    if (!this.drawing.hidden) this.pad.draw();
  }

  /** What the answer's scores are of: the class may have another network by now. @param {any} answer */
  networkOf(answer) {
    const { shown } = this.memory.value;
    return answer && shown && shown.name === answer.network ? shown : this.told.network;
  }

  meantNode() {
    const choose = (/** @type {any} */ event) => {
      this.memory.keep({ said: event.target.value });
      this.draw();
    };
    const options = ["", ...this.told.network.classes].map((name) => node("option", { value: name, selected: name === this.meant() }, name || say("class.phone.unsaid")));
    return node("label", {}, node("span", {}, say("class.phone.meant")), node("select", { onchange: choose }, ...options));
  }

  /** @param {boolean} empty */
  toolNodes(empty) {
    return [
      node("button", { onclick: () => this.pad.undo(), disabled: empty && !this.pad.cleared.length }, say("pad.undo")),
      node("button", { onclick: () => this.pad.clear(), disabled: empty }, say("pad.clear")),
      node("button", { class: "main", onclick: () => this.send() }, say("class.phone.send")),
    ];
  }

  waitingNodes() {
    return [node("p", { class: "waits", role: "status" }, this.waits), node("button", { onclick: () => this.change() }, say("class.phone.change"))];
  }

  /**
   * @param {any} answer
   * @param {any} network
   * @param {boolean} covered
   * @param {any} pending
   */
  answerParts(answer, network, covered, pending) {
    if (answer.covered) return [seenNode(answer, network), pending ? node("p", { class: "waits", role: "status" }, this.waits) : null, covered ? this.guessNode(network) : null];
    const standing = { shown: "onTheWall", waiting: "toBeLetThrough" }[answer.standing] || "offTheWall";
    const [onTheWall, toBeLetThrough, offTheWall] = [say("class.phone.onTheWall"), say("class.phone.toBeLetThrough"), say("class.phone.offTheWall")];
    const where = { onTheWall, toBeLetThrough, offTheWall }[standing];
    return [
      ...(answer.scores ? answerNodes(answer, network) : []),
      node("p", { class: "standing" }, where || ""),
      this.told.closed || this.told.own.dismissed ? null : node("button", { class: "main", onclick: () => this.next() }, say("class.phone.again")),
    ];
  }

  /** @param {any} network */
  guessNode(network) {
    const question = say("guess.ask", kindWords(this.told.network.kind));
    const choices = network.classes.map((/** @type {string} */ name) => node("button", { onclick: () => this.guess(name) }, name));
    return node("div", { class: "guess", role: "group", "aria-label": question }, node("h2", {}, question), node("div", { class: "choices" }, ...choices), node("button", { onclick: () => this.guess("") }, say("guess.show")));
  }

  leave() {
    if (this.listener) this.listener.end();
    this.memory.forget();
    window.history.replaceState(null, "", "./");
    this.begin("");
  }
}

/**
 * The code at the end of an address, as the server writes it; "" without.
 * @param {string} path
 */
export function codeOf(path) {
  const last = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  return last.replace(/[\s-]/g, "").toUpperCase().slice(0, 12);
}

/** Begin, on the page that the server has sent. */
export function start() {
  const given = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("given")).textContent || "{}");
  speak(given.words);
  return new Phone(/** @type {HTMLElement} */ (document.getElementById("phone")), given);
}

if (typeof document !== "undefined" && document.getElementById("given")) start();
