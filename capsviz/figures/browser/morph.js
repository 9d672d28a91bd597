// From one pose to another, of the same digit or of two.

const MORPH_SECONDS = 4; // there and back

class Morph {
  constructor(page) {
    this.page = page;
    const picture = (attributes) => element("canvas", { width: 28, height: 28, class: "thumb large", role: "img", ...attributes });
    this.pictures = [picture({}), picture({})];
    this.names = [element("figcaption"), element("figcaption")];
    this.middle = picture({ "aria-label": "Between A and B", "data-testid": "morph" });
    this.share = element("figcaption");
    this.scrubber = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.001,
      value: 0.5,
      "aria-label": "From A to B",
      oninput: () => {
        page.halt();
        this.draw();
      },
    });
    const button = (name, act, tip) => element("button", { type: "button", onclick: act, "data-tip": tip }, name);
    const figure = (canvas, caption) => element("figure", {}, canvas, caption);
    this.keepers = ["a", "b"].map((name) => ({
      name,
      node: button("", () => this.keep(name), "A kept pose stays, whatever is drawn next"),
    }));
    this.loopButton = button("loop", () => this.loop(), "From A to B and back, until it is pressed again");
    this.element = element(
      "section",
      { class: "morph" },
      element("h2", {}, "Morph: from pose A to pose B"),
      element("div", { class: "morph-row" }, figure(this.pictures[0], this.names[0]), figure(this.middle, this.share), figure(this.pictures[1], this.names[1])),
      this.scrubber,
      element(
        "div",
        { class: "pose-tools" },
        this.loopButton,
        ...this.keepers.map(({ node }) => node),
      ),
      element("p", { class: "look" }, "All 160 inputs move in a straight line. Between two different digits both capsules are fed, each in part, which the decoder never saw in training."),
    );
  }

  keep(name) {
    const { digit, pose, kept } = this.page;
    kept[name] = kept[name] ? null : { digit, pose: Array.from(pose), name: "kept" };
    this.show();
  }

  // Until something is kept, A is the pose as it is now, B the drawing before or an example.
  ends() {
    const { kept, digit, pose, data } = this.page;
    return {
      a: kept.a ?? { digit, pose: Array.from(pose), name: "this pose" },
      b: kept.b ?? kept.before ?? data.example,
    };
  }

  inputs(share) {
    const fed = new Float32Array(10 * DIMENSIONS);
    const { a, b } = this.ends();
    for (const [{ digit, pose }, weight] of [[a, 1 - share], [b, share]]) {
      pose.forEach((value, d) => {
        fed[digit * DIMENSIONS + d] += weight * value;
      });
    }
    return fed;
  }

  show() {
    this.label();
    this.pictures.forEach((picture, at) => putInk(picture, this.page.decoder.decode(this.inputs(at))));
    this.draw();
  }

  label() {
    Object.values(this.ends()).forEach(({ digit, name }, at) => {
      this.pictures[at].setAttribute("aria-label", `Pose ${"AB"[at]}, capsule ${digit}`);
      setText(this.names[at], `${"AB"[at]}: ${name}, ${digit === 8 ? "an" : "a"} ${digit}`);
    });
    for (const { name, node } of this.keepers) {
      const letter = name.toUpperCase();
      setText(node, this.page.kept[name] ? `let ${letter} go` : `keep this pose as ${letter}`);
    }
  }

  draw() {
    const share = Number(this.scrubber.value);
    putInk(this.middle, this.page.decoder.decode(this.inputs(share)));
    const way = `${Math.round(100 * share)}% of the way`;
    setText(this.share, way);
    this.scrubber.setAttribute("aria-valuetext", way);
  }

  loop() {
    this.page.move("morph", (seconds) => {
      this.scrubber.value = 0.5 - 0.5 * Math.cos((2 * Math.PI * seconds) / MORPH_SECONDS);
      this.draw();
    });
  }
}
