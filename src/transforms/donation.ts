/** Arguments that a call gives away: which arrays they are, and what is refused. */
import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { currentTrace } from "../core/trace.js";
import { leaves } from "../core/tree.js";
import { bindDonating } from "../primitives/call.js";
import { resolveArgnums } from "./functions.js";

/**
 * Of the inputs of a program, which end with the arrays of the arguments, those that are given away.
 *
 * @param argnums positions of arguments.
 * @param fixed positions of static arguments, whose arrays are no inputs.
 * @param count how many inputs there are.
 */
export function donatedInputs(
  argnums: number | readonly number[],
  args: readonly unknown[],
  fixed: ReadonlySet<number>,
  count: number,
  label: string,
): boolean[] {
  const positions = resolveArgnums(argnums, args.length, label);
  const both = positions.find((i) => fixed.has(i));
  if (both !== undefined)
    throw new ArgumentError(`${label}: argument ${both} is static, so there are no arrays in it to donate`);
  if (positions.length === 0) return [];
  const own = args.flatMap((arg, i) =>
    fixed.has(i) ? [] : (leaves(arg as never) as unknown[]).map(() => positions.includes(i)),
  );
  return [...new Array<boolean>(count - own.length).fill(false), ...own];
}

export interface DonatingCall {
  readonly label: string;
  readonly name: string;
  readonly jaxpr: Jaxpr;
  readonly donated: readonly boolean[];
  /** What the last inputs are called, which are those of the arguments. */
  readonly namesOf: () => readonly string[];
}

/** Runs a program, and gives away what is donated: see `bindDonating`. */
export function bindDonated(call: DonatingCall, inputs: readonly NDArray[]): readonly NDArray[] {
  const { jaxpr, name, donated } = call;
  if (donated.includes(true) && currentTrace() === undefined) requireOwn(call, inputs);
  return bindDonating(jaxpr, name, inputs, donated);
}

/** Refuses an array that is given away and stands elsewhere in the call, too: it cannot be there for both. */
function requireOwn({ label, donated, namesOf }: DonatingCall, inputs: readonly NDArray[]): void {
  const seen = new Map<NDArray, number>();
  for (const [i, x] of inputs.entries()) {
    const before = seen.get(x);
    if (before !== undefined && (donated[i] || donated[before])) {
      const names = namesOf();
      const nameAt = (k: number): string =>
        names[k - (inputs.length - names.length)] ?? "a constant of the function";
      throw new ArgumentError(
        `${label}: the same array is ${nameAt(before)} and ${nameAt(i)}, and ${
          donated[i] && donated[before] ? "both are" : "one of them is"
        } donated; donate arrays that stand in the call only once`,
      );
    }
    seen.set(x, i);
  }
}
