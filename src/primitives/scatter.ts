/**
 * Scatter: writing updates to given places of an operand. Here are those that overwrite (`scatter`), multiply, and keep
 * the smaller or larger element; scatterAdd stands beside its transpose in gather.ts.
 *
 * Places may repeat, and then the derivative has to know what became of each update: which one was written last, what
 * the others at its place multiply to, or with how many it ties.
 */
import { type NDArray, scalar } from "../core/array.js";
import { type Shape, sizeOf } from "../core/aval.js";
import { NotDifferentiableError } from "../core/errors.js";
import { type JvpRule, LinearInput } from "../core/primitive.js";
import { isZero } from "../core/zero.js";
import { div, mul } from "./arithmetic.js";
import { broadcastInDim } from "./broadcast.js";
import { convertElementType } from "./cast.js";
import { eq } from "./comparison.js";
import { add } from "./elementwise.js";
import { filled, instantiate, zeros } from "./filled.js";
import { gatherBack, scatterAdd, takeAlong } from "./gather.js";
import { countingAxes, isSingle } from "./indexed.js";
import { type ScatterParams, scatterNumbers, scatterOp } from "./scatterFamily.js";
import { select } from "./select.js";
import { iota, reshape } from "./shape.js";
import { pad } from "./slicing.js";
import { sort } from "./sort.js";

export { scatterAdd };

const isDisjoint = (indices: NDArray, params: ScatterParams): boolean =>
  isSingle(indices.shape, scatterNumbers(params));

// ---------------------------------------------------------------------------------------------------------------------
// scatter
// ---------------------------------------------------------------------------------------------------------------------

/** Which elements of the operand no update was written to, and which updates no later one was written over. */
function winners(operand: Shape, indices: NDArray, updates: Shape, params: ScatterParams) {
  const counting = countingAxes(updates.length, scatterNumbers(params));
  const counts = counting.map((a) => updates[a]);
  const numbered = reshape(add(iota("uint32", [sizeOf(counts)], 0), 1), counts);
  const own = broadcastInDim(numbered, updates, counting);
  const last = scatter(filled(operand, scalar(0, "uint32")), indices, own, params);
  return { untouched: eq(last, 0), wins: eq(gatherBack(last, indices, updates, params), own) };
}

/** Where `mask` is false, zero. */
const masked = (mask: NDArray, x: NDArray): NDArray => select(mask, x, zeros(x.aval));

/**
 * `x` with the windows at the places given by `indices` (int32, uint32 or uint8 vectors along the last axis)
 * overwritten by `updates`, which have the dtype of `x` (any). Where windows meet, that of the last index vector (in
 * row-major order) stays. Windows that do not lie inside `x` are left out ("drop"), moved inside ("clip"), or promised
 * not to occur ("promiseInBounds"). Linear in `x` and `updates` together.
 *
 * Throws `ShapeError`, `AxisError`, `DtypeError` or `ArgumentError`. Source: XLA's Scatter
 * (https://openxla.org/xla/operation_semantics#scatter).
 * @example
 * const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * scatter(np.zeros([3]), np.array([[1], [2]], "int32"), np.array([5, 6]), options) // [0, 5, 6]
 */
