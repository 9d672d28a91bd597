// The Class page: a class is opened, its phones find it, and the wall fills with what they send. All but the opening goes
// by the routes below /c, with the presenter's secret: nothing of the page runs again when a drawing comes.

import { element, setText } from "./drawing.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { onStage, STAGE } from "./onstage.js";
import { fill } from "./phone_nodes.js";
import { ask } from "./phone_post.js";
import { Listener } from "./phone_stream.js";
import { tells } from "./taking.js";
import { kindWords, number, say } from "./texts.js";
import { Box } from "./wall_box.js";
import { classFiles } from "./wall_files.js";
import { pollForm, pollNodes, taskForm } from "./wall_forms.js";
import { Grid } from "./wall_grid.js";
import { Joining } from "./wall_joining.js";
import { Presented, presenterLink, secretOf } from "./wall_kept.js";
import { classMenu } from "./wall_menu.js";
import { ORDERS } from "./wall_order.js";
import { tableNodes } from "./wall_table.js";
import { openTile } from "./wall_whole.js";

/** @typedef {import("./wall_order.js").Tile} Tile */

const VIEWS = ["shown", "waiting", "hidden"]; // standings of tiles that can be looked at
const LASTS = 8000; // milliseconds that a sentence stays

class Wall {
  /**
   * @param {Element} root
   * @param {Function} report
   */
  constructor(root, report) {
    this.report = report;
    this.kept = new Presented();
    /** @type {Map<number, Tile>} */
    this.tiles = new Map();
    /** @type {any} */
    this.room = null;
    this.view = "shown";
    this.box = new Box();
    this.joining = new Joining(() => this.draw(), (link) => this.own && this.kept.keep({ ...this.own, link }));
    this.grid = new Grid((id) => openTile(this, id));
    this.build();
    root.append(this.element);
    this.told = tells(() => ({ files: classFiles(this) }));
    this.part = new Part({
      wall: () => (this.own ? this.main : this.before),
      joining: () => this.joining.element,
      poll: () => this.poll,
      counts: () => this.table,
    });
    this.restage = () => requestAnimationFrame(() => this.draw());
    window.addEventListener(STAGE, this.restage);
    this.resized = new ResizeObserver(() => this.grid.fit());
    this.resized.observe(this.element);
    this.arrive();
  }

  build() {
    const button = (/** @type {string} */ kind, /** @type {() => void} */ act) => element("button", { type: "button", class: kind, onclick: act });
    this.said = element("p", { class: "said", role: "status" });
    this.opening = button("main", () => this.open());
    this.before = element("section", { class: "before" });
    this.code = element("b", { class: "code", "data-verbatim": "" });
    this.where = element("span", { class: "where", "data-verbatim": "" });
    this.many = element("span", { class: "many" });
    this.state = element("p", { class: "state", role: "status" });
    this.task = element("p", { class: "task" });
    this.buttons = {
      code: button("show-code", () => this.showCode()),
      task: button("set-task", () => this.askTask()),
      poll: button("set-poll", () => this.askPoll()),
      pause: button("pause", () => this.act("rules", { paused: !this.room.paused })),
      menu: button("menu", () => classMenu(this)),
    };
    const strip = element("div", { class: "strip" }, this.code, this.where, this.many, element("div", { class: "controls" }, ...Object.values(this.buttons)));
    this.views = element("div", { class: "views", role: "group" });
    this.by = /** @type {HTMLSelectElement} */ (element("select", { onchange: () => this.sort() }));
    this.fresh = button("fresh", () => this.sort());
    this.through = button("through", () => this.act("let-all-through"));
    this.looking = element("div", { class: "looking controls" }, this.views, this.by, this.fresh, this.through);
    this.poll = element("section", { class: "poll" });
    this.table = element("section", { class: "counts" });
    this.main = element("section", { class: "main-view" }, strip, this.state, this.task, this.joining.element, this.poll, this.looking, this.grid.element);
    this.element = element("div", { class: "wall" }, this.said, this.before, this.main, this.table, this.box.element);
  }

  // --- which class --------------------------------------------------------------------------------------------

  /** The class of a presenter's link, or the one that this tab shows. */
  arrive() {
    const secret = secretOf(window.location.hash);
    if (secret) {
      const { pathname, search } = window.location;
      window.history.replaceState(window.history.state, "", pathname + search); // a link that is copied has it no more
      this.come(secret);
    } else {
      const here = this.kept.here();
      if (here) this.enter(here);
    }
  }

  /** @param {string} secret */
  async come(secret) {
    const reply = await ask(this.address(""), { token: secret });
    if (reply?.status === 200) this.begin({ code: reply.value.code, secret });
    else this.tell(reply ? reply.value.problem : say("class.wall.away"));
  }

  open() {
    this.asked = Date.now() % 2 ** 31;
    this.opening.disabled = true;
    this.report("open", this.asked);
  }

  /** @param {import("./wall_kept.js").Kept} own */
  begin(own) {
    this.kept.keep(own);
    this.kept.show(own.code);
    this.enter(own);
  }

