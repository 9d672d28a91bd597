// Figure 4 of the paper for this drawing: 16 rows, 11 steps around the encoded value; a click takes the pose.

const SWEEP_STEPS = 11;
const SWEEP_CELL = 30; // pixels: an image and a line around it

class SweepGrid {
  constructor(page) {
    this.page = page;
    this.canvas = element("canvas", {
      class: "sweep",
      width: SWEEP_STEPS * SWEEP_CELL,
      height: DIMENSIONS * SWEEP_CELL,
      role: "img",
      "aria-label": "Sweep grid: a row for each dimension, a column for each step",
      "data-testid": "sweep",
      onclick: (event) => this.click(event),
      onpointermove: (event) => {
        const { dimension, move } = this.under(event);
        page.tip.show(`dimension ${dimension}, ${signedText(move, 3)}: click to take this pose`, event.clientX, event.clientY);
      },
      onpointerleave: () => page.tip.hide(),
    });
    this.span = element("input", { type: "range", min: 0.05, max: 0.6, step: 0.05, value: 0.25, "aria-label": "Range of the sweep", oninput: () => this.respan() });
    this.spanText = element("output");
    this.labels = Array.from({ length: DIMENSIONS }, (_, d) => element("span", {}, String(d)));
    this.columns = Array.from({ length: SWEEP_STEPS }, () => element("span"));
    this.element = element(
      "section",
      {},
      element("h2", {}, "Sweep: each dimension alone"),
      element(
        "div",
        { class: "span" },
        element("label", {}, "range ", this.span),
        this.spanText,
        element("button", { type: "button", onclick: () => page.reset() }, "reset the sliders"),
      ),
      element(
        "div",
        { class: "sweep-frame" },
        element("div", { class: "sweep-labels", "aria-hidden": "true" }, ...this.labels),
        this.canvas,
        element("div", { class: "sweep-columns", "aria-hidden": "true" }, ...this.columns),
      ),
      element("p", { class: "look" }, "As in Figure 4 of the paper: each row moves one of the 16 numbers, around its encoded value in the middle; the others stay as they are now. Look for rows that change the digit in one way only, and for rows that change several things at once."),
    );
    this.small = element("canvas", { width: 28, height: 28 });
    this.showSpan();
  }

  // Dimension and step under the pointer.
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (offset, size, count) => Math.max(0, Math.min(Math.floor((offset / size) * count), count - 1));
    const dimension = at(event.clientY - box.top, box.height, DIMENSIONS);
    return { dimension, move: this.moveOf(at(event.clientX - box.left, box.width, SWEEP_STEPS)) };
  }

  moveOf(step) {
    return Number(this.span.value) * ((2 * step) / (SWEEP_STEPS - 1) - 1);
  }

  click(event) {
    const { dimension, move } = this.under(event);
    const pose = this.page.pose.slice();
    pose[dimension] = this.middle(dimension) + move;
    this.page.select(dimension);
    this.page.take(pose);
  }

  // The value in the middle column: were it the one of now, the grid would move under the pointer.
  middle(dimension) {
    return this.page.origins[this.page.digit][dimension];
  }

  mark(dimension) {
    this.labels.forEach((label, d) => label.classList.toggle("marked", d === dimension));
  }

  respan() {
    this.showSpan();
    this.page.halt();
    this.page.rest();
  }

  showSpan() {
    setText(this.spanText, `±${fixed(Number(this.span.value))}`);
    this.span.setAttribute("aria-valuetext", this.spanText.textContent);
    this.columns.forEach((label, step) => setText(label, step % 5 ? "" : signedText(this.moveOf(step))));
  }

  drawRow(dimension) {
    const { page, small } = this;
    const context = this.canvas.getContext("2d");
    context.fillStyle = "#5a5a5a";
    context.fillRect(0, dimension * SWEEP_CELL, this.canvas.width, SWEEP_CELL);
    const pose = page.pose.slice();
    for (let step = 0; step < SWEEP_STEPS; step++) {
      pose[dimension] = this.middle(dimension) + this.moveOf(step);
      putInk(small, page.decoder.decode(page.feed(pose)));
      context.drawImage(small, step * SWEEP_CELL + 1, dimension * SWEEP_CELL + 1);
    }
    // Where the pose of now is, if not in the middle.
    const now = (page.pose[dimension] - this.middle(dimension)) / Number(this.span.value);
    if (Math.abs(now) < 1e-6 || Math.abs(now) > 1.001) return;
    const x = ((now + 1) / 2) * (SWEEP_STEPS - 1) * SWEEP_CELL;
    context.strokeStyle = "#f08a24";
    context.strokeRect(x + 0.5, dimension * SWEEP_CELL + 0.5, SWEEP_CELL - 1, SWEEP_CELL - 1);
  }

  // The grid as a picture to take along: twice as large, with what its rows and columns are.
  picture() {
    const grid = enlarged(this.canvas, 2);
    const [left, below] = [56, 88];
    const picture = element("canvas", { width: left + grid.width, height: grid.height + below });
    const context = picture.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, picture.width, picture.height);
    context.drawImage(grid, left, 0);
    context.fillStyle = "#fff";
    context.font = "24px sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    const cell = 2 * SWEEP_CELL;
    for (let d = 0; d < DIMENSIONS; d++) context.fillText(d, left / 2, (d + 0.5) * cell);
    this.columns.forEach((label, step) => context.fillText(label.textContent, left + (step + 0.5) * cell, grid.height + 22));
    context.textAlign = "left";
    context.fillText(`Digit capsule ${this.page.digit}: its 16 numbers, moved one at a time`, left, grid.height + 62);
    return picture;
  }
}
