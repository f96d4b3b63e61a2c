/**
 * A cond in a batch whose rows go different ways: every branch is applied to all rows, and each row takes its own result.
 *
 * A branch is to see nothing but rows that take it, because what it does to others may have no value or no derivative, and
 * 0·∞ = NaN would find its way into gradients. So the operands of other rows are replaced by those of a row that takes
 * it, and if no row does, operands that all rows share count as constants. A branch with control flow of its own (which might
 * not even end for a row that it is not meant for), or one that is dear, is left out where no row takes it.
 */
import { type NDArray, scalar } from "../../core/array.js";
import { aval, withShape } from "../../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../../core/build.js";
import { isFloat } from "../../core/dtype.js";
import { hasEffects } from "../../core/effects.js";
import { evalJaxpr } from "../../core/eval.js";
import { type Jaxpr, subJaxprs } from "../../core/jaxpr.js";
import type { Passes } from "../../core/primitive.js";
import { broadcastInDim } from "../broadcast.js";
import { jaxprCost } from "../call.js";
import { convertElementType } from "../cast.js";
import { eq, ge, le } from "../comparison.js";
import { filled, zeros } from "../filled.js";
import { reduceOr } from "../reduction.js";
import { selectN } from "../select.js";
import type { BindCond, Mask } from "./condBranches.js";
import { activeRows, whereActive } from "./rows.js";
import { bindScan } from "./scan.js";

/** A branch that does more than this for one row is worth asking whether any row takes it. */
const dear = 1000;

/** The batch rule of cond for an index that differs from row to row: all results are batched. */
export function batchByRows(
  bindCond: BindCond,
  size: number,
  index: NDArray,
  operands: readonly NDArray[],
  batched: Mask,
  branches: readonly Jaxpr[],
  passes: Passes,
): { outputs: readonly NDArray[]; batched: Mask } {
  const all = branches[0].outputs.map(() => true);
  if (branches.some(hasEffects))
    return { outputs: rowByRow(bindCond, size, index, operands, batched, branches), batched: all };
  if (size === 0)
    return { outputs: branches[0].outAvals.map((y) => zeros(withShape(y, [0, ...y.shape]))), batched: all };
  const results = branches.map((branch, i) => {
    const taken = rowsTaking(index, i, branches.length);
    const inputs = [taken, ...operands];
    const whole = forRows(branch, passes, size, batched);
    if (!isWorthSkipping(branch)) return evalJaxpr(whole, inputs);
    return bindCond([nothing(whole), whole], convertElementType(reduceOr(taken, [0]), "int32"), inputs);
  });
  const outputs = results[0].map((first, k) => {
    // Nothing computes with float0: one is as good as the other.
    if (branches.length === 1 || first.dtype === "float0") return first;
    return selectN(broadcastInDim(index, first.shape, [0]), ...results.map((ys) => ys[k]));
  });
  return { outputs, batched: all };
}

/** Which rows take branch i of n; outside of the list the nearest one is taken. */
function rowsTaking(index: NDArray, i: number, n: number): NDArray {
  if (n === 1) return filled(index.shape, scalar(true, "bool"));
  return i === 0 ? le(index, 0) : i === n - 1 ? ge(index, i) : eq(index, i);
}

const isWorthSkipping: (branch: Jaxpr) => boolean = memoize(
  () => "",
  (branch: Jaxpr): boolean =>
    jaxprCost(branch).operations > dear ||
    branch.eqns.some(
      ({ primitive, params }) =>
        primitive.lower?.kind === "control" || subJaxprs(params).some((body) => isWorthSkipping(body)),
    ),
);

/** A branch for a whole batch: takes a flag for each row that says whether it counts, then the operands. */
const forRows = memoize(
  (_: Passes, size: number, batched: Mask) => `${size}/${maskKey(batched)}`,
  (branch: Jaxpr, passes: Passes, size: number, batched: Mask): Jaxpr => {
    const { jaxpr } = passes.batch(
      branch,
      size,
      batched,
      branch.outputs.map(() => true),
    );
    return buildJaxpr("vmap", [aval([size], "bool"), ...jaxpr.inAvals], ([taken, ...inputs]) => {
      const rows = activeRows(
        taken,
        inputs.filter((_, i) => batched[i]),
      );
      const some = reduceOr(taken, [0]);
      let next = 0;
      return evalJaxpr(
        jaxpr,
        inputs.map((x, i) => {
          if (batched[i]) return rows[next++];
          return isFloat(x.dtype) ? whereActive(some, x) : x;
        }),
      );
    });
  },
);

/** Zeros in place of the results of a jaxpr. */
const nothing = memoize(
  () => "",
  (jaxpr: Jaxpr): Jaxpr => buildJaxpr("vmap", jaxpr.inAvals, () => jaxpr.outAvals.map(zeros)),
);

/** Each row by itself, one after the other: effects happen for the rows that take the branch, and only for them. */
function rowByRow(
  bindCond: BindCond,
  size: number,
  index: NDArray,
  operands: readonly NDArray[],
  batched: Mask,
  branches: readonly Jaxpr[],
): readonly NDArray[] {
  const consts = operands.filter((_, i) => !batched[i]);
  const rows = operands.filter((_, i) => batched[i]);
  const { inAvals } = branches[0];
  const types = [
    ...inAvals.filter((_, i) => !batched[i]),
    withShape(index.aval, []),
    ...inAvals.filter((_, i) => batched[i]),
  ];
  const jaxpr = buildJaxpr("vmap", types, (inputs) => {
    const shared = inputs.slice(0, consts.length);
    const [which, ...row] = inputs.slice(consts.length);
    let [nextShared, nextRow] = [0, 0];
    return bindCond(
      branches,
      which,
      batched.map((b) => (b ? row[nextRow++] : shared[nextShared++])),
    );
  });
  return bindScan({ jaxpr, length: size, reverse: false, unroll: 1, consts: consts.length, carries: 0 }, [
    ...consts,
    index,
    ...rows,
  ]);
}
