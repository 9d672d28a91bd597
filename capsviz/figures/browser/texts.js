// The words of a view: what it was sent of texts/en.toml, or of another language's file.

/** @typedef {string | Record<string, string>} Text a text, or its forms by plural category */

/** @type {Record<string, Text>} */
let known = {};
let rules = new Intl.PluralRules("en");
let written = signsOf("en");

/**
 * Speak with these texts from now on.
 * @param {{ language: string, texts: Record<string, Text> }} sent
 */
export function speak({ language, texts }) {
  known = texts;
  // A language that the browser does not know, such as a test's, has the first one's forms.
  const spoken = Intl.PluralRules.supportedLocalesOf([language])[0] ?? "en";
  rules = new Intl.PluralRules(spoken);
  written = signsOf(spoken);
}

/**
 * How a language writes numbers.
 * @param {string} language
 */
function signsOf(language) {
  const form = new Intl.NumberFormat(language, { numberingSystem: "latn", useGrouping: true, style: "percent", minimumFractionDigits: 1 });
  const parts = form.formatToParts(12345);
  /** @param {string} type */
  const part = (type) => parts.find((one) => one.type === type)?.value ?? "";
  // What follows the decimals: the sign, with a space before it in many languages.
  const percent = parts.slice(parts.map((one) => one.type).lastIndexOf("fraction") + 1).map((one) => one.value).join("");
  return { decimal: part("decimal"), group: part("group"), percent };
}

/**
 * A number as the language writes it, with so many decimals, or as many as it has: its decimal sign, thousands in
 * groups, a real minus; what rounds to 0 has none.
 * @param {number} value
 * @param {number} [digits]
 */
export function number(value, digits) {
  const text = digits === undefined ? String(Math.abs(value)) : Math.abs(value).toFixed(digits);
  const [whole, decimals] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, written.group);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + grouped + (decimals ? written.decimal + decimals : "");
}

/** The sign of per cent, with the space before it that the language has. */
export function percentSign() {
  return written.percent;
}

/**
 * The numbers of a vector, apart also where the decimal sign is a comma.
 * @param {Iterable<number>} values
 * @param {number} digits
 */
export function vector(values, digits) {
  return Array.from(values, (value) => number(value, digits)).join(written.decimal === "," ? "; " : ", ");
}

/**
 * Whether there is such a text: some are there only for classes that need one of their own.
 * @param {string} name
 */
export function knows(name) {
  return name in known;
}

/**
 * A text, with what is put into it; count, a number, chooses its form where it has several. Numbers with decimals have
 * the language's sign; {kind.some} asks for the form "some" of the word that is put in, of the table [form.WORD].
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(name, values = {}) {
  const text = known[name];
  if (text === undefined) throw new Error(`there is no text ${name}`);
  const form = typeof text === "string" ? text : (text[rules.select(Math.abs(Number(values.count)))] ?? text.other);
  return form.replace(/\{([a-zA-Z][a-zA-Z0-9]*)(?:\.([\p{L}]+))?\}/gu, (_, place, declined) => {
    if (!(place in values)) throw new Error(`the text ${name} needs ${place}`);
    const value = values[place];
    if (typeof value === "number") return Number.isInteger(value) ? String(value) : number(value);
    const word = declined === undefined ? undefined : known[`form.${value}.${declined}`];
    return typeof word === "string" ? word : value;
  });
}

/**
 * A whole number in words where there is a word for it, else in digits.
 * @param {number} count
 */
export function spelled(count) {
  return `common.number.${count}` in known ? say(`common.number.${count}`) : number(count);
}

/**
 * A text as it begins a sentence.
 * @param {string} text
 */
export function capital(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/**
 * What the classes of a network are called: digits, say, or simply classes where their kind has no word.
 * @param {string} kind
 * @param {string} sense "drawn" for what there is to be drawn, where the kind has another word for that
 */
export function kindWords(kind, sense = "kind") {
  const known_ = `common.kind.${kind}` in known ? kind : "class";
  const own = `common.${sense}.${known_}`;
  const [one, other] = [1, 2].map((count) => say(own in known ? own : `common.kind.${known_}`, { count }));
  return { kind: one, kinds: other, Kind: capital(one) };
}
