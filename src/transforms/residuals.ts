/** `savedResiduals`: what reverse mode stores of a function between the forward and the backward pass. */
import type { NDArray } from "../core/array.js";
import { type Aval, aval, bytesOf, describe, type Shape } from "../core/aval.js";
import { type DType, isFloat, isInteger } from "../core/dtype.js";
import { withoutInterning } from "../core/intern.js";
import type { Atom, Jaxpr, Var } from "../core/jaxpr.js";
import { describeSource } from "../core/source.js";
import { alignColumns, grouped } from "../core/table.js";
import { keystr, type TreeDef } from "../core/tree.js";
import { type Origin, Origins } from "../primitives/origin.js";
import {
  asDifferentiable,
  nameOf,
  recordingLines,
  requireFunction,
  toArray,
  traceFunction,
} from "./functions.js";
import { jvpJaxpr } from "./jvp.js";
import { type AbstractArgs, abstractCall, ShapeDtype } from "./makeJaxpr.js";
import { partialEvalJaxpr } from "./partialEval.js";
import type { Fn } from "./types.js";

/** An array that is kept for the backward pass. */
export interface SavedResidual {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly bytes: number;
  /**
   * `argument 0 at .w`; `constant` (an array that the function closes over); `output of sin`, with `in scan` if a loop or a branch
   * computes it; `carry of scan`.
   */
  readonly what: string;
  /** Where in user code it is computed, as `file:line:column`. */
  readonly source: string | undefined;
  /** What `checkpointName` called it. */
  readonly name: string | undefined;
}

/** What reverse mode stores. Prints as a table. */
export class SavedResiduals implements Iterable<SavedResidual> {
  /** @internal */
  constructor(
    /** Computed values, the largest first, then in the order of computation; then constants and arguments, which are there anyway. */
    readonly residuals: readonly SavedResidual[],
  ) {}

