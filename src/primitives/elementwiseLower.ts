/** How elementwise operations are compiled: an element of the result is an expression of elements of the operands. */
import type { DType } from "../core/dtype.js";
import { ArgumentError, MissingRuleError } from "../core/errors.js";
import type { MapContext, MapRule } from "../core/ir/lower.js";
import { cast, host, ne } from "../core/ir/ops.js";
import { type Expr, scalarTypeOf } from "../core/ir/types.js";
import type { Params } from "../core/primitive.js";
import { type ElementFunction, type ElementwiseSpec, work } from "./elementwiseSpec.js";

/** Work that a transcendental function takes beside the one operation that it counts for. */
const transcendental = 9;

/** Elements of all operands; those that are scalars are read at the empty index. */
export const elementsAt = (ctx: MapContext, index: readonly Expr[]): Expr[] =>
  ctx.inputs.map((x, i) => ctx.operand(i, x.shape.length === 0 ? [] : index));

/** A function of single precision as a `lower` rule: float64 is left to JavaScript. */
export const single =
  <A extends readonly Expr[]>(f: (...args: A) => Expr) =>
  (...args: [...A, DType]): Expr | undefined =>
    args.at(-1) === "float64" ? undefined : f(...(args.slice(0, -1) as unknown as A));

/** The `lower` rule of an operation. */
export function lowerElementwise(spec: ElementwiseSpec): MapRule {
  const { name, lower, weight, cost = work.add } = spec;
  return {
    kind: "map",
    element: (ctx, index, params) => {
      const args = elementsAt(ctx, index);
      const { dtype } = ctx.inputs[ctx.inputs.findIndex((_, i) => spec.fixed?.[i] === undefined)];
      const element = lower?.(args, dtype, params) ?? onHost(spec, ctx, args, dtype, params);
      const wanted = scalarTypeOf(ctx.outputs[0].dtype);
      if (element.type !== wanted)
        throw new ArgumentError(
          `${name}: its lower rule gives ${element.type}, but ${ctx.outputs[0].dtype} is computed as ${wanted}`,
        );
      return [element];
    },
    weight: (params) => {
      if (weight !== undefined) return typeof weight === "function" ? weight(params) : weight;
      const { operations, transcendentals } = typeof cost === "function" ? cost(params) : cost;
      return operations + transcendental * transcendentals;
    },
  };
}

/** The element as a call of the function that `evaluate` is. */
function onHost(
  spec: ElementwiseSpec,
  { target, outputs }: MapContext,
  args: readonly Expr[],
  dtype: DType,
  params: Params,
): Expr {
  const { name } = spec;
  if (target !== "wasm")
    throw new MissingRuleError(
      `primitive "${name}" has no lower rule for ${dtype}, so it cannot run on ${target}; it runs on the CPU devices`,
      { primitive: name, rule: "lower" },
    );
  const f = spec.evaluate ?? spec.evaluateFor?.(dtype, params);
  if (f === undefined) throw new ArgumentError(`${name}: give evaluate or evaluateFor`);
  return hostElement(name, f, args, outputs[0].dtype);
}

/** A call of a function of double precision; its result is rounded or wrapped to a dtype as storing it does. */
export function hostElement(name: string, f: ElementFunction, args: readonly Expr[], dtype: DType): Expr {
  const call = (g: ElementFunction): Expr =>
    host(
      name,
      "f64",
      g,
      args.map((a) => cast("f64", a)),
    );
  switch (dtype) {
    case "float64":
      return call(f);
    case "float32":
    case "float16":
      return cast("f32", call(f));
    case "int32":
      return cast(
        "i32",
        call((...x) => f(...x) | 0),
      );
    case "bool":
      return ne(
        call((...x) => f(...x) & 1),
        0,
      );
    default:
      return cast(
        "u32",
        call((...x) => f(...x) >>> 0),
      );
  }
}
