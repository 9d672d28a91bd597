// In the frame of every page: writes what the session says into the address, and copies the address as it is.

import { linkWith, replaceAddress, settleAddress } from "./address.js";
import { element, setText } from "./drawing.js";
import { say, speak } from "./texts.js";

const QUIET = 4; // modules of white around a code
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

class Share {
  constructor(root, report) {
    this.report = report;
    const icon = drawn(ICON, "0 0 24 24");
    icon.setAttribute("class", "icon");
    const label = say("share.name");
    this.button = element("button", { type: "button", title: label, "aria-expanded": "false", onclick: () => this.toggle() }, icon, element("span", {}, label));
    this.said = element("p", { class: "said", role: "status" });
    this.field = element("input", { type: "text", readonly: true, "aria-label": say("share.link"), onfocus: () => this.field.select() });
    this.code = element("div", { class: "code" });
    this.notes = element("div", { class: "notes" });
    this.panel = element(
      "div",
      { class: "panel", role: "dialog", "aria-label": say("share.title"), hidden: true },
      element("button", { type: "button", class: "close", "aria-label": say("share.close"), onclick: () => this.close(true) }, "×"),
      this.said,
      this.field,
      this.code,
      this.notes,
    );
    this.element = element("div", { class: "share" }, this.button, this.panel);
    root.append(this.element);
    this.outside = (event) => !event.composedPath().includes(this.element) && this.close();
    this.keys = (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.preventDefault();
      this.close(true);
    };
    document.addEventListener("pointerdown", this.outside);
    document.addEventListener("keydown", this.keys, true);
  }

  unmount() {
    document.removeEventListener("pointerdown", this.outside);
    document.removeEventListener("keydown", this.keys, true);
    this.element.remove();
  }

  load(data) {
    this.data = data;
    replaceAddress(addressOf(window.location.href, data));
    if (data.code && !this.panel.hidden) this.showCode(data.code);
  }

  toggle() {
    if (this.panel.hidden) this.open();
    else this.close(true);
  }

  open() {
    settleAddress();
    const link = linkFor(window.location.href, this.data);
    const outside = linkFromOutside(link, this.data.reach);
    this.field.value = link;
    const notes = [...this.data.notes];
    if (LOCAL.includes(window.location.hostname)) notes.push(say(outside === link ? "share.local" : "share.localCode", { reach: this.data.reach }));
    this.notes.replaceChildren(...notes.map((note) => element("p", {}, note)));
    this.code.replaceChildren();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.copy(link);
    this.wanted = outside;
    this.report("wanted", outside);
  }

  close(focus = false) {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (focus) this.button.focus();
  }

  // Browsers keep the clipboard from pages that came without encryption; of a selected field most copy all the same.
  copy(link) {
    const copied = () => setText(this.said, say("share.copied"));
    const select = () => {
      this.field.focus();
      this.field.select();
      if (document.execCommand("copy")) copied();
      else setText(this.said, say("share.select"));
    };
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(copied, select);
    else select();
  }

  showCode({ link, side, path, problem }) {
    if (problem) {
      this.code.replaceChildren(element("p", {}, problem));
    } else if (link === this.wanted) {
      const picture = drawn(path, `${-QUIET} ${-QUIET} ${side + 2 * QUIET} ${side + 2 * QUIET}`);
      picture.setAttribute("role", "img");
      picture.setAttribute("aria-label", say("share.code"));
      picture.removeAttribute("aria-hidden");
      this.code.replaceChildren(picture);
    }
  }
}

function drawn(path, box) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", box);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

const shared = new WeakMap();

export default function mountShare({ data, parentElement, setTriggerValue }) {
  speak(data.texts);
  let share = shared.get(parentElement);
  if (share && share.language !== data.texts.language) {
    share.unmount();
    share = null;
  }
  if (!share) {
    share = new Share(parentElement, setTriggerValue);
    share.language = data.texts.language;
    shared.set(parentElement, share);
  }
  share.report = setTriggerValue;
  share.load(data);
  return () => {
    shared.get(parentElement)?.unmount();
    shared.delete(parentElement);
  };
}
