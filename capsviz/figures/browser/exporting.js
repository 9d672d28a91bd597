// In the frame of every page: a menu of files to take along. Python makes them; here they are asked for and saved.

import { settleAddress, wholeOfText } from "./address.js";
import { element, setText } from "./drawing.js";
import { mounting } from "./mounting.js";
import { Panel } from "./panel.js";
import { toldNow } from "./taking.js";
import { say } from "./texts.js";

const ICON = "M12 4v11M7 10l5 5 5-5M4 20h16";
const PATIENCE = 90_000; // milliseconds after which a file is given up
const SIZE = { width: 1920, height: 1080 };

/**
 * What is asked for: on Routing of the class that the address names, of a view as it tells.
 * @param {{ number: number, thing: string, kind: string, dark: boolean }} wish
 * @param {{ page: string, classes: number }} data
 * @param {string} search
 * @param {import("./taking.js").Told} told
 */
export function requestOf(wish, { page, classes }, search, told) {
  if (page === "routing" || page === "compare") return { ...wish, digit: wholeOfText(new URLSearchParams(search).get("digit") ?? "", 0, classes - 1) };
  return { ...wish, ...told[wish.thing] };
}

/**
 * Whether a colour as "#101317" or "rgb(16, 19, 23)" is dark.
 * @param {string} colour
 */
export function isDark(colour) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(colour.trim());
  const parts = hex ? hex.slice(1).map((part) => parseInt(part, 16)) : (colour.match(/[0-9.]+/g) ?? []).map(Number);
  if (parts.length < 3) return false;
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
}

class Exporting {
  constructor(root, report) {
    this.report = report;
    this.asked = null;
    this.groups = element("div", {});
    this.said = element("p", { class: "said", role: "status", "data-testid": "exported" });
    this.notes = element("div", { class: "notes" });
    const words = { name: say("export.name"), title: say("export.title"), closing: say("export.close") };
    const parts = [element("h2", {}, say("export.title")), this.groups, this.said, this.notes];
    this.panel = new Panel({ kind: "exporting", sign: ICON, ...words, opens: () => this.open() }, ...parts);
    root.append(this.panel.element);
  }

  unmount() {
    clearTimeout(this.timer);
    this.panel.unmount();
  }

  load(data) {
    const before = this.data;
    this.data = data;
    this.notes.replaceChildren(...data.notes.map((note) => element("p", {}, note)));
    // Kept as they are where they say the same: the one that was pressed keeps the focus.
    if (JSON.stringify(before?.groups) !== JSON.stringify(data.groups)) this.list();
    if (data.made) this.answered(data.made);
    else if (this.asked === null) this.wait(false);
  }

  list() {
    const dark = this.dark ?? isDark(getComputedStyle(this.panel.element).getPropertyValue("--st-background-color"));
    this.buttons = [];
    this.groups.replaceChildren(
      ...this.data.groups.flatMap(([name, thing, kinds]) => {
        const button = (kind) => element("button", { type: "button", "data-thing": thing, "data-kind": kind, onclick: () => this.ask(thing, kind) }, say(`export.kind.${kind}`));
        const buttons = kinds.map(button);
        this.buttons.push(...buttons);
        return [element("h3", {}, say(`export.${name}`, SIZE)), element("div", { class: "files", role: "group", "aria-label": say(`export.${name}`, SIZE) }, ...buttons), ...(name === "picture" ? [this.looks(dark)] : [])];
      }),
    );
    this.wait(this.asked !== null);
  }

  looks(dark) {
    const choice = (value, name) =>
      element("label", {}, element("input", { type: "radio", name: "look", checked: dark === value, onchange: () => (this.dark = value) }), say(`export.${name}`));
    this.dark = dark;
    return element("fieldset", { "aria-label": say("export.look") }, choice(false, "light"), choice(true, "dark"));
  }

  ask(thing, kind) {
    settleAddress(); // what was just moved may not stand there yet
    this.asked = Date.now();
    setText(this.said, say("export.making", { kind: say(`export.kind.${kind}`) }));
    this.wait(true);
    this.timer = setTimeout(() => this.finish(say("export.lost")), PATIENCE);
    const wish = { number: this.asked, thing, kind, dark: Boolean(this.dark) }; // where there is no picture, nobody has said
    this.report("asked", requestOf(wish, this.data, window.location.search, toldNow()));
  }

  answered({ number, problem, name, type, data }) {
    // What could not be read may have lost its number too.
    if (this.asked === null || (number !== this.asked && !problem)) return;
    if (problem) this.finish(problem);
    else {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      this.save(name, new Blob([bytes], { type }));
    }
    // Python can let the file go. Until it has, nothing is asked for: its run would be cut off, and this menu made anew.
    this.wait(true);
    this.report("asked", null);
  }

  /**
   * @param {string} name
   * @param {Blob} content
   */
  save(name, content) {
    const url = URL.createObjectURL(content);
    element("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    this.finish(say("export.saved", { file: name }));
  }

  /**
   * List what a view has itself, which the server does not know by the session: the files of a class.
   * @param {import("./taking.js").File[]} files
   */
  own(files) {
    const button = ({ name, file, problem, make }) =>
      element("button", { type: "button", onclick: () => make().then((content) => this.save(file, content), () => this.finish(problem)) }, name);
    this.buttons = files.map(button);
    this.groups.replaceChildren(element("div", { class: "files", role: "group", "aria-label": say("export.title") }, ...this.buttons));
    this.notes.hidden = files.length > 0;
  }

  finish(sentence) {
    clearTimeout(this.timer);
    this.asked = null;
    setText(this.said, sentence);
    this.wait(false);
  }

  wait(on) {
    for (const button of this.buttons) button.disabled = on;
    this.panel.panel.setAttribute("aria-busy", String(on));
  }

  open() {
    if (this.asked === null) setText(this.said, "");
    const { files } = toldNow();
    if (files) this.own(files);
  }
}

const mount = mounting((root, _, report) => new Exporting(root, report));

export default function mountExporting({ data, parentElement, setStateValue }) {
  return mount(parentElement, data, setStateValue);
}
