// Microscope: one capsule, from u to its shares of every class; and one cell of A, product by product.

import { headOf } from "./attention_picture.js";
import { Picture, element, fixed, setText, signedText, words } from "./drawing.js";
import { Component } from "./microscope.js";
import { say, spelled } from "./texts.js";

const HEAD = { j: "j", vote: "û = W u", score: "e", c: "c", prior: "b", weight: "w", share: "share" };
const NUMBERS = { score: 3, c: 4, prior: 4, weight: 4, share: 4 }; // and their decimals

export class Capsule {
  constructor(app) {
    this.app = app;
    const { classes, components } = app.payload;
    this.length = element("span", { class: "u-length" });
    this.select = element(
      "select",
      { "aria-label": say("attention.capsule.select"), onchange: () => app.choose({ capsule: Number(this.select.value) }) },
      ...Array.from({ length: app.payload.primary }, (_, capsule) => element("option", { value: capsule }, String(capsule))),
    );
    this.strongest = element("button", { type: "button", onclick: () => app.choose({ capsule: app.strongest(app.digit) }) });
    this.u = Array.from({ length: components }, () => new Component());
    this.rows = classes.map((name, digit) => this.row(name, digit));
    this.sums = Object.fromEntries(["c", "weight"].map((name) => [name, element("td", { "data-testid": `sum-${name}` })]));
    const head = Object.entries(HEAD).map(([name, formula]) => {
      const tip = name === "j" || name === "vote" ? say(`attention.capsule.${name}`, app.shape) : say(`attention.column.${name}`, app.shape);
      return headOf(formula, tip);
    });
    const { c, weight } = this.sums;
    const foot = element("tr", {}, element("th", { scope: "row", colspan: 3 }, say("attention.capsule.sum", app.shape)), c, element("td"), weight, element("td"));
    const meaning = say("attention.capsule.u", { components: spelled(components) });
    this.element = element(
      "section",
      { class: "microscope" },
      element("h2", {}, say("attention.capsule.title")),
      element("div", { class: "picker" }, element("label", {}, `${say("attention.capsule.pick")} `, this.select), this.strongest, this.length),
      element("div", { class: "u-line" }, ...words(`[[u =|${meaning}]]`), element("div", { class: "components", "data-testid": "u" }, ...this.u.map(({ element: node }) => node))),
      element("div", { class: "scrolled" }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...this.rows.map(({ node }) => node)), element("tfoot", {}, foot))),
      element("p", { class: "look" }, say("attention.capsule.look", app.shape)),
    );
  }

  row(name, digit) {
    const { app } = this;
    const vote = new Picture(say("attention.capsule.votePicture", { ...app.shape, name }), { class: "vote" });
    const cells = Object.keys(NUMBERS).map((quantity) => ({ quantity, cell: element("td") }));
    const node = element(
      "tr",
      {
        "data-testid": `row-${digit}`,
        onpointerenter: () => app.point({ digit }),
        onpointerleave: () => app.point({}),
        onclick: () => app.choose({ digit }),
      },
      element("th", { scope: "row" }, name),
      element("td", {}, vote.canvas),
      ...cells.map(({ cell }) => cell),
    );
    return { node, vote, cells };
  }

  draw() {
    const { app } = this;
    const { capsule, payload } = app;
    this.select.value = String(capsule);
    setText(this.strongest, say("attention.capsule.strongest", { name: app.name(app.digit) }));
    setText(this.length, `|u| = ${fixed(app.lengthOf("u", capsule), 3)}`);
    const { components, pose, limits, arrays } = payload;
    this.u.forEach((bar, k) => bar.draw(arrays.u[capsule * components + k], 1));
    this.rows.forEach(({ node, vote, cells }, digit) => {
      node.classList.toggle("marked", digit === (app.pointed.digit ?? app.digit));
      const at = (capsule * payload.digits + digit) * pose;
      drawBars(app, vote, arrays.u_hat.subarray(at, at + pose), limits.votes);
      for (const { quantity, cell } of cells) {
        const value = app.at(quantity, capsule, digit);
        setText(cell, quantity === "c" ? fixed(value, NUMBERS.c) : signedText(value, NUMBERS[quantity]));
      }
    });
    for (const [name, cell] of Object.entries(this.sums)) setText(cell, fixed(app.row(name).reduce((sum, value) => sum + value, 0), 3));
  }
}

