/** `drawGraph`, `drawJaxpr` and `drawTransform`: the computational graph of a function, and what transforms make of it. */
import type { NDArray } from "../../core/array.js";
import { ArgumentError } from "../../core/errors.js";
import { withoutInterning } from "../../core/intern.js";
import { ClosedJaxpr, Jaxpr } from "../../core/jaxpr.js";
import { bind, literalArray, withTrace } from "../../core/trace.js";
import { flatten, keystr, unflatten } from "../../core/tree.js";
import { dceKeepingInputs } from "../../transforms/dce.js";
import {
  asDifferentiable,
  nameOf,
  recordingLines,
  requireFunction,
  resolveArgnums,
  toArray,
  traceFunction,
} from "../../transforms/functions.js";
import { abstractCall, ShapeDtype } from "../../transforms/makeJaxpr.js";
import type { Fn } from "../../transforms/types.js";
import { splitOptions } from "../arguments.js";
import { buildDrawing } from "./build.js";
import { type GraphDrawing, TransformDrawing } from "./drawing.js";
import { leafNames, nameVariables, parameterNames } from "./names.js";
import { checkOptions, type GraphOptions, optionNames } from "./options.js";
import { type Program, programOf, Variable } from "./program.js";

const defaultDepth = 3;

/** A point for a function of arrays: numbers may stand for scalars, and `ShapeDtype`s for what need not be known. */
export type Drawable<T> = T extends NDArray | number | boolean
  ? T | ShapeDtype | number
  : T extends null | undefined
    ? T
    : { [K in keyof T]: Drawable<T[K]> };

type DrawableArgs<F extends Fn> =
  Parameters<F> extends infer A extends readonly unknown[] ? { [K in keyof A]: Drawable<A[K]> } : never;

/** Arguments, and options behind them. */
export type GraphArgs<F extends Fn, O> = [...args: DrawableArgs<F>, options?: O];

/**
 * The computational graph of a function: variables are squares, operations circles, data flows to the upper right. Names are those of
 * the parameters and of the keys of trees; `checkpointName(x, "h")` names a value inside of the function.
 *
 * @param f a function of trees of arrays.
 * @param args arrays or numbers, which are read as float32; where no values are needed, `ShapeDtype`s in their place: then nothing is computed.
 * @returns the drawing: `dot` is its text in Graphviz's language, `svg()` the picture (it needs the package `@viz-js/viz`), `steps()`
 *   a picture for each step of a mode; `paths` and `edges` count what derivatives are sums over, and what modes walk along.
 * @throws ArgumentError for an option that is none, or `values` of arguments without values; NotDifferentiableError for derivatives
 *   where no argument is a float.
 * @example
 * const graph = await drawGraph((a, b) => a.add(b).mul(b.add(1)), 2, 1, { derivatives: true });
 * graph.paths; // 3
 * graph.edges; // 5
 * graph.pathSums[1].text; // "∂e/∂b = 1·2 + 1·3 = 5"
 */
export async function drawGraph<F extends Fn>(
  f: F,
  ...args: GraphArgs<F, GraphOptions>
): Promise<GraphDrawing> {
  requireFunction(f, "drawGraph");
  const what = `drawGraph(${nameOf(f)})`;
  const split = splitOptions<GraphOptions>(f, args, optionNames, "drawGraph");
  return drawFunction(f, split.args, split.options, what, parameterNames(f));
}

/**
 * The graph of a jaxpr. Its inputs are called as in the printed program, unless `names` says otherwise.
 *
 * @param jaxpr as `makeJaxpr` gives it. Nothing is computed, so there are no values.
 * @example
 * const graph = await drawJaxpr(makeJaxpr(grad(np.tanh))(0.5));
 * graph.operations; // 3
 */
export async function drawJaxpr(
  jaxpr: Jaxpr | ClosedJaxpr,
  options: GraphOptions = {},
): Promise<GraphDrawing> {
  if (!(jaxpr instanceof Jaxpr || jaxpr instanceof ClosedJaxpr))
    throw new ArgumentError(
      "drawJaxpr takes a jaxpr, as makeJaxpr gives it; for a function there is drawGraph",
    );
  checkOptions(options, "drawJaxpr");
  if (options.values === true)
    throw new ArgumentError("drawJaxpr: a jaxpr has no values; drawGraph draws a function at a point");
  const [inner, constants] = jaxpr instanceof ClosedJaxpr ? [jaxpr.jaxpr, jaxpr.consts.length] : [jaxpr, 0];
  const program = programOf(live(inner), constants, openOptions(options));
  nameVariables(program, options.names ?? []);
  const chosen = chosenOf(
    program,
    program.inputs.map((_, i) => i),
    options,
    "drawJaxpr",
  );
  return buildDrawing({ name: "jaxpr", program, chosen, hasValues: false }, options, "drawJaxpr");
}

/** What `drawTransform` takes beside the options of both drawings. */
export interface TransformOptions extends GraphOptions {
  /** Arguments of the transformed function, where they are others than those of `f`: a tangent more, or a batch. */
  readonly args?: readonly unknown[];
  /** What stands above the two drawings. Default: the names of the functions. */
  readonly titles?: readonly [before: string, after: string];
}

/**
 * A function and what a transform makes of it, side by side.
 *
 * @param f a function of trees of arrays.
 * @param transform as `grad`, `jit`, `vmap`, or a function of your own from functions to functions.
 * @param args arguments of `f`; the option `args` gives those of the transformed function, where they are others.
 * @example
 * const both = await drawTransform((x) => np.sin(x).mul(x), grad, 2);
 * both.before.operations; // 2
 * both.after.operations; // 4
 */
