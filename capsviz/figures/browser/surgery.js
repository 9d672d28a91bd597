// Surgery: the same votes, coupled in another way; lengths and reconstruction before and after.

const EXPERIMENTS = [
  ["routing", "routing", "The paper’s routing. Change R, or silence capsules, and look how much of the answer stands."],
  ["uniform", "c uniform", "c stays 1/10 in every iteration: no routing, the same as R = 1."],
  ["random", "c random", "Each capsule’s ten coefficients are drawn at random (evenly over all rows that sum to 1), and kept."],
  [
    "children",
    "softmax over the wrong axis",
    "Softmax over the 1152 capsules instead of the ten digits, an error found in well-known implementations: each capsule now gives about 10/1152 of itself in all.",
  ],
  ["carried", "b not reset", "Routing starts with the b that another drawing left behind, as if b were kept between images."],
];

class Surgery {
  constructor(root, report) {
    this.report = report; // report(name, value) tells Python
    this.number = 0; // of the last operation that was sent
    this.element = element("div", { class: "surgery" });
    this.tip = new Tip(this.element);
    this.intro = element("p", { class: "surgery-intro" });
    this.places = new Toggles("place", (index) => `row ${Math.floor(index / 6)}, column ${index % 6}`, (chosen) => this.change({ places: chosen }));
    this.types = new Toggles("capsule type", (index) => `type ${index}`, (chosen) => this.change({ types: chosen }), true);
    this.element.append(
      element("h2", {}, "Surgery: what if routing went another way?"),
      this.intro,
    );
    this.element.append(element("div", { class: "surgery-body" }, this.controls(), this.silencing(), this.results()));
    root.append(this.element);
  }

  controls() {
    this.inputs = EXPERIMENTS.map(([coupling, name]) => {
      const input = element("input", {
        type: "radio",
        name: "coupling",
        value: coupling,
        onchange: () => this.change({ coupling }),
      });
      return { coupling, input, label: element("label", { class: "choice" }, input, element("span", {}, name)) };
    });
    this.what = element("p", { class: "what" });
    this.rounds = element("input", {
      type: "range",
      min: 1,
      max: 10,
      step: 1,
      "aria-label": "Routing iterations of the experiment",
      oninput: () => this.change({ iterations: Number(this.rounds.value) }),
    });
    this.roundsText = element("output");
    this.seedText = element("output");
    this.seed = element(
      "span",
      { class: "extra" },
      element("button", { type: "button", onclick: () => this.change({ seed: this.operation.seed + 1 }) }, "draw again"),
      this.seedText,
    );
    this.select = element("select", {
      "aria-label": "Drawing whose b is kept",
      onchange: () => this.change({ example: this.select.value }),
    });
    this.example = element("label", { class: "extra" }, "b from: ", this.select);
    this.undo = element("button", { type: "button", class: "reset", onclick: () => this.reset() }, "Undo all surgery");
    return element(
      "div",
      { class: "operation" },
      element("fieldset", {}, element("legend", {}, "Experiment"), ...this.inputs.map(({ label }) => label)),
      this.what,
      element("div", { class: "extras" }, this.seed, this.example),
      element("label", { class: "rounds" }, "R ", this.rounds, this.roundsText),
      this.undo,
    );
  }

  silencing() {
    return element(
      "div",
      { class: "silencing" },
      element(
        "figure",
        {},
        element("figcaption", {}, "Silence a region: paint on the grid"),
        this.places.element,
      ),
      element("figure", {}, element("figcaption", {}, "Silence capsule types"), this.types.element),
      element(
        "p",
        { class: "look" },
        "Crossed-out capsules vote no more; paint again to give their votes back. Tints are shares of |s| before: orange made the winner longer.",
      ),
    );
  }

  results() {
    this.verdict = element("p", { class: "verdict", role: "status", "data-testid": "verdict" });
    this.before = this.drawing("before");
    this.after = this.drawing("after");
    this.bars = element("div", { class: "paired" });
    this.sums = element("span", { "data-testid": "row-sums" });
    const legend = element("p", { class: "look" }, "Bars: lengths after; the upright line: before. ", this.sums);
    return element(
      "div",
      { class: "outcome" },
      this.verdict,
      element("div", { class: "outcome-body" }, this.before.element, this.after.element, this.bars),
      legend,
    );
  }

  drawing(name) {
    const canvas = element("canvas", { width: 28, height: 28, class: "drawn", role: "img" });
    const caption = element("figcaption");
    return { canvas, caption, element: element("figure", {}, element("b", {}, name), canvas, caption) };
  }

