// The page's one clock: a position among the frames, moved by hand or by playing.

const MOVE = 300; // milliseconds from one frame to the next, eased
const REST = 700; // and at rest there while playing, at speed 1

export class Clock {
  /**
   * @param {() => void} changed is called whenever the position or the state of playing changes
   * @param {() => boolean} [fixed] whether no hand moves it
   */
  constructor(changed, fixed = () => false) {
    this.changed = changed;
    this.fixed = fixed;
    this.last = 0; // index of the last frame
    this.position = 0; // between two frames while moving
    this.target = 0;
    this.playing = false;
    this.speed = 1;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
  }

  get moving() {
    return this.position !== this.target;
  }

  get atEnd() {
    return this.target === this.last;
  }

  /**
   * Frames of another trace, at the same one where it exists; null is the last.
   * @param {number} count
   * @param {number | null} [frame]
   */
  setFrames(count, frame) {
    this.stop();
    this.last = count - 1;
    this.position = this.target = Math.min(frame ?? this.last, this.last);
    this.changed();
  }

  go(frame) {
    if (this.fixed()) return this.changed();
    this.lead(frame);
  }

  // Not by hand: as a link or a lesson has it.
  lead(frame) {
    this.pause();
    this.moveTo(frame);
  }

  step(by) {
    this.go(this.target + by);
  }

  play() {
    if (this.playing || this.fixed()) return;
    this.playing = true;
    if (this.atEnd) this.position = this.target = 0;
    this.rest(this.moving ? 0 : REST / 2);
    this.changed();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.timer);
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  moveTo(frame) {
    const from = this.position;
    this.target = Math.max(0, Math.min(frame, this.last));
    cancelAnimationFrame(this.request);
    const duration = this.still.matches ? 0 : MOVE / Math.max(1, this.speed);
    let began = null;
    const move = (now) => {
      began ??= now;
      const t = duration ? Math.min((now - began) / duration, 1) : 1;
      const eased = t * t * (3 - 2 * t);
      this.position = t < 1 ? from + (this.target - from) * eased : this.target;
      this.changed();
      if (t < 1) this.request = requestAnimationFrame(move);
      else if (this.playing) this.rest(REST / this.speed);
    };
    this.request = requestAnimationFrame(move);
  }

  rest(duration) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.target < this.last) this.moveTo(this.target + 1);
      else this.pause();
    }, duration);
  }

  stop() {
    this.playing = false;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.request);
  }
}
