// Poses as numbers: what the decoder is fed of them, how far a slider goes, what a link says of them.

import { quoted, wholeOfText } from "./address.js";
import { say } from "./texts.js";

/** @typedef {ArrayLike<number>} Pose D numbers of one capsule */
/** @typedef {{ low: number, high: number }} Ends between which training has a component */
/** @typedef {Ends & { caption: string, mean: number, strength: number }} Component what was measured of one */
/** @typedef {{ digit: number, pose: Pose }} Placed a pose, and the index of the capsule that it is of */

export const GRAIN = 1000; // parts of 1 that a slider tells apart; its ends are whole ones
export const UNMEASURED = 0.25; // units to both sides of the encoded value, where nobody has measured: as in Figure 4
const BEYOND = 0.3; // how far a slider goes beyond the ends, of what lies between them;
const LEAST = 0.1; // units, and beyond the encoded value
const NUMBER = /^-?\d{1,3}(\.\d{1,20})?(e-\d{1,2})?$/; // in a link, as linkTo writes it
const PERIOD = 3; // seconds of a swing, there and back

/**
 * Where training has a component, or a stretch around the encoded value where nobody has measured.
 * @param {Component | undefined} known
 * @param {number} origin the encoded value
 * @param {number} unit what 1 is to the pose of a capsule, which is shorter than that
 * @returns {Ends}
 */
export function endsOf(known, origin, unit = 1) {
  return known ?? { low: origin - UNMEASURED * unit, high: origin + UNMEASURED * unit };
}

/**
 * The ends of a slider: beyond what training showed, so that one sees what happens there.
 * @param {Ends} ends
 * @param {number} origin the encoded value
 * @param {number} now
 * @param {number} unit as of ``endsOf``
 * @returns {[number, number]}
 */
export function rangeOf({ low, high }, origin, now, unit = 1) {
  const margin = BEYOND * (high - low);
  const [least, most] = [Math.min(low - margin, origin - LEAST * unit, now), Math.max(high + margin, origin + LEAST * unit, now)];
  return [Math.floor(least * GRAIN) / GRAIN, Math.ceil(most * GRAIN) / GRAIN];
}

/**
 * Dimensions, the one that changes the pixels most first; equal ones as they come.
 * @param {Component[]} components
 */
export function strongestFirst(components) {
  return components.map((_, d) => d).sort((a, b) => components[b].strength - components[a].strength);
}

/**
 * Dimensions of a pose that lie outside of what training showed; at an end is inside.
 * @param {Pose} pose
 * @param {Component[] | undefined} components
 */
export function outside(pose, components) {
  if (!components) return [];
  return components.flatMap(({ low, high }, d) => (pose[d] < low || pose[d] > high ? [d] : []));
}

/**
 * What the decoder is fed: the pose of one capsule, those of the others or, masked, 0 for them.
 * @param {Float32Array} inputs [J * D], into which it is written
 * @param {Pose[]} poses [J][D]
 * @param {Placed} chosen with the pose that takes the place of its capsule's
 * @param {boolean} masked
 */
export function feed(inputs, poses, { digit, pose }, masked) {
  if (masked) inputs.fill(0);
  else poses.forEach((own, capsule) => inputs.set(own, capsule * own.length));
  inputs.set(pose, digit * pose.length);
  return inputs;
}

/**
 * What the decoder is fed on the straight way from one pose to another, of the same capsule or of two.
 * @param {number} length J * D
 * @param {Placed} a
 * @param {Placed} b
 * @param {number} share of the way
 */
export function between(length, a, b, share) {
  const fed = new Float32Array(length);
  for (const [{ digit, pose }, weight] of /** @type {[Placed, number][]} */ ([[a, 1 - share], [b, share]])) {
    for (let d = 0; d < pose.length; d++) fed[digit * pose.length + d] += weight * pose[d];
  }
  return fed;
}

/** @param {Pose} pose */
export function lengthOf(pose) {
  return Math.hypot(...Array.from(pose));
}

/**
 * The sum of a pose's numbers: of a network without capsules the logit of its class.
 * @param {Pose} pose
 */
export function logitOf(pose) {
  return Array.from(pose).reduce((sum, value) => sum + value, 0);
}

/**
 * The probability of one class, of a softmax over the sums of all poses.
 * @param {Pose[]} poses [J][D]
 * @param {number} place of the class
 */
export function probabilityOf(poses, place) {
  const logits = poses.map(logitOf);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  return powers[place] / powers.reduce((sum, power) => sum + power, 0);
}

/**
 * A component's value at each moment of a swing between its ends, from where it is; beyond them, that is an end.
 * @param {number} from
 * @param {Ends} ends
 * @returns {(seconds: number) => number}
 */
export function swing(from, { low, high }) {
  const [least, most] = [Math.min(low, from), Math.max(high, from)];
  const [middle, reach] = [(least + most) / 2, (most - least) / 2];
  const phase = reach && Math.asin(Math.max(-1, Math.min((from - middle) / reach, 1)));
  return (seconds) => middle + reach * Math.sin(phase + (2 * Math.PI * seconds) / PERIOD);
}

/**
 * The capsule and the numbers that a link asks for: D for one capsule, J * D for all; or what is wrong with it, in one
 * sentence. Nothing of a link with a bad part is taken.
 * @param {string} search ?digit=7&pose=0.1,0.2,...
 * @param {{ classes: number, dimensions: number, farthest: number }} limits
 * @returns {{ digit?: number, numbers?: number[], problem?: string }}
 */
export function readPose(search, { classes, dimensions, farthest }) {
  const asked = new URLSearchParams(search);
  const [name, pose] = [asked.get("digit"), asked.get("pose")];
  const all = classes * dimensions;
  const digit = name === null ? undefined : (wholeOfText(name, 0, classes - 1) ?? undefined);
  const texts = pose === null ? [] : pose.split(",", all + 1).map((text) => text.trim());
  const odd = texts.find((text) => !NUMBER.test(text) || Math.abs(Number(text)) > farthest);
  const cited = (/** @type {string} */ text) => (text ? say("pose.link.quoted", { text: quoted(text) }) : say("pose.link.nothing"));
  const wrong = [];
  const values = { last: classes - 1, dimensions, all, farthest };
  if (name !== null && digit === undefined) {
    wrong.push("digit");
    Object.assign(values, { digit: cited(name) });
  }
  if (pose !== null && texts.length !== dimensions && texts.length !== all) {
    wrong.push("length");
    Object.assign(values, { length: texts.length > all ? say("pose.link.more", { all }) : texts.length });
  } else if (odd !== undefined) {
    wrong.push("number");
    Object.assign(values, { number: cited(odd) });
  }
  if (wrong.length) return { problem: say(`pose.link.${wrong.join("-")}`, values) };
  return { digit, numbers: pose === null ? undefined : texts.map(Number) };
}

/**
 * An address that opens a pose; without one, the address without what it said of poses.
 * @param {string} address
 * @param {{ digit: number, numbers: Pose } | null} asked
 */
export function linkTo(address, asked) {
  const url = new URL(address);
  url.searchParams.delete("digit");
  url.searchParams.delete("pose");
  if (asked) {
    url.searchParams.set("digit", String(asked.digit));
    // Nine digits tell every single-precision number from its neighbours.
    url.searchParams.set("pose", Array.from(asked.numbers, (value) => Number(value.toPrecision(9))).join(","));
  }
  return url.href.replaceAll("%2C", ",");
}
