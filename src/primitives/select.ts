/** Choosing between arrays element by element: select, selectN, clamp. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, NDArray } from "../core/array.js";
import { aval, describe, describeAll, sizeOf } from "../core/aval.js";
import { allocate } from "../core/dtype.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { le as irLe, max as irMax, min as irMin, select as irSelect } from "../core/ir/ops.js";
import { noParams } from "../core/params.js";
import { definePrimitive, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero, zeroFor } from "../core/zero.js";
import { bitwiseAnd } from "./bits.js";
import { eq, ge, gt, le, lt } from "./comparison.js";
import { sameWhere } from "./dependence.js";
import {
  batchElementwise,
  elementwise,
  gatherTo,
  type Operand,
  scalarsLike,
  spread,
  work,
} from "./elementwise.js";
import { elementsAt } from "./elementwiseLower.js";
import { commonShape } from "./elementwiseSpec.js";
import { zeros } from "./filled.js";

const selectPrimitive = elementwise({
  name: "select",
  summary: "onTrue where pred holds, onFalse elsewhere",
  arity: 3,
  domain: "any",
  fixed: { 0: "bool" },
  evaluate: (pred, onTrue, onFalse) => (pred ? onTrue : onFalse),
  lower: ([pred, onTrue, onFalse]) => irSelect(pred, onTrue, onFalse),
  // The side that is not taken gets a zero that is written, not computed: NaN and infinity do not leak from it.
  tangents: () => [undefined, (t, pred) => select(pred, t, 0), (t, pred) => select(pred, 0, t)],
  transposes: () => [undefined, (ct, pred) => select(pred, ct, 0), (ct, pred) => select(pred, 0, ct)],
  additive: true,
  dependence: ([pred, ...cases], _, [out]) => {
    const known = pred.value()?.values;
    return [
      [
        "none",
        ...cases.map((x, i) => sameWhere(known, (p) => (p !== 0) === (i === 0), x, sizeOf(out.shape))),
      ],
    ];
  },
  examples: [
    {
      params: noParams,
      domain: [
        [0, 1],
        [-2, 2],
        [-2, 2],
      ],
    },
  ],
});

/**
 * `onTrue` where `pred` holds, `onFalse` elsewhere. `pred` is bool; the cases have one dtype; all have one shape or are
 * scalars. Linear in both cases together. Throws `DtypeError` or `ShapeError` for other operands.
 *
 * @example
 * const x = np.array([-1, 2]);
 * select(gt(x, 0), x, 0) // [0, 2]: relu
 */
export const select = Object.assign(
  (pred: NDArray, onTrue: Operand, onFalse: Operand): NDArray => {
    if (!(pred instanceof NDArray))
      throw new ArgumentError(`select: pred must be a bool array, got a ${typeof pred}`);
    return bind(selectPrimitive, [pred, ...scalarsLike("select", [onTrue, onFalse])], noParams)[0];
  },
  { primitive: selectPrimitive },
);

/** Where case i of n is the one taken. Outside of 0 ... n - 1 the nearest case is. */
function isTaken(which: NDArray, i: number, n: number): NDArray {
  if (which.dtype === "bool") return eq(which, i);
  return i === 0 ? le(which, 0) : i === n - 1 ? ge(which, i) : eq(which, i);
}

