// What can be taken along: pictures, the numbers, a link.

class Exports {
  constructor(page) {
    this.page = page;
    const button = (name, act) => element("button", { type: "button", onclick: act }, name);
    this.said = element("p", { class: "said", role: "status", "data-testid": "said" });
    this.element = element(
      "section",
      {},
      element("h2", {}, "Take it along"),
      element(
        "div",
        { class: "pose-tools" },
        button("image, PNG", () => this.png(enlarged(page.canvas, 20), "pose")),
        button("sweep grid, PNG", () => this.png(page.grid.picture(), "sweep")),
        button("sweep, GIF", () => this.gif("sweep")),
        button("morph, GIF", () => this.gif("morph")),
        button("16 numbers, JSON", () => this.json()),
        button("copy link", () => this.link()),
      ),
      this.said,
    );
  }

  png(canvas, what) {
    setText(this.said, "Saved.");
    canvas.toBlob((blob) => this.save(blob, `${what}.png`));
  }

  json() {
    setText(this.said, "Saved.");
    const { digit, pose, data } = this.page;
    const text = JSON.stringify({ digit, pose: Array.from(pose), length: Math.hypot(...pose), weights: data.decoder }, null, 2);
    this.save(new Blob([text], { type: "application/json" }), "pose.json");
  }

  link() {
    const href = this.page.writeAddress();
    const inBar = () => setText(this.said, "The link is in the address bar.");
    const copied = () => setText(this.said, "The link is on the clipboard.");
    // Browsers keep the clipboard from pages that came without encryption.
    if (navigator.clipboard) navigator.clipboard.writeText(href).then(copied, inBar);
    else inBar();
  }

  // Python makes the GIF: Pillow does it well.
  gif(kind) {
    const { digit, mask, pose, poses, selected, morphing, grid } = this.page;
    // As in the grid: around the encoded value; unmasked, all ten poses.
    const [own, fed] = [Array.from(pose), poses.map((values) => Array.from(values))];
    own[selected] = fed[digit][selected] = grid.middle(selected);
    this.asked = Date.now();
    setText(this.said, "Making the GIF …");
    this.page.report("gif", {
      kind,
      number: this.asked,
      digit,
      pose: mask === "all" ? fed : own,
      dimension: selected,
      span: Number(grid.span.value),
      ...morphing.ends(),
    });
  }

  answered(gif) {
    // What could not be read may have lost its number too.
    if (gif?.problem) setText(this.said, gif.problem);
    if (!gif?.data || gif.number !== this.asked) return;
    this.asked = null;
    setText(this.said, gif.kind === "sweep" ? `A sweep of dimension ${gif.dimension}, saved.` : "Saved.");
    const bytes = Uint8Array.from(atob(gif.data), (letter) => letter.charCodeAt(0));
    this.save(new Blob([bytes], { type: "image/gif" }), `${gif.kind}.gif`);
  }

  save(blob, name) {
    const url = URL.createObjectURL(blob);
    element("a", { href: url, download: `capsviz-${this.page.digit}-${name}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

function enlarged(canvas, factor) {
  const large = element("canvas", { width: canvas.width * factor, height: canvas.height * factor });
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  return large;
}
