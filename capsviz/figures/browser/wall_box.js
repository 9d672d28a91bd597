// A box over the wall: one tile in full, a form, a question before something is gone for good.

import { element } from "./drawing.js";
import { say } from "./texts.js";

export class Box {
  constructor() {
    this.title = element("h2", { id: "wall-box" });
    this.body = element("div", { class: "body" });
    this.problem = element("p", { class: "problem", role: "alert" });
    const close = element("button", { type: "button", class: "close", "aria-label": say("class.wall.close"), onclick: () => this.close() }, "×");
    this.element = element("dialog", { class: "box", "aria-labelledby": "wall-box" }, close, this.title, this.body, this.problem);
    this.element.addEventListener("click", (event) => event.target === this.element && this.close()); // beside it
    this.element.addEventListener("close", () => this.closed());
    this.kind = "";
  }

  /**
   * @param {string} kind by which whoever opened it knows it again
   * @param {string} title
   * @param {...Node} nodes
   */
  show(kind, title, ...nodes) {
    this.kind = kind;
    this.title.textContent = title;
    this.problem.textContent = "";
    this.element.setAttribute("data-kind", kind.split(" ")[0]);
    this.body.replaceChildren(...nodes);
    if (!this.element.open) this.element.showModal();
  }

  /**
   * A question before something that cannot be undone.
   * @param {string} question
   * @param {string} yes
   * @param {() => void} act
   */
  confirm(question, yes, act) {
    const agree = () => {
      this.close();
      act();
    };
    const no = element("button", { type: "button", onclick: () => this.close() }, say("class.wall.no"));
    this.show("confirm", yes, element("p", {}, question), element("div", { class: "ways" }, element("button", { type: "button", class: "main", onclick: agree }, yes), no));
    no.focus();
  }

  close() {
    this.element.close();
  }

  closed() {
    this.kind = "";
    this.body.replaceChildren();
  }
}
