// Questions of a view to Python, one at a time.

const PATIENCE = 2000; // milliseconds after which an answer is taken for lost

/** While Python answers, the latest question waits. An answer whose run was overtaken by another never comes. */
export class Questions {
  number = 0; // of the last question that was sent
  waiting = false; // whether another one is to follow
  /** @type {number | null} when the one that is not answered yet was sent */
  asked = null;

  /** @param {(number: number) => void} send tells Python what is wanted now */
  constructor(send) {
    this.send = send;
  }

  ask() {
    clearTimeout(this.timer);
    const left = this.asked == null ? 0 : this.asked + PATIENCE - performance.now();
    this.waiting = left > 0;
    if (this.waiting) {
      this.timer = setTimeout(() => this.ask(), left);
      return;
    }
    this.asked = performance.now();
    this.number += 1;
    this.send(this.number);
  }

  /**
   * Python has answered; what waited is sent now.
   * @param {number} number of the question, as the answer says
   * @param {boolean} refused whether it could not do what it was asked
   */
  answered(number, refused) {
    this.number = Math.max(this.number, number);
    if (number < this.number && !refused) return;
    this.asked = null;
    if (this.waiting) this.ask();
  }

  unmount() {
    clearTimeout(this.timer);
  }
}
