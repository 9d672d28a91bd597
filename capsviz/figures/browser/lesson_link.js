// On the Lesson page: the page as it will be seen, in small, and the link that opens it so.

import { element, setText } from "./drawing.js";
import { LinkBox } from "./link.js";
import { mounting } from "./mounting.js";
import { PREVIEW } from "./preview.js";
import { say } from "./texts.js";

const REST = 1000; // milliseconds without a change until the preview opens: each is a session of the server
const LOOK = 500; // milliseconds from one look at how high it is to the next
const WIDE = 1280; // CSS pixels of the window that it is
const [LOW, HIGH] = [720, 4000]; // of its height

const DRAFT = "capsviz-draft"; // what the tab keeps: the draft outlasts a reload on another page

/**
 * What the tab keeps of a link that is being made; null where there is nothing, or no storage.
 * @param {string} [text] to be kept from now on
 */
function kept(text) {
  try {
    if (text) sessionStorage.setItem(DRAFT, text);
    return sessionStorage.getItem(DRAFT);
  } catch {
    return null;
  }
}

class LessonLink {
  constructor(root, report) {
    this.report = report;
    this.box = new LinkBox();
    this.frame = element("iframe", { title: say("lesson.preview"), name: PREVIEW, tabindex: -1, "aria-hidden": "true" });
    this.frame.inert = true;
    this.waiting = element("p", { class: "waits" }, say("lesson.opening"));
    this.glass = element("div", { class: "glass", role: "group", tabindex: 0 }, this.frame, this.waiting);
    this.copying = element("button", { type: "button", onclick: () => this.box.copy(this.box.field.value) }, say("lesson.copy"));
    this.trying = element("a", { target: "_blank", rel: "noopener" }, say("lesson.try"));
    this.outside = element("p", { class: "outside" });
    this.element = element(
      "div",
      { class: "lesson-link" },
      element("h2", {}, say("lesson.preview")),
      this.glass,
      element("h2", {}, say("lesson.link")),
      element(
        "div",
        { class: "handed" },
        element("div", {}, this.box.field, element("div", { class: "ways" }, this.copying, this.trying), this.box.said, this.outside),
        this.box.code,
      ),
    );
    root.append(this.element);
    this.fitting = new ResizeObserver(() => this.fit());
    this.fitting.observe(this.glass);
    this.looking = setInterval(() => this.fit(), LOOK);
  }

  load({ title, link, outside, preview, remains, code, draft }) {
    const before = kept(draft);
    if (before && !draft) this.report("kept", before);
    this.glass.setAttribute("aria-label", `${say("lesson.previewOf", { page: title })} ${remains}`);
    if (link === this.box.field.value) return;
    this.box.field.value = link;
    setText(this.box.said, "");
    this.trying.setAttribute("href", link);
    this.box.showCode(code ?? { problem: say("share.long") });
    setText(this.outside, outside === link ? "" : say("lesson.outside", { link: outside.split("?")[0] }));
    clearTimeout(this.opening);
    this.opening = setTimeout(() => this.open(preview), this.opened ? REST : 0);
  }

  // In place of what it showed: the browser's way back must not lead through all that was tried.
  open(preview) {
    this.opened = true;
    this.height = LOW;
    this.waiting.hidden = false;
    this.frame.contentWindow?.location.replace(new URL(preview, new URL(".", window.location.href)).href);
  }

  // As wide as there is room, as high as the page in it.
  fit() {
    const page = this.frame.contentDocument?.querySelector(".stMainBlockContainer");
    if (page?.querySelector(".cv-question")) {
      this.height = Math.min(Math.max(page.scrollHeight, LOW), HIGH);
      this.waiting.hidden = true;
    }
    const scale = this.glass.clientWidth / WIDE;
    Object.assign(this.frame.style, { width: `${WIDE}px`, height: `${this.height ?? LOW}px`, transform: `scale(${scale})` });
    this.glass.style.setProperty("--height", `${scale * (this.height ?? LOW)}px`);
  }

  unmount() {
    clearTimeout(this.opening);
    clearInterval(this.looking);
    this.fitting.disconnect();
    this.element.remove();
  }
}

const mount = mounting((root, _, report) => new LessonLink(root, report));

export default function mountLessonLink({ data, parentElement, setTriggerValue }) {
  return mount(parentElement, data, setTriggerValue);
}
