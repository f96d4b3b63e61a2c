/** Rules of primitives that are linear in their first operand: the tangent goes through the same operation. */
import type { NDArray } from "../core/array.js";
import { type Cost, type JvpRule, LinearInput, type Params, type TransposeRule } from "../core/primitive.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";

/**
 * Tangent and transpose rule of an operation that is linear in operand 0; other operands (indices, say) are carried
 * along. `apply` binds the primitive; `transposed` gives the operand's cotangent from that of the output.
 */
export function linear(
  apply: (inputs: readonly NDArray[], params: Params) => readonly NDArray[],
  transposed: (ct: NDArray, x: LinearInput, params: Params, inputs: readonly NDArray[]) => NDArray,
): { readonly jvp: JvpRule; readonly transpose: TransposeRule } {
  return {
    jvp: (primals, tangents, params) => {
      const outputs = apply(primals, params);
      const t = tangents[0];
      const moved: readonly Tangent[] = isZero(t)
        ? outputs.map((o) => zeroFor(o.aval))
        : apply([t, ...primals.slice(1)], params);
      return { outputs, tangents: moved };
    },
    transpose: ([ct], inputs, params) =>
      inputs.map((x, i) => {
        if (i > 0 || !(x instanceof LinearInput)) return null;
        return isZero(ct) ? new Zero(x.aval) : transposed(ct, x, params, inputs as NDArray[]);
      }),
  };
}

/** Moving data costs no operations; bytes follow from the types. */
export const noWork = (): Cost => ({ operations: 0, multiplications: 0, transcendentals: 0 });
