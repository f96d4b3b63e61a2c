/** A function that has been traced to look at its derivatives, and what it is differentiated by. */
import { describe } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { MissingRuleError, NotDifferentiableError } from "../core/errors.js";
import { keystr } from "../core/tree.js";
import { leafName, nameOf, resolveArgnums } from "../transforms/functions.js";
import { type TracedForReverse, traceForReverse } from "../transforms/residuals.js";
import type { Fn } from "../transforms/types.js";

/**
 * Traces a function; nothing is computed. `active` says which inputs of its jaxpr are differentiated by: the arguments at
 * `argnums`, or all that are floats.
 *
 * @param what who asks, for errors.
 * @throws NotDifferentiableError if that is none, if a chosen argument has integers or booleans in it, or if the result has.
 */
export function traceDifferentiated(
  f: Fn,
  args: readonly unknown[],
  argnums: number | readonly number[] | undefined,
  what: string,
): TracedForReverse {
  const label = `${what}(${nameOf(f)})`;
  const all = traceForReverse(f, args, what);
  const traced =
    argnums === undefined ? all : chosen(all, resolveArgnums(argnums, args.length, label), label);
  const { jaxpr, active, outTree } = traced;
  if (!active.includes(true))
    throw new NotDifferentiableError(
      `${label} needs at least one float argument to differentiate by, got ${
        jaxpr.inAvals.slice(traced.constants).map(describe).join(", ") || "none"
      }; integers and booleans have no derivative`,
    );
  for (const [i, type] of jaxpr.outAvals.entries())
    if (!isFloat(type.dtype))
      throw new NotDifferentiableError(
        `${leafName(`the output of ${label}`, outTree, i)} is ${describe(type)}; integers and booleans have no derivative ` +
          "(leave it out of what the function returns)",
      );
  return traced;
}

/** Whether an error says that a function cannot be differentiated, or not in one of the modes. */
export const hasNoSuchMode = (error: unknown): error is NotDifferentiableError | MissingRuleError =>
  error instanceof NotDifferentiableError || error instanceof MissingRuleError;

/** The same, differentiated only by some of the arguments. */
function chosen(traced: TracedForReverse, positions: readonly number[], label: string): TracedForReverse {
  const { jaxpr, constants, treedef } = traced;
  const paths = treedef.paths();
  const active = jaxpr.inAvals.map((type, i) => {
    if (i < constants) return false;
    const [position, ...path] = paths[i - constants];
    if (!positions.includes(Number(position))) return false;
    if (!isFloat(type.dtype))
      throw new NotDifferentiableError(
        `${label} needs float inputs, but argument ${position}${keystr(path)} is ${describe(type)}; ` +
          "integers and booleans have no derivative (choose other arguments with argnums)",
      );
    return true;
  });
  return { ...traced, active };
}
