// The Inside page: what is chosen (a map of the first layer, a primary capsule, the scope of colours) and the views of it.

import { AddressWriter, partOf, readLink } from "./address.js";
import { Diverging, Tip, element, keepForPaper, setText } from "./drawing.js";
import { Outputs } from "./inside_capsules.js";
import { FirstLayer } from "./inside_first.js";
import { busiest } from "./insides.js";
import { Part } from "./lesson.js";
import { mounting } from "./mounting.js";
import { unpack } from "./packing.js";
import { builtFor, shapeWords } from "./routing.js";
import { tells } from "./taking.js";
import { kindWords, say } from "./texts.js";

const NAMES = ["map", "capsule", "output", "scope"]; // of the address, as app/parameters.py has them

class Inside {
  // What is chosen; null as long as the page chooses: the busiest map, the strongest capsule. Of a network without capsules
  // that is one of the numbers that its last layer reads, which links call "output".
  /** @type {{ map: number | null, capsule: number | null }} */
  picked = { map: null, capsule: null };
  map = 0;
  capsule = 0;
  scope = "";

  /**
   * @param {HTMLElement} root
   * @param {any} payload of a network of the shape that the view is built for
   */
  constructor(root, payload) {
    this.built = builtOf(payload);
    this.shape = payload.grid ? shapeWords(payload) : kindWords(payload.kind);
    this.scope = payload.scopes[0];
    this.address = new AddressWriter();
    this.element = element("div", { class: `routing inside ${payload.routing}`, style: `--components: ${payload.components}` });
    this.tip = new Tip(this.element);
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.waiting = element("p", { class: "inside-waiting", role: "status", "data-testid": "waiting" });
    this.scopes = this.choices(payload.scopes);
    this.first = new FirstLayer(this);
    this.outputs = new Outputs(this, payload);
    this.sizes = sizesOf(payload);
    this.element.append(this.notice, this.waiting, this.first.element, this.outputs.element, this.sizes);
    root.append(this.element);
    this.silence = tells(() => ({ page: { looked: this.looked } }));
    this.part = new Part({ kernels: () => this.first.element, types: () => this.outputs.element, sizes: () => this.sizes }, (search) => this.follow(search));
    this.resized = new ResizeObserver(() => {
      keepForPaper(this.element);
      this.invalidate();
    });
    this.resized.observe(this.element);
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => requestAnimationFrame(() => this.invalidate());
    this.theme.addEventListener("change", this.themed);
  }

  unmount() {
    this.silence();
    this.part.unmount();
    this.address.unmount();
    this.resized.disconnect();
    this.theme.removeEventListener("change", this.themed);
    cancelAnimationFrame(this.request);
    window.capsvizInside = this.left();
  }

  // How the page is left.
  left() {
    return { built: this.built, said: partOf(window.location.search, NAMES), picked: this.picked, scope: this.scope };
  }

  choices(scopes) {
    this.inputs = scopes.map((scope) => element("input", { type: "radio", name: "inside-scope", value: scope, onchange: () => this.choose({ scope }) }));
    const labels = this.inputs.map((input) => element("label", { class: "choice", "data-tip": say(`inside.scope.${input.value}Tip`) }, input, element("span", {}, say(`inside.scope.${input.value}`))));
    return element("fieldset", { class: "inside-scopes" }, element("legend", {}, say("inside.scope.label")), ...labels);
  }

  load(payload) {
    const before = this.payload;
    if (before && payload.id === before.id && payload.waiting === before.waiting) return;
    this.payload = payload;
    this.colours = new Diverging(payload);
    setText(this.waiting, payload.waiting);
    this.waiting.hidden = !payload.waiting;
    if (!before) this.begin();
    this.first.load(payload);
    this.outputs.load(payload);
    this.settle();
    this.part.obey();
    this.address.forget();
    this.draw();
  }

  // What the page was when it was left, or what its link says.
  begin() {
    const left = window.capsvizInside;
    // Where the address says nothing of it, or what it said then: it may have been left before its address was.
    const said = partOf(window.location.search, NAMES);
    if (left?.built === this.built && [left.said, partOf("", NAMES)].includes(said)) Object.assign(this, { picked: { ...left.picked }, scope: left.scope });
    else this.readAddress();
  }