  /** @param {import("./wall_kept.js").Kept} own */
  enter(own) {
    this.leave();
    this.own = own;
    this.joining.prefer(own.link);
    this.listener = new Listener(
      (kind) => `${this.address(kind === "state" ? "/wall" : "/stream")}?since=${this.revision}`,
      own.secret,
      (message) => this.hear(message),
      (there) => this.connected(there),
      () => this.gone(),
    );
    this.report("code", own.code);
    this.draw();
  }

  leave() {
    this.listener?.end();
    Object.assign(this, { own: null, room: null, revision: 0, there: true, view: "shown", order: "newest" });
    this.tiles.clear();
    this.grid.clear();
  }

  /** Deleted, or its day is over. */
  gone() {
    if (!this.own) return;
    this.kept.forget(this.own.secret);
    this.leave();
    this.box.close();
    this.tell(say("class.wall.gone"));
    this.draw();
  }

  /** @param {string} path below the presenter's routes */
  address(path) {
    return new URL(`${this.data?.root ?? "c"}/api/class${path}`, new URL(".", window.location.href)).href;
  }

  // --- what comes ---------------------------------------------------------------------------------------------

  /** @param {any} message as the server's stream has it */
  hear(message) {
    if (message.over) {
      this.gone();
      return;
    }
    this.room = message.room;
    for (const tile of message.tiles) {
      if (tile.standing === "removed") this.tiles.delete(tile.id);
      else this.tiles.set(tile.id, tile);
    }
    this.revision = message.revision;
    if (message.more) return;
    this.kept.keep({ ...this.own, opened: this.room.opened, ends: this.room.ends });
    this.draw();
  }

  /** @param {boolean} there */
  connected(there) {
    if (there === this.there) return;
    this.there = there;
    this.draw();
  }

  /**
   * Have the server change something; whether it did.
   * @param {string} change
   * @param {any} [body]
   */
  async act(change, body = {}) {
    const reply = await ask(this.address(`/${change}`), { token: this.own.secret, body });
    if (reply?.status === 200) {
      if (reply.value.code === this.room?.code) this.room = reply.value;
      this.draw();
      return true;
    }
    const problem = reply ? reply.value.problem : say("class.wall.away");
    if (this.box.element.open) setText(this.box.problem, problem);
    else this.tell(problem);
    return false;
  }

