// What a lesson notices: the table of app/conditions.py, looked at. Facts are what is so now, and when the step began.

/**
 * @typedef {{
 *   drawing?: number, strokes?: number, answer?: string, longest?: number, sum?: number, network?: string, iterations?: number,
 *   step?: number, capsule?: number, class?: string, experiment?: string, silenced?: number, broken?: boolean,
 *   slid?: number, asked?: string, laid?: boolean,
 *   moved?: { capsule: number, by: number[], strongest: number },
 * }} Facts
 */

const GRAIN = 1e-6; // what is written as 0.1 may be read as a little less

const within = ([low, high], value) => value !== undefined && value >= low - GRAIN && value <= high + GRAIN;

/**
 * How far each number of the pose has been moved since the step began; of another capsule, since it was encoded.
 * @param {Facts} now
 * @param {Facts} then
 */
function moves({ moved }, { moved: before }) {
  if (!moved) return [];
  const from = before?.capsule === moved.capsule ? before.by : moved.by.map(() => 0);
  return moved.by.map((value, d) => Math.abs(value - from[d]));
}

/** @type {Record<string, (wanted: any, now: Facts, then: Facts) => boolean>} */
export const CONDITIONS = {
  drawn: (_, now, then) => Boolean(now.strokes) && now.drawing !== then.drawing,
  answer: (wanted, now) => wanted.includes(now.answer),
  changed: (_, now, then) => Boolean(now.answer) && now.answer !== then.answer,
  longest: (wanted, now) => within(wanted, now.longest),
  sum: (wanted, now) => within(wanted, now.sum),
  network: (wanted, now) => wanted.includes(now.network),
  iterations: (wanted, now) => now.iterations === wanted,
  step: (wanted, now) => now.step !== undefined && now.step >= wanted,
  capsule: (_, now, then) => now.capsule !== undefined && now.capsule !== then.capsule,
  class: (wanted, now) => wanted.includes(now.class),
  experiment: (wanted, now) => wanted.includes(now.experiment),
  silenced: (wanted, now) => now.silenced !== undefined && now.silenced >= wanted,
  broken: (_, now) => now.broken === true,
  slid: (wanted, now) => now.slid !== undefined && now.slid >= wanted,
  asked: (wanted, now) => wanted.includes(now.asked),
  laid: (_, now) => now.laid === true,
  slider: (wanted, now, then) => moves(now, then).some((by) => by >= wanted - GRAIN),
  strongest: (wanted, now, then) => moves(now, then)[now.moved?.strongest ?? 0] >= wanted - GRAIN,
  dimension: (wanted, now, then) => {
    const all = moves(now, then);
    return all[wanted] >= 0.05 - GRAIN && all[wanted] === Math.max(...all);
  },
};

/**
 * Whether all that a step wants is so.
 * @param {Record<string, any>} wanted
 * @param {Facts} now
 * @param {Facts} then
 */
export function done(wanted, now, then) {
  return Object.entries(wanted).every(([name, value]) => CONDITIONS[name](value, now, then));
}