  readAddress(search = window.location.search) {
    const { arrays, primary, link, scopes } = this.payload;
    /** @type {(count: number) => [number, number]} */
    const upTo = (count) => [0, count - 1];
    const { capsule, output, ...others } = link;
    const own = primary ? { capsule: upTo(primary) } : { output: arrays.outputs ? upTo(arrays.outputs.length) : output };
    const { found, problems } = readLink(search, { ...others, map: upTo(arrays.biases.length), ...own });
    this.picked = { map: found.map ?? null, capsule: found.capsule ?? found.output ?? null };
    this.scope = found.scope ?? scopes[0];
    setText(this.notice, problems.join(" "));
    this.notice.hidden = !problems.length;
  }

  // A stop of a lesson is opened as its link would be.
  follow(search) {
    if (!this.payload) return false;
    this.readAddress(search);
    this.settle();
    this.invalidate();
    return true;
  }

  // What nobody has chosen is what has most to show in this drawing.
  settle() {
    const { features, outputs, biases } = this.payload.arrays;
    this.map = this.picked.map ?? (features ? busiest(features, features.length / biases.length) : 0);
    this.capsule = Math.min(this.picked.capsule ?? (outputs ? this.outputs.usual : 0), Math.max(0, (outputs?.length ?? Infinity) - 1));
  }

  choose(wish) {
    const { scope = this.scope, ...picked } = wish;
    this.scope = scope;
    Object.assign(this.picked, picked);
    this.notice.hidden = true;
    this.settle();
    this.invalidate();
  }

  writeAddress() {
    const { map, capsule } = this.picked;
    this.address.say({ map: map ?? undefined, ...this.named(capsule ?? undefined), scope: this.scope === this.payload.scopes[0] ? undefined : this.scope });
  }

  // What is chosen of the last layer, by its name in links.
  named(chosen) {
    return this.payload.primary ? { capsule: chosen, output: undefined } : { capsule: undefined, output: chosen };
  }

  // What a file is to show.
  get looked() {
    return { map: this.map, ...this.named(this.capsule), scope: this.scope };
  }

  tell(text, { clientX, clientY }) {
    if (text === null) this.tip.hide();
    else this.tip.show(text, clientX, clientY);
  }

  // A square that the drawing's pixels are seen through.
  outline(context, x, y, size) {
    for (const [colour, thick] of /** @type {const} */ ([["#000", 4], ["#fff", 2]])) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.strokeRect(x + 1, y + 1, size - 2, size - 2);
    }
  }

  invalidate() {
    if (!this.payload || this.request) return;
    this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.element.clientWidth) return; // the page is being left
    this.textColour = getComputedStyle(this.element).color;
    for (const input of this.inputs) input.checked = input.value === this.scope;
    this.first.draw();
    this.outputs.draw();
    this.writeAddress();
    Object.assign(this.element.dataset, { map: String(this.map), capsule: String(this.capsule), scope: this.scope });
  }
}

// Parameters and memory, layer by layer: a bar is its part of the largest layer.
function sizesOf({ rows, parameters, bytes }) {
  const cell = (share, text) => element("td", { class: "inside-size" }, element("i", { style: `width: ${(100 * share).toFixed(3)}%` }), element("span", {}, text));
  const body = rows.map((row) =>
    element(
      "tr",
      { "data-testid": `size-${row.part}` },
      element("th", { scope: "row" }, row.name, element("span", { class: "look" }, row.does)),
      element("td", {}, row.output),
      cell(row.weighs, row.parameters),
      cell(row.fills, row.bytes),
    ),
  );
  const heads = ["layer", "output", "parameters", "bytes"].map((name) => element("th", { scope: "col", "data-tip": name === "bytes" ? say("inside.sizes.bytesTip") : null }, say(`inside.sizes.${name}`)));
  const foot = [element("th", { scope: "row" }, say("inside.sizes.all")), element("td"), element("td", { "data-testid": "all-parameters" }, parameters), element("td", { "data-testid": "all-bytes" }, bytes)];
  return element(
    "section",
    { class: "inside-sizes" },
    element("h2", {}, say("inside.sizes.title")),
    element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body), element("tfoot", {}, element("tr", {}, ...foot))),
    element("p", { class: "look" }, say("inside.sizes.look")),
  );
}

/**
 * What the view is built for.
 * @param {any} payload
 */
function builtOf(payload) {
  return `${payload.network} ${builtFor(payload)}`;
}

const mount = mounting((root, payload) => new Inside(root, payload), builtOf);

export default function mountInside({ data, parentElement }) {
  return mount(parentElement, unpack(data));
}
