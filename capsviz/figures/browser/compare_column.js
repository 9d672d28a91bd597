// One network of the Compare page: its answer, a bar for each class, its curve along the change, the path of its pose.

import { drawCurve, drawPath, frameOf, placeAt } from "./compare_plot.js";
import { Picture, element, fixed, setText } from "./drawing.js";
import { followed } from "./fingers.js";
import { say } from "./texts.js";

const MOST = 13; // bars below each other

export class Column {
  /**
   * @param {any} view
   * @param {number} index of the column; the first is the session's network
   */
  constructor(view, index) {
    this.view = view;
    this.index = index;
    this.title = element("h3", { "data-verbatim": true });
    this.select = element("select", {
      "aria-label": say("compare.network", { count: index + 1 }),
      "data-testid": `network-${index}`,
      onchange: () => view.choose(index, this.select.value),
    });
    this.answer = element("p", { class: "compare-answer", "data-testid": `answer-${index}` });
    this.kind = element("p", { class: "compare-kind" });
    this.bars = element("div", { class: "compare-bars" });
    this.curve = new Picture(say("compare.measuring"), { class: "compare-curve", "data-testid": `curve-${index}` });
    this.fails = element("p", { "data-testid": `fails-${index}` });
    this.progress = element("progress", { "aria-label": say("compare.measuring") });
    this.pathTitle = element("h3");
    this.path = new Picture(say("compare.measuring"), { class: "compare-path" });
    this.pathLook = element("p", { class: "look" });
    this.shown = element(
      "div",
      { class: "compare-shown" },
      this.answer,
      this.kind,
      this.bars,
      this.curve.canvas,
      element("div", { class: "compare-fails" }, this.fails, this.progress),
      this.pathTitle,
      this.path.canvas,
      this.pathLook,
    );
    // A name has two lines; a select would cut it, so that the one to choose with lies over the name, unseen.
    this.head = element("div", { class: "compare-head" }, this.title, ...(index ? [this.select] : []));
    this.element = element("article", { class: "compare-column" }, this.head, this.shown);
    this.listen();
  }

  listen() {
    const { canvas } = this.curve;
    const place = (event) => {
      const frame = frameOf(canvas.clientWidth, canvas.clientHeight, this.view.size);
      return placeAt(this.curve.position(event)[0], frame, this.payload.changes[this.payload.change]);
    };
    followed(canvas, {
      at: place,
      now: () => this.view.steps[this.payload.change] - this.payload.changes[this.payload.change].first,
      go: (at) => this.view.move(this.payload, at),
      end: () => this.view.settle(),
      over: (at, event) => this.tell(at, event),
      out: () => this.view.tip.hide(),
    });
  }

  tell(place, { clientX, clientY }) {
    const { classes, change, changes } = this.payload;
    const name = classes[this.view.klass];
    const value = this.view.value(change, place + changes[change].first);
    if (this.answers[place] < 0) return;
    const at = { value, name, score: fixed(this.scoresAt(place)[this.view.klass], 3), answer: classes[this.answers[place]] };
    this.view.tip.show(say("compare.tipAt", at), clientX, clientY);
  }

  /** @param {any} payload in which this network has a place, or none */
  load(payload) {
    this.payload = payload;
    this.own = payload.columns[this.index];
    this.shown.hidden = !this.own;
    this.offer();
    if (!this.own) return;
    const { arrays, classes } = payload;
    this.scores = arrays[`scores${this.index}`];
    this.poses = arrays[`poses${this.index}`];
    this.count = this.scores.length / classes.length;
    this.answers = Array.from({ length: this.count }, (_, place) => {
      const scores = this.scoresAt(place);
      return Number.isNaN(scores[0]) ? -1 : scores.indexOf(Math.max(...scores));
    });
    setText(this.kind, say(`compare.${this.own.score}`));
    if (this.built !== classes.join()) this.build(classes, payload.digitColours);
  }

  // The networks that can stand here: all but those that stand elsewhere.
  offer() {
    const { offered, columns } = this.payload;
    const others = new Set(columns.filter((_, at) => at !== this.index).map(({ name }) => name));
    const names = Object.keys(offered).filter((name) => !others.has(name));
    this.element.hidden = !this.own && (this.index > columns.length || !names.length);
    const options = [["", say("compare.none")], ...names.map((name) => [name, offered[name]])];
    const key = JSON.stringify(options);
    if (this.options !== key) this.select.replaceChildren(...options.map(([value, text]) => element("option", { value, "data-verbatim": value !== "" }, text)));
    this.options = key;
    this.select.value = this.own?.name ?? "";
    setText(this.title, this.own?.title ?? say("compare.none"));
  }

  build(classes, colours) {
    this.built = classes.join();
    this.rows = classes.map((name, at) => {
      const bar = element("i");
      bar.style.background = colours[at];
      const value = element("span", { "data-testid": `score-${this.index}-${at}` });
      const row = element("div", {}, element("b", {}, name), element("span", { class: "track" }, bar), value);
      return { row, bar, value };
    });
    this.bars.classList.toggle("many", classes.length > MOST);
    this.bars.replaceChildren(...this.rows.map(({ row }) => row));
  }

