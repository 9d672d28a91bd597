// In the frame of every page: writes what the session says into the address, and copies the address as it is; begins at the top; keeps the answer in sight.

import { linkWith, replaceAddress, settleAddress } from "./address.js";
import { element } from "./drawing.js";
import { LinkBox } from "./link.js";
import { mounting } from "./mounting.js";
import { Panel } from "./panel.js";
import { keepInSight } from "./sight.js";
import { say } from "./texts.js";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"]; // what every machine calls itself
const ICON = "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.6 1.6M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.6-1.6";

/**
 * What the session says, in the address; and without what is no parameter.
 * @param {string} address
 * @param {{ says: Record<string, string>, written: string[], known: string[], others: string[] }} data
 */
export function addressOf(address, { says, written, known, others }) {
  const strange = [...new URL(address).searchParams.keys()].filter(
    (name) => !known.includes(name) && !others.some((other) => name.startsWith(other)),
  );
  return linkWith(address, Object.fromEntries([...written, ...strange].map((name) => [name, says[name]])));
}

/**
 * A link for others: the drawing in any case, and nothing that is not of this app.
 * @param {string} address
 * @param {{ drawing: string | null, known: string[] }} data
 */
export function linkFor(address, { drawing, known }) {
  const url = new URL(address);
  url.hash = "";
  const strange = [...url.searchParams.keys()].filter((name) => !known.includes(name));
  return linkWith(url.href, { ...Object.fromEntries(strange.map((name) => [name, undefined])), drawing: drawing ?? undefined });
}

/**
 * The same link as other devices of the network can open it; where the page was opened as localhost, theirs is another.
 * @param {string} link
 * @param {string} reach
 */
export function linkFromOutside(link, reach) {
  const url = new URL(link);
  if (!reach || !LOCAL.includes(url.hostname)) return link;
  return `${reach}${url.pathname}${url.search}`;
}

let shown = null; // the page's name; this module outlives its component

/**
 * Another page than the one before begins at its top: Streamlit leaves it as far down as that one was.
 * @param {string} page its name
 */
export function beginAtTop(page) {
  if (shown !== null && page !== shown) document.querySelector(".stMain")?.scrollTo(0, 0);
  shown = page;
}

class Share {
  constructor(root, report) {
    this.report = report;
    this.box = new LinkBox();
    this.notes = element("div", { class: "notes" });
    const prepare = () => {
      this.panel.close();
      this.report("prepare", this.box.field.value);
    };
    this.prepare = element("button", { type: "button", class: "prepare", onclick: prepare }, say("share.prepare"));
    const words = { name: say("share.name"), title: say("share.title"), closing: say("share.close") };
    const parts = [this.box.said, this.box.field, this.box.code, this.notes, this.prepare];
    this.panel = new Panel({ kind: "share", sign: ICON, ...words, opens: () => this.open() }, ...parts);
    root.append(this.panel.element);
  }

  unmount() {
    this.panel.unmount();
  }

  load(data) {
    this.data = data;
    keepInSight();
    beginAtTop(data.page);
    replaceAddress(addressOf(window.location.href, data));
    this.prepare.hidden = !data.prepares;
    if (data.code && (data.code.problem || data.code.link === this.wanted)) this.box.showCode(data.code);
  }

  open() {
    settleAddress();
    const link = linkFor(window.location.href, this.data);
    const outside = linkFromOutside(link, this.data.reach);
    this.box.field.value = link;
    const notes = [...this.data.notes];
    if (LOCAL.includes(window.location.hostname)) notes.push(say(outside === link ? "share.local" : "share.localCode", { reach: this.data.reach }));
    this.notes.replaceChildren(...notes.map((note) => element("p", {}, note)));
    this.box.code.replaceChildren();
    this.panel.show(true); // a field that is not shown cannot be selected
    this.box.copy(link);
    this.wanted = outside;
    this.report("wanted", outside);
  }
}

const mount = mounting((root, _, report) => new Share(root, report));

export default function mountShare({ data, parentElement, setTriggerValue }) {
  return mount(parentElement, data, setTriggerValue);
}