  /** @param {string} sentence */
  tell(sentence) {
    setText(this.said, sentence);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => setText(this.said, ""), LASTS);
  }

  // --- forms --------------------------------------------------------------------------------------------------

  askTask() {
    const set = async (/** @type {any} */ task) => {
      if (!(await this.act("task", task))) return;
      this.box.close();
      if (task.text) this.sort("task");
    };
    this.box.show("task", say("class.wall.task.title"), taskForm(this.room.network, this.room.task, this.data.most.text, set));
  }

  askPoll() {
    const set = async (/** @type {any} */ poll) => (await this.act("poll", poll)) && this.box.close();
    this.box.show("poll", say("class.wall.poll.title"), pollForm(this.room.network, this.data.most, set));
  }

  showCode() {
    this.joining.large = !this.joining.large;
    this.draw();
  }

  // --- what is seen -------------------------------------------------------------------------------------------

  load(/** @type {any} */ data) {
    this.data = data;
    const { opened } = data;
    if (opened && opened.number === this.asked) {
      this.asked = null;
      this.opening.disabled = false;
      if (opened.problem) this.tell(opened.problem);
      else this.begin({ code: opened.code, secret: opened.secret });
    }
    this.joining.load(data);
    this.draw();
  }

  /** @param {Tile} tile */
  networkOf(tile) {
    return this.data.networks[tile.network] ?? this.room.network;
  }

  /** What an order may depend on. */
  get about() {
    return { task: this.room.task, classesOf: (/** @type {Tile} */ tile) => this.networkOf(tile).classes };
  }

  /** @param {string} [by] */
  sort(by = this.by.value) {
    this.order = by;
    this.grid.sort();
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { room, own } = this;
    this.before.hidden = Boolean(own);
    this.main.hidden = !own;
    this.part.light();
    this.table.hidden = !room || !this.tiles.size;
    if (!own) {
      this.drawBefore();
      return;
    }
    const all = [...this.tiles.values()];
    const of = (/** @type {string} */ standing) => all.filter((tile) => tile.standing === standing);
    const shown = of("shown");
    this.drawStrip(all.length);
    this.joining.draw(own.code, !all.length && !room?.closed);
    if (!room) return;
    this.drawTask();
    fill(this.poll, [room.poll, this.room.network.kind], () => (room.poll ? [...pollNodes(room.poll), this.pollWays(room.poll)] : [element("p", { class: "soft none" }, say("class.wall.poll.none"))]));
    this.poll.classList.toggle("none", !room.poll);
    this.drawLooking(of);
    const view = onStage() ? "shown" : this.view;
    this.grid.draw(view === "shown" ? shown : of(view), this);
    const fresh = this.grid.fresh;
    this.fresh.hidden = this.order === "newest" || !fresh;
    setText(this.fresh, say("class.wall.fresh", { count: fresh }));
    fill(this.table, [shown.map(({ id, read, said, verdict, covered }) => [id, read, said, verdict, covered]), room.network.name], () => tableNodes(shown, room.network));
  }

  drawBefore() {
    const title = this.data.networks[this.data.network].title;
    setText(this.opening, say("class.wall.open"));
    fill(this.before, [this.kept.all(), title], () => [
      element("p", { class: "intro" }, say("class.wall.intro", { network: title })),
      this.opening,
      element("p", { class: "soft" }, say("class.wall.stays")),
      this.otherClasses(),
    ]);
  }

  /** Classes that this browser presents, to go on with. */
  otherClasses() {
    const time = (/** @type {number | undefined} */ seconds) => (seconds ? new Intl.DateTimeFormat(this.data.texts.language, { dateStyle: "short", timeStyle: "short" }).format(1000 * seconds) : "");
    const rows = this.kept
      .all()
      .filter(({ code }) => code !== this.own?.code)
      .map((one) => element("li", {}, element("button", { type: "button", onclick: () => this.begin(one) }, say("class.wall.goOn", { code: one.code })), ` ${time(one.opened)}`));
    return rows.length ? element("div", { class: "kept" }, element("h3", {}, say("class.wall.kept")), element("ul", {}, ...rows)) : element("span", {});
  }

  /** @param {number} count */
  drawStrip(count) {
    const { room, own } = this;
    setText(this.code, own.code);
    setText(this.where, this.joining.short);
    setText(this.many, room ? `${say("class.wall.phones", { count: room.phones })} · ${say("class.wall.drawings", { count })}` : "");
    const names = { code: "code", task: "task.button", poll: "poll.button", pause: room?.paused ? "goOnAll" : "pause", menu: "menu" };
    for (const [part, name] of Object.entries(names)) {
      setText(this.buttons[part], say(`class.wall.${name}`));
      this.buttons[part].disabled = !room || (room.closed && part !== "menu");
    }
    this.buttons.code.setAttribute("aria-pressed", String(this.joining.large));
    const state = !this.there ? say("class.wall.away") : !room ? say("class.wall.coming") : room.closed ? say("class.wall.closed", { time: this.until() }) : room.paused ? say("class.wall.paused") : "";
    setText(this.state, state);
  }

  until() {
    return new Intl.DateTimeFormat(this.data.texts.language, { dateStyle: "short", timeStyle: "short" }).format(1000 * this.room.ends);
  }

  drawTask() {
    const { task } = this.room;
    fill(this.task, task, () => (task ? [element("span", { class: "soft" }, say("class.wall.task.now")), " ", element("b", {}, task.text)] : []));
  }

  /** @param {any} poll */
  pollWays(poll) {
    const way = (/** @type {string} */ name, /** @type {() => void} */ act) => element("button", { type: "button", onclick: act }, say(`class.wall.poll.${name}`));
    const ways = [];
    if (poll.open) ways.push(way("end", () => this.act("end-poll")));
    if (!poll.told) ways.push(way("tell", () => this.act("end-poll", { told: true })));
    ways.push(way("drop", () => this.act("drop-poll")));
    return element("div", { class: "ways controls" }, ...ways);
  }

  /** @param {(standing: string) => Tile[]} of */
  drawLooking(of) {
    const found = VIEWS.map((name) => of(name).length);
    this.looking.hidden = !this.tiles.size;
    if (!found[VIEWS.indexOf(this.view)]) this.view = "shown";
    fill(this.views, [found, this.view], () =>
      VIEWS.map((name, place) => {
        const look = () => {
          this.view = name;
          this.sort();
        };
        return found[place] || name === "shown" ? element("button", { type: "button", "aria-pressed": String(this.view === name), onclick: look }, say(`class.wall.view.${name}`, { count: number(found[place]) })) : null;
      }),
    );
    this.views.setAttribute("aria-label", say("class.wall.views"));
    const orders = ORDERS.filter((name) => name !== "task" || this.room.task);
    fill(this.by, [orders, this.order], () => orders.map((name) => element("option", { value: name, selected: name === this.order }, say(`class.wall.order.${name}`, kindWords(this.room.network.kind)))));
    this.by.setAttribute("aria-label", say("class.wall.orders"));
    this.through.hidden = !found[1];
    setText(this.through, say("class.wall.letAll", { count: found[1] }));
  }

  /** By which the class is run from another machine. */
  get presenterLink() {
    const page = new URL(window.location.href);
    const base = this.joining.base || new URL(".", page).href.replace(/\/$/, "");
    return presenterLink(`${base}/${page.pathname.split("/").pop()}`, this.own.secret);
  }

  unmount() {
    this.leave();
    this.told();
    this.part.unmount();
    this.resized.disconnect();
    this.grid.unmount();
    window.removeEventListener(STAGE, this.restage);
    clearTimeout(this.telling);
    this.element.remove();
  }
}

const mount = mounting((root, _, report) => new Wall(root, report));

export default function mountWall({ data, parentElement, setTriggerValue, setStateValue }) {
  return mount(parentElement, data, (/** @type {string} */ name, /** @type {any} */ value) => (name === "code" ? setStateValue : setTriggerValue)(name, value));
}