  get totalBytes(): number {
    return this.residuals.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  [Symbol.iterator](): Iterator<SavedResidual> {
    return this.residuals[Symbol.iterator]();
  }

  toString(): string {
    const { residuals, totalBytes } = this;
    const count = `in ${residuals.length} ${residuals.length === 1 ? "array" : "arrays"}`;
    return columns([["bytes", "type", "what"], ...residuals.map(row), [grouped(totalBytes), "", count]]);
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

const row = ({ shape, dtype, bytes, what, source, name }: SavedResidual): string[] => {
  const called = name === undefined ? "" : ` ${JSON.stringify(name)}`;
  const where = source === undefined ? "" : ` (at ${source})`;
  return [grouped(bytes), describe(aval(shape, dtype)), `${what}${called}${where}`];
};

/** Rows under one another, the first column to the right. */
export const columns = (rows: readonly (readonly string[])[]): string =>
  alignColumns(rows, (k) => k > 0).join("\n");

/** A function that has been traced for the sake of its derivative. */
export interface TracedForReverse {
  /** Takes the constants, then the arguments. */
  readonly jaxpr: Jaxpr;
  readonly constants: number;
  /** The values of the constants. */
  readonly consts: readonly NDArray[];
  readonly treedef: TreeDef;
  readonly outTree: TreeDef;
  /** Which inputs have a derivative: arguments that are floats. */
  readonly active: readonly boolean[];
}

/** Traces a function with the lines of all its operations. */
export function traceForReverse(f: Fn, args: readonly unknown[], what: string): TracedForReverse {
  requireFunction(f, what);
  const label = `${what}(${nameOf(f)})`;
  const { avals, call, leaves, treedef } = abstractCall(f, args, label, {});
  const isKnown = leaves.every((leaf) => !(leaf instanceof ShapeDtype));
  const values = isKnown ? leaves.map((leaf) => asDifferentiable(toArray(leaf, () => label))) : undefined;
  const types = values?.map((x) => x.aval) ?? avals.map(differentiableType);
  const { closed, outTree } = withoutInterning(() =>
    recordingLines(() =>
      traceFunction({ name: label, valuesOnDemand: isKnown }, types, call, values, { floatResult: true }),
    ),
  );
  const constants = closed.consts.length;
  const active = closed.jaxpr.inAvals.map(({ dtype }, i) => i >= constants && isFloat(dtype));
  return { jaxpr: closed.jaxpr, constants, consts: closed.consts, treedef, outTree, active };
}

/** The same as `asDifferentiable` does, where there is no array. */
const differentiableType = (type: Aval): Aval =>
  type.weakType && isInteger(type.dtype) ? aval(type.shape, "float32", true) : type;

/** Says where values of a traced function come from. */
export class Describer {
  private readonly paths: readonly string[];

  constructor(private readonly traced: TracedForReverse) {
    this.paths = traced.treedef.paths().map(([position, ...path]) => {
      const inside = keystr(path);
      return `argument ${position}${inside === "" ? "" : ` at ${inside}`}`;
    });
  }

  /** A value of a jaxpr whose inputs begin with those of the function. */
  residual(origins: Origins, v: Var): SavedResidual & { readonly isGiven: boolean } {
    const { shape, dtype } = v.aval;
    const origin = origins.of(v);
    return {
      shape,
      dtype,
      bytes: bytesOf(v.aval),
      what: this.what(origin),
      source: describeSource(origin.eqn?.source),
      name: origin.name,
      isGiven: origin.kind === "input",
    };
  }

  /** An input of the function's jaxpr. */
  input(index: number): string {
    const { constants } = this.traced;
    return index < constants ? "constant" : this.paths[index - constants];
  }

  private what({ kind, index, eqn, inside }: Origin): string {
    if (kind === "input") return this.input(index);
    const around = inside
      .map((loop) => ` in ${loop}`)
      .reverse()
      .join("");
    if (kind === "carry") return `carry of ${eqn?.primitive.name}${around}`;
    return kind === "literal" ? "constant" : `output of ${eqn?.primitive.name}${around}`;
  }
}

/** Whether it is an argument or a constant, which is there anyway. */
export const isGiven = ({ what }: SavedResidual): boolean =>
  what === "constant" || what.startsWith("argument ");

/** Computed values first, the largest first. */
export function sorted(list: readonly (SavedResidual & { readonly isGiven: boolean })[]): SavedResidual[] {
  const order = [...list].sort(
    (a, b) => Number(a.isGiven) - Number(b.isGiven) || (a.isGiven ? 0 : b.bytes - a.bytes),
  );
  return order.map(({ isGiven: _, ...rest }) => rest);
}

/**
 * Lists the arrays that reverse mode keeps from the forward pass of `f` for the backward pass, for all arguments that
 * are floats. Nothing is computed. Calls, loops and branches are looked into: what is named is the operation inside that
 * computes the value.
 *
 * @param f a function of trees of arrays.
 * @param args arguments of it; arrays and numbers may be given as `ShapeDtype`s.
 * @returns the list, which prints as a table with the total.
 * @throws what tracing `f` throws.
 * @example
 * const f = (w, x) => np.tanh(x.matmul(w)).sum();
 * const saved = savedResiduals(f, new ShapeDtype([2, 3]), new ShapeDtype([4, 2]));
 * saved.totalBytes; // 104
 * saved.residuals.map(({ what, shape }) => `${what} ${shape.join("×")}`);
 * // ["output of sub 4×3", "argument 0 2×3", "argument 1 4×2"]
 */
export function savedResiduals<F extends Fn>(f: F, ...args: AbstractArgs<F>): SavedResiduals {
  return residualsOf(traceForReverse(f, args as readonly unknown[], "savedResiduals"));
}

/** What reverse mode stores of a traced function for the inputs that are active. */
export function residualsOf(traced: TracedForReverse): SavedResiduals {
  const { jaxpr, active } = traced;
  const pushed = jvpJaxpr(jaxpr, active);
  const count = jaxpr.inputs.length;
  const split = partialEvalJaxpr(
    pushed.jaxpr,
    pushed.jaxpr.inputs.map((_, i) => i >= count),
    pushed.jaxpr.outputs.map((_, i) => i >= jaxpr.outputs.length),
  );
  const origins = new Origins(split.known);
  const describer = new Describer(traced);
  const atoms: readonly Atom[] = split.known.outputs.slice(split.known.outputs.length - split.residuals);
  // A value and the same value under a name are one array.
  const arrays = new Set(atoms.map((a) => origins.unnamed(a)));
  const inOrder = [...split.known.inputs, ...split.known.eqns.flatMap((eqn) => eqn.outputs)];
  const stored = inOrder.filter((v) => arrays.has(v));
  return new SavedResiduals(sorted(stored.map((v) => describer.residual(origins, v))));
}
