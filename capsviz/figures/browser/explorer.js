// The Routing page: one payload, one clock, one selection, and the views that follow them.

const SCALES = [
  ["c", "c, around 1/10", "The coefficient itself. The neutral middle is 1/10, where routing starts; the colour follows its doublings and halvings."],
  ["uniform", "c − 1/10", "Change since the uniform start."],
  ["last", "change since last iteration", "c minus what it was one iteration ago; 0 in the first."],
  ["share", "share of |s|", "c (û · v)/|v|: what a capsule adds to the length of s, or takes from it. All 1152 sum to |s| exactly."],
];

const ICONS = {
  first: "M6 5h2v14H6zM19 5v14l-10-7z",
  back: "M17 5v14L7 12z",
  play: "M7 4v16l13-8z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  forward: "M7 5v14l10-7z",
  last: "M16 5h2v14h-2zM5 5v14l10-7z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

class Explorer {
  constructor(root, report) {
    this.report = report; // report(name, value) tells Python; absent in a page of its own
    this.scale = "c";
    this.contrast = 1;
    this.only = false;
    this.pointed = {};
    this.clock = new Clock(() => this.invalidate());
    this.element = element("div", { class: "routing", tabindex: -1 });
    this.tip = new Tip(this.element);
    this.stage = new Stage(this);
    this.algorithm = new Algorithm(this);
    this.maps = new Maps(this);
    this.clouds = new Clouds(this);
    this.film = new Film(this);
    this.microscope = new Microscope(this);
    this.views = [this.stage, this.algorithm, this.maps, this.clouds, this.film, this.microscope];
    this.notice = element("p", { class: "notice", role: "alert", hidden: true });
    this.element.append(
      this.notice,
      element("div", { class: "top" }, this.stage.element, this.algorithm.element),
      this.bar(),
      this.scaleBar(),
      this.maps.element,
      element("div", { class: "pair" }, this.clouds.element, this.microscope.element),
      this.film.element,
    );
    root.append(this.element);
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.resized = new ResizeObserver(() => {
      if (!this.payload) return;
      this.views.forEach((view) => view.measure());
      this.invalidate();
    });
    this.resized.observe(this.element);
    this.seen = new Set(this.views);
    this.watching = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const view = this.views.find(({ element: node }) => node === target);
        if (isIntersecting) this.seen.add(view);
        else this.seen.delete(view);
      }
      this.invalidate();
    });
    this.views.forEach((view) => this.watching.observe(view.element));
    this.theme = window.matchMedia("(prefers-color-scheme: dark)");
    this.themed = () => requestAnimationFrame(() => this.invalidate());
    this.theme.addEventListener("change", this.themed);
  }

  load(bytes) {
    const payload = unpack(bytes);
    if (payload.id === this.payload?.id) return;
    const before = this.payload;
    // Who comes back to the page finds it as it was left; a new drawing keeps the step, and the end stays the end.
    const left = before ? this.left() : (window.capsvizRouting ?? { step: null });
    payload.arrays.u_hat ??= predictions(window.capsvizTransforms.W, payload.arrays.u, payload.primary);
    this.payload = payload;
    this.routing = deriveRouting(payload);
    this.cache = new Map();
    this.colours = new Diverging(payload);
    // The same drawing with another number of iterations keeps what was chosen; a new drawing does not.
    const same = before && before.arrays.image.every((value, p) => value === payload.arrays.image[p]);
    if (!same) {
      this.unchoose();
      if (left.id === payload.id) Object.assign(this, left.chosen);
    }
    this.pointed = {};
    this.told = null;
    this.views.forEach((view) => view.load(payload));
    // After Clear the address still says what was chosen in the drawing before.
    const link = before || left.search === window.location.search ? {} : this.readAddress();
    this.clock.setFrames(payload.frames.length, link.step ?? left.step);
    this.written = null;
    this.slider.max = this.clock.last;
    this.rounds.value = payload.iterations;
    this.views.forEach((view) => view.measure());
    this.draw();
  }

  unmount() {
    this.clock.stop();
    clearTimeout(this.writing);
    window.capsvizRouting = this.left();
    this.resized.disconnect();
    this.watching.disconnect();
    document.removeEventListener("keydown", this.keys);
    this.theme.removeEventListener("change", this.themed);
  }

  // How the page is left; a step of null is the end.
  left() {
    const { digit, capsule, rivals, only, picked } = this;
    return {
      id: this.payload?.id,
      search: window.location.search,
      step: this.clock.atEnd ? null : this.clock.target,
      chosen: { digit, capsule, rivals, only, picked },
    };
  }

  // Selection.

  get focusDigit() {
    return this.pointed.digit ?? this.digit;
  }

  point(what) {
    const names = ["digit", "capsule", "place", "type"];
    if (names.every((name) => (this.pointed[name] ?? null) === (what[name] ?? null))) return;
    this.pointed = what;
    this.invalidate();
  }

  choose({ digit = this.digit, capsule = this.capsule, only = this.only }) {
    Object.assign(this, { digit, capsule, only });
    // The clouds show the chosen digit, beside the longest or, if that is the chosen one, its rival.
    if (!this.rivals.includes(digit)) this.rivals = [this.payload.prediction, digit];
    this.notice.hidden = true;
    this.picked = true;
    this.invalidate();
  }

  unchoose() {
    const { prediction, runnerUp } = this.payload;
    Object.assign(this, { digit: prediction, rivals: [prediction, runnerUp], only: false, picked: false });
    this.capsule = this.strongest({ digit: prediction });
  }

  compare(index, digit) {
    this.rivals[index] = digit;
    this.invalidate();
  }

  // The primary capsule with the largest share in a digit at the end; of one place or type, if given.
  strongest({ digit, place, type }) {
    const { payload, routing } = this;
    const share = routing.share.at(-1);
    let best = null;
    for (let i = 0; i < payload.primary; i++) {
      const capsule = capsuleAt(payload, i);
      if ((place !== undefined && capsule.place !== place) || (type !== undefined && capsule.type !== type)) continue;
      if (best === null || share[i * payload.digits + digit] > share[best * payload.digits + digit]) best = i;
    }
    return best;
  }

  // A link with ?digit=7&capsule=412&step=5 opens with these chosen.
  readAddress() {
    const { digits, primary, frames } = this.payload;
    const { found, problems } = readLink(window.location.search, {
      digit: [digits, "the longest"],
      capsule: [primary, "the strongest"],
      step: [frames.length, "the last"],
    });
    const { step, ...chosen } = found;
    Object.assign(this, chosen);
    if (Object.keys(chosen).length) this.picked = true;
    this.notice.textContent = problems.join(" ");
    this.notice.hidden = !problems.length;
    return found;
  }

  // Once the clock rests: browsers refuse an address that changes with every step of a dragged slider.
  writeAddress() {
    if (!this.report) return;
    const { digit, capsule } = this.picked ? this : {}; // those that were picked, not those that a drawing begins with
    const step = this.clock.atEnd ? undefined : this.clock.target;
    const written = `${digit}/${capsule}/${step}`;
    if (this.written === written || this.clock.playing) return;
    this.written = written;
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      window.history.replaceState(window.history.state, "", linkWith(window.location.href, { digit, capsule, step }));
    }, 200);
  }

  // What lies under the pointer in a picture, said again as the clock moves; null says nothing.
  tell(describe, { clientX, clientY }) {
    this.told = describe && { describe, at: [clientX, clientY] };
    if (describe) this.tip.show(describe(), clientX, clientY);
    else this.tip.hide();
  }

  leave() {
    this.point({});
    this.told = null;
    this.tip.hide();
  }

  // What is shown now: quantities between two frames are mixed while the clock moves.

  // The step whose result is on the screen, or is just coming.
  get now() {
    return this.payload.frames[Math.ceil(this.clock.position)];
  }

  blend(quantity, get) {
    const before = this.payload.frames[Math.floor(this.clock.position)][quantity];
    const after = this.now[quantity];
    if (before === after) return get(after);
    const t = this.clock.position % 1;
    const [from, to] = [get(before), get(after)];
    return to.map((value, at) => from[at] + t * (value - from[at]));
  }

  cached(key, compute) {
    if (!this.cache.has(key)) this.cache.set(key, compute());
    return this.cache.get(key);
  }

  values(level) {
    return this.blend(this.scale === "share" ? "s" : "c", (r) =>
      this.cached(`${this.scale}/${level}/${r}`, () => scaleValues(this.payload, this.routing, this.scale, r, level)),
    );
  }

  shares = (r) => (r < 0 ? this.cached("none", () => new Float32Array(this.routing.share[0].length)) : this.routing.share[r]);

  lengths = (r) => this.norms("v", r);

  sumLengths = (r) => this.norms("s", r);

  norms(name, r) {
    const { digits, arrays, iterations } = this.payload;
    return this.cached(`|${name}|/${r}`, () =>
      Float64Array.from({ length: digits }, (_, j) => {
        if (r < 0) return 0;
        const D = arrays[name].length / (iterations * digits);
        const at = (r * digits + j) * D;
        return Math.hypot(...arrays[name].subarray(at, at + D));
      }),
    );
  }

  limit(level) {
    return this.payload.limits[this.scale][level] / this.contrast;
  }

  // Drawing, at most once a frame of the screen; while the clock moves, only what can be seen.

  invalidate() {
    if (!this.payload || this.request) return;
    this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = null;
    if (!this.element.clientWidth) return; // the page is being left
    const style = getComputedStyle(this.element);
    this.textColour = style.color;
    this.fontFamily = style.fontFamily;
    this.drawBar();
    this.writeAddress();
    if (this.told && !this.tip.node.hidden) this.tip.show(this.told.describe(), ...this.told.at);
    for (const view of this.clock.moving ? this.seen : this.views) view.draw();
  }

  // The clock's controls, and the scale's.

  bar() {
    const { clock } = this;
    const button = (name, label, act) =>
      element("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: act }, icon(name));
    this.playButton = button("play", "Play (space)", () => clock.toggle());
    this.slider = element("input", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Step of routing",
      oninput: () => clock.go(Number(this.slider.value)),
    });
    this.where = element("output", { class: "where", "data-testid": "where" });
    this.speed = element(
      "select",
      { "aria-label": "Speed", onchange: () => (clock.speed = Number(this.speed.value)) },
      ...[0.5, 1, 2, 4].map((speed) => element("option", { value: speed, selected: speed === 1 }, `${speed}×`)),
    );
    this.rounds = element(
      "select",
      { "aria-label": "Routing iterations R", onchange: () => this.report?.("iterations", Number(this.rounds.value)) },
      ...Array.from({ length: 10 }, (_, n) => element("option", { value: n + 1 }, String(n + 1))),
    );
    this.rounds.disabled = !this.report;
    return element(
      "div",
      { class: "bar", role: "toolbar", "aria-label": "Clock" },
      element(
        "span",
        { class: "transport" },
        button("first", "First step (Home)", () => clock.go(0)),
        button("back", "Step back (left arrow)", () => clock.step(-1)),
        this.playButton,
        button("forward", "Step forward (right arrow)", () => clock.step(1)),
        button("last", "Last step (End)", () => clock.go(clock.last)),
      ),
      this.slider,
      this.where,
      element("label", {}, "speed ", this.speed),
      element(
        "label",
        { "data-tip": "Routing iterations. The network was trained with 3; 1 means uniform coupling, no routing at all." },
        "R = ",
        this.rounds,
      ),
    );
  }

  drawBar() {
    const { clock, now } = this;
    if (Number(this.slider.value) !== clock.target) this.slider.value = clock.target;
    const names = ["softmax: c", "weighted sum: s", "squash: v", "agreement: b"];
    const where = `iteration ${now.iteration + 1} of ${this.payload.iterations}, ${names[now.step]}`;
    setText(this.where, where);
    this.slider.setAttribute("aria-valuetext", where);
    if (this.playButton.dataset.state !== String(clock.playing)) {
      this.playButton.dataset.state = clock.playing;
      this.playButton.replaceChildren(icon(clock.playing ? "pause" : "play"));
      const label = `${clock.playing ? "Pause" : "Play"} (space)`;
      this.playButton.setAttribute("aria-label", label);
      this.playButton.title = label;
    }
    for (const { scale, input } of this.scaleInputs) input.checked = scale === this.scale;
    this.legend.draw();
  }

  scaleBar() {
    this.scaleInputs = SCALES.map(([scale, name, tip]) => {
      const input = element("input", {
        type: "radio",
        name: "scale",
        value: scale,
        onchange: () => {
          this.scale = scale;
          this.invalidate();
        },
      });
      return { scale, input, label: element("label", { class: "choice", "data-tip": tip }, input, element("span", {}, name)) };
    });
    this.legend = new Legend(this, "capsule");
    const contrast = element("input", {
      type: "range",
      min: 0,
      max: 4,
      step: 0.25,
      value: 0,
      "aria-label": "Contrast of the scale",
      "aria-valuetext": "1.0 times",
      oninput: () => {
        this.contrast = 2 ** Number(contrast.value);
        contrast.setAttribute("aria-valuetext", `${fixed(this.contrast, 1)} times`);
        this.invalidate();
      },
    });
    return element(
      "div",
      { class: "scale-bar" },
      element(
        "fieldset",
        {},
        element("legend", {}, "Marks and maps show"),
        ...this.scaleInputs.map(({ label }) => label),
      ),
      element("div", { class: "scale-legend" }, element("span", {}, "single capsules on the stage"), this.legend.element),
      element(
        "label",
        { class: "contrast", "data-tip": "Narrows every scale, up to 16 times, to see weak differences; what lies beyond takes the colour of the end. Scales never change by themselves while the clock runs." },
        "contrast ",
        contrast,
      ),
    );
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.payload) return;
    const target = event.composedPath()[0];
    const typing = target.closest?.("input:not([type=radio]), textarea, select, [contenteditable], [role=menu], [role=slider]");
    const pressing = event.key === " " && target.closest?.("button, summary, label, [role=button]");
    if (typing || pressing) return;
    const actions = {
      ArrowRight: () => this.clock.step(1),
      ArrowLeft: () => this.clock.step(-1),
      Home: () => this.clock.go(0),
      End: () => this.clock.go(this.clock.last),
      " ": () => this.clock.toggle(),
      Escape: () => {
        this.unchoose();
        this.invalidate();
      },
    };
    if (/^[0-9]$/.test(event.key) && Number(event.key) < this.payload.digits) {
      actions[event.key] = () => this.choose({ digit: Number(event.key) });
    }
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }
}

const mounted = new WeakMap();

// Called by Streamlit at each run of the script, with a new payload or the same.
export default function mountRouting({ data, parentElement, setStateValue }) {
  if (!mounted.has(parentElement)) {
    mounted.set(parentElement, new Explorer(parentElement, setStateValue));
  }
  const explorer = mounted.get(parentElement);
  explorer.load(data);
  return () => {
    explorer.unmount();
    explorer.element.remove();
    mounted.delete(parentElement);
  };
}
