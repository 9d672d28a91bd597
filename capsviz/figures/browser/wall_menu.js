// The menu of a class: its rules, its network, running it from another machine, its end, other classes.

import { element } from "./drawing.js";
import { LinkBox } from "./link.js";
import { say } from "./texts.js";

const RULES = ["letThrough", "guessFirst"];

/** @param {any} wall */
export function classMenu(wall) {
  const { room, data } = wall;
  const { code } = room;
  const button = (/** @type {string} */ name, /** @type {() => void} */ act, values = {}) => element("button", { type: "button", "data-name": name, onclick: act }, say(`class.wall.${name}`, values));
  const rule = (/** @type {string} */ name) => {
    const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox", checked: room[name], onchange: () => wall.act("rules", { [name]: box.checked }) }));
    return element("label", { class: "rule" }, box, say(`class.wall.rule.${name}`));
  };
  const part = (/** @type {string} */ name, /** @type {(Node | string)[]} */ ...nodes) => element("section", {}, element("h3", {}, say(`class.wall.part.${name}`)), ...nodes);
  const ways = (/** @type {Node[]} */ ...nodes) => element("div", { class: "ways" }, ...nodes);
  const sections = [];
  if (!room.closed) {
    sections.push(part("rules", ...RULES.map(rule)));
    const other = data.networks[data.network];
    const now = data.networks[room.network.name]?.title ?? room.network.name;
    const change = () => wall.act("network", { network: data.network }).then((/** @type {boolean} */ done) => done && wall.box.close());
    sections.push(part("network", element("p", {}, say("class.wall.answers", { network: now })), ...(data.network === room.network.name ? [] : [ways(button("letAnswer", change, { network: other.title }))])));
  }
  sections.push(part("elsewhere", ...elsewhere(wall)));
  const count = wall.tiles.size;
  const end = [];
  if (!room.closed) {
    end.push(button("clear", () => wall.box.confirm(say("class.wall.clearAsk", { count }), say("class.wall.clear"), () => wall.act("clear"))));
    end.push(button("end", () => wall.box.confirm(say("class.wall.endAsk"), say("class.wall.end"), () => wall.act("close"))));
  }
  const remove = async () => (await wall.act("delete")) && wall.gone();
  end.push(button("delete", () => wall.box.confirm(say("class.wall.deleteAsk", { code, count }), say("class.wall.delete"), remove)));
  sections.push(part("end", ways(...end)));
  const another = () => {
    wall.box.close();
    wall.kept.show("");
    wall.leave();
    wall.draw();
  };
  sections.push(part("others", ways(button("another", another)), wall.otherClasses()));
  wall.box.show("menu", say("class.wall.class", { code }), ...sections);
}

/**
 * The presenter's link: only when it is asked for, as a whole class may be looking.
 * @param {any} wall
 */
function elsewhere(wall) {
  const link = new LinkBox();
  const shown = element("div", { class: "elsewhere", hidden: true }, link.field, link.said);
  const reveal = () => {
    link.field.value = wall.presenterLink;
    shown.hidden = false;
    link.copy(link.field.value);
  };
  return [element("p", {}, say("class.wall.elsewhere")), element("div", { class: "ways" }, element("button", { type: "button", "data-name": "elsewhere", onclick: reveal }, say("class.wall.presenterLink"))), shown];
}
