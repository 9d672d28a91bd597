// One moment of a replay, drawn on any canvas at any size: the view draws with this, and so can an animation.

import { drawInk, element, fixed, inkCanvas, percent } from "./drawing.js";
import { say } from "./texts.js";

const PORTRAIT = 36; // widths of the text's size: where there is no more room, the bars stand below the pictures
const ABREAST = 10; // bars that have room one below the other
const FAINT = 0.4; // of what is still to come

/**
 * What a frame looks like: colours of text, paper and the marker, the text's size in pixels, and its font.
 * @typedef {{ text: string, page: string, accent: string, size: number, font: string }} Look
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 */

// Numbers of a replay, as figures/replay.py packed them.

/** How much of its way the pen has gone at a moment, 0 to 1. */
export function shareOf(replay, moment) {
  return replay.arrays.ways[moment] / replay.arrays.ways[replay.moments - 1];
}

/** The same in words. */
export function wayTo(replay, moment) {
  return `${fixed(100 * shareOf(replay, moment), 0)}%`;
}

/** The moment that is nearest to a share of the pen's way; of two as near, the earlier. */
export function nearest(replay, share) {
  let best = 0;
  for (let m = 1; m < replay.moments; m++) {
    if (Math.abs(shareOf(replay, m) - share) < Math.abs(shareOf(replay, best) - share)) best = m;
  }
  return best;
}

export function scoresAt(replay, moment) {
  const classes = replay.classes.length;
  return replay.arrays.scores.subarray(moment * classes, (moment + 1) * classes);
}

/** The classes, the highest score first; none where nothing can be made out. */
export function ranked(replay, moment) {
  if (replay.arrays.answers[moment] < 0) return [];
  const scores = scoresAt(replay, moment);
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
}

/** Moments in a row with the same claim, from the first to the one before ``to``; -1 is none. */
export function stretches(replay) {
  const out = [];
  replay.arrays.claims.forEach((answer, moment) => {
    const last = out.at(-1);
    if (last?.answer === answer) last.to = moment + 1;
    else out.push({ answer, from: moment, to: moment + 1 });
  });
  return out;
}

/** The lines of the pen until a moment: of each stroke begun its width, and x and y of its points one after the other. */
export function linesAt(replay, moment) {
  const { points, starts, widths, counts, tips } = replay.arrays;
  const count = counts[moment];
  const lines = [];
  for (let s = 0; s < starts.length && starts[s] < count; s++) {
    const end = Math.min(starts[s + 1] ?? count, count);
    const line = Array.from(points.subarray(2 * starts[s], 2 * end));
    if (end === count) line.splice(-2, 2, tips[2 * moment], tips[2 * moment + 1]);
    lines.push({ width: widths[s], line });
  }
  return lines;
}

/** A moment in words. */
export function describe(replay, moment) {
  const way = wayTo(replay, moment);
  const answer = replay.arrays.answers[moment];
  if (answer < 0) return say("replay.momentNothing", { way, kind: replay.kind });
  const score = scoresAt(replay, moment)[answer];
  if (replay.arrays.claims[moment] < 0) return say("replay.momentAbsent", { way, kind: replay.kind, score: fixed(score) });
  return say(score < replay.unsureBelow ? "replay.momentUnsure" : "replay.moment", { way, name: replay.classes[answer], score: fixed(score) });
}

// Where things stand.

/** How high a frame of some width wants to be. */
export function heightOf(width, size) {
  const { seen, bars } = top(width, Infinity, size);
  return Math.max(seen.y + seen.height, bars.y + bars.height) + 19 * size;
}

/**
 * The boxes of a frame.
 * @returns {{ pen: Box, seen: Box, bars: Box, curves: Box }}
 */
export function layout(width, height, size) {
  const { pen, seen, bars } = top(width, height, size);
  const y = Math.max(seen.y + seen.height + 2.4 * size, bars.y + bars.height + size);
  return { pen, seen, bars, curves: { x: 0, y, width, height: height - y } };
}

function top(width, height, size) {
  const gap = 1.4 * size;
  const portrait = width < PORTRAIT * size;
  const side = Math.min(portrait ? (width - gap) / 2 : 0.25 * width, 17 * size, 0.4 * height);
  const square = (x) => ({ x, y: 0, width: side, height: side });
  const beside = 2 * (side + gap);
  const bars = portrait
    ? { x: 0, y: side + 2.2 * size, width, height: 1.1 * ABREAST * size }
    : { x: beside, y: 0, width: width - beside, height: side };
  return { pen: square(0), seen: square(side + gap), bars };
}

