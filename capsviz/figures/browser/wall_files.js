// What can be taken along of a class: its files, which the frame's Export lists and saves (taking.js).

import { headers } from "./phone_post.js";
import { say } from "./texts.js";

const FILES = { page: "html", table: "csv", strokes: "jsonl" };

/**
 * The files of the class that is presented here, if one is.
 * @param {any} wall
 * @returns {import("./taking.js").File[]}
 */
export function classFiles(wall) {
  const { room, own, data } = wall;
  if (!room || !own) return [];
  return Object.entries(FILES).map(([what, ending]) => ({
    name: say(`class.wall.file.${what}`),
    file: `capsviz-class-${room.code}.${ending}`,
    problem: say("class.wall.notTaken"),
    async make() {
      const reply = await fetch(`${wall.address(`/${what}`)}?lang=${data.texts.language}`, { headers: headers(own.secret), cache: "no-store" });
      if (!reply.ok) throw new Error(String(reply.status));
      return reply.blob();
    },
  }));
}