export class Cell {
  constructor(app) {
    this.app = app;
    this.title = element("h3", { "data-testid": "cell" });
    this.heads = ["i", "k"].map(() => element("th", { scope: "col" }));
    this.rows = Array.from({ length: app.payload.pose }, (_, d) => {
      const values = [element("td"), element("td")];
      const bar = element("i");
      const value = element("span", { class: "value" });
      const product = element("td", {}, element("span", { class: "mark signed" }, bar), value);
      const node = element("tr", { "data-testid": `product-${d}` }, element("th", { scope: "row" }, String(d)), ...values, product);
      return { node, values, bar, value };
    });
    this.sum = element("td", { "data-testid": "product-sum" });
    this.result = element("p", { class: "cell-result", "data-testid": "cell-result" });
    this.element = element(
      "section",
      { class: "attention-cell" },
      element("h2", {}, say("attention.cell.title")),
      this.title,
      element(
        "table",
        { class: "attention-table products" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, say("attention.cell.component")), ...this.heads, element("th", { scope: "col" }, say("attention.cell.product")))),
        element("tbody", {}, ...this.rows.map(({ node }) => node)),
        element("tfoot", {}, element("tr", {}, element("th", { scope: "row", colspan: 3 }, say("attention.cell.sum")), this.sum)),
      ),
      this.result,
      element("p", { class: "look" }, say("attention.cell.look", app.shape)),
    );
  }

  draw() {
    const { app } = this;
    const { pose, digits, arrays } = app.payload;
    const said = { ...app.shape, name: app.name(app.digit), capsule: app.capsule, other: app.other };
    setText(this.title, say("attention.cell.here", said));
    [app.capsule, app.other].forEach((capsule, at) => {
      const html = `û<sub>${capsule}</sub>`;
      if (this.heads[at].innerHTML !== html) this.heads[at].innerHTML = html;
    });
    const [own, other] = [app.capsule, app.other].map((capsule) => {
      const at = (capsule * digits + app.digit) * pose;
      return arrays.u_hat.subarray(at, at + pose);
    });
    const products = Array.from(own, (value, d) => value * other[d]);
    const most = Math.max(...products.map(Math.abs), 1e-6);
    this.rows.forEach(({ values, bar, value }, d) => {
      setText(values[0], signedText(own[d], 3));
      setText(values[1], signedText(other[d], 3));
      setText(value, signedText(products[d], 4));
      const part = (50 * Math.abs(products[d])) / most;
      bar.className = products[d] < 0 ? "against" : "for";
      bar.style.width = `${part}%`;
      bar.style.left = `${products[d] < 0 ? 50 - part : 50}%`;
    });
    const sum = products.reduce((total, value) => total + value, 0);
    setText(this.sum, signedText(sum, 4));
    const value = app.attention(app.digit, app.capsule, app.other);
    const root = fixed(Math.sqrt(pose), Number.isInteger(Math.sqrt(pose)) ? 0 : 4);
    setText(this.result, say("attention.cell.result", { ...said, sum: signedText(sum, 4), root, value: signedText(value, 4) }));
  }
}

// A vector as bars, up for what is positive.
function drawBars(app, picture, vector, tallest) {
  const { context, width, height } = picture.begin();
  const step = width / vector.length;
  context.fillStyle = app.textColour;
  context.globalAlpha = 0.35;
  context.fillRect(0, height / 2 - 0.5, width, 1);
  context.globalAlpha = 1;
  vector.forEach((value, d) => {
    const bar = (value / tallest) * (height / 2 - 1);
    context.fillStyle = value < 0 ? app.colours.againstColour : app.colours.forColour;
    context.fillRect(d * step + 0.5, height / 2 - Math.max(bar, 0), step - 1, Math.abs(bar));
  });
}