/** Where moments and scores lie in the box of the curves. */
export function scales(replay, { x, y, width, height }, size) {
  const [left, right] = [x + 2.4 * size, x + width - size];
  const [high, low] = [y + 3.6 * size, y + height - 3.2 * size];
  return {
    left,
    right,
    high,
    low,
    at: (moment) => left + shareOf(replay, moment) * (right - left),
    level: (score) => low - score * (low - high),
    moment: (place) => nearest(replay, (place - left) / (right - left)),
  };
}

// Drawing.

/**
 * Everything there is to see of a moment.
 * @param {CanvasRenderingContext2D} context scaled to the pixels of width and height, and cleared
 * @param {any} replay what figures/replay.py packed
 * @param {number} moment from 0
 * @param {number} width
 * @param {number} height
 * @param {Look} look
 */
export function drawFrame(context, replay, moment, width, height, look) {
  const { pen, seen, bars, curves } = layout(width, height, look.size);
  context.lineJoin = context.lineCap = "round";
  drawPen(context, replay, moment, pen);
  caption(context, say("replay.drawn"), pen, look);
  drawSeen(context, replay, moment, seen, look);
  caption(context, say("replay.seen", { size: replay.size }), seen, look);
  drawBars(context, replay, moment, bars, look);
  drawCurves(context, replay, moment, curves, look);
}

/**
 * The drawing so far, white ink on black.
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 */
export function drawPen(context, replay, moment, box) {
  const { x, y, width } = box;
  context.save();
  context.beginPath();
  context.rect(x, y, width, width);
  context.clip();
  context.fillStyle = "#000";
  context.fillRect(x, y, width, width);
  if (replay.arrays.picture) {
    const side = Math.sqrt(replay.arrays.picture.length);
    context.imageSmoothingEnabled = true;
    context.drawImage(inkCanvas(replay.arrays.picture, side), x, y, width, width);
  }
  context.translate(x, y);
  context.scale(width / replay.side, width / replay.side);
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = "#fff";
  for (const { width: pen, line } of linesAt(replay, moment)) {
    context.lineWidth = pen;
    context.beginPath();
    context.moveTo(line[0], line[1]);
    context.lineTo(line[0] + 0.01, line[1]); // a way of no length would have no ends to be drawn round
    for (let n = 2; n < line.length; n += 2) context.lineTo(line[n], line[n + 1]);
    context.stroke();
  }
  context.restore();
}

function drawSeen(context, replay, moment, box, look) {
  const area = replay.size ** 2;
  const levels = replay.arrays.seen.subarray(moment * area, (moment + 1) * area);
  drawInk(context, inkCanvas(levels, replay.size), box.x, box.y, box.width);
  if (replay.arrays.answers[moment] >= 0) return;
  write(context, look, { colour: "#b9bec6", align: "center" });
  context.fillText(say("replay.nothing", { kind: replay.kind }), box.x + box.width / 2, box.y + box.height / 2, box.width - look.size);
}

function caption(context, text, { x, y, height, width }, look) {
  write(context, look);
  context.globalAlpha = 0.76;
  context.fillText(text, x, y + height + look.size, width);
  context.globalAlpha = 1;
}

// A bar for each class that was ever among the first, in the order of the classes, so that none changes its place.
function drawBars(context, replay, moment, { x, y, width, height }, look) {
  const { named, classes, digitColours } = replay;
  const { size } = look;
  const scores = scoresAt(replay, moment);
  const answer = replay.arrays.answers[moment];
  const row = Math.min(2 * size, height / named.length);
  write(context, look, { bold: true });
  const widest = Math.max(...named.map((j) => context.measureText(classes[j]).width));
  const room = Math.min(widest, 0.35 * width);
  const [left, end] = [x + room + 0.7 * size, x + width - 3 * size];
  named.forEach((j, at) => {
    const middle = y + (at + 0.5) * row;
    const bold = j === answer;
    write(context, look, { bold });
    context.fillText(shortened(context, classes[j], room), x, middle);
    context.globalAlpha = 0.12;
    context.fillRect(left, middle - 0.3 * row, end - left, 0.6 * row);
    context.globalAlpha = 1;
    if (answer < 0) return;
    write(context, look, { bold, align: "right" });
    context.fillText(fixed(scores[j]), x + width, middle);
    context.fillStyle = digitColours[j];
    context.fillRect(left, middle - 0.3 * row, scores[j] * (end - left), 0.6 * row);
  });
}

