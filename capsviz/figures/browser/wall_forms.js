// What a presenter asks of the class: a task, a question with choices. Forms for both, and how a question stands.

import { element } from "./drawing.js";
import { kindWords, say } from "./texts.js";

const SHORT = 3; // signs of a choice that can stand beside others

/**
 * @param {string[]} classes
 * @param {string} chosen
 * @param {string} none what the first choice says, of no class
 */
function classChoice(classes, chosen, none) {
  const options = ["", ...classes].map((name) => element("option", { value: name, selected: name === chosen }, name || none));
  return /** @type {HTMLSelectElement} */ (element("select", {}, ...options));
}

/**
 * A form for a task: one of those that are ready-made, or any other.
 * @param {{ classes: string[], kind: string }} network
 * @param {any} task of now, or null
 * @param {number} most characters of its text
 * @param {(task: { text: string, drawn: string, read: string }) => void} set
 */
export function taskForm(network, task, most, set) {
  const words = kindWords(network.kind);
  const { classes } = network;
  const ready = ["fool", "sure", "free"];
  const drawn = classChoice(classes, task ? task.drawn : classes[7 % classes.length], say("class.wall.any"));
  const read = classChoice(classes, task ? task.read : classes[1], say("class.wall.any"));
  const text = /** @type {HTMLInputElement} */ (element("input", { type: "text", maxlength: most, required: true }));
  const kind = /** @type {HTMLSelectElement} */ (element("select", {}, ...ready.map((name) => element("option", { value: name }, say(`class.wall.task.${name}`, words)))));
  const readLabel = element("label", {}, say("class.wall.task.read"), read);
  const word = () => {
    const [d, r] = [drawn.value, read.value];
    if (kind.value === "fool" && d && r) text.value = say("class.wall.task.foolText", { drawn: d, read: r });
    else if (kind.value === "sure" && d) text.value = say("class.wall.task.sureText", { drawn: d });
  };
  const choose = () => {
    readLabel.hidden = kind.value === "sure";
    if (kind.value === "free" && !task) [drawn.value, read.value, text.value] = ["", "", ""];
    word();
  };
  kind.value = task ? "free" : "fool";
  kind.onchange = choose;
  drawn.onchange = word;
  read.onchange = word;
  choose();
  if (task) text.value = task.text;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    set({ text: text.value, drawn: drawn.value, read: kind.value === "sure" ? drawn.value : read.value });
  };
  const end = task ? [element("button", { type: "button", onclick: () => set({ text: "", drawn: "", read: "" }) }, say("class.wall.task.end"))] : [];
  return element(
    "form",
    { onsubmit: submit },
    element("label", {}, say("class.wall.task.kind"), kind),
    element("div", { class: "pair" }, element("label", {}, say("class.wall.task.drawn"), drawn), readLabel),
    element("label", {}, say("class.wall.task.text"), text),
    element("p", { class: "soft" }, say("class.wall.task.ranks", words)),
    element("div", { class: "ways" }, element("button", { class: "main" }, say("class.wall.task.set")), ...end),
  );
}

/**
 * A form for a question.
 * @param {{ classes: string[], kind: string }} network
 * @param {{ text: number, choice: number, choices: number }} most
 * @param {(poll: { question: string, choices: string[], truth: number | null }) => void} ask
 */
export function pollForm(network, most, ask) {
  const words = kindWords(network.kind);
  const fits = network.classes.length <= most.choices;
  const question = /** @type {HTMLInputElement} */ (element("input", { type: "text", maxlength: most.text, required: true, value: fits ? say("class.wall.poll.wins", words) : "" }));
  const choices = /** @type {HTMLTextAreaElement} */ (element("textarea", { rows: Math.min(8, most.choices), required: true }));
  choices.value = fits ? network.classes.join("\n") : "";
  const truth = /** @type {HTMLSelectElement} */ (element("select", {}));
  const lines = () => choices.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const offer = () => {
    const chosen = truth.value;
    truth.replaceChildren(element("option", { value: "" }, say("class.wall.poll.noTruth")), ...lines().map((line, place) => element("option", { value: String(place) }, line)));
    truth.value = chosen;
    if (truth.selectedIndex < 0) truth.value = "";
  };
  choices.oninput = offer;
  offer();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    ask({ question: question.value, choices: lines(), truth: truth.value === "" ? null : Number(truth.value) });
  };
  return element(
    "form",
    { onsubmit: submit },
    element("label", {}, say("class.wall.poll.question"), question),
    element("label", {}, say("class.wall.poll.choices", { most: most.choices }), choices),
    element("label", {}, say("class.wall.poll.truth"), truth),
    element("p", { class: "soft" }, say("class.wall.poll.hidden")),
    element("div", { class: "ways" }, element("button", { class: "main" }, say("class.wall.poll.ask"))),
  );
}

/**
 * A question as it stands: a bar for each choice, and the truth once it is told.
 * @param {any} poll
 */
export function pollNodes(poll) {
  const most = Math.max(1, ...poll.tally);
  const votes = poll.tally.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
  const rows = poll.choices.map((/** @type {string} */ choice, /** @type {number} */ place) => {
    const right = poll.told && poll.truth === place;
    const bar = element("span", { class: "level" });
    bar.style.width = `${(100 * poll.tally[place]) / most}%`;
    bar.style.setProperty("--level", bar.style.width);
    const name = element("span", { class: "choice" }, choice, ...(right ? [" ✓", element("span", { class: "word" }, ` ${say("class.wall.poll.right")}`)] : []));
    return element("li", { class: right ? "right" : "" }, name, element("span", { class: "track" }, bar), element("span", { class: "count" }, String(poll.tally[place])));
  });
  const short = poll.choices.length > 4 && poll.choices.every((/** @type {string} */ choice) => choice.length <= SHORT);
  const state = poll.open ? "open" : poll.told ? "told" : "closed";
  return [
    element("h2", {}, poll.question),
    element("ol", { class: `tally${short ? " short" : ""}`, "aria-label": poll.question }, ...rows),
    element("p", { class: "soft", role: "status" }, `${say("class.wall.poll.votes", { count: votes })} ${say(`class.wall.poll.${state}`)}`),
  ];
}
