/** `compareModes`: what derivatives of a function cost in forward and in reverse mode. */
import { defaultDevice } from "../../backends/devices.js";
import type { NDArray } from "../../core/array.js";
import { ArgumentError } from "../../core/errors.js";
import { ClosedJaxpr } from "../../core/jaxpr.js";
import { flatten } from "../../core/tree.js";
import { patternOfTraced } from "../../transforms/dependence.js";
import { asDifferentiable, nameOf, requireFunction, toArray } from "../../transforms/functions.js";
import { ShapeDtype } from "../../transforms/makeJaxpr.js";
import type { TracedForReverse } from "../../transforms/residuals.js";
import type { Argnums, Fn } from "../../transforms/types.js";
import { type ArgsAndOptions, splitOptions } from "../arguments.js";
import { hasNoSuchMode, traceDifferentiated } from "../differentiated.js";
import type { JacobianModeOrAuto, JacobianPlan } from "../jacobian/explanation.js";
import { jacobian } from "../jacobian/jacobian.js";
import { showCount } from "../table.js";
import { type MissingRow, ModeComparison, type ModeRow } from "./comparison.js";
import {
  type CountedProgram,
  counted,
  type Derive,
  FlatFunction,
  type MissingProgram,
  type ModeProgram,
  type ModePrograms,
  modePrograms,
} from "./programs.js";
import { exampleArray, type Timing, timePrograms } from "./timing.js";

export interface CompareModesOptions<F extends Fn = Fn> {
  /** Which arguments to differentiate by. Default: all floats among the arguments. */
  readonly argnums?: Argnums<F>;
  /** Whether to run the programs on the current device and take their times. Default false. */
  readonly measure?: boolean;
  /** Programs that need more bytes than this are not run. Default 10⁹. */
  readonly memoryLimit?: number;
  /** Milliseconds that the runs of one program may take; what would take longer for one run is not run. Default 1000. */
  readonly timeLimit?: number;
}

export const compareModesOptions = ["argnums", "measure", "memoryLimit", "timeLimit"] as const;

/**
 * Compares forward with reverse mode for a function: its value, one jvp, one vjp, the whole Jacobian by as many jvps as there are
 * inputs and by as many vjps as there are outputs, and, where the Jacobian is sparse, its entries by the few passes that the
 * pattern needs (`jacobian(f, { sparse: true })`).
 * For each there are passes, counted multiplications and operations, bytes moved, peak bytes and what is stored between forward and
 * backward pass; with `measure: true` also the time on the current device.
 *
 * A function with a derivative rule of its own may have one mode only: the rows of the other are left out, and the reason is given.
 *
 * Counting computes nothing (`programCost` says how it is done), so with `ShapeDtype`s as arguments sizes may be any. The
 * programs of the Jacobian are those that `jacfwd` and `jacrev` make, or `grad` of a scalar. Times are medians of compiled
 * programs, without compilation; arguments given as `ShapeDtype`s are then filled with random numbers.
 *
 * @param f a function of trees of arrays; its results are floats.
 * @param args arguments of it (arrays, numbers or `ShapeDtype`s) and behind them, if wanted, options.
 * @returns the comparison, which prints as a table with a verdict: which mode for the whole Jacobian, and from how many
 *   inputs on the other one.
 * @throws NotDifferentiableError if there is no float to differentiate by, a result is no float, or neither mode exists; ArgumentError for wrong options;
 *   ConcretizationError if `f` asks for values that `ShapeDtype`s do not have (give it arrays); what else tracing `f` throws.
 * @example
 * const f = (x) => np.sum(np.sin(x).mul(x));
 * const modes = await compareModes(f, new ShapeDtype([1000]));
 * modes.verdict.mode; // "reverse"
 * modes.row("forward").operations; // 7002000
 * modes.row("reverse").operations; // 6000
 */
export async function compareModes<F extends Fn>(
  f: F,
  ...given: ArgsAndOptions<F, CompareModesOptions<F>>
): Promise<ModeComparison> {
  requireFunction(f, "compareModes");
  const { args, options } = splitOptions<CompareModesOptions<F>>(
    f,
    given as readonly unknown[],
    compareModesOptions,
    "compareModes",
  );
  return compare(f, args, options, "compareModes");
}

/** `compareModes` with its arguments in a list. @internal */
export async function compare(
  f: Fn,
  args: readonly unknown[],
  options: CompareModesOptions,
  what: string,
): Promise<ModeComparison> {
  const { measure, memoryLimit, timeLimit } = readOptions(options, what);
  const traced = traceDifferentiated(f, args, options.argnums, what);
  const programs = modePrograms(traced);
  const all = namedPrograms(programs);
  const named = [...all.filter(isThere), ...compressedPrograms(traced, programs)];
  const missing = all.flatMap(({ kind, label, program }): MissingRow[] =>
    "missing" in program ? [{ kind, label, error: program.missing }] : [],
  );
  const given = once(() => inputsOf(traced, args));
  const timings = measure
    ? await timePrograms(
        named.map(({ program }) => ({
          jaxpr: program.jaxpr,
          inputs: () => [
            ...program.consts,
            ...given().slice(program.takesConstants ? 0 : traced.constants),
            ...program.seeds.map((type, i) => exampleArray(type, -1 - i)),
          ],
          operations: program.cost.operations,
        })),
        { memoryLimit, timeLimit },
      )
    : named.map((): Timing | undefined => undefined);
  const kept = { count: programs.residuals.residuals.length, bytes: programs.residuals.totalBytes };
  const rows = named.map(({ kind, label, program, isReverse }, i): ModeRow => {
    const timing = timings[i];
    return {
      kind,
      label,
      passes: program.passes,
      ...program.cost,
      residuals: isReverse ? kept : { count: 0, bytes: 0 },
      ms: timing !== undefined && "ms" in timing ? timing.ms : undefined,
      skipped: timing !== undefined && "skipped" in timing ? timing.skipped : undefined,
    };
  });
  const { inputs, outputs, sharedOperations } = programs;
  const device = measure ? defaultDevice() : undefined;
  return new ModeComparison({ name: nameOf(f), inputs, outputs, rows, missing, sharedOperations, device });
}

