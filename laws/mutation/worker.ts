/**
 * A process that tries the faults of one rule after the other. A fault may well never end, so whoever started the process
 * watches how long it is silent.
 */
import { primitives } from "fluxion";
import { functionLaws, primitiveLaws } from "../statements/index.js";
import type { RuleName } from "./fault.js";
import { Court } from "./kill.js";
import { mutantsOf } from "./mutants.js";
import type { Judged } from "./results.js";

export interface Job {
  readonly primitive: string;
  readonly rule: RuleName;
  readonly limit: number;
  readonly seed: number;
  /** Faults to leave out: they have been tried. */
  readonly skip: number;
  /** Of so many killed faults one is shown to all laws. */
  readonly every: number;
}

export type Message =
  | { readonly kind: "places"; readonly places: number; readonly mutants: number }
  | { readonly kind: "judging"; readonly fault: Judged }
  | { readonly kind: "judged"; readonly fault: Judged }
  | { readonly kind: "done"; readonly unsound: readonly string[] };

const say = (message: Message): void => void process.send?.(message);

function run({ primitive: name, rule, limit, seed, skip, every }: Job): void {
  const primitive = primitives().find((p) => p.name === name);
  if (primitive === undefined) throw new Error(`there is no primitive ${name}`);
  const { mutants, places } = mutantsOf(primitive, rule, { limit, seed });
  say({ kind: "places", places, mutants: mutants.length });
  const court = new Court(primitive, { functionLaws, primitiveLaws });
  for (const [n, mutant] of mutants.entries()) {
    if (n < skip) continue;
    const { kind, what } = mutant;
    say({ kind: "judging", fault: { kind, what, outcome: "killed" } });
    const outcome = court.judge(mutant);
    say({
      kind: "judged",
      fault: {
        kind,
        what,
        outcome: outcome.kind,
        ...(outcome.kind === "killed" ? { law: outcome.law, how: outcome.how } : { reason: outcome.reason }),
        ...(outcome.kind === "killed" && n % every === 0 ? { killers: court.killers(mutant) } : {}),
      },
    });
  }
  const unsound = [...court.unsound].map((place) => `${name}: ${place.replace(/ at [^ ]*$/, "")}`);
  say({ kind: "done", unsound: [...new Set(unsound)] });
}

// What primitives print while laws are tried on them is not for the report.
console.log = () => {};
process.on("message", (job: Job) => run(job));
