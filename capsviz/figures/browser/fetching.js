// Files of the server that never change, whose addresses hold a hash of what is in them.

import { unpack } from "./packing.js";

const TRIES = 5;
const PAUSE = 1000; // milliseconds from one to the next

/** @type {Map<string, Promise<ReturnType<typeof unpack>>>} */
const coming = new Map();

/**
 * A packed file: fetched once, however often it is asked for while it comes, and again after a failure.
 * @param {string} address relative to the page's
 */
export function fetched(address) {
  let file = coming.get(address);
  if (!file) {
    file = tried(new URL(address, document.baseURI).href, TRIES);
    coming.set(address, file);
    file.catch(() => {}).then(() => coming.delete(address));
  }
  return file;
}

/**
 * @param {string} address
 * @param {number} left
 * @returns {Promise<ReturnType<typeof unpack>>}
 */
async function tried(address, left) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return unpack(new Uint8Array(await answer.arrayBuffer()));
  } catch (error) {
    if (left === 1) throw error;
    await new Promise((wait) => setTimeout(wait, PAUSE));
    return tried(address, left - 1);
  }
}
