/** docs/mutations.md, made of the results. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { units } from "../statements/recordExactness.js";
import { faultKinds, type RuleName, ruleNames } from "./fault.js";
import { type Results, rate, type Survivor, type Tally, total } from "./results.js";

export const documentFile = fileURLToPath(new URL("../../docs/mutations.md", import.meta.url));
export const resultsFile = fileURLToPath(new URL("./results.json", import.meta.url));

export const readResults = (): Results => JSON.parse(readFileSync(resultsFile, "utf8")) as Results;

/** Rounded down: what is not all of them is not 100 %. */
const percent = (x: number): string => `${(Math.floor(x * 10_000) / 100).toFixed(2)} %`;

/** A table with cells padded, so that it can be read as text. */
function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, c) => Math.max(3, ...cells.map((row) => row[c].length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, c) => cell.padEnd(widths[c])).join(" | ")} |`;
  return [line(header), line(widths.map((w) => "-".repeat(w))), ...cells.slice(1).map(line)].join("\n");
}

const tallyCells = (t: Tally): (string | number)[] => [
  t.seeded,
  t.killed,
  t.same,
  t.rounding,
  t.survived,
  percent(rate(t)),
];
const tallyHeader = [
  "seeded",
  "killed",
  "no change",
  "within rounding",
  "survived",
  "killed, of those beyond rounding",
];

const ofRule = (results: Results, rule: RuleName): Tally =>
  total(Object.values(results.primitives).map((rules) => rules[rule]));

const all = (results: Results): Tally => total(ruleNames.map((rule) => ofRule(results, rule)));

/** The results in a few lines, for a terminal. */
export function summary(results: Results): string {
  const open = ofOutcome(results, "survived");
  const { seeded, killed, same, rounding, survived } = all(results);
  return [
    table(
      ["rule", ...tallyHeader],
      [...ruleNames.map((rule) => [`${rule}`, ...tallyCells(ofRule(results, rule))])],
    ),
    `${seeded} faults: ${killed} killed, ${same} change no number, ${rounding} stay within rounding, ${survived} survived (${percent(rate(all(results)))})`,
    ...open.map((s) => `survived: ${s.primitive} ${s.rule}, ${s.kind}: ${s.what}: ${s.reason}`),
    ...ofOutcome(results, "rounding").map(
      (s) => `${s.primitive} ${s.rule}, ${s.kind}: ${s.what}: ${s.reason}`,
    ),
    ...results.unsound.map((place) => `fails without a fault: ${place}`),
  ].join("\n");
}

const ofOutcome = (results: Results, outcome: Survivor["outcome"]): Survivor[] =>
  results.survivors.filter((s) => s.outcome === outcome);

/** Survivors by primitive and rule, each on a line, with its own reason or without one that they share. */
function listed(survivors: readonly Survivor[], withReasons: boolean): string {
  const groups = new Map<string, Survivor[]>();
  for (const s of survivors) {
    const key = `${s.primitive}, ${s.rule}`;
    groups.set(key, [...(groups.get(key) ?? []), s]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, list]) =>
        `**${key}**\n\n${list
          .map((s) => `- ${s.kind}: \`${s.what}\`${withReasons ? `: ${s.reason}` : ""}`)
          .sort()
          .join("\n")}`,
    )
    .join("\n\n");
}

/** Survivors by the reason why they mean the same. */
function byReason(survivors: readonly Survivor[]): string {
  const reasons = new Map<string, Survivor[]>();
  for (const s of survivors) {
    reasons.set(s.reason, [...(reasons.get(s.reason) ?? []), s]);
  }
  return [...reasons]
    .sort((a, b) => b[1].length - a[1].length)
    .map(
      ([reason, list]) =>
        `### ${reason[0].toUpperCase()}${reason.slice(1)} (${list.length})\n\n${listed(list, false)}`,
    )
    .join("\n\n");
}

const survivorText = "Here the laws, or the operands that the examples are drawn from, could be sharper.";

