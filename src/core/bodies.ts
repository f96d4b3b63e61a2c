/** What an equation runs: the body of a call, branches, a loop, or nothing but itself. */
import type { ControlFlow } from "./ir/lower.js";
import { type Eqn, type Jaxpr, Var } from "./jaxpr.js";

export type Execution =
  | ControlFlow
  /** It is a name for simpler equations, which take its operands. */
  | { readonly flow: "call"; readonly body: Jaxpr }
  /** Its outputs are its operands: nothing is computed. */
  | { readonly flow: "alias" }
  | { readonly flow: "operation" };

/** How an equation is run, as it is written: no loop is unrolled. */
export function executionOf({ primitive, inputs, params }: Eqn): Execution {
  const { lower, inline, name } = primitive;
  if (name === "optimizationBarrier") return { flow: "alias" };
  if (lower?.kind === "control") return lower.parts(params);
  const body = inline?.(
    params,
    inputs.map((a) => a.aval),
  );
  return body === undefined ? { flow: "operation" } : { flow: "call", body };
}

/** For each output the operand that it is, if it is one. */
export function aliasesOf(eqn: Eqn, execution: Execution): readonly (number | undefined)[] {
  if (execution.flow === "alias") return eqn.outputs.map((_, k) => k);
  if (execution.flow !== "call") return eqn.outputs.map(() => undefined);
  const { inputs, outputs } = execution.body;
  return outputs.map((a) => {
    const index = a instanceof Var ? inputs.indexOf(a) : -1;
    return index < 0 ? undefined : index;
  });
}