export const scatter = scatterOp({
  name: "scatter",
  summary: "writes updates over windows of an operand; of repeated ones the last stays",
  merging: "set",
  domain: "any",
  combine: (_, update) => update,
  operations: 0,
  multiplications: 0,
  jvp: ([x, indices, updates], [tx, , tu], p) => {
    const params = p as ScatterParams;
    const out = scatter(x, indices, updates, params);
    if (isDisjoint(indices, params))
      return { outputs: [out], tangents: [scatter(instantiate(tx), indices, instantiate(tu), params)] };
    const { untouched, wins } = winners(x.shape, indices, updates.shape, params);
    const kept = isZero(tx) ? zeros(tx.aval) : masked(untouched, tx);
    const tangent = isZero(tu) ? kept : scatterAdd(kept, indices, masked(wins, tu), params);
    return { outputs: [out], tangents: [tangent] };
  },
  transpose: ([ct], [x, i, updates], p) => {
    const params = p as ScatterParams;
    if (isZero(ct)) return [null, null, null];
    const indices = i as NDArray;
    const back = (): NDArray => gatherBack(ct, indices, updates.shape, params);
    const forOperand = x instanceof LinearInput;
    const forUpdates = updates instanceof LinearInput;
    if (isDisjoint(indices, params))
      return [
        forOperand ? scatter(ct, indices, zeros(updates.aval), params) : null,
        null,
        forUpdates ? back() : null,
      ];
    const { untouched, wins } = winners(x.shape, indices, updates.shape, params);
    return [forOperand ? masked(untouched, ct) : null, null, forUpdates ? masked(wins, back()) : null];
  },
});

// ---------------------------------------------------------------------------------------------------------------------
// scatterMul
// ---------------------------------------------------------------------------------------------------------------------

/** The elements of a vector moved by `distance` places, with `value` where none comes from. */
const shifted = (x: NDArray, distance: number, value: number): NDArray =>
  pad(x, value, [[distance, -distance, 0]]);

/**
 * Running products of `x` over runs of equal `keys`, towards the end (`sign` 1) or the beginning (-1) of the vector, by
 * doubling: after step k each element is the product of up to 2^k elements (Hillis & Steele 1986).
 */
function runningProducts(x: NDArray, keys: NDArray, sign: number): NDArray {
  let products = x;
  for (let distance = 1; distance < x.size; distance *= 2) {
    const sameRun = eq(keys, shifted(keys, sign * distance, -2));
    const earlier = select(sameRun, shifted(products, sign * distance, 1), ones(x));
    products = mul(products, earlier);
  }
  // Without the element itself.
  const sameRun = eq(keys, shifted(keys, sign, -2));
  return select(sameRun, shifted(products, sign, 1), ones(x));
}

const ones = (x: NDArray): NDArray => filled(x.shape, scalar(1, x.dtype));

/** For each update the product of the others at its place: without a division, so that zeros are exact. */
function productOfOthers(
  operand: Shape,
  indices: NDArray,
  updates: NDArray,
  params: ScatterParams,
): NDArray | undefined {
  const n = updates.size;
  if (n === 0 || isDisjoint(indices, params)) return undefined;
  const places = reshape(iota("int32", [sizeOf(operand)], 0), operand);
  const targets = reshape(gatherBack(places, indices, updates.shape, params, -1), [n]);
  // Updates that are dropped would form a run of their own: with factors of 1 none is infinite where zero is asked for.
  const factors = select(eq(targets, -1), 1, reshape(updates, [n]));
  const [keys, order] = sort([targets, iota("int32", [n], 0)], { dimension: 0, numKeys: 1 });
  const sorted = takeAlong(factors, order, 0);
  const others = mul(runningProducts(sorted, keys, 1), runningProducts(sorted, keys, -1));
  const [, inverse] = sort([order, iota("int32", [n], 0)], { dimension: 0, numKeys: 1 });
  return reshape(takeAlong(others, inverse, 0), updates.shape);
}

/**
 * `x` with the elements at the places given by `indices` multiplied by `updates`; several updates for one place all
 * multiply it. Operands, options and errors are those of `scatter`; `x` and `updates` are numbers. The derivative is
 * exact for zeros and repeated places, too; linear in `x`.
 * @example
 * const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * scatterMul(np.array([1, 2]), np.array([[1], [1]], "int32"), np.array([3, 4]), options) // [1, 24]
 */
