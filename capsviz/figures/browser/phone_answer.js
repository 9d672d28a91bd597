// The answer to a drawing, as the app words it: class, score, a bar for each class, the pixels seen.

import { grey, node } from "./phone_nodes.js";
import { capital, kindWords, number, say } from "./texts.js";

const ABREAST = 13; // classes in a column

/**
 * @param {any} answer as the server gives it
 * @param {any} network its classes, and what their scores are
 */
export function answerNodes(answer, network) {
  const words = kindWords(network.kind);
  const places = answer.reads.map((/** @type {string} */ name) => network.classes.indexOf(name)); // the surest first
  const none = answer.verdict === "no digit";
  const said = none ? say("frame.none", words) : say(answer.verdict === "unsure" ? "frame.unsure" : `frame.${network.score}`);
  const long = places.length > 1 || network.classes.some((/** @type {string} */ name) => name.length > 2);
  const scores = places.flatMap((/** @type {number} */ place) => [" ", node("b", { "data-testid": "score" }, number(answer.scores[place], 2))]);
  return [
    node(
      "div",
      { class: "verdict", role: "status" },
      node("span", { class: `numeral ${answer.verdict.replace(" ", "-")}${long ? " long" : ""}`, "data-testid": "read" }, none ? "–" : together(answer)),
      node("span", { class: "of" }, said, ...scores),
      seenNode(answer, network),
    ),
    ...sentences(answer, words).map((text) => node("p", { class: "sentence" }, capital(text))),
    bars(answer.scores, network, places),
    ...(network.unsureBelow > 0 ? [node("p", { class: "dashed" }, say("frame.dashed", { limit: number(network.unsureBelow, 2) }))] : []),
  ];
}

/**
 * What is read: of a network that tells several in one image, those that are there together.
 * @param {any} answer
 */
function together(answer) {
  return answer.reads.join(" + ");
}

/**
 * @param {any} answer
 * @param {any} network
 */
export function seenNode(answer, network) {
  const picture = grey(answer.seen, say("class.phone.seenAlt", { size: network.size }));
  return node("figure", { class: "seen" }, picture, node("figcaption", {}, say("class.phone.seen", { size: network.size })));
}

/**
 * What was guessed and what was meant, held against what is read.
 * @param {any} answer
 * @param {Record<string, string>} words
 * @returns {string[]}
 */
export function sentences(answer, words) {
  const found = [];
  const none = answer.verdict === "no digit";
  if (answer.guess) {
    const outcome = none ? "none" : answer.reads.includes(answer.guess) ? "right" : "wrong";
    found.push(say(`guess.${outcome}`, { ...words, said: answer.guess, read: together(answer) }));
  }
  if (answer.said && !none) {
    const outcome = answer.reads.includes(answer.said) ? "agreed" : "fooled";
    found.push(say(`class.phone.${outcome}`, { said: answer.said, read: together(answer) }));
  }
  return found;
}

/**
 * @param {number[]} scores
 * @param {any} network
 * @param {number[]} best places of what is read
 */
function bars(scores, network, best) {
  const rows = network.classes.map((/** @type {string} */ name, /** @type {number} */ place) => {
    const fill = node("span", { class: "fill" });
    fill.style.width = `${(100 * scores[place]).toFixed(2)}%`;
    fill.style.background = network.colours[place];
    const track = node("span", { class: "track" }, fill);
    if (network.unsureBelow > 0) {
      const limit = node("span", { class: "limit" });
      limit.style.left = `${(100 * network.unsureBelow).toFixed(1)}%`;
      track.append(limit);
    }
    const score = number(scores[place], 2);
    const label = say("class.phone.score", { name, score });
    return node("li", { class: best.includes(place) ? "best" : null, "aria-label": label }, node("span", { class: "name" }, name), track, node("span", { class: "value" }, score));
  });
  const long = network.classes.some((/** @type {string} */ name) => name.length > 2);
  const look = `bars${network.classes.length > ABREAST ? " many" : ""}${long ? " long" : ""}`;
  return node("ol", { class: look, "aria-label": say(`draw.scores.${network.score}`) }, ...rows);
}
