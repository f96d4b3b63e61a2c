/** `programCost`: what a program does and moves and holds, counted from its equations. */
import { bytesOf } from "../core/aval.js";
import { type Execution, executionOf } from "../core/bodies.js";
import { memoize } from "../core/build.js";
import { ArgumentError } from "../core/errors.js";
import { type Atom, ClosedJaxpr, Jaxpr, Var } from "../core/jaxpr.js";
import { memoryOf } from "../core/liveness.js";
import { jaxprCost } from "../primitives/call.js";

/** What one run of a program takes, as the program is written: before a compiler fuses or merges anything. */
export interface ProgramCost {
  /** Scalar operations, multiplications and transcendental functions included. */
  readonly operations: number;
  /** Multiplications and divisions. */
  readonly multiplications: number;
  /** Calls of functions such as exp or sin. */
  readonly transcendentals: number;
  /** Bytes that equations read and write. */
  readonly bytesMoved: number;
  /** The most bytes that are held at a time, inputs and outputs included. */
  readonly peakBytes: number;
}

/**
 * Counts what a program does. Nothing is computed, so that the shapes may be of any size; counts beyond 2⁵³ are rounded to a
 * double.
 *
 * - `operations`, `multiplications`, `transcendentals`: by the `cost` of each primitive, as `jaxprCost` counts them.
 * - `bytesMoved`: every equation reads each array among its operands once and writes its outputs; scalars that stand in the
 *   program are not read. Reshapes and broadcasts are equations like others.
 * - `peakBytes`: inputs, which are there all the time, results, for which there is room from the start, and the most of
 *   all other values at a time: each is there from the equation that makes it to the last one that reads it. An output that is an
 *   input takes no memory.
 *
 * A call counts as its body, the body of a scan as often as it runs (its memory once), a choice as the branch of the most
 * operations (or bytes), and a loop whose length the program does not say as one step.
 *
 * @param program a jaxpr, as `makeJaxpr` gives it.
 * @throws ArgumentError for what is no jaxpr; MissingRuleError for a primitive without a `cost` rule.
 * @example
 * const { jaxpr } = makeJaxpr((x) => x.sin().mul(x).sum())(new ShapeDtype([100]));
 * programCost(jaxpr);
 * // { operations: 300, multiplications: 100, transcendentals: 100, bytesMoved: 2404, peakBytes: 1204 }
 */
export function programCost(program: Jaxpr | ClosedJaxpr): ProgramCost {
  const jaxpr = program instanceof ClosedJaxpr ? program.jaxpr : program;
  if (!(jaxpr instanceof Jaxpr))
    throw new ArgumentError(
      `programCost takes a jaxpr, got ${program === null ? "null" : typeof program}; makeJaxpr(f)(...args) makes one of a function`,
    );
  return { ...jaxprCost(jaxpr), bytesMoved: moved(jaxpr), peakBytes: memoryOf(jaxpr).peakBytes };
}

const moved: (jaxpr: Jaxpr) => number = memoize(
  () => "",
  (jaxpr: Jaxpr): number =>
    jaxpr.eqns.reduce((sum, eqn) => sum + (movedInside(executionOf(eqn)) ?? touched(eqn)), 0),
);

/** What the bodies of an equation move; undefined if it has none. */
function movedInside(execution: Execution): number | undefined {
  switch (execution.flow) {
    case "operation":
      return undefined;
    case "alias":
      return 0;
    case "call":
      return moved(execution.body);
    case "cond":
      return Math.max(...execution.branches.map(moved));
    case "while":
      return moved(execution.cond) + moved(execution.body);
    case "scan":
      return execution.length * moved(execution.body);
  }
}

/** The arrays an equation reads, each once, and those it writes. */
function touched({
  inputs,
  outputs,
}: {
  readonly inputs: readonly Atom[];
  readonly outputs: readonly Var[];
}) {
  const read = new Set(inputs.filter((a): a is Var => a instanceof Var));
  return [...read, ...outputs].reduce((sum, v) => sum + bytesOf(v.aval), 0);
}
