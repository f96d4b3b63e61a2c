/**
 * For operations that add up, the size of what is added: a sum that nearly vanishes cannot be more exact than its terms
 * are. Errors of these are counted in the last place of the larger of this and the result.
 */
import { ConcreteArray } from "../../src/core/array.js";
import { aval } from "../../src/core/aval.js";
import type { TypedArray } from "../../src/core/dtype.js";
import type { Params } from "../../src/core/primitive.js";
import { digamma, lgamma, polygamma } from "../../src/primitives/specialFunctions.js";

type Evaluate = (inputs: readonly ConcreteArray[], params: Params) => readonly ConcreteArray[];

/** From the operands and the results, all in double precision, the operation itself, and its params. */
type Magnitude = (
  inputs: readonly ConcreteArray[],
  outputs: readonly ConcreteArray[],
  evaluate: Evaluate,
  params: Params,
) => readonly TypedArray[];

const map = (x: ConcreteArray, f: (v: number, i: number) => number): ConcreteArray =>
  new ConcreteArray(
    x.values.map((v, i) => f(v, i)),
    x.aval,
  );

/** The sum of the magnitudes: the operation on |x|. */
const ofMagnitudes: Magnitude = (inputs, _, evaluate, params) => {
  const magnitudes = inputs.map((x) => (x.dtype === "float64" ? map(x, Math.abs) : x));
  return evaluate(magnitudes, params).map((y) => y.values);
};

/** The same for products of integers, of which the sum may be a float. */
const ofProducts: Magnitude = (inputs, outputs, evaluate, params) =>
  ofMagnitudes(
    inputs.map((x) => new ConcreteArray(Float64Array.from(x.values), aval(x.shape, "float64"))),
    outputs,
    evaluate,
    { ...params, preferredElementType: "float64" },
  );

/** Below zero functions like these are the difference of two numbers, of which the value on the other side is one. */
const mirrored =
  (functionFor: (params: Params) => (x: number) => number): Magnitude =>
  ([x], _, __, params) => {
    const f = functionFor(params);
    return [x.values.map((v) => (v < 0 ? Math.max(1, Math.abs(f(v))) : 0))];
  };

/** ∏ ‖rowᵢ‖ over rows other than `without`: Hadamard's bound of a determinant. */
function hadamard(matrix: TypedArray, n: number, without = -1): number {
  let bound = 1;
  for (let i = 0; i < n; i++) if (i !== without) bound *= Math.hypot(...matrix.subarray(i * n, (i + 1) * n));
  return bound;
}

const eachMatrix = (x: ConcreteArray, f: (matrix: TypedArray, n: number) => number[]): TypedArray => {
  const n = x.shape[x.shape.length - 1];
  const found: number[] = [];
  const count = x.shape.slice(0, -2).reduce((a, b) => a * b, 1);
  for (let k = 0; k < count; k++) found.push(...f(x.values.subarray(k * n * n, (k + 1) * n * n), n));
  return Float64Array.from(found);
};

export const magnitudes: Record<string, Magnitude> = {
  reduceSum: ofMagnitudes,
  cumsum: ofMagnitudes,
  dotGeneral: ofProducts,
  convGeneralDilated: ofMagnitudes,
  scatterAdd: ofMagnitudes,
  linearRecurrence: ofMagnitudes,
  // y = m + log s: s is at least 1, and m at most the largest |x|.
  cumlogsumexp: ([x], [y]) => {
    let largest = 1;
    for (const v of x.values) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
    return [y.values.map(() => largest)];
  },
  det: ([x]) => [eachMatrix(x, (a, n) => [hadamard(a, n)])],
  cofactor: ([x]) => [
    eachMatrix(x, (a, n) => Array.from({ length: n * n }, (_, k) => hadamard(a, n, Math.floor(k / n)))),
  ],
  lgamma: mirrored(() => (x) => lgamma(-x)),
  digamma: mirrored(() => (x) => digamma(1 - x)),
  polygamma: mirrored(({ n }) => {
    const f = polygamma(n as number);
    return (x) => f(1 - x);
  }),
};