  change(part) {
    Object.assign(this.operation, part);
    this.show();
    this.send();
  }

  reset() {
    this.change({ coupling: "routing", iterations: null, types: [], places: [] });
  }

  // One question at a time: while Python answers, the latest change waits.
  send() {
    if (this.asked && performance.now() - this.asked < 2000) {
      this.waiting = true;
      return;
    }
    this.asked = performance.now();
    this.waiting = false;
    this.number += 1;
    this.report("operation", { ...this.operation, number: this.number });
  }

  load(data) {
    const { number, ...operation } = data.operation;
    // Python's is shown where this view is new, and where it could not do what was asked.
    if (!this.data || (data.problem && !this.waiting)) this.operation = operation;
    this.data = data;
    this.number = Math.max(this.number, number);
    this.operation.example ||= data.examples[1];
    if (number >= this.number || data.problem) {
      this.asked = null;
      if (this.waiting) this.send();
    }
    this.element.dataset.answered = number;
    this.show();
  }

  show() {
    const { data, operation } = this;
    setText(
      this.intro,
      `The same votes, coupled in another way. ${data.measured ? `${data.measured} ` : ""}Take routing away (c uniform), or half of the capsules, and see.`,
    );
    const iterations = operation.iterations ?? data.before.iterations;
    for (const { coupling, input } of this.inputs) input.checked = coupling === operation.coupling;
    setText(this.what, EXPERIMENTS.find(([coupling]) => coupling === operation.coupling)[2]);
    this.rounds.value = iterations;
    const kept = ["uniform", "random"].includes(operation.coupling);
    this.rounds.disabled = kept; // c stays as it is, however often routing goes round
    setText(this.roundsText, kept ? "no effect: c is kept" : `${iterations} iteration${iterations === 1 ? (operation.coupling === "routing" ? " (uniform c)" : "") : "s"}`);
    this.seed.hidden = operation.coupling !== "random";
    setText(this.seedText, `seed ${operation.seed}`);
    this.example.hidden = operation.coupling !== "carried";
    if (!this.select.children.length) {
      this.select.append(...data.examples.map((name) => element("option", { value: name }, name)));
    }
    this.select.value = operation.example;
    this.colours ??= new Diverging(data);
    this.places.show(data.places, operation.places, this.colours, data.grid, Uint8Array.from(data.image));
    this.types.show(data.types, operation.types, this.colours, 8);

    for (const [part, { digit, lengths, drawing }] of [[this.before, data.before], [this.after, data.after]]) {
      part.canvas.getContext("2d").drawImage(inkCanvas(Uint8Array.from(drawing), 28), 0, 0);
      part.canvas.setAttribute("aria-label", `what capsule ${digit} draws`);
      setText(part.caption, `by capsule ${digit}`);
    }
    this.showBars();
    const [was, is] = [data.before, data.after];
    const length = (value) => fixed(value, value < 0.01 ? 5 : 3);
    const moved = `${length(was.lengths[was.digit])} → ${length(is.lengths[was.digit])}`;
    const untouched =
      operation.coupling === "routing" && iterations === was.iterations && !operation.types.length && !operation.places.length;
    this.undo.disabled = untouched;
    const voteless = operation.places.length === this.places.buttons.length || operation.types.length === this.types.buttons.length;
    const result = voteless
      ? "No capsule is left to vote: every length is 0, there is no answer."
      : untouched
      ? `Unchanged: ${was.digit}, length ${length(was.lengths[was.digit])}.`
      : was.digit === is.digit
        ? `${is.lengths[is.digit] < 0.1 ? "Nothing is left: still" : "Still"} ${was.digit}, length ${moved}.`
        : `No longer ${was.digit} (${moved}) but ${is.digit} (${length(is.lengths[is.digit])}).`;
    this.verdict.classList.toggle("changed", voteless || was.digit !== is.digit);
    setText(this.verdict, data.problem || result);
    const [low, high] = data.rowSums;
    setText(
      this.sums,
      voteless ? "" : high - low < 1e-3
        ? `Over the ten digits, every capsule’s c sums to ${high < 0.9 ? "about " : ""}${fixed((low + high) / 2, 3)}.`
        : `Over the ten digits, a capsule’s c sums to between ${fixed(low, 4)} and ${fixed(high, 4)}, not to 1.`,
    );
  }

