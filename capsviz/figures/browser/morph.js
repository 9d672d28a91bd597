// From one pose to another, of the same capsule or of two.

import { element, putInk, setText } from "./drawing.js";
import { between } from "./poses.js";
import { knows, say } from "./texts.js";

const SECONDS = 4; // there and back
const LETTERS = ["A", "B"];

/**
 * What stands below an end: which it is, where its pose comes from, and what it is of. A class whose name the language
 * joins in another way, as English "an 8", has a text of its own.
 * @param {string} letter
 * @param {string} name
 * @param {string} className
 */
export function endCaption(letter, name, className) {
  const own = `pose.morph.end.${className}`;
  return say(knows(own) ? own : "pose.morph.end.default", { letter, name, class: className });
}

export class Morph {
  constructor(page) {
    this.page = page;
    const picture = (attributes) => element("canvas", { width: page.size, height: page.size, class: "thumb large", role: "img", ...attributes });
    this.pictures = [picture({}), picture({})];
    this.names = [element("figcaption"), element("figcaption")];
    this.middle = picture({ "aria-label": say("pose.morph.between"), "data-testid": "morph" });
    this.share = element("figcaption");
    this.scrubber = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.001,
      value: 0.5,
      "aria-label": say("pose.morph.share"),
      oninput: () => {
        page.halt();
        this.draw();
      },
    });
    const button = (name, act, tip) => element("button", { type: "button", onclick: act, "data-tip": tip }, name);
    const figure = (canvas, caption) => element("figure", {}, canvas, caption);
    this.keepers = ["a", "b"].map((name) => ({
      name,
      node: button("", () => this.keep(name), say("pose.morph.keeping")),
    }));
    this.loopButton = button(say("pose.morph.loop"), () => this.loop(), say("pose.morph.looping"));
    this.element = element(
      "section",
      { class: "morph" },
      element("h2", {}, say("pose.morph.heading")),
      element("div", { class: "morph-row" }, figure(this.pictures[0], this.names[0]), figure(this.middle, this.share), figure(this.pictures[1], this.names[1])),
      this.scrubber,
      element(
        "div",
        { class: "pose-tools" },
        this.loopButton,
        ...this.keepers.map(({ node }) => node),
      ),
      element("p", { class: "look" }, say(`pose.morph.look${page.plain}`, { inputs: page.inputs.length, kinds: page.kinds })),
    );
  }

  keep(name) {
    const { capsule, pose, kept } = this.page;
    kept[name] = kept[name] ? null : { digit: capsule, pose: Array.from(pose) };
    this.show();
  }

  // Until something is kept, A is the pose as it is now, B the drawing before or an example.
  ends() {
    const { kept, capsule, pose, data } = this.page;
    const named = (placed, name) => placed && { ...placed, name: say(`pose.morph.${name}`) };
    return {
      a: named(kept.a, "kept") ?? named({ digit: capsule, pose: Array.from(pose) }, "this"),
      b: named(kept.b, "kept") ?? named(kept.before, "before") ?? data.example,
    };
  }

  inputs(share) {
    const { a, b } = this.ends();
    return between(this.page.inputs.length, a, b, share);
  }

  show() {
    this.label();
    this.pictures.forEach((picture, at) => putInk(picture, this.page.decoder.decode(this.inputs(at))));
    this.draw();
  }

  label() {
    const { classes, kept, kind, plain } = this.page;
    Object.values(this.ends()).forEach(({ digit, name }, at) => {
      const letter = LETTERS[at];
      this.pictures[at].setAttribute("aria-label", say(`pose.morph.picture${plain}`, { letter, kind, class: classes[digit] }));
      setText(this.names[at], endCaption(letter, name, classes[digit]));
    });
    this.keepers.forEach(({ name, node }, at) => {
      setText(node, say(kept[name] ? "pose.morph.release" : "pose.morph.keep", { letter: LETTERS[at] }));
    });
  }

  draw() {
    const share = Number(this.scrubber.value);
    putInk(this.middle, this.page.decoder.decode(this.inputs(share)));
    const way = say("pose.morph.way", { percent: Math.round(100 * share) });
    setText(this.share, way);
    this.scrubber.setAttribute("aria-valuetext", way);
  }

  loop() {
    this.page.move("morph", (seconds) => {
      this.scrubber.value = String(0.5 - 0.5 * Math.cos((2 * Math.PI * seconds) / SECONDS));
      this.draw();
    });
  }
}
