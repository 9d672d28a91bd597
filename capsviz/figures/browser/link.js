// A link to be handed out: a field that can be copied, what became of copying, and its QR code.

import { drawn, element, setText } from "./drawing.js";
import { say } from "./texts.js";

const QUIET = 4; // modules of white around a code

export class LinkBox {
  constructor() {
    this.said = element("p", { class: "said", role: "status" });
    this.field = element("input", { type: "text", readonly: true, "aria-label": say("share.link"), onfocus: () => this.field.select() });
    this.code = element("div", { class: "code" });
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

  /** @param {{ side?: number, path?: string, problem?: string }} code as app/share.py draws it, or why there is none */
  showCode({ side = 0, path = "", problem }) {
    if (problem) {
      this.code.replaceChildren(element("p", {}, problem));
      return;
    }
    const picture = drawn(path, `${-QUIET} ${-QUIET} ${side + 2 * QUIET} ${side + 2 * QUIET}`);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", say("share.code"));
    picture.removeAttribute("aria-hidden");
    this.code.replaceChildren(picture);
  }
}
