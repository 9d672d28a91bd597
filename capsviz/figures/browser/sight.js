// The answer stays in sight where the page stands below the pad: scrolled away, it is a line at the top (app/phone.css).

const ANSWER = ".st-key-rail .cv-answer";
const KEPT = { answer: ANSWER, menu: ".st-key-networks" }; // what the line is made of; the room it leaves is --answer-room, ...

/**
 * Whether the middle of the answer is gone; what is not shown has no height, and does not go.
 * @param {{ top: number, height: number }} answer where it stands on the page, or stood before it was the line
 * @param {number} edge down to which the page is covered
 */
export const gone = ({ top, height }, edge) => height > 0 && top + height / 2 < edge;

let room = 0; // pixels that the answer takes on the page

function look() {
  const root = document.documentElement;
  const answer = /** @type {HTMLElement | null} */ (document.querySelector(ANSWER));
  const main = document.querySelector(".stMain");
  const before = root.hasAttribute("data-away");
  if (!answer?.parentElement || !main) return;
  if (!before) room = answer.offsetHeight;
  const { top, height } = answer.parentElement.getBoundingClientRect();
  const edge = parseFloat(getComputedStyle(main).scrollPaddingTop) || 0;
  const away = !root.hasAttribute("data-talk") && gone({ top, height: height && room }, edge);
  if (away === before) return;
  for (const [name, selector] of Object.entries(KEPT)) {
    const part = /** @type {HTMLElement | null} */ (document.querySelector(selector));
    if (away) root.style.setProperty(`--${name}-room`, `${part?.offsetHeight ?? 0}px`); // or what is read would jump
  }
  root.toggleAttribute("data-away", away);
}

// The line leads back to the pad.
function up(/** @type {MouseEvent} */ event) {
  const line = /** @type {Element} */ (event.target).closest(ANSWER);
  if (line && getComputedStyle(line).position === "fixed") document.querySelector(".stMain")?.scrollTo(0, 0);
}

/** Look from now on; once is enough. */
export function keepInSight() {
  if (window.capsvizSight) return;
  window.capsvizSight = true;
  document.addEventListener("scroll", look, { capture: true, passive: true });
  document.addEventListener("click", up);
  window.addEventListener("resize", () => {
    document.documentElement.removeAttribute("data-away"); // all is to be measured anew
    look();
  });
}
