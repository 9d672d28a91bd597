// How phones find the class: the code in large type, an address, its QR code, as large as the page until somebody draws.

import { drawn, element, setText } from "./drawing.js";
import { fill } from "./phone_nodes.js";
import { say } from "./texts.js";

const QUIET = 4; // modules of white around a QR code

export class Joining {
  /**
   * @param {() => void} changed
   * @param {(link: string) => void} chosen another address
   */
  constructor(changed, chosen) {
    this.large = false;
    this.wanted = "";
    /** @type {any[]} */
    this.links = [];
    this.address = element("p", { class: "address", "data-verbatim": "" });
    this.letters = element("p", { class: "letters", "data-verbatim": "" });
    this.hint = element("p", { class: "hint" });
    this.help = element("p", { class: "help" });
    this.choice = /** @type {HTMLSelectElement} */ (
      element("select", {
        onchange: () => {
          this.wanted = this.choice.value;
          chosen(this.wanted);
          changed();
        },
      })
    );
    this.choosing = element("label", { class: "choosing controls" });
    this.code = element("div", { class: "qr" });
    this.element = element("section", { class: "joining" }, element("div", { class: "how" }, this.address, this.letters, this.hint, this.choosing, this.help), this.code);
  }

  load(/** @type {any} */ data) {
    this.links = data.links;
    this.of = data.code;
  }

  /** @param {string | undefined} link that was chosen before */
  prefer(link) {
    this.wanted = link ?? "";
    this.large = false;
  }

  /** The link in use. */
  get link() {
    return this.links.find(({ link }) => link === this.wanted) ?? this.links[0] ?? null;
  }

  /** The address of the server that phones use. */
  get base() {
    return this.link ? this.link.link.split("/").slice(0, -2).join("/") : "";
  }

  /** The link without what nobody types. */
  get short() {
    return this.link ? this.link.link.replace(/^https?:\/\//, "").replace(/\/[^/]*$/, "") : "";
  }

  /**
   * @param {string} code of the class
   * @param {boolean} alone whether there is nothing else to see yet
   */
  draw(code, alone) {
    const here = this.of === code ? this.link : null; // else it is being made
    this.element.classList.toggle("large", this.large || alone);
    setText(this.address, here ? this.short : "");
    setText(this.letters, code);
    setText(this.hint, here ? say(here.local ? "class.wall.onlyHere" : "class.wall.reach") : "");
    setText(this.help, here && !here.local ? say("class.wall.unreached") : "");
    this.choosing.hidden = this.links.length < 2;
    fill(this.choosing, this.links.map(({ link }) => link), () => [say("class.wall.addresses"), this.choice]);
    fill(this.choice, [this.links.map(({ link }) => link), here?.link], () =>
      this.links.map(({ link }) => element("option", { value: link, selected: link === here?.link }, link.replace(/^https?:\/\//, "").split("/")[0])),
    );
    fill(this.code, here?.link, () => (here?.path ? [picture(here)] : []));
  }
}

/** @param {{ side: number, path: string }} code as app/share.py draws it */
function picture({ side, path }) {
  const svg = drawn(path, `${-QUIET} ${-QUIET} ${side + 2 * QUIET} ${side + 2 * QUIET}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", say("class.wall.qr"));
  svg.removeAttribute("aria-hidden");
  return svg;
}