function readOptions(options: CompareModesOptions, what: string) {
  const { measure = false, memoryLimit = 1e9, timeLimit = 1000 } = options;
  if (typeof measure !== "boolean")
    throw new ArgumentError(`${what}: the option measure must be a boolean, got ${String(measure)}`);
  for (const [name, limit, unit] of [
    ["memoryLimit", memoryLimit, "bytes"],
    ["timeLimit", timeLimit, "milliseconds"],
  ] as const)
    if (typeof limit !== "number" || !(limit >= 0))
      throw new ArgumentError(
        `${what}: the option ${name} must be a number of ${unit}, got ${String(limit)}`,
      );
  return { measure, memoryLimit, timeLimit };
}

interface NamedProgram<P = CountedProgram> {
  readonly kind: ModeRow["kind"];
  readonly label: string;
  readonly program: P;
  /** Whether something is kept from a forward pass for a backward one. */
  readonly isReverse: boolean;
}

const isThere = (named: NamedProgram<CountedProgram | MissingProgram>): named is NamedProgram =>
  !("missing" in named.program);

function namedPrograms({
  value,
  jvp,
  vjp,
  forward,
  reverse,
  isScalar,
}: ModePrograms): NamedProgram<CountedProgram | MissingProgram>[] {
  const whole = isScalar ? "gradient" : "Jacobian";
  const by = (passes: number, pass: string): string => `${whole} by ${pass}${passes === 1 ? "" : "s"}`;
  return [
    { kind: "value", label: "value", program: value, isReverse: false },
    { kind: "jvp", label: "one jvp", program: jvp, isReverse: false },
    { kind: "vjp", label: "one vjp", program: vjp, isReverse: true },
    { kind: "forward", label: by(forward.passes, "jvp"), program: forward, isReverse: false },
    { kind: "reverse", label: by(reverse.passes, "vjp"), program: reverse, isReverse: true },
  ];
}

/** Passes are worth sharing if there are a few of either kind; larger functions, and patterns of more entries, are not looked at. */
const [fewest, mostElements, mostEntries] = [3, 2_000_000, 20_000_000];

/** Whether the pattern of the Jacobian may allow for fewer passes. */
function isSparse(traced: TracedForReverse, { inputs, outputs }: ModePrograms): boolean {
  if (Math.min(inputs, outputs) < fewest || Math.max(inputs, outputs) > mostElements) return false;
  const { jaxpr, consts, constants, active } = traced;
  const patterns = patternOfTraced(new ClosedJaxpr(jaxpr, consts), active.slice(constants)).flat();
  const entries = patterns.reduce((sum, { nonzeros }) => sum + nonzeros, 0);
  return entries < inputs * outputs && entries <= mostEntries;
}

/** The Jacobian by as many passes as its pattern needs, if these are fewer: the entries that may be nonzero. */
function compressedPrograms(traced: TracedForReverse, programs: ModePrograms): NamedProgram[] {
  if (!isSparse(traced, programs)) return [];
  const { inputs, outputs } = programs;
  const flat = new FlatFunction(traced);
  const planned = (
    mode: JacobianModeOrAuto,
  ): readonly [Omit<ModeProgram, "passes">, JacobianPlan] | undefined => {
    let plan: JacobianPlan | undefined;
    const derive: Derive = (f, { argnums }) => {
      const explained = jacobian(f, { mode, argnums, sparse: true, explain: true });
      return (...args) => {
        const [result, explanation] = explained(...args) as unknown as [NDArray, JacobianPlan];
        plan = explanation;
        return result;
      };
    };
    try {
      const program = flat.derivativeOfClosure(derive);
      return [program, plan as unknown as JacobianPlan];
    } catch (error) {
      // A mode that the function does not have is told of without colours.
      if (hasNoSuchMode(error)) return undefined;
      throw error;
    }
  };
  return (["compressedForward", "compressedReverse"] as const).flatMap((kind): NamedProgram[] => {
    const found = planned(kind);
    if (found === undefined) return [];
    const [program, { passes }] = found;
    const isReverse = kind === "compressedReverse";
    if (passes >= (isReverse ? outputs : inputs)) return [];
    const label = `sparse, by ${showCount(passes)} ${isReverse ? "vjp" : "jvp"}${passes === 1 ? "" : "s"}`;
    return [{ kind, label, program: counted({ ...program, passes }), isReverse }];
  });
}

/** Arrays to run the function on: constants, the arguments, and others where only types were given. */
function inputsOf({ jaxpr, constants, consts }: TracedForReverse, args: readonly unknown[]): NDArray[] {
  const leaves = flatten(args as object).leaves as unknown[];
  const types = jaxpr.inAvals.slice(constants);
  const values = leaves.map((leaf, i) =>
    leaf instanceof ShapeDtype
      ? exampleArray(types[i], i)
      : asDifferentiable(toArray(leaf, () => "an argument of compareModes")),
  );
  return [...consts, ...values];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
