// Two poses side by side, number by number: of both winners, or of one class in both drawings.

import { element, fixed, putInk, setText, signedText } from "./drawing.js";
import { say } from "./texts.js";
import { farthest, outward } from "./versus_maps.js";

const MARKED = 3; // numbers that differ most

export class VersusPoses {
  constructor(view, payload) {
    this.view = view;
    this.element = element("section", { class: "versus-poses", "data-testid": "poses" });
    this.none = element("p", { class: "look" }, say("versus.poseless"));
    this.which = element("select", { "data-testid": "which", "aria-label": say("versus.which"), onchange: () => view.invalidate() });
    this.pictures = [0, 1].map(() => {
      const canvas = element("canvas", { width: payload.size, height: payload.size, role: "img", class: "drawn" });
      const caption = element("figcaption");
      return { canvas, caption, figure: element("figure", {}, canvas, caption) };
    });
    this.rows = Array.from({ length: payload.pose }, (_, d) => {
      const dots = [0, 1].map((side) => element("i", { class: `dot side-${side}` }));
      const line = element("i", { class: "line" });
      const values = [0, 1].map((side) => element("span", { "data-testid": `pose-${side}-${d}` }));
      const row = element("div", { class: "versus-number" }, element("b", {}, `v${d}`), values[0], element("span", { class: "axis" }, line, ...dots), values[1]);
      return { row, dots, line, values };
    });
    this.list = element("div", { class: "versus-numbers" }, ...this.rows.map(({ row }) => row));
    this.what = element("p", { class: "look", "data-testid": "poses-said" });
    const top = element("div", { class: "versus-drawn" }, this.pictures[0].figure, this.which, this.pictures[1].figure);
    this.shown = element("div", {}, top, this.list, this.what);
    this.element.append(element("h2", {}, say("versus.poses")), this.none, this.shown);
  }

  load(payload) {
    const there = Boolean(payload.pose) && payload.whole;
    this.shown.hidden = !there;
    this.none.hidden = Boolean(payload.pose);
    if (!there) return;
    const names = this.view.classes.map((klass) => ({ name: this.view.name(klass) }));
    const options = [say("versus.winners"), ...names.map((name) => say("versus.inBoth", name))];
    const before = this.which.selectedIndex;
    this.which.replaceChildren(...options.map((text, at) => element("option", { value: at }, text)));
    this.which.selectedIndex = Math.max(0, before);
    const { v0, v1 } = payload.arrays;
    this.limit = outward([v0, v1].reduce((most, values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), most), 0.1));
  }

  /** @param {number} r the iteration whose v there is; -1 before the first */
  draw(r) {
    const { view } = this;
    if (!view.payload.pose || !this.element.clientWidth) return;
    const at = this.which.selectedIndex;
    const classes = at > 0 ? [view.classes[at - 1], view.classes[at - 1]] : view.payload.answers;
    const [first, second] = [0, 1].map((side) => (r < 0 ? new Float32Array(this.rows.length) : view.partOf("v", side, r, classes[side])));
    const marked = view.payload.same ? [] : farthest(first.map((value, d) => second[d] - value), MARKED);
    this.rows.forEach(({ row, dots, line, values }, d) => {
      const both = [first[d], second[d]];
      const places = both.map((value) => 50 + (50 * value) / this.limit);
      dots.forEach((dot, side) => {
        dot.style.left = `${places[side]}%`;
        dot.style.background = view.payload.digitColours[classes[side]];
      });
      line.style.left = `${Math.min(...places)}%`;
      line.style.width = `${Math.abs(places[1] - places[0])}%`;
      values.forEach((value, side) => setText(value, r < 0 ? "–" : signedText(both[side], 3)));
      row.classList.toggle("differs", marked.includes(d));
      row.classList.toggle("unknown", r < 0);
    });
    this.pictures.forEach(({ canvas, caption }, side) => {
      const name = view.name(classes[side]);
      setText(caption, say("versus.drawn", { name }));
      canvas.setAttribute("aria-label", say("versus.drawnAlt", { name }));
      const drawn = view.payload.arrays[`drawn${side}`];
      putInk(canvas, drawn && r >= 0 ? view.partOf("drawn", side, r, classes[side]) : new Uint8Array(view.payload.size ** 2));
    });
    const said = marked.map((d) => say("versus.number", { d, first: fixed(first[d], 2), second: fixed(second[d], 2) })).join(", ");
    const words = { numbers: said, first: view.name(classes[0]), second: view.name(classes[1]), limit: fixed(this.limit, 1) };
    setText(this.what, r < 0 ? say("versus.noLengths") : say(view.payload.same ? "versus.posesSame" : classes[0] === classes[1] ? "versus.posesAlike" : "versus.posesApart", words));
  }
}
