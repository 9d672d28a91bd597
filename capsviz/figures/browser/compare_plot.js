// Pictures of one network along a change: the score of a class with the answers below it, and the path of its pose.

const MARGIN = { left: 2.4, right: 0.6, top: 0.5, strip: 1.5, below: 1.5 }; // in the text's size
const AROUND = 0.06; // of a path's extent, around it

/**
 * @typedef {{ text: string, accent: string, page: string, font: string, size: number }} Look
 * @typedef {{ first: number, last: number, step: number, same: number }} Change as figures/compare.py packs it
 */

/**
 * Where a curve lies in its picture.
 * @param {number} width
 * @param {number} height
 * @param {number} size of the text
 */
export function frameOf(width, height, size) {
  const [left, top] = [MARGIN.left * size, MARGIN.top * size];
  const bottom = height - (MARGIN.strip + MARGIN.below) * size;
  return { left, top, right: width - MARGIN.right * size, bottom, strip: bottom + 0.3 * size };
}

/**
 * The place among the values of a change that a point of a picture stands for.
 * @param {number} x
 * @param {{ left: number, right: number }} frame
 * @param {Change} change
 */
export function placeAt(x, { left, right }, { first, last }) {
  const places = last - first;
  return Math.max(0, Math.min(places, Math.round(((x - left) / (right - left)) * places)));
}

/**
 * Runs of the same answer: class, first and last place; what is below 0 is not known yet, and in none.
 * @param {ArrayLike<number>} answers
 */
export function runs(answers) {
  /** @type {[number, number, number][]} */
  const found = [];
  for (let place = 0; place < answers.length; place++) {
    const last = found.at(-1);
    if (answers[place] < 0) continue;
    if (last && last[0] === answers[place] && last[2] === place - 1) last[2] = place;
    else found.push([answers[place], place, place]);
  }
  return found;
}

/**
 * Stretches of what is known, first and last place: no line is drawn over what is not.
 * @param {ArrayLike<number>} answers
 */
export function spans(answers) {
  return runs(Array.from(answers, (answer) => Math.min(answer, 0))).map(([, from, to]) => [from, to]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {object} curve
 * @param {ArrayLike<number>} curve.scores of the class, one for each value
 * @param {ArrayLike<number>} curve.answers below 0 where they are not known yet
 * @param {number} curve.place that is now
 * @param {Change} curve.change
 * @param {any} curve.means
 * @param {string} curve.colour of the class
 * @param {string[]} curve.colours of all classes
 * @param {readonly string[]} curve.names of all classes
 * @param {number[]} curve.ticks of the scores
 * @param {(steps: number) => string} curve.value in words
 * @param {(score: number) => string} curve.score in words
 * @param {Look} look
 */
export function drawCurve(context, width, height, curve, look) {
  const { scores, answers, place, change, means } = curve;
  const frame = frameOf(width, height, look.size);
  const places = change.last - change.first;
  const x = (at) => frame.left + (at / places) * (frame.right - frame.left);
  const y = (score) => frame.bottom - score * (frame.bottom - frame.top);
  const of = (amount) => x((amount - change.same) / change.step - change.first);
  context.font = `${0.8 * look.size}px ${look.font}`;
  context.lineJoin = "round";

  // Ticks of the scores, and the value that changes nothing.
  context.fillStyle = look.text;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of curve.ticks) {
    context.globalAlpha = 0.22;
    context.fillRect(frame.left, y(tick) - 0.5, frame.right - frame.left, 1);
    context.globalAlpha = 0.8;
    context.fillText(curve.score(tick), frame.left - 0.3 * look.size, y(tick));
  }
  context.globalAlpha = 0.22;
  context.fillRect(x(-change.first) - 0.5, frame.top, 1, frame.bottom - frame.top);

  if (means) {
    const { points } = means;
    context.globalAlpha = 0.16;
    context.beginPath();
    for (const { amount, high } of points) context.lineTo(of(amount), y(high));
    for (const { amount, low } of [...points].reverse()) context.lineTo(of(amount), y(low));
    context.fill();
    context.globalAlpha = 0.7;
    context.strokeStyle = look.text;
    context.lineWidth = 1.5;
    context.setLineDash([4, 3]);
    context.beginPath();
    for (const { amount, mean } of points) context.lineTo(of(amount), y(mean));
    context.stroke();
    context.setLineDash([]);
  }

  // The curve in its class's colour, with an edge that any paper shows.
  context.globalAlpha = 1;
  for (const [colour, wide] of /** @type {[string, number][]} */ ([[look.text, 4.5], [curve.colour, 2.5]])) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    for (const [from, to] of spans(answers)) {
      context.moveTo(x(from), y(scores[from]));
      for (let at = from; at <= to; at++) context.lineTo(x(at), y(scores[at]));
    }
    context.stroke();
  }

  // The answers, each run with its name where there is room.
  const half = (frame.right - frame.left) / places / 2;
  const strip = (MARGIN.strip - 0.5) * look.size;
  context.textAlign = "center";
  for (const [answer, from, to] of runs(answers)) {
    const [start, end] = [Math.max(frame.left, x(from) - half), Math.min(frame.right, x(to) + half)];
    context.fillStyle = curve.colours[answer];
    context.fillRect(start, frame.strip, end - start, strip);
    const name = curve.names[answer];
    if (end - start > context.measureText(name).width + 3) {
      context.fillStyle = "#000";
      context.fillText(name, (start + end) / 2, frame.strip + strip / 2 + 1);
    }
  }

  // What the ends and the unchanged picture are.
  context.fillStyle = look.text;
  context.globalAlpha = 0.8;
  context.textBaseline = "alphabetic";
  const line = height - 0.25 * look.size;
  const written = [[change.first, "left"], [change.last, "right"], ...(change.first < 0 && change.last > 0 ? [[0, "center"]] : [])];
  for (const [steps, align] of /** @type {[number, CanvasTextAlign][]} */ (written)) {
    context.textAlign = align;
    context.fillText(curve.value(steps), x(steps - change.first), line);
  }

  // Now.
  context.globalAlpha = 1;
  context.fillStyle = look.accent;
  context.fillRect(x(place) - 1, frame.top, 2, frame.strip + strip - frame.top);
  ring(context, x(place), y(scores[place]), look);
}