const double = aval([2], "float64");
const selectNPrimitive = definePrimitive({
  name: "selectN",
  family: "elementwise",
  summary: "the case that an integer (or boolean) operand points at",
  abstractEval: (inputs) => {
    const [which, ...cases] = inputs;
    const got = describeAll(inputs);
    if (cases.length === 0)
      return left(
        new ArgumentError(`selectN needs an operand that chooses and at least one case, got ${got}`),
      );
    if (which.dtype !== "int32" && which.dtype !== "bool")
      return left(
        new DtypeError(`selectN: the operand that chooses must be int32 or bool, got ${describe(which)}`),
      );
    if (which.dtype === "bool" && cases.length > 2)
      return left(new ArgumentError(`selectN: a bool chooses between two cases, got ${got}`));
    const { dtype } = cases[0];
    if (dtype === "float0" || cases.some((c) => c.dtype !== dtype))
      return left(new DtypeError(`selectN needs cases of one dtype, got ${got}`));
    const shape = commonShape(inputs.map((x) => x.shape));
    if (shape === undefined)
      return left(new ShapeError(`selectN needs operands of one shape (or scalars), got ${got}`));
    return right([
      aval(
        shape,
        dtype,
        cases.every((c) => c.weakType),
      ),
    ]);
  },
  evaluate: (inputs, _, [out]) => {
    const values = allocate(out.dtype, sizeOf(out.shape));
    const [which, ...cases] = inputs.map((x) => x.values);
    const last = cases.length - 1;
    for (let i = 0; i < values.length; i++) {
      const choice = which[which.length === values.length ? i : 0];
      const taken = cases[choice < 0 ? 0 : choice > last ? last : choice];
      values[i] = taken[taken.length === values.length ? i : 0];
    }
    return [new ConcreteArray(values, out)];
  },
  jvp: ([which, ...cases], [_, ...tangents]) => {
    const out = selectN(which, ...cases);
    if (tangents.every(isZero)) return { outputs: [out], tangents: [zeroFor(out.aval)] };
    const moved = selectN(which, ...tangents.map((t) => (isZero(t) ? zeros(aval([], out.dtype, true)) : t)));
    return { outputs: [out], tangents: [spread(moved, out.shape)] };
  },
  transpose: ([ct], [which, ...cases]) => [
    null,
    ...cases.map((c, i) => {
      if (!(c instanceof LinearInput)) return null;
      if (isZero(ct)) return new Zero(c.aval);
      if (cases.length === 1) return gatherTo(ct, c.shape);
      return gatherTo(select(isTaken(which as NDArray, i, cases.length), ct, 0), c.shape);
    }),
  ],
  batch: batchElementwise((inputs) => bind(selectNPrimitive, inputs, noParams)),
  lower: {
    kind: "map",
    element: (ctx, index) => {
      const [which, ...cases] = elementsAt(ctx, index);
      const last = cases.length - 1;
      if (ctx.inputs[0].dtype === "bool") return [irSelect(which, cases[last], cases[0])];
      // Below 0 the first case is taken, above the last the last.
      return [cases.reduceRight((rest, c, i) => (i === last ? c : irSelect(irLe(which, i), c, rest)))];
    },
  },
  cost: (_, __, [out]) => ({ ...work.move, operations: sizeOf(out.shape) }),
  dependence: ([which, ...cases], _, [out]) => {
    const known = which.value()?.values;
    const last = cases.length - 1;
    const taken = (choice: number): number => Math.min(Math.max(choice, 0), last);
    return [
      [
        "none",
        ...cases.map((x, i) => sameWhere(known, (choice) => taken(choice) === i, x, sizeOf(out.shape))),
      ],
    ];
  },
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([], "int32"), double, double, double], domain: [[0, 2]], params: noParams },
      { avals: [aval([2], "int32"), double, double, double], domain: [[-2, 4]], params: noParams },
      {
        avals: [aval([2], "int32"), double, aval([], "float64"), double],
        domain: [[0, 2]],
        params: noParams,
      },
      { avals: [aval([2], "bool"), double, double], params: noParams },
      { avals: [aval([2], "bool"), aval([], "float64"), aval([], "float64")], params: noParams },
      { avals: [aval([], "bool"), double], params: noParams },
      { avals: [aval([0], "int32"), aval([0], "float64"), aval([0], "float64")], params: noParams },
      { avals: [aval([2], "int32"), aval([2], "bool"), aval([2], "bool")], params: noParams },
      { avals: [aval([2], "int32"), aval([2], "uint8"), aval([2], "uint8")], params: noParams },
    ],
  },
});

/**
 * The element of `cases[which]`, for each element of `which`: int32, clamped to the cases there are, or bool for two
 * cases. The cases have one dtype; all operands have one shape or are scalars. Linear in the cases together. Throws
 * `ArgumentError` without cases, `DtypeError` or `ShapeError` for operands that do not fit.
 *
 * @example selectN(np.array([2, 0], "int32"), np.array([1, 2]), np.array([3, 4]), np.array([5, 6])) // [5, 2]
 */
export const selectN = Object.assign(
  (which: NDArray, ...cases: NDArray[]): NDArray => bind(selectNPrimitive, [which, ...cases], noParams)[0],
  { primitive: selectNPrimitive },
);

const clampPrimitive = elementwise({
  name: "clamp",
  summary: "x, but not below lo and not above hi",
  arity: 3,
  domain: "number",
  evaluate: (lo, x, hi) => Math.min(Math.max(x, lo), hi),
  lower: ([lo, x, hi]) => irMin(irMax(x, lo), hi),
  // On an edge no operand has a derivative: strictly inside it is that of x, strictly outside that of the bound.
  tangents: () => [
    (t, lo, x, hi) => select(bitwiseAnd(lt(x, lo), lt(lo, hi)), t, 0),
    (t, lo, x, hi) => select(bitwiseAnd(lt(lo, x), lt(x, hi)), t, 0),
    (t, _, x, hi) => select(gt(x, hi), t, 0),
  ],
  cost: { operations: 2, multiplications: 0, transcendentals: 0 },
  examples: [
    {
      params: noParams,
      domain: [
        [-2, -1.5],
        [-1, 1],
        [1.5, 2],
      ],
    },
    {
      params: noParams,
      domain: [
        [0, 0.5],
        [-2, -0.5],
        [1, 2],
      ],
    },
    {
      params: noParams,
      domain: [
        [-2, -1],
        [0.5, 2],
        [-0.5, 0],
      ],
    },
  ],
});

/**
 * x, but not below `lo` and not above `hi` (which wins if they contradict each other). Numbers of one dtype, of one
 * shape or scalars; NaN anywhere gives NaN. The derivative is that of x strictly between the bounds, that of a bound
 * strictly outside of it, and zero on the edges. Throws `DtypeError` or `ShapeError` for other operands.
 *
 * @example clamp(0, np.array([-1, 3, 8]), 6) // [0, 3, 6]: relu6
 */
export const clamp = Object.assign(
  (lo: Operand, x: Operand, hi: Operand): NDArray =>
    bind(clampPrimitive, scalarsLike("clamp", [lo, x, hi]), noParams)[0],
  { primitive: clampPrimitive },
);