/**
 * The scores of all classes along the pen's way, above them the answers, and where we are.
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {Look} look
 */
export function drawCurves(context, replay, moment, box, look) {
  const scale = scales(replay, box, look.size);
  drawAxes(context, replay, scale, look);
  drawAnswers(context, replay, scale, box.y, look);
  const now = scale.at(moment);
  for (const [from, to, alpha] of [
    [box.x, now, 1],
    [now, box.x + box.width, FAINT],
  ]) {
    context.save();
    context.beginPath();
    context.rect(from, box.y, to - from, box.height);
    context.clip();
    context.globalAlpha = alpha;
    drawLines(context, replay, scale, look);
    context.restore();
  }
  drawNames(context, replay, scale, drawDecision(context, replay, scale, box.y, look), look);
  drawMarker(context, replay, moment, scale, box.y, look);
}

function drawAxes(context, replay, { left, right, low, level }, look) {
  const { size } = look;
  const line = (score, dash) => {
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(left, level(score));
    context.lineTo(right, level(score));
    context.stroke();
    context.setLineDash([]);
  };
  context.strokeStyle = look.text;
  context.lineWidth = 1;
  for (const tick of replay.ticks) {
    context.globalAlpha = tick ? 0.18 : 0.5;
    line(tick, []);
    context.globalAlpha = 0.76;
    write(context, look, { align: "right" });
    context.fillText(String(tick), left - 0.5 * size, level(tick));
  }
  if (replay.unsureBelow) {
    context.globalAlpha = 0.6;
    line(replay.unsureBelow, [5, 5]);
  }
  [0, 0.5, 1].forEach((share, at) => {
    write(context, look, { align: /** @type {CanvasTextAlign[]} */ (["left", "center", "right"])[at] });
    context.fillText(share ? percent(share) : "0", left + share * (right - left), low + size);
  });
  write(context, look, { align: "center" });
  context.fillText(say("replay.axis"), (left + right) / 2, low + 2.4 * size, right - left);
  context.globalAlpha = 1;
}

// A ribbon of the answers, as long as they last; of the last moment, to the edge.
function drawAnswers(context, replay, { at, right }, y, look) {
  const { size } = look;
  for (const { answer, from, to } of stretches(replay)) {
    if (answer < 0) continue;
    const [start, end] = [at(from), to < replay.moments ? at(to) : right + size];
    context.fillStyle = replay.digitColours[answer];
    context.fillRect(start, y, end - start - 1, 1.6 * size);
    const name = replay.classes[answer];
    write(context, look, { bold: true, colour: isDark(replay.digitColours[answer]) ? "#fff" : "#000", align: "center" });
    if (context.measureText(name).width + 6 <= end - start) context.fillText(name, (start + end) / 2, y + 0.85 * size);
  }
}

// Those without a name first, and the final answer last: it lies over all others.
function drawLines(context, replay, { at, level }, look) {
  const final = replay.arrays.answers[replay.moments - 1];
  const named = new Set(replay.named);
  const order = [...replay.classes.keys()].filter((j) => !named.has(j));
  for (const j of [...order, ...replay.named.filter((j) => j !== final), final]) {
    context.beginPath();
    let down = false;
    for (let m = 0; m < replay.moments; m++) {
      const score = scoresAt(replay, m)[j];
      if (replay.arrays.answers[m] < 0) down = false;
      else if (down) context.lineTo(at(m), level(score));
      else {
        context.moveTo(at(m), level(score));
        context.lineTo(at(m), level(score)); // one moment alone is a dot
        down = true;
      }
    }
    const alpha = context.globalAlpha;
    const width = j === final ? 3.4 : 2.2;
    context.strokeStyle = look.text;
    context.lineWidth = named.has(j) ? width + 1.6 : 1;
    context.globalAlpha = alpha * (named.has(j) ? 0.5 : 0.25);
    context.stroke(); // below a colour, an edge that is seen on any paper
    context.globalAlpha = alpha;
    if (!named.has(j)) continue;
    context.strokeStyle = replay.digitColours[j];
    context.lineWidth = width;
    context.stroke();
  }
}

