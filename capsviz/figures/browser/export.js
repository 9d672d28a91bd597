// What can be taken along: pictures, the numbers, a link.

import { element, setText } from "./drawing.js";
import { lengthOf, logitOf } from "./poses.js";
import { say } from "./texts.js";

const SIDE = 560; // pixels of the image, or as many as whole times its own are

export class Exports {
  constructor(page) {
    this.page = page;
    const button = (name, act) => element("button", { type: "button", onclick: act }, name);
    const factor = Math.max(1, Math.round(SIDE / page.size));
    this.said = element("p", { class: "said", role: "status", "data-testid": "said" });
    this.element = element(
      "section",
      {},
      element("h2", {}, say("pose.export.heading")),
      element(
        "div",
        { class: "pose-tools" },
        button(say("pose.export.image"), () => this.png(enlarged(page.canvas, factor), "pose")),
        button(say("pose.export.grid"), () => this.png(page.grid.picture(), "sweep")),
        button(say("pose.export.sweep"), () => this.gif("sweep")),
        button(say("pose.export.morph"), () => this.gif("morph")),
        button(say("pose.export.numbers", { numbers: page.dimensions }), () => this.json()),
        button(say("pose.export.link"), () => this.link()),
      ),
      this.said,
    );
  }

  png(canvas, what) {
    setText(this.said, say("pose.export.saved"));
    canvas.toBlob((blob) => this.save(blob, `${what}.png`));
  }

  json() {
    setText(this.said, say("pose.export.saved"));
    const { capsule, pose, data, plain } = this.page;
    const what = plain ? { logit: logitOf(pose) } : { length: lengthOf(pose) };
    const numbers = { digit: capsule, pose: Array.from(pose), ...what, weights: data.decoder };
    this.save(new Blob([JSON.stringify(numbers, null, 2)], { type: "application/json" }), "pose.json");
  }

  link() {
    const href = this.page.writeAddress();
    const inBar = () => setText(this.said, say("pose.export.bar"));
    const copied = () => setText(this.said, say("pose.export.clipboard"));
    // Browsers keep the clipboard from pages that came without encryption.
    if (navigator.clipboard) navigator.clipboard.writeText(href).then(copied, inBar);
    else inBar();
  }

  // Python makes the GIF: Pillow does it well.
  gif(kind) {
    const { capsule, mask, pose, poses, selected, morphing, grid } = this.page;
    // As in the grid: around the encoded value; unmasked, all poses.
    const [own, fed] = [Array.from(pose), poses.map((values) => Array.from(values))];
    own[selected] = fed[capsule][selected] = grid.middle(selected);
    this.asked = Date.now();
    setText(this.said, say("pose.export.making"));
    this.page.report("gif", {
      kind,
      number: this.asked,
      digit: capsule,
      pose: mask === "all" ? fed : own,
      dimension: selected,
      span: grid.reach,
      ...morphing.ends(),
    });
  }

  answered(gif) {
    // What could not be read may have lost its number too.
    if (gif?.problem) setText(this.said, gif.problem);
    if (!gif?.data || gif.number !== this.asked) return;
    this.asked = null;
    setText(this.said, say(gif.kind === "sweep" ? "pose.export.swept" : "pose.export.saved", { dimension: gif.dimension }));
    const bytes = Uint8Array.from(atob(gif.data), (letter) => letter.charCodeAt(0));
    this.save(new Blob([bytes], { type: "image/gif" }), `${gif.kind}.gif`);
  }

  save(blob, name) {
    const url = URL.createObjectURL(blob);
    element("a", { href: url, download: `capsviz-${this.page.classes[this.page.capsule]}-${name}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

// A canvas a whole number of times as large, its pixels as squares.
export function enlarged(canvas, factor) {
  const large = element("canvas", { width: canvas.width * factor, height: canvas.height * factor });
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  return large;
}
