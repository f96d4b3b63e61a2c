/** Draws the pictures of the pages anew: `npm run docs:pictures`, or some of them: `npm run docs:pictures -- olah mlp`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { graphs } from "./graphs.js";
import { plots } from "./plots.js";

const pictures = { ...graphs, ...plots };
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in pictures));
if (unknown.length > 0) {
  console.error(`there is no picture ${unknown.join(", ")}; there are ${Object.keys(pictures).join(", ")}`);
  process.exit(1);
}
for (const [name, draw] of Object.entries(pictures)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  writeFileSync(fileURLToPath(new URL(`./${name}.svg`, import.meta.url)), await draw());
  console.log(`docs/pictures/${name}.svg`);
}