const roundingText = `Compiled functions are promised to be within ${units} units of rounding (the distance from 1 to the next number of the dtype) of
each element, sums and products within so many of the largest one. What was measured to be off by less means the same as far
as that promise goes; of what is exact, such as \`nextafter\`, nothing is counted here.`;

export function render(results: Results): string {
  const everything = all(results);
  const [open, rounded, equivalent] = (["survived", "rounding", "same"] as const).map((outcome) =>
    ofOutcome(results, outcome),
  );
  const strict = rate({ ...everything, survived: everything.survived + everything.rounding });
  const laws = Object.entries(results.laws).sort((a, b) => b[1].first - a[1].first || (a[0] < b[0] ? -1 : 1));
  const never = laws.filter(([, k]) => k.alone === 0).map(([name]) => `*${name}*`);
  return `# Mutation test of the laws

<!-- Written by \`npm run laws:mutate\` from laws/mutation: change it there. -->

Laws that hold prove little if they would hold of wrong rules too. So faults are seeded in every rule of every primitive, one at
a time, and the laws are tried on the examples of its record: **${everything.seeded} faults, of which ${everything.killed} are noticed,
${everything.same} change no number, ${everything.rounding} change numbers by no more than rounding, and ${everything.survived} survive.** Of those that change a
number at all ${percent(strict)} are noticed, of those that change it by more than rounding ${percent(rate(everything))}.

A rule is run on tracers, which gives the small program that it computes; faults are seeded in its equations, operands, params
and outputs. Type rules are made to predict something else. Lowering rules write expressions and statements of the kernel IR;
faults are seeded in those. What the type rules of other primitives refuse, and what is the same program as before, is not
counted. Of one place (a rule on one kind of operands) ${results.limit} faults are drawn with seed ${results.seed}, out of ${everything.places} places in all.

## By rule

${table(
  ["rule", "places", ...tallyHeader],
  [
    ...ruleNames.map((rule) => [
      `\`${rule}\``,
      ofRule(results, rule).places,
      ...tallyCells(ofRule(results, rule)),
    ]),
    ["all", everything.places, ...tallyCells(everything)],
  ],
)}

## By kind of fault

${table(
  ["fault", ...tallyHeader],
  faultKinds.flatMap((kind) => {
    const tally = results.kinds[kind];
    return tally === undefined ? [] : [[kind, ...tallyCells(tally)]];
  }),
)}

## Which laws notice them

*First* counts the faults that a law noticed before the others were tried; laws that noticed many are tried early.
${results.sampled} faults were shown to all laws: *of the sample* says how many of them the law notices, *alone* how many no other law does.

${table(
  ["law", "first", "of the sample", "alone"],
  laws.map(([name, k]) => [name, k.first, k.sampled, k.alone]),
)}

${
  never.length === 0
    ? "Every law notices something that no other does."
    : `In the sample these laws notice nothing that no other law does: ${never.join(", ")}.`
}

How they were noticed: ${Object.entries(results.how)
    .sort((a, b) => b[1] - a[1])
    .map(([how, n]) => `${how === "fails" ? "the law fails" : `\`${how}\``} ${n}`)
    .join(", ")}.

## Survivors

${
  open.length === 0
    ? "None: every fault that changes a number by more than rounding is noticed."
    : `${survivorText}\n\n${listed(open, true)}`
}

## Within rounding

${rounded.length === 0 ? "None." : `${roundingText}\n\n${listed(rounded, true)}`}

${results.unsound.length === 0 ? "" : `Laws that fail without a fault: ${results.unsound.join("; ")}.\n`}
## By primitive

Killed of seeded; faults that change no number are left out.

${table(
  ["primitive", ...ruleNames],
  Object.entries(results.primitives)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, rules]) => [
      `\`${name}\``,
      ...ruleNames.map((rule) => {
        const tally = rules[rule];
        return tally === undefined ? "" : `${tally.killed} of ${tally.killed + tally.survived}`;
      }),
    ]),
)}

## Faults that change no number

They are no faults: what the rule gives is the same.

${byReason(equivalent)}
`;
}
