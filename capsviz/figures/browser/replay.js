// The replay of a drawing: offered below the Draw page's views, computed by Python when somebody asks for it.

import { Clock } from "./clock.js";
import { Picture, Tip, element, fixed, setText, words } from "./drawing.js";
import { followed } from "./fingers.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { describe, drawFrame, heightOf, layout, ranked, scales, scoresAt, wayTo } from "./replay_frame.js";
import { say } from "./texts.js";

const SPEED = 9; // moments a second
const LEAP = 8; // moments of page up and page down
const TOLD = 3; // classes that the tip names

class ReplayView {
  /** @type {any} what is shown; null before any */
  replay = null;
  waiting = false; // for what was asked for

  /**
   * @param {HTMLElement} root
   * @param {(name: string, value: any) => void} [report] tells Python; none on a page of its own, which has its replay
   */
  constructor(root, report) {
    this.report = report;
    this.clock = new Clock(() => this.invalidate());
    this.clock.speed = SPEED;
    this.element = element("section", { class: "routing replay", "data-testid": "replay" });
    this.tip = new Tip(this.element);
    this.toggle = element("button", { type: "button", "aria-expanded": "false", onclick: () => this.ask() });
    this.invite = element("p", { class: "look" });
    this.picture = new Picture("", { "data-testid": "replay-frame" });
    this.slider = element("div", { class: "replay-slider", role: "slider", tabindex: 0, "aria-valuemin": 0 });
    this.note = element("p", { class: "replay-note", role: "status" });
    this.play = element("button", { type: "button", class: "replay-play", onclick: () => this.clock.toggle() });
    this.said = element("p", { class: "replay-said", "data-testid": "replay-said" });
    this.decision = element("p", { "data-testid": "replay-decision" });
    this.title = element("h2", {});
    this.look = element("p", { class: "look" });
    this.shown = element(
      "div",
      { class: "replay-shown" },
      element("div", { class: "replay-frame" }, this.picture.canvas, this.slider),
      element("div", { class: "replay-tools" }, this.play, this.said),
      this.decision,
      this.look,
    );
    this.body = element("div", { class: "replay-body", hidden: true }, this.title, this.note, this.shown);
    this.element.append(element("div", { class: "replay-offer" }, this.toggle, this.invite), this.body);
    this.listen();
    root.append(this.element);
  }

  listen() {
    const { slider } = this;
    const place = (event) => this.scale().moment(this.picture.position(event)[0]);
    followed(slider, {
      at: place,
      now: () => this.clock.target,
      go: (moment) => this.clock.go(moment),
      over: (moment, event) => this.tell(moment, event),
      out: () => this.tip.hide(),
    });
    slider.addEventListener("keydown", (event) => this.key(event));
    this.resized = new ResizeObserver(() => this.invalidate());
    this.resized.observe(this.element);
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => this.invalidate();
    this.theme.addEventListener("change", this.themed);
  }

  unmount() {
    this.clock.stop();
    cancelAnimationFrame(this.request);
    this.resized.disconnect();
    this.theme.removeEventListener("change", this.themed);
    this.element.remove();
  }

  /** @param {any} payload a replay, or only the offer of one */
  load(payload) {
    const { key, problem = "" } = payload;
    const came = "moments" in payload;
    const another = this.key_ !== key;
    this.key_ = key;
    if (came && (this.replay?.id !== payload.id || this.replay?.texts.language !== payload.texts.language)) {
      const before = this.replay?.id === payload.id ? this.clock.target : null;
      this.replay = payload;
      this.clock.setFrames(payload.moments, before);
      this.open(true);
      this.describeAll();
      const still = this.clock.still.matches || !this.waiting;
      if (!still) {
        this.clock.position = this.clock.target = 0;
        this.clock.play();
      }
    }
    if (came) this.waiting = false;
    else if (problem || another) {
      this.waiting = false;
      this.clock.pause();
    }
    this.stale = !came && !this.waiting;
    this.problem = problem;
    this.words();
    this.invalidate();
  }

  // What stands still while it plays.
  describeAll() {
    const { replay } = this;
    const claim = replay.arrays.claims[replay.moments - 1];
    const [way, name] = [wayTo(replay, replay.decided), replay.classes[claim]];
    const said =
      claim < 0
        ? say("replay.undecided", { kind: replay.kind })
        : say(replay.changes ? "replay.decided" : "replay.steady", { way, name, count: replay.changes });
    this.decision.replaceChildren(...words(said));
    this.slider.setAttribute("aria-valuemax", String(replay.moments - 1));
  }