export const scatterMul = scatterOp({
  name: "scatterMul",
  summary: "multiplies windows of an operand by updates; repeated ones all multiply",
  merging: "mul",
  domain: "number",
  combine: (old, update) => old * update,
  combineIntegers: Math.imul,
  operations: 1,
  multiplications: 1,
  jvp: ([x, indices, updates], [tx, , tu], p) => {
    const params = p as ScatterParams;
    const out = scatterMul(x, indices, updates, params);
    const base = isZero(tx) ? tx : scatterMul(tx, indices, updates, params);
    if (isZero(tu)) return { outputs: [out], tangents: [base] };
    const own = gatherBack(x, indices, updates.shape, params);
    const others = productOfOthers(x.shape, indices, updates, params);
    const factor = others === undefined ? own : mul(own, others);
    return {
      outputs: [out],
      tangents: [scatterAdd(instantiate(base), indices, mul(tu, factor), params)],
    };
  },
  transpose: ([ct], [x, indices, updates], p) => {
    if (updates instanceof LinearInput)
      throw new NotDifferentiableError(
        "scatterMul is not linear in its updates (places may repeat), so it cannot be transposed with respect to them",
      );
    if (isZero(ct) || !(x instanceof LinearInput)) return [null, null, null];
    return [scatterMul(ct, indices as NDArray, updates, p as ScatterParams), null, null];
  },
});

// ---------------------------------------------------------------------------------------------------------------------
// scatterMin, scatterMax
// ---------------------------------------------------------------------------------------------------------------------

/** All that equal the result, in the operand and among the updates, share the derivative equally. */
const sharedByTied =
  (op: () => typeof scatter): JvpRule =>
  ([x, indices, updates], [tx, , tu], p) => {
    const params = p as ScatterParams;
    const out = op()(x, indices, updates, params);
    const read = (y: NDArray, fill: number): NDArray => gatherBack(y, indices, updates.shape, params, fill);
    const operandTied = convertElementType(eq(x, out), x.dtype);
    const updateTied = convertElementType(eq(updates, read(out, 0)), x.dtype);
    const count = scatterAdd(operandTied, indices, updateTied, params);
    const kept = isZero(tx) ? zeros(tx.aval) : mul(tx, div(operandTied, count));
    // What is dropped reads a count of 1 lest its cotangent, zero, be divided by zero.
    const tangent = isZero(tu)
      ? kept
      : scatterAdd(kept, indices, mul(tu, div(updateTied, read(count, 1))), params);
    return { outputs: [out], tangents: [tangent] };
  };

/**
 * `x` with each element at the places given by `indices` replaced by the smallest of itself and its updates; NaN wins.
 * Operands, options and errors are those of `scatter`. The derivative is shared equally among those that tie.
 * @example
 * const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * scatterMin(np.array([1, 5]), np.array([[1], [1]], "int32"), np.array([3, 4]), options) // [1, 3]
 */
export const scatterMin = scatterOp({
  name: "scatterMin",
  summary: "the smaller of elements of an operand and their updates",
  merging: "min",
  domain: "any",
  combine: Math.min,
  operations: 1,
  multiplications: 0,
  jvp: sharedByTied(() => scatterMin),
  distinct: true,
  // Grids that do not meet.
  domains: [
    [-2, 2],
    [0, 3],
    [-1.71, 1.93],
  ],
});

/**
 * `x` with each element at the places given by `indices` replaced by the largest of itself and its updates; NaN wins.
 * Operands, options and errors are those of `scatter`. The derivative is shared equally among those that tie.
 * @example
 * const options = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
 * scatterMax(np.array([1, 5]), np.array([[0], [0]], "int32"), np.array([3, 4]), options) // [4, 5]
 */
export const scatterMax = scatterOp({
  name: "scatterMax",
  summary: "the larger of elements of an operand and their updates",
  merging: "max",
  domain: "any",
  combine: Math.max,
  operations: 1,
  multiplications: 0,
  jvp: sharedByTied(() => scatterMax),
  distinct: true,
  domains: [
    [-2, 2],
    [0, 3],
    [-1.93, 1.71],
  ],
});
