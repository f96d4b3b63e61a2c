/** What a deep run prints at its end. */
import { primitives } from "fluxion";
import type { State } from "./state.js";
import type { Tally } from "./tally.js";
import { type Failure, holders } from "./trial.js";

const grouped = (n: number): string => n.toLocaleString("en-US");

const share = (part: number, whole: number): string =>
  whole === 0 || part === 0 ? "" : `${((100 * part) / whole).toFixed(1)} %`;

/** A failure with what is needed to see it again. */
export function describeFailure(failure: Failure, seed: number): string {
  const { law, statement, verdict, index, size, shrunkFrom, program, snippet } = failure;
  const { left, right, where } = verdict;
  return [
    `${law}: ${statement}`,
    `  fails on program ${index}${where === "" ? "" : `, ${where}`}:`,
    `    ${left.name}: ${left.value}`,
    `    ${right.name}: ${right.value}`,
    `  shrunk from ${shrunkFrom} equations to ${size}:`,
    program.replace(/^/gm, "    "),
    "  as TypeScript:",
    snippet.trimEnd().replace(/^(?=.)/gm, "    "),
    `  again: npm run laws:deep -- --seed ${seed} --replay ${index} --laws "${law}"`,
  ].join("\n");
}

/** All counts of a run. */
export function report({ seed, seconds, tally }: State): string {
  const { programs, equations } = tally;
  const laws = Object.entries(tally.laws);
  const tried = laws.reduce((sum, [, count]) => sum + count.tried, 0);
  const failed = laws.reduce((sum, [, count]) => sum + count.failed, 0);
  const width = Math.max(0, ...laws.map(([name]) => name.length));
  const cell = (text: string, n: number): string => text.padStart(n);
  const table = laws.map(([name, { tried, abstained, failed, milliseconds }]) =>
    [
      name.padEnd(width),
      cell(grouped(tried), 9),
      cell(share(abstained, tried), 11),
      cell(failed === 0 ? "" : grouped(failed), 8),
      cell((milliseconds / Math.max(1, tried)).toFixed(2), 9),
    ].join(""),
  );
  const applied = Object.entries(tally.primitives).sort(([, a], [, b]) => b - a);
  const unseen = primitives().filter(({ name }) => tally.primitives[name] === undefined);
  return [
    `seed ${seed}: ${grouped(programs)} programs, ${grouped(equations)} equations, ${grouped(tried)} trials of ${laws.length} laws in ${grouped(Math.round(seconds))} s; ${grouped(failed)} failures`,
    "",
    `${"law".padEnd(width)}${cell("tried", 9)}${cell("abstained", 11)}${cell("failed", 8)}${cell("ms", 9)}`,
    ...table,
    "",
    "equations by primitive:",
    wrap(applied.map(([name, n]) => `${name} ${grouped(n)}`)),
    "",
    ...depthTable(tally.depths),
    "",
    ...(unseen.length === 0 ? [] : [`never applied: ${unseen.map(({ name }) => name).join(", ")}`]),
    ...tally.failures.map((failure) => `\n${describeFailure(failure, seed)}`),
  ].join("\n");
}

/** Branches, loops and calls by how many bodies of others they stand in. */
function depthTable(depths: Tally["depths"]): readonly string[] {
  const width = Math.max(0, ...holders.map((name) => name.length));
  const row = (name: string, cells: readonly string[]): string =>
    name.padEnd(width) + cells.map((text) => text.padStart(10)).join("");
  return [
    row("inside of", ["no other", "one", "two", "more"]),
    ...holders.map((name) => {
      const [none = 0, one = 0, two = 0, ...more] = depths[name] ?? [];
      return row(name, [none, one, two, more.reduce((a, b) => a + b, 0)].map(grouped));
    }),
  ];
}

/** Words in lines of at most 110 characters. */
function wrap(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= 110)
      lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join("\n");
}
