// What a link says of the page: ?digit=7&capsule=412&step=5, each counted from 0.

const QUOTED = 20; // characters of a link that a sentence repeats at most

// What was asked for, short and plain: letters, digits, a few signs, as messages.py has it.
function quoted(text) {
  const plain = text.slice(0, QUOTED).replace(/[^a-zA-Z0-9 .,+-]/g, "?");
  return `“${plain}${text.length > QUOTED ? "…" : ""}”`;
}

// The number that a text writes in the digits 0 to 9, below count; else null.
function wholeOfText(text, count) {
  const short = text.length <= String(count - 1).length;
  return short && /^[0-9]+$/.test(text) && Number(text) < count ? Number(text) : null;
}

// Of what may be asked for, {name: [how many there are, what is shown instead]}: what is, and what cannot be.
function readLink(search, known) {
  const asked = new URLSearchParams(search);
  const found = {};
  const problems = [];
  for (const [name, [count, instead]] of Object.entries(known)) {
    const text = asked.get(name);
    if (text === null) continue;
    const number = wholeOfText(text, count);
    if (number !== null) found[name] = number;
    else problems.push(`The link asks for ${name} ${quoted(text)}, but they are counted from 0 to ${count - 1}: ${instead} is shown instead.`);
  }
  return { found, problems };
}

// The same address with other values; what is undefined is taken out.
function linkWith(address, values) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url;
}
