/**
 * The linear recurrence z_k = a_k · z_(k-1) + b_k along an axis. Derivatives of running products, maxima and
 * log-sum-exps are of this form: each step adds what is new and scales what came before. Nothing is divided, so zeros
 * among the a_k do no harm; and its own derivatives, forwards and transposed, are recurrences of the same kind.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describeAll, sameShape, sizeOf } from "../core/aval.js";
import { allocate, isFloat, settle } from "../core/dtype.js";
import { DtypeError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import { definePrimitive, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { mul } from "./arithmetic.js";
import { typeRule } from "./checks.js";
import { lowerRecurrence } from "./cumulativeLower.js";
import { running } from "./dependence.js";
import { type Direction, directionError, eachLine, inBatch, opposite, previous } from "./direction.js";
import { add } from "./elementwise.js";
import { repeat } from "./filled.js";

const pairOf = (type: Aval): readonly [Aval, Aval] => [type, type];

const recurrencePrimitive = definePrimitive({
  name: "linearRecurrence",
  family: "cumulative",
  summary: "z_k = a_k · z_(k-1) + b_k along an axis, from z = 0",
  abstractEval: typeRule("linearRecurrence", 2, ([a, b], params) => {
    if (!sameShape(a.shape, b.shape))
      return left(new ShapeError(`linearRecurrence needs operands of one shape, got ${describeAll([a, b])}`));
    if (a.dtype !== b.dtype || !isFloat(a.dtype))
      return left(
        new DtypeError(`linearRecurrence needs operands of one float dtype, got ${describeAll([a, b])}`),
      );
    const wrong = directionError("linearRecurrence", a, params);
    return wrong === undefined ? right([aval(a.shape, a.dtype, a.weakType && b.weakType)]) : left(wrong);
  }),
  evaluate: ([a, b], params, [out]) => {
    const values = allocate(out.dtype, sizeOf(out.shape));
    eachLine(out.shape, params as Direction, (start, step, length) => {
      let z = b.values[start];
      values[start] = z;
      for (let k = 1, at = start + step; k < length; k++, at += step) {
        z = a.values[at] * z + b.values[at];
        values[at] = z;
      }
    });
    return [new ConcreteArray(settle(out.dtype, values), out)];
  },
  jvp: ([a, b], [ta, tb], params) => {
    const direction = params as Direction;
    const z = linearRecurrence(a, b, direction);
    const scaled = isZero(ta) ? ta : mul(ta, previous(z, direction, 0));
    const source = isZero(scaled) ? tb : isZero(tb) ? scaled : add(scaled, tb);
    return { outputs: [z], tangents: [isZero(source) ? source : linearRecurrence(a, source, direction)] };
  },
  transpose: ([ct], [a, b], params) => {
    if (a instanceof LinearInput)
      throw new NotDifferentiableError(
        "linearRecurrence is not linear in its factors, so it cannot be transposed",
      );
    if (!(b instanceof LinearInput)) return [null, null];
    if (isZero(ct)) return [null, new Zero(b.aval)];
    // Backwards each step hands on to the one before it with the factor that the forward step had.
    const back = opposite(params as Direction);
    return [null, linearRecurrence(previous(a, back, 0), ct, back)];
  },
  batch: (size, inputs, batched, params) => {
    const [a, b] = inputs.map((x, i) => (batched[i] ? x : repeat(x, size)));
    return { outputs: [linearRecurrence(a, b, inBatch(params as Direction))], batched: [true] };
  },
  lower: lowerRecurrence,
  dependence: running,
  cost: ([a]) => ({ operations: 2 * sizeOf(a.shape), multiplications: sizeOf(a.shape), transcendentals: 0 }),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: pairOf(aval([4], "float64")), params: { axis: 0, reverse: false } },
      { avals: pairOf(aval([4], "float64")), params: { axis: 0, reverse: true } },
      { avals: pairOf(aval([2, 3], "float64")), params: { axis: 1, reverse: false } },
      { avals: pairOf(aval([3, 2], "float64")), params: { axis: 0, reverse: true } },
      { avals: pairOf(aval([1], "float64")), params: { axis: 0, reverse: false } },
      { avals: pairOf(aval([0, 2], "float64")), params: { axis: 0, reverse: false } },
    ],
  },
});

/**
 * Solves z_k = a_k · z_(k-1) + b_k along an axis, starting from z = 0: the first factor is not looked at.
 * Float arrays of one shape and dtype; with `reverse` it runs from the last element to the first.
 * It is linear in `b`. Throws `ShapeError`, `DtypeError` or `AxisError`.
 *
 *     linearRecurrence(np.array([0.5, 0.5, 0.5]), np.array([1.0, 1.5, 2.0]), { axis: 0, reverse: false }) // [1, 2, 3]
 */
export function linearRecurrence(a: NDArray, b: NDArray, { axis, reverse }: Direction): NDArray {
  return bind(recurrencePrimitive, [a, b], { axis, reverse })[0];
}
