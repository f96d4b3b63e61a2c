/** The expression that a `map` rule makes of given elements. */
import { aval } from "../../../src/core/aval.js";
import type { Expr } from "../../../src/core/ir/types.js";
import type { Primitive } from "../../../src/core/primitive.js";

/** Element 0 of vectors of float32, whose elements are `args`. */
export function mapElement(primitive: Primitive, args: readonly Expr[]): Expr {
  const { lower } = primitive;
  if (lower?.kind !== "map") throw new Error(`${primitive.name} is not a map`);
  const inputs = args.map(() => aval([1], "float32"));
  const types = primitive.abstractEval(inputs, {});
  if (types._tag === "Left") throw types.left;
  const context = {
    target: "webgpu" as const,
    inputs,
    outputs: types.right,
    operand: (i: number) => args[i],
    guarded: <T>(_: Expr, body: () => T): T => body(),
  };
  return lower.element(context, [], {})[0];
}
