/** Functions of vectors (or of single elements) applied throughout arrays, by `vmap`. */
import type { NDArray } from "../core/array.js";
import { describe, describeAll, type Shape } from "../core/aval.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { showParam } from "../primitives/checks.js";
import { expandDims, reshape } from "../primitives/shape.js";
import { vmap } from "../transforms/vmap.js";
import { oneAxis, plainOptions, severalAxes } from "./axes.js";
import { moveaxis } from "./manipulation.js";
import { type ArrayLike, asArray, commonShape } from "./operands.js";
import { counting } from "./rearrange.js";

type Result = NDArray | readonly NDArray[];

/**
 * The function `f` of a vector applied to each vector along an axis; the axes of its result stand in the place of that
 * axis.
 * @throws AxisError, ArgumentError
 * @example
 * np.applyAlongAxis((v) => np.cumsum(v), 0, np.array([[1, 2], [3, 4]])); // [[1, 2], [4, 6]]
 */
export function applyAlongAxis(f: (v: NDArray) => ArrayLike, axis: number, x: ArrayLike): NDArray {
  const a = asArray(x, "applyAlongAxis");
  const along = oneAxis("applyAlongAxis", axis, a.shape);
  const moved = moveaxis(a, along, -1);
  const others = moved.shape.slice(0, -1);
  const rows = reshape(moved, [others.reduce((n, m) => n * m, 1), a.shape[along]]);
  const results = vmap((v: NDArray) => asArray(f(v), "applyAlongAxis"))(rows) as NDArray;
  const whole = reshape(results, [...others, ...results.shape.slice(1)]);
  const own = results.ndim - 1;
  return moveaxis(whole, counting(own, others.length), counting(own, along));
}

/**
 * A function of an array and an axis applied for one axis after the other; an axis that it drops is kept with length 1.
 * @throws AxisError; ShapeError if the result has lost more than an axis.
 * @example
 * np.applyOverAxes((x, axis) => np.sum(x, axis), np.ones([2, 3]), [0, 1]); // [[6]]
 */
export function applyOverAxes(
  f: (x: NDArray, axis: number) => ArrayLike,
  x: ArrayLike,
  axes: number | readonly number[],
): NDArray {
  const a = asArray(x, "applyOverAxes");
  return severalAxes("applyOverAxes", axes, a.shape).reduce((y, axis) => {
    const next = asArray(f(y, axis), "applyOverAxes");
    if (next.ndim === a.ndim) return next;
    if (next.ndim === a.ndim - 1) return expandDims(next, [axis]);
    throw new ShapeError(`applyOverAxes: the function made ${describe(next.aval)} of ${describe(y.aval)}`);
  }, a);
}

export interface VectorizeOptions {
  /**
   * The axes that the function itself is about, for each argument and result: "(n,k),(k)->(n)". Default: none, it is a
   * function of scalars.
   */
  readonly signature?: string;
  /** Numbers of arguments that are handed on as they are. */
  readonly excluded?: readonly number[];
}

interface Signature {
  readonly inputs: readonly (readonly string[])[];
  readonly outputs: readonly (readonly string[])[];
}

const term = String.raw`\(\s*(?:[A-Za-z_]\w*\s*(?:,\s*[A-Za-z_]\w*\s*)*)?\)`;
const wellFormed = new RegExp(
  String.raw`^\s*${term}(?:\s*,\s*${term})*\s*->\s*${term}(?:\s*,\s*${term})*\s*$`,
);

function readSignature(text: string): Signature {
  if (!wellFormed.test(text))
    throw new ArgumentError(`vectorize: ${showParam(text)} is not a signature such as "(n,k),(k)->(n)"`);
  const [inputs, outputs] = text
    .split("->")
    .map((side) => [...side.matchAll(/\(([^)]*)\)/g)].map(([, names]) => names.match(/\w+/g) ?? []));
  return { inputs, outputs };
}