/**
 * How a path lies in its frame: one unit is as long in both directions.
 * @param {[number, number][]} points
 * @param {number} width of the frame
 * @param {number} height
 * @returns {{ middle: number[], scale: number, ends: [number, number][], digits: number }} what lies in the middle of the
 *     frame, pixels for one unit, what the frame's ends are on each axis, and the decimals that tell these apart
 */
export function pathScale(points, width, height) {
  const ranges = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  });
  const extent = Math.max(...ranges.map(([low, high]) => high - low), 1e-6) * (1 + 2 * AROUND);
  const scale = Math.min(width - 4, height - 4) / extent;
  const middle = ranges.map(([low, high]) => (low + high) / 2);
  const half = [width, height].map((long) => long / scale / 2);
  const ends = middle.map((at, axis) => /** @type {[number, number]} */ ([at - half[axis], at + half[axis]]));
  return { middle, scale, ends, digits: Math.max(0, 1 - Math.floor(Math.log10(extent))) };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {object} path
 * @param {[number, number][]} path.points one for each value
 * @param {ArrayLike<number>} path.answers
 * @param {number} path.place that is now
 * @param {number} path.same that changes nothing
 * @param {string[]} path.colours of all classes
 * @param {[string, string]} path.names of the axes
 * @param {(value: number, digits: number) => string} path.number in words
 * @param {Look} look
 */
export function drawPath(context, width, height, path, look) {
  const { points } = path;
  const [left, bottom] = [1.6 * look.size, height - 1.4 * look.size];
  const { middle, scale, ends, digits } = pathScale(points, width - left, bottom);
  /** @type {(point: number[]) => [number, number]} */
  const at = ([across, up]) => [(left + width) / 2 + (across - middle[0]) * scale, bottom / 2 - (up - middle[1]) * scale];
  context.font = `${0.8 * look.size}px ${look.font}`;
  context.strokeStyle = context.fillStyle = look.text;
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.strokeRect(left, 0.5, width - left - 0.5, bottom);
  context.beginPath();
  for (const point of points) context.lineTo(...at(point));
  context.stroke();
  context.globalAlpha = 1;
  points.forEach((point, place) => {
    const [x, y] = at(point);
    context.beginPath();
    context.arc(x, y, place === path.same ? 4.5 : 2.5, 0, 2 * Math.PI);
    context.fillStyle = path.colours[path.answers[place]];
    context.fill();
    context.lineWidth = 0.75;
    context.stroke();
  });
  ring(context, ...at(points[path.place]), look);
  context.fillStyle = look.text;
  context.globalAlpha = 0.8;
  writeAxis(context, path.names[0], ends[0].map((end) => path.number(end, digits)), width - left, left, height - 0.2 * look.size);
  context.save();
  context.translate(look.size, bottom);
  context.rotate(-Math.PI / 2);
  writeAxis(context, path.names[1], ends[1].map((end) => path.number(end, digits)), bottom, 0, 0);
  context.restore();
  context.globalAlpha = 1;
}

/**
 * Along an axis: what it has at its ends, and between them its name.
 * @param {CanvasRenderingContext2D} context
 * @param {string} name
 * @param {string[]} ends
 * @param {number} long
 * @param {number} x where it begins
 * @param {number} y
 */
function writeAxis(context, name, [low, high], long, x, y) {
  const written = /** @type {[string, CanvasTextAlign, number][]} */ ([[low, "left", 0], [name, "center", long / 2], [high, "right", long]]);
  for (const [text, align, at] of written) {
    context.textAlign = align;
    context.fillText(text, x + at, y);
  }
}

function ring(context, x, y, look) {
  context.lineWidth = 2.5;
  context.strokeStyle = look.accent;
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.stroke();
}
