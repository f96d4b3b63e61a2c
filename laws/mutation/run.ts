/**
 * `npm run laws:mutate`: seeds faults in every rule of every primitive, holds the laws against each, and writes
 * docs/mutations.md. `-- --only sin,cos --rule jvp --jobs 2 --seed 1 --limit 3`; with `--only` or `--rule` nothing is
 * written. `--missing` tries the rules that the recorded results lack, and adds what it finds.
 */
import { type ChildProcess, fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { ArgumentError, findPrimitive, type Primitive, primitives } from "fluxion";
import { functionLaws, primitiveLaws } from "../statements/index.js";
import { type RuleName, ruleNames } from "./fault.js";
import { documentFile, readResults, render, resultsFile, summary } from "./report.js";
import { count, emptyResults, type Judged, killer, tallyOf } from "./results.js";
import type { Job, Message } from "./worker.js";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    missing: { type: "boolean", default: false },
    rule: { type: "string" },
    jobs: { type: "string", default: String(Math.min(8, cpus().length)) },
    seed: { type: "string", default: "1" },
    limit: { type: "string", default: "3" },
  },
});

/** A fault that keeps a process silent for so long, in milliseconds, does not end. */
const patience = 60_000;
/** Of so many killed faults one is shown to all laws, to see what each of them notices. */
const every = 40;

/** With `--missing`, what the recorded results do not tell of is tried and added to them. */
const recorded = options.missing ? readResults() : undefined;
const only =
  recorded === undefined
    ? options.only?.split(",")
    : primitives().flatMap((p) => (ruleNames.some((rule) => isMissing(p, rule)) ? [p.name] : []));
const rules = options.rule?.split(",") ?? ruleNames;
const [seed, limit] = recorded
  ? [recorded.seed, recorded.limit]
  : [Number(options.seed), Number(options.limit)];
const results = recorded ?? emptyResults(seed, limit);
for (const { name } of [...functionLaws, ...primitiveLaws]) killer(results, name);

for (const name of only ?? [])
  if (findPrimitive(name) === undefined) throw new ArgumentError(`--only: there is no primitive "${name}"`);
for (const rule of rules)
  if (!ruleNames.some((known) => known === rule))
    throw new ArgumentError(`--rule: "${rule}" is none of ${ruleNames.join(", ")}`);

const chosen = primitives().filter((p) => only === undefined || only.includes(p.name));
const jobs: Job[] = ruleNames
  .filter((rule) => rules.includes(rule))
  .flatMap((rule) =>
    chosen
      .filter((p) => p[rule] !== undefined && (recorded === undefined || isMissing(p, rule)))
      .map((p): Job => ({ primitive: p.name, rule, limit, seed, skip: 0, every })),
  )
  // The longest first, so that the processes end together.
  .sort((a, b) => weight(b) - weight(a));

/** Whether the recorded results say nothing of a rule that there is. */
function isMissing(p: Primitive, rule: RuleName): boolean {
  return p[rule] !== undefined && recorded?.primitives[p.name]?.[rule] === undefined;
}

function weight({ primitive, rule }: Job): number {
  const record = chosen.find((p) => p.name === primitive);
  return (
    (record?.laws.examples.length ?? 0) *
    (rule === "lower" ? 3 : 1) *
    (record?.family === "elementwise" ? 1 : 3)
  );
}

const bar = new SingleBar({
  format: "{bar} {percentage}% | {value}/{total} rules | {faults} faults | {duration_formatted} | {name}",
  hideCursor: true,
});
const shown = process.stderr.isTTY === true;
const began = Date.now();
let [finished, faults] = [0, 0];
if (shown) bar.start(jobs.length, 0, { faults, name: "" });

let spoken = began;

/** The bar; without a terminal now and then a line. */
function progress(name: string): void {
  if (shown) bar.update(finished, { faults, name });
  else if (Date.now() - spoken > 20_000) {
    spoken = Date.now();
    console.error(`${finished} rules, ${faults} faults, ${Math.round((spoken - began) / 1000)} s: ${name}`);
  }
}

/** Runs jobs one after the other in a process of its own; a process that falls silent is ended and another one goes on. */
async function work(): Promise<void> {
  let child: ChildProcess | undefined;
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    child ??= fork(fileURLToPath(new URL("./worker.ts", import.meta.url)));
    const rest = await runJob(child, job);
    if (rest !== undefined) {
      child.kill("SIGKILL");
      child = undefined;
      jobs.unshift(rest);
    } else finished++;
    progress(`${job.primitive} ${job.rule}`);
  }
  child?.kill();
}

/** What is left of the job if a fault stopped the process. */
function runJob(child: ChildProcess, job: Job): Promise<Job | undefined> {
  return new Promise((resolve, reject) => {
    let done = job.skip;
    let current: Judged | undefined;
    const note = (judged: Judged): void => {
      count(results, job.primitive, job.rule, judged);
      done++;
      faults++;
      progress(`${job.primitive} ${job.rule}`);
    };
    const end = (rest: Job | undefined, error?: Error): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      if (error === undefined) resolve(rest);
      else reject(error);
    };
    const stopped = (how: string): void => {
      if (current === undefined) {
        end(undefined, new Error(`${job.primitive} ${job.rule}: the process ${how} before any fault was in`));
        return;
      }
      note({ ...current, law: "no law: it did not end", how });
      end({ ...job, skip: done });
    };
    let timer = setTimeout(() => stopped("did not end"), patience);
    child.on("message", (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(() => stopped("did not end"), patience);
      if (message.kind === "places") tallyOf(results, job.primitive, job.rule).places = message.places;
      else if (message.kind === "judging") current = message.fault;
      else if (message.kind === "judged") note(message.fault);
      else {
        for (const place of message.unsound)
          if (!results.unsound.includes(place)) results.unsound.push(place);
        end(undefined);
      }
    });
    child.on("exit", () => stopped("ended"));
    child.send(job);
  });
}

await Promise.all(Array.from({ length: Number(options.jobs) }, work));
if (shown) bar.stop();
if ((only === undefined || options.missing) && options.rule === undefined) {
  writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(documentFile, render(results));
}
console.log(summary(results));
console.log(`${((Date.now() - began) / 1000).toFixed(0)} s`);
process.exitCode =
  results.survivors.some((s) => s.outcome === "survived") || results.unsound.length > 0 ? 1 : 0;