/** Checks the axes that the function is about, and gives the shape that the axes before them broadcast to. */
function loopShape(arrays: readonly NDArray[], cores: readonly (readonly string[])[]): Shape {
  const lengths = new Map<string, number>();
  for (const [k, a] of arrays.entries()) {
    const core = cores[k];
    if (a.ndim < core.length)
      throw new ShapeError(
        `vectorize: argument ${k} needs axes (${core.join(",")}), got ${describe(a.aval)}`,
      );
    for (const [i, name] of core.entries()) {
      const n = a.shape[a.ndim - core.length + i];
      if ((lengths.get(name) ?? n) !== n)
        throw new ShapeError(
          `vectorize: axis ${name} has lengths ${lengths.get(name)} and ${n} in ${describeAll(arrays.map((b) => b.aval))}`,
        );
      lengths.set(name, n);
    }
  }
  const shape = commonShape(arrays.map((a, k) => a.shape.slice(0, a.ndim - cores[k].length)));
  if (shape === undefined)
    throw new ShapeError(`vectorize: ${describeAll(arrays.map((a) => a.aval))} do not broadcast together`);
  return shape;
}

const mapResult = (result: Result, f: (y: NDArray) => NDArray): Result =>
  Array.isArray(result) ? result.map(f) : f(result as NDArray);

/**
 * The function that applies `f`, a function of scalars (or with a `signature`, of arrays with certain axes), to all
 * elements of arrays that broadcast together.
 * @throws ArgumentError for a malformed signature or another number of arguments; ShapeError
 * @example
 * np.vectorize((x, y) => np.maximum(x, y))(np.array([1, 5]), 3); // [3, 5]
 */
export function vectorize<R extends Result>(
  f: (...args: NDArray[]) => R,
  options: VectorizeOptions = {},
): (...args: ArrayLike[]) => R {
  const { signature, excluded = [] } = plainOptions("vectorize", options, ["signature", "excluded"]);
  const read = signature === undefined ? undefined : readSignature(signature);
  return (...args) => {
    const arrays = args.map((x) => asArray(x, "vectorize"));
    const looped = counting(args.length).filter((i) => !excluded.includes(i));
    const cores = read?.inputs ?? looped.map(() => []);
    if (cores.length !== looped.length)
      throw new ArgumentError(
        `vectorize: ${looped.length} arguments for the signature ${showParam(signature)}`,
      );
    const own = looped.map((i) => arrays[i]);
    const loop = loopShape(own, cores);
    let g = (...xs: NDArray[]): Result => {
      const whole = [...arrays];
      for (const [k, i] of looped.entries()) whole[i] = xs[k];
      return f(...whole);
    };
    // Which axes of the loop each argument has, with length 1 or more; the others are the same for all.
    const has = own.map((a, k) => {
      const rank = a.ndim - cores[k].length;
      return loop.map((_, d) => d >= loop.length - rank && a.shape[d - loop.length + rank] !== 1);
    });
    const single: number[] = [];
    for (let d = loop.length - 1; d >= 0; d--) {
      const inAxes = has.map((h) => (h[d] ? 0 : null));
      if (inAxes.every((axis) => axis === null)) single.push(d);
      else g = vmap(g, { inAxes: inAxes as never }) as typeof g;
    }
    const kept = own.map((a, k) => {
      const rank = a.ndim - cores[k].length;
      return reshape(
        a,
        a.shape.filter((_, i) => i >= rank || has[k][loop.length - rank + i]),
      );
    });
    const expanded = mapResult(g(...kept), (y) => expandDims(y, [...single].reverse()));
    checkResults(expanded, read, loop);
    return expanded as R;
  };
}

function checkResults(result: Result, read: Signature | undefined, loop: Shape): void {
  if (read === undefined) return;
  const results = Array.isArray(result) ? result : [result];
  const wrong = results.findIndex((y, i) => y.ndim !== loop.length + (read.outputs[i]?.length ?? -1));
  if (wrong >= 0 || results.length !== read.outputs.length)
    throw new ShapeError(
      `vectorize: the function made ${describeAll(results.map((y: NDArray) => y.aval))}, which are not the axes that the signature promises`,
    );
}
