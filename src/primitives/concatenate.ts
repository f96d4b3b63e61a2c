/** Joining arrays along an axis. The transpose slices the cotangent apart again. */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, describeAll, type Shape, sizeOf } from "../core/aval.js";
import { allocate } from "../core/dtype.js";
import { ArgumentError, AxisError, DtypeError, ShapeError } from "../core/errors.js";
import { definePrimitive, LinearInput } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { isAxis, showParam } from "./checks.js";
import { moving } from "./dependence.js";
import { instantiate, repeat } from "./filled.js";
import { noWork } from "./linear.js";
import { pad, slice } from "./slicing.js";
import { lowerConcatenate } from "./slicingLower.js";

const total = (arrays: readonly { readonly shape: Shape }[], axis: number): number =>
  arrays.reduce((n, x) => n + x.shape[axis], 0);

const concatenatePrimitive = definePrimitive({
  name: "concatenate",
  family: "shape",
  summary: "arrays one after the other along an axis",
  abstractEval: (inputs, { axis }) => {
    if (inputs.length === 0)
      return left(new ArgumentError("concatenate takes at least one operand, got nothing"));
    const [first] = inputs;
    if (!isAxis(axis, first.shape.length))
      return left(new AxisError(`concatenate: ${showParam(axis)} is not an axis of ${describe(first)}`));
    if (inputs.some((x) => x.dtype !== first.dtype))
      return left(new DtypeError(`concatenate needs operands of one dtype, got ${describeAll(inputs)}`));
    const fits = (x: Aval) =>
      x.shape.length === first.shape.length && x.shape.every((n, i) => i === axis || n === first.shape[i]);
    if (!inputs.every(fits))
      return left(
        new ShapeError(
          `concatenate needs operands that differ only along axis ${axis}, got ${describeAll(inputs)}`,
        ),
      );
    const shape = first.shape.map((n, i) => (i === axis ? total(inputs, axis) : n));
    const weak = inputs.every((x) => x.weakType);
    return right([aval(shape, first.dtype, weak)]);
  },
  evaluate: (inputs, params, [out]) => {
    const axis = params.axis as number;
    const values = allocate(out.dtype, sizeOf(out.shape));
    const blocks = sizeOf(out.shape.slice(0, axis));
    const inner = sizeOf(out.shape.slice(axis + 1));
    const row = out.shape[axis] * inner;
    let offset = 0;
    for (const x of inputs) {
      const block = x.shape[axis] * inner;
      for (let b = 0; b < blocks; b++)
        values.set(x.values.subarray(b * block, (b + 1) * block), b * row + offset);
      offset += block;
    }
    return [new ConcreteArray(values, out)];
  },
  jvp: (primals, tangents, params) => {
    const axis = params.axis as number;
    const outputs = bind(concatenatePrimitive, primals, params);
    // Zeros at the ends become padding, so that one tangent among many operands needs no arrays of zeros.
    const active = tangents.map((t) => !isZero(t));
    const first = active.indexOf(true);
    const end = active.lastIndexOf(true) + 1;
    const before = total(primals.slice(0, first), axis);
    const after = total(primals.slice(end), axis);
    const middle = concatenate(tangents.slice(first, end).map(instantiate), axis);
    return {
      outputs,
      tangents: [
        before + after === 0
          ? middle
          : pad(
              middle,
              0,
              middle.shape.map((_, i) => (i === axis ? [before, after, 0] : [0, 0, 0])),
            ),
      ],
    };
  },
  transpose: ([ct], inputs, params) => {
    const axis = params.axis as number;
    let offset = 0;
    return inputs.map((x) => {
      const from = offset;
      offset += x.shape[axis];
      if (!(x instanceof LinearInput)) return null;
      if (isZero(ct)) return new Zero(x.aval);
      return slice(
        ct,
        ct.shape.map((_, i) => (i === axis ? from : 0)),
        ct.shape.map((n, i) => (i === axis ? from + x.shape[axis] : n)),
      );
    });
  },
  batch: (size, inputs, batched, params) => {
    const whole = inputs.map((x, i) => (batched[i] ? x : repeat(x, size)));
    return { outputs: [concatenate(whole, (params.axis as number) + 1)], batched: [true] };
  },
  lower: lowerConcatenate,
  cost: noWork,
  dependence: (...args) => moving(concatenatePrimitive.evaluate)(...args),
  laws: {
    differentiable: true,
    examples: () => [
      { avals: [aval([2], "float64"), aval([3], "float64")], params: { axis: 0 } },
      {
        avals: [aval([2, 1], "float64"), aval([2, 0], "float64"), aval([2, 2], "float64")],
        params: { axis: 1 },
      },
      {
        avals: [aval([1, 2], "float64"), aval([2, 2], "float64"), aval([1, 2], "float64")],
        params: { axis: 0 },
      },
      { avals: [aval([3], "float64")], params: { axis: 0 } },
      { avals: [aval([0, 2], "float64"), aval([0, 1], "float64")], params: { axis: 1 } },
      { avals: [aval([2], "uint8"), aval([1], "uint8")], params: { axis: 0 } },
    ],
  },
  simplify: (inputs) => (inputs.length === 1 ? 0 : undefined),
});

/**
 * The arrays `xs` one after the other along `axis` (any dtype, one for all; the shapes differ only along that axis).
 * Throws `ShapeError`, `DtypeError` or `AxisError`.
 *
 *     concatenate([np.array([1, 2]), np.array([3])], 0) // [1, 2, 3]
 */
export function concatenate(xs: readonly NDArray[], axis: number): NDArray {
  return bind(concatenatePrimitive, xs, { axis })[0];
}
