// What a wall makes of its tiles: their order, how large they are, how a task is met, what the class has counted.

/**
 * A drawing as the server tells of it.
 * @typedef {{ id: number, phone: string, path: string, width: number, strokes: string, said: string, guess: string,
 *   network: string, read: string, reads: string[], verdict: string, scores: number[], seen: string, standing: string, sent: number,
 *   task: number, covered: boolean, fooled: boolean, disputed: number,
 *   others: { network: string, reads: string[], verdict: string, score: number }[] | null }} Tile
 */
/** @typedef {{ number: number, text: string, drawn: string, read: string } | null} Task */

export const NONE = "no digit"; // a verdict
export const MOST = 300; // tiles that are shown at once

/**
 * The highest score; -1 where nobody is to know it yet.
 * @param {Tile} tile
 */
export function certainty(tile) {
  return tile.covered || !tile.scores.length ? -1 : Math.max(...tile.scores);
}

/**
 * How a drawing answers a task: whether it is what was asked for, and the score by which it is ranked; null of one that
 * was drawn for something else, or is covered.
 * @param {Tile} tile
 * @param {Task} task
 * @param {string[]} classes of the network that answered
 * @returns {{ met: boolean, score: number } | null}
 */
export function measured(tile, task, classes) {
  if (!task || tile.task !== task.number || tile.covered) return null;
  const wanted = task.read || task.drawn;
  const place = classes.indexOf(wanted);
  const score = wanted ? (tile.scores[place] ?? 0) : certainty(tile);
  const reads = tile.verdict === NONE ? [] : tile.reads;
  return { met: (!wanted || reads.includes(wanted)) && (!task.drawn || tile.said === task.drawn), score };
}

/** @typedef {{ task: Task, classesOf: (tile: Tile) => string[] }} Room what an order may depend on */

// Of each order, what is compared: the largest first.
/** @type {Record<string, (tile: Tile, room: Room) => number[]>} */
const KEYS = {
  newest: () => [],
  certain: (tile) => [certainty(tile)],
  unsure: (tile) => [tile.covered ? -2 : -certainty(tile)],
  disputed: (tile) => [tile.covered ? -1 : tile.disputed, certainty(tile)],
  fooled: (tile) => (tile.fooled && !tile.covered ? [1, certainty(tile)] : [0]),
  digit: (tile, { classesOf }) => [tile.covered || tile.verdict === NONE ? -Infinity : -classesOf(tile).indexOf(tile.read), certainty(tile)],
  task: (tile, { task, classesOf }) => {
    const found = measured(tile, task, classesOf(tile));
    return found ? [1, Number(found.met), found.score] : [0];
  },
};
export const ORDERS = Object.keys(KEYS);

/**
 * Tiles in an order; of two that are alike the later one comes first.
 * @param {Tile[]} tiles
 * @param {string} by one of ORDERS
 * @param {Room} room
 */
export function ordered(tiles, by, room) {
  const keyed = tiles.map((tile) => ({ tile, key: [...KEYS[by](tile, room), tile.id] }));
  keyed.sort((a, b) => {
    const length = Math.min(a.key.length, b.key.length);
    for (let place = 0; place < length; place++) if (a.key[place] !== b.key[place]) return a.key[place] < b.key[place] ? 1 : -1;
    return 0;
  });
  return keyed.map(({ tile }) => tile);
}

/**
 * Where tiles stand now: all that are there keep their place, new ones come before them.
 * @param {number[]} before ids as they stand
 * @param {number[]} now ids that are to stand there
 */
export function placed(before, now) {
  const there = new Set(now);
  const known = new Set(before);
  const fresh = now.filter((id) => !known.has(id)).sort((a, b) => b - a);
  return [...fresh, ...before.filter((id) => there.has(id))];
}

/**
 * Places of the best answers to a task, from 1, by their ids.
 * @param {Tile[]} tiles
 * @param {Room} room
 */
export function ranks(tiles, room) {
  const met = ordered(tiles, "task", room).filter((tile) => measured(tile, room.task, room.classesOf(tile))?.met);
  return new Map(met.map((tile, place) => [tile.id, place + 1]));
}

/**
 * What was said and what was read, of the drawings of which somebody has said what they are.
 * @param {Tile[]} tiles
 * @param {string[]} classes
 * @returns {{ table: number[][], told: number, agreed: number }} a row for each class that was said, a column for each that
 *   was read, and a last one of what is none
 */
export function confusion(tiles, classes) {
  const table = classes.map(() => Array(classes.length + 1).fill(0));
  let [told, agreed] = [0, 0];
  for (const tile of tiles) {
    const row = classes.indexOf(tile.said);
    // Of several that are read, the one that was said; a drawing counts once.
    const read = tile.reads.includes(tile.said) ? tile.said : tile.read;
    const column = tile.verdict === NONE ? classes.length : classes.indexOf(read);
    if (tile.covered || row < 0 || column < 0) continue;
    table[row][column] += 1;
    told += 1;
    if (row === column) agreed += 1;
  }
  return { table, told, agreed };
}

/**
 * How many were read as each class, and last as none; one that is read as several counts for each.
 * @param {Tile[]} tiles
 * @param {string[]} classes
 */
export function counts(tiles, classes) {
  const found = Array(classes.length + 1).fill(0);
  for (const tile of tiles) {
    const places = tile.verdict === NONE ? [classes.length] : tile.reads.map((name) => classes.indexOf(name));
    for (const place of tile.covered ? [] : places) if (place >= 0) found[place] += 1;
  }
  return found;
}

const SIZES = [520, 440, 380, 320, 260, 220, 190, 164, 142, 122, 106, 92, 80, 70, 60, 52, 46, 42, 38, 34, 30]; // pixels of a drawing's side

/**
 * Whether the pixels that were seen, a third as wide as the drawing, would be too small to be told apart.
 * @param {number} size
 */
export function small(size) {
  return size < 84;
}

/**
 * Pixels between tiles.
 * @param {number} size
 */
export function gap(size) {
  return small(size) ? 4 : 8;
}

/**
 * Pixels that a tile takes below its drawing.
 * @param {number} size
 */
export function below(size) {
  return Math.round((small(size) ? 0.42 : 0.36) * size) + (named(size) ? 22 : 0);
}

/**
 * Whether a tile has room for whose it is.
 * @param {number} size
 */
export function named(size) {
  return size >= 106;
}

/**
 * Tiles that stand side by side.
 * @param {number} size
 * @param {number} width
 */
export function columnsOf(size, width) {
  return Math.floor((width + gap(size)) / (size + gap(size)));
}

/**
 * Side of a tile's drawing, with which so many fit into a box; the least where they do not.
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {number} least
 */
export function sizeFor(count, width, height, least) {
  for (const size of SIZES) {
    if (size < least) break;
    const [columns, between] = [columnsOf(size, width), gap(size)];
    if (columns > 0 && Math.ceil(count / columns) * (size + below(size) + between) - between <= height) return size;
  }
  return least;
}
