// Which capsule is decoded: the capsules and their lengths, the mask, and a picture of what the decoder is fed.

import { Picture, element, fixed, setText } from "./drawing.js";
import { say, spelled } from "./texts.js";

const MASKS = ["winner", "label", "all"];
const ABREAST = 10; // capsules in a row, half as many with names of several letters
const SHORT = 3; // letters of a name that a tenth of the width holds
const FULL = 0.6; // units: the input that has full colour
const TOP = 20; // pixels above the inputs, and at least beside them, for dimensions and names
const ROW = 18; // pixels of one capsule's inputs
const WIDEST = 90; // pixels for names

export class Capsules {
  constructor(page) {
    this.page = page;
    const { classes, dimensions, kind, plain } = page;
    const inputs = classes.length * dimensions;
    const counts = { count: classes.length - 1, others: spelled(classes.length - 1), all: spelled(classes.length), inputs, kind };
    this.buttons = classes.map((name, capsule) => {
      const value = element("span");
      const attributes = { type: "button", "data-testid": `capsule-${capsule}`, onclick: () => page.pick(capsule) };
      return { button: element("button", attributes, element("b", {}, name), value), value };
    });
    this.masks = MASKS.map((mask) => {
      const input = element("input", { type: "radio", name: "mask", onclick: () => page.setMask(mask) });
      const name = element("span", {}, say(`pose.mask.${mask}.name`, counts));
      const label = element("label", { class: "choice", "data-tip": say(`pose.mask.${mask}.tip${plain}`, counts) }, input, name);
      return { mask, input, label };
    });
    this.fed = new Picture(say("pose.inputs.name", { inputs }), { class: "fed", "data-testid": "fed" });
    this.fed.canvas.style.height = `${TOP + ROW * classes.length}px`;
    const grid = element("div", { class: "capsules" }, ...this.buttons.map(({ button }) => button));
    const most = classes.every((name) => name.length <= SHORT) ? ABREAST : ABREAST / 2;
    grid.style.setProperty("--abreast", String(Math.min(classes.length, most)));
    this.words = { inputs, kind, numbers: dimensions };
    this.look = element("p", { class: "look" });
    this.element = element(
      "section",
      {},
      element("h2", {}, say(`pose.capsules.heading${plain}`, { kind })),
      grid,
      element("fieldset", {}, element("legend", {}, say("pose.mask.heading")), ...this.masks.map(({ label }) => label)),
      this.fed.canvas,
      this.look,
    );
  }

  show() {
    const { mask, capsule, classes, data, kind, plain } = this.page;
    for (const own of this.masks) own.input.checked = own.mask === mask;
    const which = mask === "all" ? "lookAll" : "look";
    setText(this.look, say(`pose.inputs.${which}${plain}`, { ...this.words, full: FULL * data.unit }));
    this.buttons.forEach(({ button, value }, at) => {
      const score = fixed(data.scores[at]);
      button.setAttribute("aria-pressed", String(at === capsule));
      button.classList.toggle("longest", at === data.prediction);
      button.style.setProperty("--digit", data.digitColours[at]);
      button.setAttribute("aria-label", say(`pose.capsules.name${plain}`, { class: classes[at], kind, score }));
      setText(value, score);
    });
  }

  draw() {
    const { page } = this;
    const { classes, dimensions } = page;
    const { context, width, height } = this.fed.begin();
    const style = getComputedStyle(page.element);
    const font = (bold) => (context.font = `${bold ? "bold " : ""}14px ${style.fontFamily}`);
    font(true);
    const widest = Math.max(...classes.map((name) => context.measureText(name).width));
    const left = Math.max(TOP, Math.min(widest + 8, WIDEST));
    const [cell, row] = [(width - left) / dimensions, (height - TOP) / classes.length];
    const fed = page.feed();
    context.textBaseline = "middle";
    context.textAlign = "center";
    const label = (text, x, y, bold, room) => {
      context.fillStyle = style.color;
      font(bold);
      context.fillText(text, x, y, room);
    };
    for (let d = 0; d < dimensions; d++) label(d, left + (d + 0.5) * cell, TOP / 2, d === page.selected, cell);
    context.fillStyle = "#000";
    context.fillRect(left, TOP, width - left, height - TOP);
    classes.forEach((name, capsule) => {
      label(name, left / 2, TOP + (capsule + 0.5) * row, capsule === page.capsule, left);
      for (let d = 0; d < dimensions; d++) {
        context.fillStyle = page.colours.at(fed[capsule * dimensions + d] / (FULL * page.data.unit));
        context.fillRect(left + d * cell, TOP + capsule * row, cell - 1, row - 1);
      }
    });
    context.strokeStyle = "#fff";
    context.strokeRect(left + 0.5, TOP + page.capsule * row, width - left - 1, row - 1);
  }
}
