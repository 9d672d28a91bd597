// Agreement microscope: one primary capsule, from u to its coupling coefficients, in numbers.

import { Picture, drawInk, element, fixed, inkCanvas, setText, signedText, words } from "./drawing.js";
import { capsuleAt, capsuleOf } from "./routing.js";
import { say, spelled, vector } from "./texts.js";

export class Microscope {
  constructor(app) {
    this.app = app;
    this.title = element("h3", { "data-testid": "capsule" });
    this.picture = new Picture(say("routing.microscope.picture"), { class: "field" });
    this.length = element("p", { class: "u-length" });
    this.u = element("div", { class: "components", "data-testid": "u" });
    this.rows = element("tbody");
    this.vote = element("p", { class: "vote-numbers", "data-testid": "vote" });
    this.total = element("td", { "data-testid": "row-sum" });
    this.pickers = ["type", "row", "column"].map((name) => {
      const select = element("select", { "aria-label": say(`routing.microscope.${name}Label`), onchange: () => this.pick() });
      return { name, select };
    });
    this.strongest = element("button", { type: "button", onclick: () => app.choose({ capsule: app.strongest({ digit: app.digit }) }) });
    const head = { j: "j", vote: "û = W u", b: "b", c: "c", agreement: "û · v", next: "b + û · v" };
    this.element = element(
      "section",
      { class: "microscope" },
      element("h2", {}, say("routing.microscope.title")),
      element(
        "div",
        { class: "picker" },
        ...this.pickers.map(({ name, select }) => element("label", {}, `${say(`routing.microscope.${name}`)} `, select)),
        this.strongest,
      ),
      this.title,
      element(
        "div",
        { class: "u-line" },
        ...words(`[[u =|${say("routing.microscope.u", { components: spelled(app.components) })}]]`),
        this.u,
      ),
      element(
        "div",
        { class: "microscope-body" },
        element("div", {}, this.picture.canvas, this.length),
        element(
          "table",
          {},
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              ...Object.entries(head).map(([name, formula]) => {
                const tip = say(`routing.microscope.${name}Tip`, app.shape);
                return element("th", { scope: "col" }, ...words(`[[${formula}|${tip}]]`));
              }),
            ),
          ),
          this.rows,
          element(
            "tfoot",
            {},
            element("tr", {}, element("th", { scope: "row", colspan: 3 }, say("routing.microscope.total", app.shape)), this.total, element("td", { colspan: 2 })),
          ),
        ),
      ),
      this.vote,
      element("p", { class: "look" }, say("routing.microscope.look", app.shape)),
    );
  }

  load(payload) {
    const { app } = this;
    const sizes = { type: app.grid.types, row: app.grid.rows, column: app.grid.columns };
    for (const { name, select } of this.pickers) {
      select.replaceChildren(
        ...Array.from({ length: sizes[name] }, (_, value) => element("option", { value }, String(value))),
      );
    }
    this.ink = inkCanvas(payload.arrays.image, payload.size, 0.9);
    this.uBars = Array.from({ length: app.components }, () => new Component());
    this.u.replaceChildren(...this.uBars.map(({ element: node }) => node));
    this.cells = Array.from({ length: payload.digits }, (_, digit) => {
      const vote = new Picture(say("routing.microscope.votes", { ...app.shape, name: app.name(digit) }), { class: "vote" });
      const [b, agreement, next] = [element("td"), element("td"), element("td")];
      const value = element("span", { class: "value" });
      const bar = element("i", { style: `background:${payload.digitColours[digit]}` });
      const row = element(
        "tr",
        {
          "data-testid": `row-${digit}`,
          onpointerenter: () => app.point({ digit }),
          onpointerleave: () => app.point({}),
          onclick: () => app.choose({ digit }),
        },
        element("th", { scope: "row" }, payload.classes[digit]),
        element("td", {}, vote.canvas),
        b,
        element("td", { class: "coupling" }, element("span", { class: "coupling-bar" }, bar), value),
        agreement,
        next,
      );
      return { row, vote, b, value, bar, agreement, next };
    });
    this.rows.replaceChildren(...this.cells.map(({ row }) => row));
  }

  measure() {}

  pick() {
    const [type, row, column] = this.pickers.map(({ select }) => Number(select.value));
    this.app.choose({ capsule: capsuleOf(this.app.payload, type, row, column) });
  }

  draw() {
    const { app } = this;
    const { payload, capsule, now } = app;
    const { type, row, column } = capsuleAt(payload, capsule);
    setText(this.title, say("routing.microscope.capsule", { capsule, type, row, column }));
    this.pickers.forEach(({ select }, index) => {
      select.value = String([type, row, column][index]);
    });
    setText(this.strongest, say("routing.microscope.strongest", { name: app.name(app.digit) }));
    this.drawField(row, column);

    const K = this.uBars.length;
    const u = payload.arrays.u.subarray(capsule * K, (capsule + 1) * K);
    this.uBars.forEach((bar, k) => bar.draw(u[k], 1));
    setText(this.length, `|u| = ${fixed(Math.hypot(...u), 3)}`);

    const first = capsule * payload.digits;
    const slice = (values) => values.subarray(first, first + payload.digits);
    const couplings = slice(app.blend("c", (r) => app.routing.c[r]));
    const D = app.shape.pose;
    const votes = payload.arrays.u_hat.subarray(first * D, (first + payload.digits) * D);
    const tallest = votes.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    const widest = Math.max(...app.routing.c.map((c) => Math.max(...slice(c))));
    const { iteration, step } = now;
    this.cells.forEach(({ row: node, vote, b, value, bar, agreement, next }, digit) => {
      node.classList.toggle("marked", digit === app.focusDigit);
      this.drawVote(vote, votes.subarray(digit * D, (digit + 1) * D), tallest);
      setText(b, fixed(app.routing.b[iteration][first + digit], 4));
      setText(value, fixed(app.routing.c[iteration][first + digit], 4));
      // What has not been computed yet in this iteration stays open.
      setText(agreement, step < 2 ? "–" : signedText(app.routing.agreement[iteration][first + digit], 4));
      setText(next, step < 3 ? "–" : fixed(app.routing.b[iteration + 1][first + digit], 4));
      bar.style.width = `${(100 * couplings[digit]) / widest}%`;
    });
    const chosen = votes.subarray(app.focusDigit * D, (app.focusDigit + 1) * D);
    const said = { name: app.name(app.focusDigit), vote: vector(chosen, 2) };
    setText(this.vote, say("routing.microscope.numbers", said));
    const total = slice(app.routing.c[iteration]).reduce((sum, c) => sum + c, 0);
    setText(this.total, fixed(total, 3));
  }

  drawField(row, column) {
    const { field, stride } = this.app.grid;
    const { context, width } = this.picture.begin();
    const pixel = width / this.app.payload.size;
    drawInk(context, this.ink, 0, 0, width);
    context.fillStyle = "rgb(0 0 0 / 0.55)";
    const [x, y, size] = [column * stride * pixel, row * stride * pixel, field * pixel];
    context.beginPath();
    context.rect(0, 0, width, width);
    context.rect(x, y, size, size);
    context.fill("evenodd");
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.strokeRect(x + 1, y + 1, size - 2, size - 2);
  }

  drawVote(picture, vote, tallest) {
    const { app } = this;
    const { context, width, height } = picture.begin();
    const step = width / vote.length;
    context.fillStyle = app.textColour;
    context.globalAlpha = 0.35;
    context.fillRect(0, height / 2 - 0.5, width, 1);
    context.globalAlpha = 1;
    vote.forEach((value, d) => {
      const bar = (value / tallest) * (height / 2 - 1);
      context.fillStyle = value < 0 ? app.colours.againstColour : app.colours.forColour;
      context.fillRect(d * step + 0.5, height / 2 - Math.max(bar, 0), step - 1, Math.abs(bar));
    });
  }
}

// One component of u: a small signed bar and its number.
export class Component {
  constructor() {
    this.bar = element("i");
    this.value = element("span");
    this.element = element("span", { class: "component" }, element("span", { class: "component-bar" }, this.bar), this.value);
  }

  draw(value, limit) {
    const height = (50 * Math.min(Math.abs(value), limit)) / limit;
    this.bar.style.cssText = `height:${height}%;${value < 0 ? "top" : "bottom"}:50%`;
    this.bar.className = value < 0 ? "against" : "for";
    setText(this.value, fixed(value));
  }
}