  words() {
    const open = !this.body.hidden;
    setText(this.toggle, say(this.closes() ? "replay.close" : "replay.name"));
    setText(this.invite, this.problem || say("replay.invite"));
    setText(this.title, say("replay.title"));
    setText(this.look, say("replay.look"));
    setText(this.note, this.waiting ? say("replay.computing") : this.stale ? this.problem || say("replay.changed") : "");
    this.toggle.hidden = !this.report || (Boolean(this.problem) && !open);
    this.toggle.setAttribute("aria-expanded", String(open));
    this.invite.hidden = open;
    this.slider.setAttribute("aria-label", say("replay.slider"));
    // Its place is kept: nothing else on the page moves.
    this.shown.classList.toggle("gone", this.stale || this.waiting);
    this.shown.inert = this.stale || this.waiting;
  }

  // The one button: it asks for the replay of the drawing that is there now, or closes it.
  ask() {
    if (this.closes()) {
      this.clock.stop();
      this.waiting = false;
      this.replay = null;
      this.open(false);
      this.report("asked", null);
    } else {
      this.waiting = true;
      this.stale = false;
      this.replay = null;
      this.open(true);
      this.report("asked", this.key_);
      this.element.scrollIntoView({ block: "nearest", behavior: this.clock.still.matches ? "auto" : "smooth" });
    }
    this.words();
    this.invalidate();
  }

  closes() {
    return !this.body.hidden && (!this.stale || Boolean(this.problem));
  }

  open(open) {
    this.body.hidden = !open;
    this.measure();
  }

  key(event) {
    const { clock } = this;
    const moves = {
      ArrowRight: 1,
      ArrowUp: 1,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageUp: LEAP,
      PageDown: -LEAP,
      Home: -clock.last,
      End: clock.last,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") clock.toggle();
    else if (event.key in moves) clock.step(moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // What all those near the first are at a moment under the pointer.
  tell(moment, { clientX, clientY }) {
    const { replay } = this;
    const scores = scoresAt(replay, moment);
    const first = ranked(replay, moment).slice(0, TOLD);
    const text = first.map((j) => `${replay.classes[j]} ${fixed(scores[j])}`).join(", ");
    const way = wayTo(replay, moment);
    this.tip.show(first.length ? say("replay.tip", { way, scores: text }) : describe(replay, moment), clientX, clientY);
  }

  // Drawing, at most once a frame of the screen.

  invalidate() {
    this.request ??= requestAnimationFrame(() => this.draw());
  }

  // The text's size, and the frame's height that follows from its width.
  measure() {
    const style = getComputedStyle(this.element);
    this.size = Math.max(14, parseFloat(style.fontSize));
    const { canvas } = this.picture;
    const height = `${Math.round(heightOf(canvas.clientWidth, this.size))}px`;
    if (canvas.clientWidth && canvas.style.height !== height) canvas.style.height = height;
    return style;
  }

  scale() {
    const { clientWidth, clientHeight } = this.picture.canvas;
    return scales(this.replay, layout(clientWidth, clientHeight, this.size).curves, this.size);
  }

  draw() {
    this.request = null;
    const { replay, clock } = this;
    const { canvas } = this.picture;
    if (this.body.hidden || !canvas.clientWidth) return;
    const style = this.measure();
    if (!replay || this.stale) return;
    const { context, width, height } = this.picture.begin();
    const look = {
      text: style.color,
      page: getComputedStyle(this.shown).backgroundColor,
      accent: style.getPropertyValue("--accent").trim(),
      size: this.size,
      font: style.fontFamily,
    };
    const moment = clock.target;
    drawFrame(context, replay, moment, width, height, look);
    const { x, y, width: wide, height: high } = layout(width, height, this.size).curves;
    Object.assign(this.slider.style, { left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${high}px` });
    const said = describe(replay, moment);
    setText(this.said, said);
    setText(this.play, say(clock.playing ? "replay.pause" : "replay.play"));
    canvas.setAttribute("aria-label", say("replay.drawnAlt", { way: wayTo(replay, moment) }));
    this.slider.setAttribute("aria-valuenow", String(moment));
    this.slider.setAttribute("aria-valuetext", said);
    this.element.dataset.moment = String(moment);
  }
}

const mount = mounting((root, _, report) => new ReplayView(root, report), () => "");

export default function mountReplay({ data, parentElement, setStateValue }) {
  return mount(parentElement, "texts" in data ? data : unpack(data), setStateValue); // an offer is not packed
}
