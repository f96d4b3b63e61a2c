/** A user's function of trees as a function of arrays, with names for what goes in and comes out. */
import { ArgumentError, FluxionError, NDArray, numpy as np, tree } from "fluxion";
import { carriesTangent } from "../close.js";
import type { ArrayFunction } from "../law.js";

// The parameter type of "any function" has to be any: a function with parameters of type T does not take unknown.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyFunction = (...args: any[]) => unknown;

/** What arrays are called in a message, one name for each. */
export interface Names {
  readonly inputs: readonly string[];
  /** Of the inputs that can have a tangent. */
  readonly v: readonly string[];
  readonly w: readonly string[];
  /** Of the outputs that can have one. */
  readonly u: readonly string[];
}

/** A function of arrays, inputs for it, and how they look to the user. */
export interface FlatFunction {
  readonly f: ArrayFunction;
  readonly inputs: readonly NDArray[];
  readonly names: Names;
  /** Arguments of the user's function again, from arrays. */
  readonly rebuild: (inputs: readonly NDArray[]) => readonly unknown[];
}

/** Which dtype floats are tried in: float64 where the function accepts it, or that of the example. */
export type Precision = "float64" | "given";

const leafType = (leaf: unknown): string =>
  typeof leaf === "object" && leaf !== null
    ? `an object of class ${leaf.constructor.name}`
    : `a ${typeof leaf}`;

function toArray(leaf: unknown, what: () => string): NDArray {
  if (leaf instanceof NDArray) return leaf;
  if (typeof leaf === "number") return np.array(leaf, { dtype: "float32" });
  if (typeof leaf === "boolean") return np.array(leaf);
  throw new ArgumentError(
    `${what()} is ${leafType(leaf)}; laws are about trees of arrays, numbers and booleans (a function may close over the rest)`,
  );
}

/** `x` for a single array, else `x[0].w`. */
const nameAll = (letter: string, paths: readonly tree.Path[], single: boolean): string[] =>
  paths.map((path) => (single ? letter : letter + tree.keystr(path)));

const inDouble = (x: NDArray): NDArray => (carriesTangent(x) ? x.astype("float64") : x);

/**
 * Flattens a function at example arguments.
 *
 * @throws ArgumentError if a leaf of an argument or of the result is no array, number or boolean; what `f` itself throws.
 */
export function flattenFunction(
  f: AnyFunction,
  args: readonly unknown[],
  precision: Precision,
): FlatFunction {
  const { leaves, treedef } = tree.flatten(args as readonly unknown[]);
  const given = (leaves as unknown[]).map((leaf, i) =>
    toArray(leaf, () => `checkLaws: the input at ${tree.keystr(treedef.paths()[i])}`),
  );
  const rebuild = (inputs: readonly NDArray[]): readonly unknown[] =>
    tree.unflatten<unknown[]>(treedef, inputs);
  let outPaths: readonly tree.Path[] = [];
  const flat: ArrayFunction = (...inputs) => {
    const result = f(...rebuild(inputs));
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
      throw new ArgumentError("checkLaws takes synchronous functions; this one returned a promise");
    const output = tree.flatten(result);
    outPaths = output.treedef.paths();
    return (output.leaves as unknown[]).map((leaf, i) =>
      toArray(leaf, () => `checkLaws: the output ${tree.keystr(outPaths[i])}`.trimEnd()),
    );
  };
  const { inputs, outputs } = firstThatRuns(flat, given, precision);
  const paths = treedef.paths();
  const single = (arrays: readonly unknown[]): boolean => arrays.length === 1;
  const smoothPaths = paths.filter((_, i) => carriesTangent(inputs[i]));
  return {
    f: flat,
    inputs,
    rebuild,
    names: {
      inputs: nameAll("x", paths, single(paths)),
      v: nameAll("v", smoothPaths, single(paths)),
      w: nameAll("w", smoothPaths, single(paths)),
      u: nameAll(
        "u",
        outPaths.filter((_, i) => carriesTangent(outputs[i])),
        single(outPaths),
      ),
    },
  };
}

/** The example in double precision if the function takes it so, else as it is. */
function firstThatRuns(f: ArrayFunction, given: readonly NDArray[], precision: Precision) {
  if (precision === "float64") {
    try {
      const inputs = given.map(inDouble);
      return { inputs, outputs: f(...inputs) };
    } catch (error) {
      // A function that mixes dtypes, or a device without float64, refuses with one of these.
      if (!(error instanceof FluxionError)) throw error;
    }
  }
  return { inputs: given, outputs: f(...given) };
}
