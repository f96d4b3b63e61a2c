/**
 * Rows of a batch of which some do not count: rows whose loop has ended, rows that take another branch. What is done to all
 * rows must not see the values of those, because it may have no value or no derivative there, and 0·∞ = NaN would find its
 * way into the others' gradients. They are replaced by a row that does count, and carry no derivative.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray, scalar } from "../../core/array.js";
import { type Aval, aval, describeAll, sizeOf } from "../../core/aval.js";
import { allocate } from "../../core/dtype.js";
import { DtypeError, ShapeError } from "../../core/errors.js";
import { max, min } from "../../core/ir/ops.js";
import { noParams } from "../../core/params.js";
import { definePrimitive, type Example, LinearInput } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { isZero, Zero, zeroFor } from "../../core/zero.js";
import { argmax } from "../argmax.js";
import { broadcastInDim } from "../broadcast.js";
import { typeRule } from "../checks.js";
import { eq } from "../comparison.js";
import { filled, repeat } from "../filled.js";
import { noWork } from "../linear.js";
import { reduceOr } from "../reduction.js";
import { select } from "../select.js";
import { expandDims, iota, squeeze } from "../shape.js";

/** Elements of rows that are at home; zeros for the others. */
function ofHomeRows(source: NDArray, t: NDArray): NDArray {
  const { shape } = source;
  const home = eq(source, iota("int32", shape, shape.length - 1));
  return select(
    broadcastInDim(
      home,
      t.shape,
      shape.map((_, i) => i),
    ),
    t,
    0,
  );
}

export const rowsPrimitive = definePrimitive({
  name: "activeRows",
  family: "indexing",
  summary: "for each row the one that an index names; derivatives go only through rows that name themselves",
  abstractEval: typeRule("activeRows", 2, ([source, x]) => {
    const rank = source.shape.length;
    if (source.dtype !== "int32")
      return left(
        new DtypeError(`activeRows: the sources of rows must be int32, got ${describeAll([source, x])}`),
      );
    if (rank === 0 || source.shape.some((n, i) => n !== x.shape[i]))
      return left(
        new ShapeError(
          `activeRows needs an array that begins with the axes of the sources of its rows, got ${describeAll([source, x])}`,
        ),
      );
    return right([x]);
  }),
  evaluate: ([source, x], _, [out]) => {
    const values = allocate(out.dtype, x.size);
    const n = source.shape[source.ndim - 1];
    const length = sizeOf(x.shape.slice(source.ndim));
    for (let i = 0; i < source.size; i++) {
      const from = i - (i % n) + Math.min(Math.max(source.values[i], 0), n - 1);
      values.set(x.values.subarray(from * length, (from + 1) * length), i * length);
    }
    return [new ConcreteArray(values, out)];
  },
  jvp: ([source, x], [_, t]) => ({
    outputs: bind(rowsPrimitive, [source, x], noParams),
    tangents: [isZero(t) ? zeroFor(x.aval) : ofHomeRows(source, t)],
  }),
  transpose: ([ct], [source, x]) => {
    if (!(x instanceof LinearInput)) return [null, null];
    return [null, isZero(ct) ? new Zero(x.aval) : ofHomeRows(source as NDArray, ct)];
  },
  batch: (size, inputs, batched) => ({
    outputs: bind(
      rowsPrimitive,
      inputs.map((x, i) => (batched[i] ? x : repeat(x, size))),
      noParams,
    ),
    batched: [true],
  }),
  lower: {
    kind: "map",
    element: (ctx, index) => {
      const { shape } = ctx.inputs[0];
      const axis = shape.length - 1;
      const from = ctx.operand(0, index.slice(0, shape.length));
      const place = [...index];
      place[axis] = max(min(from, shape[axis] - 1), 0);
      return [ctx.operand(1, place)];
    },
    weight: () => 2,
  },
  cost: noWork,
  // A row that another one stands in for has no derivative.
  dependence: () => [["none", "same"]],
  laws: {
    // The derivative is that of the identity, where it is not zero by decree: it can only be tried where all rows are at home.
    differentiable: true,
    examples: [
      example(aval([1], "int32"), aval([1, 2], "float64")),
      example(aval([2, 1], "int32"), aval([2, 1], "float64")),
      example(aval([3], "int32"), aval([3, 2], "int32"), [-2, 4]),
      example(aval([2, 3], "int32"), aval([2, 3], "bool"), [-1, 3]),
      example(aval([0], "int32"), aval([0, 2], "float64")),
    ],
  },
});

function example(source: Aval, x: Aval, sources: readonly [number, number] = [0, 0]): Example {
  return { avals: [source, x], params: noParams, domain: [sources, x.dtype === "bool" ? [0, 1] : [-2, 2]] };
}

/**
 * Arrays with a row for each element of `active`, in which rows that are not active are replaced by the first one that is.
 * No derivative goes through them, forwards or backwards, at any order. If no row is active, they are all the first row.
 *
 * @param active bool [n].
 * @param xs arrays of any dtypes, [n, ...].
 */
export function activeRows(active: NDArray, xs: readonly NDArray[]): NDArray[] {
  const [n] = active.shape;
  if (n === 0 || xs.length === 0) return [...xs];
  const places = iota("int32", [n], 0);
  const first = select(reduceOr(active, [0]), argmax(active, 0), -1);
  const source = select(active, places, filled([n], first));
  return xs.map((x) => bind(rowsPrimitive, [source, x], noParams)[0]);
}

/** `x`, through which no derivative goes, forwards or backwards, unless `active` (bool, a scalar) holds. */
export function whereActive(active: NDArray, x: NDArray): NDArray {
  const source = select(active, scalar(0, "int32"), -1);
  return squeeze(bind(rowsPrimitive, [expandDims(source, [0]), expandDims(x, [0])], noParams)[0], [0]);
}
