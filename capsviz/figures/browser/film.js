// Filmstrip: what each iteration came to, side by side; a click goes there.

import { element, fixed, inkCanvas, paper, setText } from "./drawing.js";
import { say } from "./texts.js";

export class Film {
  constructor(app) {
    this.app = app;
    this.strip = element("div", { class: "film" });
    this.look = element("p", { class: "look" });
    this.element = element(
      "section",
      { class: "film-section" },
      element("h2", {}, say("routing.film.title")),
      this.strip,
      this.look,
    );
  }

  load(payload) {
    const { app } = this;
    const logarithm = `ln ${payload.digits} = ${fixed(Math.log(payload.digits), 4)}`;
    this.cells = payload.entropy.map(({ mean, least }, r) => {
      const picture = element("canvas", { width: payload.size, height: payload.size, class: "drawn", role: "img" });
      const lengths = app.lengths(r);
      const bars = Array.from(lengths, (length, digit) =>
        element(
          "span",
          { class: "bar", "data-digit": digit },
          element("i", { style: `height:${(100 * length).toFixed(1)}%;background:${payload.digitColours[digit]}` }),
          element("em", {}, payload.classes[digit]),
        ),
      );
      const caption = element("span", { class: "film-caption" });
      const cell = element(
        "button",
        {
          type: "button",
          class: "film-cell",
          "data-testid": `film-${r + 1}`,
          onclick: () => app.clock.go(4 * r + 2),
        },
        element("b", {}, `r = ${r + 1}`),
        picture,
        element("span", { class: "bars", "aria-hidden": "true" }, ...bars),
        caption,
        element(
          "span",
          {
            class: "film-caption",
            "data-tip": say("routing.film.entropyTip", { ...app.shape, logarithm }),
          },
          say("routing.film.entropy", { mean: fixed(mean, 5), least: fixed(least, 4) }),
        ),
      );
      return { cell, picture, caption, bars, lengths };
    });
    this.strip.replaceChildren(...this.cells.map(({ cell }) => cell));
    const look = [say("routing.film.compare"), payload.measured, say("routing.film.look", { ...app.shape, logarithm })];
    setText(this.look, look.filter(Boolean).join(" "));
    this.drawn = null;
  }

  measure() {}

  draw() {
    const { app } = this;
    const { payload, focusDigit: digit } = app;
    const key = `${payload.id}/${digit}`;
    this.cells.forEach(({ cell, picture, caption, bars, lengths }, r) => {
      cell.classList.toggle("current", r === app.now.iteration);
      if (this.drawn === key) return;
      const area = payload.size ** 2;
      const first = (r * payload.digits + digit) * area;
      paper(picture).drawImage(inkCanvas(payload.arrays.drawings.subarray(first, first + area), payload.size), 0, 0);
      picture.setAttribute("aria-label", say("routing.film.drawn", { name: app.name(digit), iteration: r + 1 }));
      setText(caption, say("routing.film.length", { name: app.name(digit), length: fixed(lengths[digit], 3) }));
      bars.forEach((bar, own) => bar.classList.toggle("marked", own === digit));
    });
    this.drawn = key;
  }
}
