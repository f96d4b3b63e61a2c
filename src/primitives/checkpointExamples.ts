/** Applications of checkpoint that together reach every branch of its rules: for the laws. */
import type { NDArray } from "../core/array.js";
import { type Aval, aval } from "../core/aval.js";
import { buildJaxpr } from "../core/build.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { Example, Params } from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { add, mul } from "./arithmetic.js";
import { reduceSum } from "./broadcast.js";
import { callPrimitive } from "./call.js";
import { convertElementType } from "./cast.js";
import { bindName } from "./checkpointName.js";
import { type CheckpointPolicy, checkpointPolicies } from "./checkpointPolicies.js";
import { dotGeneral } from "./dot.js";
import { exp } from "./exponential.js";
import { cos, sin } from "./trigonometric.js";

type Body = (...inputs: NDArray[]) => readonly NDArray[];

/** Binds a checkpoint, for those inside of others. */
type Bind = (
  jaxpr: Jaxpr,
  name: string,
  inputs: readonly NDArray[],
  policy?: CheckpointPolicy,
) => readonly NDArray[];

const x = aval([2], "float64");
const s = aval([], "float64");
const m = aval([2, 2], "float64");
const n = aval([2], "int32");

/** @param policyParams the params of a policy. */
export function checkpointExamples(
  bindCheckpoint: Bind,
  policyParams: (policy: CheckpointPolicy) => Params,
): readonly Example[] {
  const example = (types: readonly Aval[], params: Params, f: Body): Example => ({
    avals: types,
    // Where sines of exponentials make no large errors of small ones.
    domain: types.map((type) => (type.dtype === "int32" ? [0, 3] : [-1, 1])),
    params: { jaxpr: buildJaxpr("checkpoint", types, (inputs) => f(...inputs)), name: "f", ...params },
  });
  const { dotsSaveable, everythingSaveable, saveOnlyTheseNames } = checkpointPolicies;
  const product = (a: NDArray, b: NDArray): NDArray =>
    dotGeneral(a, b, { contracting: [[1], [0]], batch: [[], []] });
  const inner = buildJaxpr("checkpoint", [x], ([a]) => [sin(mul(a, exp(a)))]);
  return [
    example([x], {}, (a) => [sin(sin(a))]),
    // Results that are operands, or known whatever is unknown; integers; operands that nothing needs.
    example([x, n, s], {}, (a, k) => [mul(exp(a), convertElementType(k, "float64")), k, a]),
    example([x, s], {}, (a, c) => [reduceSum(mul(sin(a), cos(a)), [0]), exp(c)]),
    example([], {}, () => []),
    // Policies: what is stored is an output, or is not; names.
    example([m, m], policyParams(dotsSaveable), (a, w) => {
      const y = product(sin(a), w);
      return [exp(y), product(sin(y), w)];
    }),
    example([x], policyParams(everythingSaveable), (a) => {
      const y = exp(sin(a));
      return [y, mul(y, sin(y))];
    }),
    example([x], policyParams(saveOnlyTheseNames("hidden")), (a) => [
      sin(bindName(exp(mul(a, a)), "hidden")),
    ]),
    // Room for one of two arrays.
    example([x], { budget: 16 }, (a) => [sin(exp(sin(a)))]),
    example([x], { preventCse: false }, (a) => [sin(exp(a))]),
    // Calls and checkpoints inside.
    example([x], { budget: 1000 }, (a) => {
      const [y] = bindCheckpoint(inner, "g", [sin(a)]);
      const [z] = bind(callPrimitive, [y], { jaxpr: inner, name: "h" });
      return [add(mul(z, z), a)];
    }),
  ];
}