// And the limit of what is sure. Gives where its words stand.
function drawDecision(context, replay, { at, left, right, level, low }, y, look) {
  const { size } = look;
  const x = at(replay.decided);
  context.strokeStyle = look.text;
  context.lineWidth = 2;
  context.setLineDash([2, 4]);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x, low);
  context.stroke();
  context.setLineDash([]);
  const taken = [];
  const put = (text, start, middle) => {
    const half = context.measureText(text).width / 2;
    const centre = start > (left + right) / 2 ? start - half - 6 : start + half + 6;
    outlined(context, text, centre, middle, look);
    taken.push({ x: centre, y: middle, half });
  };
  write(context, look, { bold: true, align: "center" });
  put(say("replay.decision"), x, y + 2.5 * size);
  write(context, look, { align: "center" });
  if (replay.unsureBelow) put(`${say("replay.unsure")} ${fixed(replay.unsureBelow)}`, left, level(replay.unsureBelow));
  return taken;
}

/**
 * Where the names of curves go: at the highest place of each where none before it stands in the way.
 * @param {{ name: string, places: [number, number][] }[]} curves of each its points, the highest first
 * @param {(name: string) => number} widthOf
 * @param {number} size of the text
 * @param {{ x: number, y: number, half: number }[]} [before] middle and half the width of other texts that stand there
 * @returns {{ name: string, x: number, y: number, at: number }[]} at: which of the points; a curve without room has none
 */
export function placeNames(curves, widthOf, size, before = []) {
  const taken = [...before];
  const out = [];
  for (const { name, places } of curves) {
    const half = widthOf(name) / 2 + 3;
    const at = places.findIndex(([x, y]) => taken.every((other) => Math.abs(other.x - x) >= other.half + half || Math.abs(other.y - y) >= 1.2 * size));
    if (at < 0) continue;
    const [x, y] = places[at];
    taken.push({ x, y, half });
    out.push({ name, x, y, at });
  }
  return out;
}

function drawNames(context, replay, { at, level, left, right }, taken, look) {
  const { size } = look;
  write(context, look, { bold: true, align: "center" });
  const room = 9 * size;
  const name = (j) => shortened(context, replay.classes[j], room);
  const highest = (j) => Math.max(...ordered(replay, j).map(([, score]) => score));
  const curves = [...replay.named]
    .sort((a, b) => highest(b) - highest(a))
    .map((j) => ({
      name: name(j),
      places: ordered(replay, j).map(([m, score]) => {
        const half = context.measureText(name(j)).width / 2;
        return /** @type {[number, number]} */ ([Math.max(left + half, Math.min(at(m), right - half)), level(score) - 0.9 * size]);
      }),
    }));
  const placed = placeNames(curves, (text) => context.measureText(text).width, size, taken);
  for (const { name, x, y } of placed) outlined(context, name, x, y, look);
}

// Moments and scores of a class, the highest first.
function ordered(replay, j) {
  return Array.from({ length: replay.moments }, (_, m) => /** @type {[number, number]} */ ([m, scoresAt(replay, m)[j]]))
    .filter(([m]) => replay.arrays.answers[m] >= 0)
    .sort((a, b) => b[1] - a[1]);
}

function drawMarker(context, replay, moment, { at, level, low }, y, look) {
  const x = at(moment);
  context.strokeStyle = context.fillStyle = look.accent;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x, low);
  context.stroke();
  context.beginPath();
  context.arc(x, low, 0.5 * look.size, 0, 2 * Math.PI);
  context.fill();
  if (replay.arrays.answers[moment] < 0) return;
  for (const j of replay.named) {
    context.beginPath();
    context.arc(x, level(scoresAt(replay, moment)[j]), 4, 0, 2 * Math.PI);
    context.fillStyle = replay.digitColours[j];
    context.strokeStyle = look.text;
    context.lineWidth = 1;
    context.fill();
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Look} look
 * @param {{ bold?: boolean, colour?: string, align?: CanvasTextAlign }} [how]
 */
function write(context, look, { bold = false, colour = look.text, align = "left" } = {}) {
  context.font = `${bold ? "bold " : ""}${look.size}px ${look.font}`;
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = "middle";
}

// Over lines a text needs an edge of paper.
function outlined(context, text, x, y, look) {
  context.strokeStyle = look.page;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.fillStyle = look.text;
  context.fillText(text, x, y);
}

/** A text that is no wider than ``room``, its end left out if need be. */
export function shortened(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** Whether white is better read on a colour than black. */
export function isDark(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18;
}

/**
 * A moment as a canvas of its own, for an animation or a picture.
 * @param {any} replay
 * @param {number} moment
 * @param {number} width
 * @param {number} height
 * @param {Look} look
 */
export function frameCanvas(replay, moment, width, height, look) {
  const canvas = element("canvas", { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = look.page;
  context.fillRect(0, 0, width, height);
  drawFrame(context, replay, moment, width, height, look);
  return canvas;
}
