/** Running a function of one element over storage. */
import type { DType, TypedArray } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { noParams } from "../core/params.js";
import type { Params } from "../core/primitive.js";
import type { ElementFunction, ElementwiseSpec } from "./elementwiseSpec.js";

/** Fills `out`; an operand of one element is a scalar that goes with every element. */
export type Loop = (operands: readonly TypedArray[], out: TypedArray) => void;

/** A scalar among vectors is read again and again: its stride is 0. */
const stride = (operand: TypedArray, out: TypedArray): number => (operand.length === out.length ? 1 : 0);

function makeLoop(f: ElementFunction, arity: 1 | 2 | 3): Loop {
  if (arity === 1)
    return ([a], out) => {
      for (let i = 0; i < out.length; i++) out[i] = f(a[i]);
    };
  if (arity === 2)
    return ([a, b], out) => {
      const sa = stride(a, out);
      const sb = stride(b, out);
      for (let i = 0; i < out.length; i++) out[i] = f(a[i * sa], b[i * sb]);
    };
  return ([a, b, c], out) => {
    const sa = stride(a, out);
    const sb = stride(b, out);
    const sc = stride(c, out);
    for (let i = 0; i < out.length; i++) out[i] = f(a[i * sa], b[i * sb], c[i * sc]);
  };
}

/** The loop for a dtype and params: one for all where neither matters, one per dtype where params do not. */
export function makeLoops(spec: ElementwiseSpec): (dtype: DType, params: Params) => Loop {
  if (spec.evaluate !== undefined) {
    const loop = makeLoop(spec.evaluate, spec.arity);
    return () => loop;
  }
  const make = spec.evaluateFor;
  if (make === undefined) throw new ArgumentError(`${spec.name}: give evaluate or evaluateFor`);
  const loops = new Map<DType, Loop>();
  return (dtype, params) => {
    if (params !== noParams) return makeLoop(make(dtype, params), spec.arity);
    let loop = loops.get(dtype);
    if (loop === undefined) {
      loop = makeLoop(make(dtype, params), spec.arity);
      loops.set(dtype, loop);
    }
    return loop;
  };
}
