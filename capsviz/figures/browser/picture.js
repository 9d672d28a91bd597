// An uploaded picture with what was taken of it marked: a crop to drag, and points on what is no ink.

import { element } from "./drawing.js";
import { say, speak } from "./texts.js";

const LEAST = 0.05; // of a side, that a crop must have
const STEP = 0.01; // of a side, that an arrow key moves a corner or the cross; five times as far with shift
const CORNERS = ["nw", "ne", "se", "sw"];

const between = (value, low, high) => Math.min(Math.max(value, low), high);
export const rounded = (values) => values.map((value) => Math.round(value * 1e4) / 1e4);

// A crop [left, top, right, bottom] with one corner at another place.
export function withCorner([left, top, right, bottom], corner, x, y) {
  const west = corner.includes("w");
  const north = corner.includes("n");
  return [
    west ? between(x, 0, right - LEAST) : left,
    north ? between(y, 0, bottom - LEAST) : top,
    west ? right : between(x, left + LEAST, 1),
    north ? bottom : between(y, top + LEAST, 1),
  ];
}

// The same crop elsewhere, within the picture.
export function shifted([left, top, right, bottom], dx, dy) {
  const x = between(dx, -left, 1 - right);
  const y = between(dy, -top, 1 - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

// A text with ++what is taken++ and --what is left out-- in the colours of the marks.
function coloured(text) {
  return text.split(/(\+\+.+?\+\+|--.+?--)/).map((part) => {
    if (part.startsWith("++")) return element("b", { class: "framing-kept" }, part.slice(2, -2));
    return part.startsWith("--") ? element("b", { class: "framing-left" }, part.slice(2, -2)) : part;
  });
}

class Framing {
  constructor(root, report, kind) {
    this.report = report;
    this.cross = [0.5, 0.5];
    this.image = element("img", { class: "framing-picture", draggable: "false" });
    this.marks = element("img", { class: "framing-marks", alt: "", draggable: "false" });
    this.box = element("div", { class: "framing-crop" });
    this.handles = CORNERS.map((corner) =>
      element("button", {
        type: "button",
        class: `framing-handle ${corner}`,
        "data-corner": corner,
        "aria-label": say(`picture.corner.${corner}`),
        onkeydown: (event) => this.moveCorner(event, corner),
      }),
    );
    this.box.append(...this.handles);
    this.pointer = element("div", { class: "framing-cross", hidden: true });
    this.stage = element(
      "div",
      {
        class: "framing-stage",
        onpointerdown: (event) => this.press(event),
        onpointermove: (event) => this.drag(event),
        onpointerup: (event) => this.release(event),
        onpointercancel: () => this.cancel(),
        onkeydown: (event) => this.moveCross(event),
      },
      this.image,
      this.marks,
      this.box,
      this.pointer,
    );
    this.marking = element("input", { type: "checkbox", onchange: () => this.draw() });
    this.kind = kind;
    this.look = element("p");
    this.element = element(
      "div",
      { class: "framing" },
      this.stage,
      element(
        "div",
        { class: "framing-tools" },
        element("label", {}, this.marking, ` ${say("picture.mark")}`),
        element("button", { type: "button", onclick: () => this.change({ crop: null }) }, say("picture.whole")),
        element("button", { type: "button", onclick: () => this.change({ without: [] }) }, say("picture.unmark")),
      ),
      this.look,
    );
    root.append(this.element);
  }

  load(data) {
    const framed = data.crop ?? [0, 0, 1, 1];
    // From then on it is set here alone: what Python answers may be of an earlier step.
    if (!this.data) [this.crop, this.without] = [framed, data.without];
    this.data = data;
    this.image.src = data.picture;
    this.image.alt = say("picture.name", { name: data.name });
    this.marks.hidden = !data.marks;
    if (data.marks) this.marks.src = data.marks;
    this.marked = framed; // the marks are of this part
    this.stage.style.setProperty("--ratio", String(data.shape[1] / data.shape[0]));
    this.draw();
  }

  // Tell the server; a crop of all of the picture is none.
  change({ crop = this.crop, without = this.without }) {
    const whole = crop === null || rounded(crop).join() === "0,0,1,1";
    this.crop = whole ? [0, 0, 1, 1] : rounded(crop);
    this.without = without;
    this.draw();
    this.report("framing", { crop: whole ? null : this.crop, without });
  }

  draw() {
    this.lay(this.box, this.crop);
    this.lay(this.marks, this.marked);
    const marking = this.marking.checked;
    this.element.classList.toggle("marking", marking);
    const look = marking ? "lookMarking" : this.data.marks ? "look" : "lookNothing";
    this.look.replaceChildren(...coloured(say(`picture.${look}`, { kind: this.kind })));
    this.stage.tabIndex = marking ? 0 : -1;
    this.stage.setAttribute("role", marking ? "application" : "group");
    this.stage.setAttribute("aria-label", say(marking ? "picture.cross" : "picture.stage"));
    this.pointer.hidden = !marking;
    this.place(this.pointer, this.cross);
    this.points?.forEach((node) => node.remove());
    this.points = this.without.map(([x, y], at) => {
      const node = element(
        "button",
        {
          type: "button",
          class: "framing-point",
          "aria-label": say("picture.point", { across: Math.round(100 * x), down: Math.round(100 * y) }),
          onclick: () => this.change({ without: this.without.filter((_, other) => other !== at) }),
        },
        "×",
      );
      this.place(node, [x, y]);
      return node;
    });
    this.stage.append(...this.points);
  }

  lay(node, [left, top, right, bottom]) {
    node.style.left = `${100 * left}%`;
    node.style.top = `${100 * top}%`;
    node.style.width = `${100 * (right - left)}%`;
    node.style.height = `${100 * (bottom - top)}%`;
  }

  /**
   * @param {HTMLElement} node
   * @param {number[]} place x and y, as fractions of the picture
   */
  place(node, [x, y]) {
    node.style.left = `${100 * x}%`;
    node.style.top = `${100 * y}%`;
  }

  at(event) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return [between((event.clientX - left) / width, 0, 1), between((event.clientY - top) / height, 0, 1)];
  }

  press(event) {
    if (event.button !== 0 || event.target.classList.contains("framing-point")) return;
    const [x, y] = this.at(event);
    if (this.marking.checked) {
      this.change({ without: [...this.without, rounded([x, y])] });
      return;
    }
    const corner = event.target.dataset?.corner;
    const [left, top, right, bottom] = this.crop;
    const inside = x > left && x < right && y > top && y < bottom;
    const whole = right - left === 1 && bottom - top === 1;
    this.dragged = { corner, move: !corner && inside && !whole, x, y, before: this.crop };
    this.stage.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (!this.dragged) return;
    const { corner, move, x, y, before } = this.dragged;
    const [nowX, nowY] = this.at(event);
    if (corner) this.crop = withCorner(before, corner, nowX, nowY);
    else if (move) this.crop = shifted(before, nowX - x, nowY - y);
    else if (Math.abs(nowX - x) >= LEAST && Math.abs(nowY - y) >= LEAST) {
      this.crop = [Math.min(x, nowX), Math.min(y, nowY), Math.max(x, nowX), Math.max(y, nowY)];
    }
    this.draw();
  }

  release(event) {
    if (!this.dragged) return;
    this.drag(event);
    const { before } = this.dragged;
    this.dragged = null;
    if (this.crop !== before) this.change({});
  }

  cancel() {
    if (!this.dragged) return;
    this.crop = this.dragged.before;
    this.dragged = null;
    this.draw();
  }

  // Arrow keys as a step, or null.
  step({ key, shiftKey }) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    return way ? way.map((part) => part * STEP * (shiftKey ? 5 : 1)) : null;
  }

  moveCorner(event, corner) {
    const step = this.step(event);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [left, top, right, bottom] = this.crop;
    const x = corner.includes("w") ? left : right;
    const y = corner.includes("n") ? top : bottom;
    this.change({ crop: withCorner(this.crop, corner, x + step[0], y + step[1]) });
  }

  moveCross(event) {
    if (!this.marking.checked || event.target !== this.stage) return;
    const step = this.step(event);
    if (step) {
      this.cross = this.cross.map((value, axis) => between(value + step[axis], 0, 1));
      this.draw();
    } else if (event.key === "Enter" || event.key === " ") {
      this.change({ without: [...this.without, rounded(this.cross)] });
    } else return;
    event.preventDefault();
  }
}

const framings = new WeakMap();

export default function mountFraming({ data, parentElement, setStateValue }) {
  speak(data.texts);
  if (!framings.has(parentElement)) framings.set(parentElement, new Framing(parentElement, setStateValue, data.kind));
  const framing = framings.get(parentElement);
  framing.report = setStateValue;
  framing.load(data);
  return () => {
    framing.element.remove();
    framings.delete(parentElement);
  };
}
