/** `fluxion jacobian`. */

import { type JacobianPlan, jacobianModes } from "../analysis/jacobian/explanation.js";
import { jacobian } from "../analysis/jacobian/jacobian.js";
import { makeJaxpr } from "../transforms/makeJaxpr.js";
import type { Fn } from "../transforms/types.js";
import { readCall } from "./call.js";
import type { Command } from "./main.js";
import { oneOf } from "./words.js";

export const run: Command = async (target, flags, terminal) => {
  const mode = flags.mode === undefined ? undefined : oneOf("--mode", flags.mode, jacobianModes);
  const { f, args, argnums } = await readCall(target, flags, terminal);
  const planned = jacobian(f, {
    explain: true,
    ...(mode !== undefined && { mode }),
    ...(flags.sparse && { sparse: true }),
    ...(argnums !== undefined && { argnums: argnums as never }),
  }) as (...args: unknown[]) => [unknown, JacobianPlan];
  let plan: JacobianPlan | undefined;
  // The plan is made while the program is; nothing needs to be computed.
  const plans: Fn = (...inputs: unknown[]) => {
    [, plan] = planned(...inputs);
    return 0;
  };
  Object.defineProperty(plans, "name", { value: `jacobian(${f.name})` });
  makeJaxpr(plans)(...(args as never[]));
  const { way, passes, operations, nonzeros, density, candidates, blocks, reason } =
    plan as unknown as JacobianPlan;
  return {
    text: String(plan),
    data: { function: f.name, way, passes, operations, nonzeros, density, candidates, blocks, reason },
  };
};
