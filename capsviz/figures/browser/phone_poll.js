// A poll as a phone shows it: choices to press while it is open, then how the class has voted, if that is told.

import { node } from "./phone_nodes.js";
import { say } from "./texts.js";

/**
 * @param {any} poll
 * @param {number | null} vote
 * @param {(choice: number) => void} choose
 */
export function pollNodes(poll, vote, choose) {
  const all = poll.tally ? Math.max(1, ...poll.tally) : 1;
  const choices = poll.choices.map((/** @type {string} */ text, /** @type {number} */ place) => {
    if (poll.open) return node("button", { "aria-pressed": String(vote === place), onclick: () => choose(place) }, text);
    const right = poll.truth === place;
    const bar = node("span", { class: "tally" });
    bar.style.width = `${poll.tally ? (100 * poll.tally[place]) / all : 0}%`;
    const count = poll.tally ? node("span", { class: "count" }, say("class.phone.votes", { count: poll.tally[place] })) : null;
    return node("div", { class: `choice${right ? " right" : ""}${vote === place ? " own" : ""}` }, bar, node("span", {}, text, right ? ` (${say("class.phone.truth")})` : ""), count);
  });
  const own = vote === null || vote === undefined ? "" : poll.choices[vote];
  const said = own ? say(poll.open ? "class.phone.voted" : "class.phone.votedClosed", { choice: own }) : poll.open ? "" : say("class.phone.pollClosed");
  return [node("h2", {}, say("class.phone.poll")), node("p", { class: "question" }, poll.question), node("div", { class: "choices wide", role: "group", "aria-label": poll.question }, ...choices), said ? node("p", { role: "status" }, said) : null];
}