export async function drawTransform<F extends Fn>(
  f: F,
  transform: (f: F) => Fn,
  ...args: GraphArgs<F, TransformOptions>
): Promise<TransformDrawing> {
  requireFunction(f, "drawTransform");
  requireFunction(transform, "drawTransform (as transform)");
  const split = splitOptions<TransformOptions>(f, args, [...optionNames, "args", "titles"], "drawTransform");
  const { args: others, titles, ...options } = split.options;
  const transformed = transform(f);
  requireFunction(transformed, "drawTransform (as what the transform gave)");
  const own = nameOf(f) === "function" ? "f" : nameOf(f);
  const by = transform.name || "transformed";
  const names = parameterNames(f);
  const itsNames = parameterNames(transformed);
  const before = await drawFunction(f, split.args, options, `drawTransform(${own})`, names);
  const after = await drawFunction(
    transformed,
    others ?? split.args,
    options,
    `drawTransform(${by}(${own}))`,
    itsNames.every((name) => name === undefined) ? names : itsNames,
  );
  return new TransformDrawing(before, after, titles ?? [own, `${by}(${own})`]);
}

async function drawFunction(
  f: Fn,
  args: readonly unknown[],
  options: GraphOptions,
  what: string,
  parameters: readonly (string | undefined)[],
): Promise<GraphDrawing> {
  checkOptions(options, what);
  const wantsDerivatives =
    options.derivatives === true || options.mode !== undefined || options.form === "reduced";
  const read = args.map((arg) => numbersAsFloats(arg, what));
  const { avals, call, leaves, treedef } = abstractCall(f, read, what, {});
  const isAbstract = leaves.some((leaf) => leaf instanceof ShapeDtype);
  if (isAbstract && options.values === true)
    throw new ArgumentError(
      `${what}: values are computed from arrays, but ${whichAbstract(leaves)} is a ShapeDtype; give arrays or numbers, or leave out { values: true }`,
    );
  const inputs = isAbstract ? undefined : leaves.map((leaf) => toArray(leaf, () => what));
  const { closed, outTree } = withoutInterning(() =>
    recordingLines(() =>
      traceFunction({ name: what, valuesOnDemand: inputs !== undefined }, avals, call, inputs),
    ),
  );
  const program = programOf(live(closed.jaxpr), closed.consts.length, openOptions(options));
  for (const [k, path] of outTree.paths().entries()) {
    const v = program.outputs[k];
    if (path.length > 0 && v instanceof Variable) v.result = keystr(path).replace(/^\./, "");
  }
  const paths = treedef.paths();
  nameVariables(program, leafNames(paths, options.names ?? parameters));
  const positions = paths.map(([position]) => position as number);
  const chosen = chosenOf(program, positions, options, what);
  for (const [i, v] of program.inputs.entries())
    if (paths[i].length > 1)
      v.bundle = (options.names ?? parameters)[positions[i]] || `argument ${positions[i]}`;
  const hasValues = inputs !== undefined && (options.values === true || wantsDerivatives);
  if (hasValues) evaluate(program, closed.consts, inputs);
  const name = nameOf(f) === "function" ? "f" : nameOf(f);
  return buildDrawing({ name, program, chosen, hasValues }, options, what);
}

/** What no result needs is not drawn, as gradients leave some of it behind. */
const live = (jaxpr: Jaxpr): Jaxpr =>
  dceKeepingInputs(
    jaxpr,
    jaxpr.outputs.map(() => true),
  );

/** A bare number does not say whether it is whole; drawings are of functions of real numbers. */
function numbersAsFloats(tree: unknown, what: string): unknown {
  const { leaves, treedef } = flatten(tree as object);
  const read = (leaf: unknown): unknown =>
    leaf instanceof ShapeDtype ? leaf : asDifferentiable(toArray(leaf, () => `an argument of ${what}`));
  return unflatten(treedef, (leaves as unknown[]).map(read));
}

const whichAbstract = (leaves: readonly unknown[]): string =>
  String(leaves.find((leaf) => leaf instanceof ShapeDtype));

const openOptions = ({ depth = defaultDepth, derivatives, mode, form }: GraphOptions) => ({
  // The compact forms have no place for loops beside the values.
  depth,
  customBodies: !(derivatives === true || mode !== undefined) && (form ?? "operations") === "operations",
  loops: (form ?? "operations") === "operations",
});

/** The inputs that `argnums` names, from the position of each input's argument. */
function chosenOf(
  { inputs }: Program,
  positions: readonly number[],
  { argnums }: GraphOptions,
  what: string,
): Variable[] {
  if (argnums === undefined) return [...inputs];
  const wanted = new Set(resolveArgnums(argnums, Math.max(-1, ...positions) + 1, what));
  return inputs.filter((_, i) => wanted.has(positions[i]));
}

/** Computes every value outside of loops and branches. */
function evaluate(program: Program, consts: readonly NDArray[], inputs: readonly NDArray[]): void {
  for (const [i, v] of program.constants.entries()) v.value = consts[i];
  for (const [i, v] of program.inputs.entries()) v.value = inputs[i];
  withTrace(undefined, () => {
    for (const op of program.operations) {
      const operands = op.inputs.map((x) => (x instanceof Variable ? (x.value as NDArray) : literalArray(x)));
      const results = bind(op.eqn.primitive, operands, op.eqn.params);
      for (const [k, v] of op.outputs.entries()) v.value = results[k];
    }
  });
}