  showBars() {
    const { data } = this;
    if (!this.rows) {
      this.rows = data.before.lengths.map((_, digit) => {
        const [before, after] = [element("i", { class: "was" }), element("i", { class: "is" })];
        after.style.background = data.digitColours[digit];
        const value = element("span", { class: "value", "data-testid": `after-${digit}` });
        const row = element("div", {}, element("b", {}, String(digit)), element("span", { class: "track" }, after, before), value);
        return { row, before, after, value };
      });
      this.bars.append(...this.rows.map(({ row }) => row));
    }
    this.rows.forEach(({ row, before, after, value }, digit) => {
      before.style.left = `${100 * data.before.lengths[digit]}%`;
      after.style.width = `${100 * data.after.lengths[digit]}%`;
      const length = data.after.lengths[digit];
      setText(value, fixed(length, length > 0 && length < 0.001 ? 5 : 3));
      row.classList.toggle("marked", digit === data.after.digit && data.after.lengths[digit] > 0);
      row.dataset.tip = `length of ${digit}: ${fixed(data.before.lengths[digit], 4)} before (line), ${fixed(data.after.lengths[digit], 4)} after`;
    });
  }
}

// A grid of capsule groups that are silenced by painting over them, or with arrow keys and space.
class Toggles {
  constructor(name, describe, changed, numbered = false) {
    this.numbered = numbered;
    this.describe = describe;
    this.changed = changed;
    this.element = element("div", { class: "toggles", role: "group", "aria-label": `Silenced by ${name}` });
    this.buttons = [];
    this.element.addEventListener("pointerdown", (event) => this.begin(event));
    this.element.addEventListener("pointermove", (event) => this.paint(event));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => (this.painting = null));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  show(shares, chosen, colours, columns, image) {
    this.chosen = new Set(chosen);
    this.columns = columns;
    if (!this.buttons.length) {
      this.buttons = shares.map((_, index) => element("button", { type: "button", tabindex: index ? -1 : 0 }, this.numbered ? String(index) : ""));
      this.element.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
      this.element.append(...this.buttons);
    }
    if (image) {
      this.element.classList.add("over-drawing");
      this.element.style.backgroundImage = `url(${inkCanvas(image, 28, 0.5).toDataURL()})`;
    }
    const most = Math.max(...shares.map(Math.abs), 1e-6);
    this.buttons.forEach((button, index) => {
      button.style.setProperty("--tint", colours.at(shares[index] / most));
      button.setAttribute("aria-pressed", String(this.chosen.has(index)));
      button.setAttribute("aria-label", `${this.describe(index)}, share ${signedText(shares[index], 3)}`);
      button.dataset.tip = `${this.describe(index)}: share of |s| before ${signedText(shares[index], 3)}`;
    });
  }

  under(event) {
    const root = this.element.getRootNode();
    return this.buttons.indexOf(root.elementFromPoint(event.clientX, event.clientY)?.closest("button"));
  }

  begin(event) {
    const index = this.under(event);
    if (index < 0) return;
    event.preventDefault();
    event.target.dispatchEvent(new PointerEvent("pointerout", { bubbles: true })); // no tip over what is painted
    this.element.setPointerCapture(event.pointerId);
    this.painting = !this.chosen.has(index);
    this.set(index, this.painting);
    this.focus(index);
  }

  paint(event) {
    if (this.painting == null) return;
    const index = this.under(event);
    if (index >= 0) this.set(index, this.painting);
  }

  set(index, silenced) {
    if (this.chosen.has(index) === silenced) return;
    if (silenced) this.chosen.add(index);
    else this.chosen.delete(index);
    this.changed([...this.chosen].sort((a, b) => a - b));
  }

  focus(index) {
    this.buttons.forEach((button, own) => (button.tabIndex = own === index ? 0 : -1));
    this.buttons[index].focus({ preventScroll: true });
  }

  key(event) {
    const index = this.buttons.indexOf(event.target);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns };
    if (event.key in moves) {
      const to = index + moves[event.key];
      if (to >= 0 && to < this.buttons.length) this.focus(to);
    } else if (event.key === " " || event.key === "Enter") {
      this.set(index, !this.chosen.has(index));
    } else return;
    event.preventDefault(); // and so the page's clock leaves the key alone
  }
}

const operated = new WeakMap();

export default function mountSurgery({ data, parentElement, setStateValue }) {
  if (!operated.has(parentElement)) operated.set(parentElement, new Surgery(parentElement, setStateValue));
  operated.get(parentElement).load(data);
  return () => {
    operated.get(parentElement)?.element.remove();
    operated.delete(parentElement);
  };
}
