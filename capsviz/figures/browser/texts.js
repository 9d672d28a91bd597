// The words of a view: what it was sent of texts/en.toml, or of another language's file.

/** @typedef {string | Record<string, string>} Text a text, or its forms by plural category */

/** @type {Record<string, Text>} */
let known = {};
let rules = new Intl.PluralRules("en");

/**
 * Speak with these texts from now on.
 * @param {{ language: string, texts: Record<string, Text> }} sent
 */
export function speak({ language, texts }) {
  known = texts;
  // A language that the browser does not know, such as a test's, has the first one's forms.
  rules = new Intl.PluralRules(Intl.PluralRules.supportedLocalesOf([language])[0] ?? "en");
}

/**
 * A text, with what is put into it; count, a number, chooses its form where it has several.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(name, values = {}) {
  const text = known[name];
  if (text === undefined) throw new Error(`there is no text ${name}`);
  const form = typeof text === "string" ? text : (text[rules.select(Math.abs(Number(values.count)))] ?? text.other);
  return form.replace(/\{([a-zA-Z]+)\}/g, (_, place) => {
    if (!(place in values)) throw new Error(`the text ${name} needs ${place}`);
    return String(values[place]);
  });
}

/**
 * A whole number in words where there is a word for it, else in digits.
 * @param {number} count
 */
export function spelled(count) {
  return `common.number.${count}` in known ? say(`common.number.${count}`) : String(count);
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
 */
export function kindWords(kind) {
  const known_ = `common.kind.${kind}` in known ? kind : "class";
  const [one, other] = [1, 2].map((count) => say(`common.kind.${known_}`, { count }));
  return { kind: one, kinds: other, Kind: capital(one) };
}