  /**
   * Whether a payload has this network's answer at a value, if it has the network.
   * @param {any} payload
   * @param {number} place among the values
   */
  knows(payload, place) {
    const scores = payload.arrays[`scores${this.index}`];
    return !scores || !Number.isNaN(scores[place * payload.classes.length]);
  }

  scoresAt(place) {
    const count = this.payload.classes.length;
    return this.scores.subarray(place * count, (place + 1) * count);
  }

  /** @param {number} place among the values of the change */
  follow(place) {
    if (!this.own || !this.knows(this.payload, place)) return;
    const { classes } = this.payload;
    const scores = this.scoresAt(place);
    const answer = this.answers[place];
    const unsure = scores[answer] < this.own.unsureBelow ? ` · ${say("compare.unsure")}` : "";
    setText(this.answer, say("compare.answer", { name: classes[answer], score: fixed(scores[answer]) }) + unsure);
    this.answer.classList.toggle("wrong", answer !== this.view.klass);
    scores.forEach((score, at) => {
      const { row, bar, value } = this.rows[at];
      bar.style.width = `${100 * score}%`;
      setText(value, fixed(score, 3));
      row.classList.toggle("marked", at === answer);
    });
  }

  // What stands still while the marker moves.
  words() {
    if (!this.own) return;
    const { klass } = this.view;
    const name = this.payload.classes[klass];
    setText(this.fails, this.own.whole ? this.said() : "");
    this.progress.hidden = this.own.whole;
    this.progress.max = this.count;
    this.progress.value = this.answers.filter((answer) => answer >= 0).length;
    setText(this.pathTitle, say(this.own.score === "length" ? "compare.path" : "compare.pathLast"));
    const axes = this.own.axes[klass];
    this.path.canvas.hidden = !this.own.pose;
    const [first, second] = axes ?? [];
    const kind = this.payload.kind;
    if (!axes && this.own.pose) setText(this.pathLook, "");
    else setText(this.pathLook, axes ? say("compare.pathLook", { count: this.own.pose, name, first, second }) : say("compare.pathNone", { kind }));
  }

  // Where the answer is first another than the class that is named.
  said() {
    const { change, changes, classes } = this.payload;
    if (!this.own.whole) return say("compare.measuring");
    const [below, above] = this.own.firstWrong[this.view.klass];
    const value = (steps) => (steps === null ? "" : this.view.value(change, steps));
    const both = changes[change].first < 0;
    const words = { low: value(below), high: value(above), name: classes[this.view.klass] };
    if (below === 0 || above === 0) return say("compare.failsAlways", words);
    if (below === null && above === null) return say("compare.failsNever");
    if (!both) return say("compare.failsOne", words);
    if (below === null) return say("compare.failsAbove", words);
    return say(above === null ? "compare.failsBelow" : "compare.fails", words);
  }

  /**
   * @param {number} place
   * @param {any} look
   */
  draw(place, look) {
    if (!this.own || !this.curve.canvas.clientWidth || !this.knows(this.payload, place)) return;
    const { payload, view, own } = this;
    const { change, changes, classes, digitColours: colours } = payload;
    const { klass } = view;
    const scores = Array.from({ length: this.count }, (_, at) => this.scoresAt(at)[klass]);
    const value = (steps) => view.value(change, steps);
    const score = (number) => fixed(number, 1);
    const ticks = own.score === "length" ? [0.1, 0.9] : [0, 0.5, 1]; // m+ and m- of the loss
    const curve = { scores, answers: this.answers, place, change: changes[change], means: own.means, colour: colours[klass], colours };
    const { context, width, height } = this.curve.begin();
    drawCurve(context, width, height, { ...curve, names: classes, ticks, value, score }, look);
    const { first, last } = changes[change];
    const words = { network: own.title, name: classes[klass], low: value(first), high: value(last), score: fixed(scores[place], 3) };
    this.curve.canvas.setAttribute("aria-label", say("compare.curveAlt", { ...words, fails: this.said() }));
    const axes = own.axes[klass];
    if (!axes) {
      if (own.pose) this.path.begin(); // an empty picture until all of the path is known
      return;
    }
    const [across, up] = axes;
    const { pose } = own;
    const points = Array.from({ length: this.count }, (_, at) => {
      const start = (at * classes.length + klass) * pose;
      return /** @type {[number, number]} */ ([this.poses[start + across], this.poses[start + up]]);
    });
    const drawn = this.path.begin();
    const path = { points, answers: this.answers, place, same: -first, colours, names: /** @type {[string, string]} */ ([`v${across}`, `v${up}`]), number: fixed };
    drawPath(drawn.context, drawn.width, drawn.height, path, look);
    const told = { network: own.title, first: across, second: up, name: classes[klass], change: say(`compare.${change}`) };
    this.path.canvas.setAttribute("aria-label", say("compare.pathAlt", told));
  }
}
