/** Tangents and batches through a dynamic loop. */
import { type NDArray, scalar } from "../../core/array.js";
import { aval, withShape } from "../../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../../core/build.js";
import { isFloat } from "../../core/dtype.js";
import { hasEffects } from "../../core/effects.js";
import { evalJaxpr } from "../../core/eval.js";
import { Jaxpr, Var } from "../../core/jaxpr.js";
import { identityOf } from "../../core/params.js";
import type { BatchRule, JvpRule, Passes } from "../../core/primitive.js";
import { isZero, type Tangent, zeroFor } from "../../core/zero.js";
import { bitwiseAnd } from "../bits.js";
import { broadcastInDim } from "../broadcast.js";
import { lt } from "../comparison.js";
import { add } from "../elementwise.js";
import { instantiate, repeat } from "../filled.js";
import { reduceMax, reduceOr } from "../reduction.js";
import { select } from "../select.js";
import { activeRows } from "./rows.js";
import { bindScan } from "./scan.js";
import { batchBody, except, type Mask, only, pushBody } from "./whileBody.js";
import {
  type BindIterate,
  type BindWhile,
  type IterateParams,
  type WhileParams,
  whileParts,
} from "./whileParams.js";

// ---------------------------------------------------------------------------------------------------------------------
// Tangents
// ---------------------------------------------------------------------------------------------------------------------

/** Operands of a loop that carries tangents along, and what its results are. */
function pushOperands(
  body: Jaxpr,
  consts: number,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  passes: Passes,
) {
  const active = tangents.map((t, i) => !isZero(t) && isFloat(primals[i].dtype));
  const pushed = pushBody(body, consts, active, passes);
  const moving = [
    ...only(tangents.slice(0, consts), active.slice(0, consts)),
    ...only(tangents.slice(consts), pushed.carry),
  ].map(instantiate);
  const own = active.slice(0, consts).filter((a) => a).length;
  return {
    body: pushed.jaxpr,
    consts: [...primals.slice(0, consts), ...moving.slice(0, own)],
    carry: [...primals.slice(consts), ...moving.slice(own)],
    results: (outputs: readonly NDArray[]): ReturnType<JvpRule> => {
      const count = pushed.carry.length;
      let next = count;
      return {
        outputs: outputs.slice(0, count),
        tangents: pushed.carry.map((a, k) => (a ? outputs[next++] : zeroFor(outputs[k].aval))),
      };
    },
  };
}

/** The loop with the tangents in its carry; they have no say in how many steps there are. */
export function pushWhile(
  bindWhile: BindWhile,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: WhileParams,
  passes: Passes,
): ReturnType<JvpRule> {
  const { condConsts, bodyConsts } = params;
  const pushed = pushOperands(
    params.body,
    bodyConsts,
    primals.slice(condConsts),
    tangents.slice(condConsts),
    passes,
  );
  const more = pushed.carry.slice(primals.length - condConsts - bodyConsts);
  const outputs = bindWhile(
    {
      ...params,
      cond: withMore(
        params.cond,
        more.map((t) => t.aval),
      ),
      body: pushed.body,
      bodyConsts: pushed.consts.length,
    },
    [...primals.slice(0, condConsts), ...pushed.consts, ...pushed.carry],
  );
  return pushed.results(outputs);
}

/** A condition that is given more carries, at the end, and does not look at them. */
export const withMore = memoize(
  (types: readonly { shape: readonly number[]; dtype: string; weakType: boolean }[]) =>
    types.map((t) => `${t.weakType}${t.dtype}${t.shape}`).join(";"),
  (cond: Jaxpr, types: readonly Var["aval"][]): Jaxpr =>
    new Jaxpr(
      [...cond.inputs, ...types.map((type, i) => new Var(cond.varCount + i, type))],
      cond.eqns,
      cond.outputs,
      cond.varCount + types.length,
    ),
);

export function pushIterate(
  bindIterate: BindIterate,
  [count, ...primals]: readonly NDArray[],
  [_, ...tangents]: readonly Tangent[],
  params: IterateParams,
  passes: Passes,
): ReturnType<JvpRule> {
  const pushed = pushOperands(params.body, params.consts, primals, tangents, passes);
  return pushed.results(
    bindIterate({ ...params, body: pushed.body, consts: pushed.consts.length }, [
      count,
      ...pushed.consts,
      ...pushed.carry,
    ]),
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// Batches
// ---------------------------------------------------------------------------------------------------------------------

const repeated = (xs: readonly NDArray[], are: Mask, shouldBe: Mask, size: number): NDArray[] =>
  xs.map((x, i) => (shouldBe[i] && !are[i] ? repeat(x, size) : x));

/**
 * The loop runs until all rows are done. If they are not all done at the same time, rows that are keep their values, and the
 * body sees those of a row that is not in their place.
 */
export function batchWhile(
  bindWhile: BindWhile,
  size: number,
  inputs: readonly NDArray[],
  batched: Mask,
  params: WhileParams,
  passes: Passes,
): ReturnType<BatchRule> {
  const { cond, body, bodyConsts } = params;
  const given = whileParts(inputs, params);
  const mask = whileParts(batched, params);
  const together = batchBody(body, bodyConsts, size, [...mask.bodyConsts, ...mask.carry], passes);
  const asked = passes.batch(cond, size, [...mask.condConsts, ...together.carry]);
  if (!asked.batchedOut[0]) {
    const carry = repeated(given.carry, mask.carry, together.carry, size);
    return {
      outputs: bindWhile({ ...params, cond: asked.jaxpr, body: together.jaxpr }, [
        ...given.condConsts,
        ...given.bodyConsts,
        ...carry,
      ]),
      batched: together.carry,
    };
  }
  const all = given.carry.map(() => true);
  if (hasEffects(body) || hasEffects(cond))
    return { outputs: rowByRow(bindWhile, size, inputs, batched, params), batched: all };
  const rows = rowsWhile(body, cond, size, mask.condConsts, mask.bodyConsts, passes);
  const carry = repeated(given.carry, mask.carry, all, size);
  const active = evalJaxpr(rows.asked, [...given.condConsts, ...carry]);
  const results = bindWhile(
    {
      ...params,
      cond: rows.cond,
      body: rows.body,
      condConsts: 0,
      bodyConsts: given.condConsts.length + given.bodyConsts.length,
    },
    [...given.condConsts, ...given.bodyConsts, ...carry, ...active],
  );
  return { outputs: results.slice(0, -1), batched: all };
}

/** Each row by itself, one after the other: effects happen for the steps that a row has, and only for them. */
function rowByRow(
  bindWhile: BindWhile,
  size: number,
  inputs: readonly NDArray[],
  batched: Mask,
  params: WhileParams,
): readonly NDArray[] {
  const shared = except(inputs, batched);
  const types = inputs.map(({ aval: type }, i) => (batched[i] ? withShape(type, type.shape.slice(1)) : type));
  const jaxpr = buildJaxpr("vmap", [...except(types, batched), ...only(types, batched)], (given) => {
    let [nextShared, nextRow] = [0, shared.length];
    return bindWhile(
      params,
      batched.map((b) => given[b ? nextRow++ : nextShared++]),
    );
  });
  return bindScan({ jaxpr, length: size, reverse: false, unroll: 1, consts: shared.length, carries: 0 }, [
    ...shared,
    ...only(inputs, batched),
  ]);
}

/** Rows take their new values where they are active. */
const choose = (active: NDArray, next: readonly NDArray[], carry: readonly NDArray[]): NDArray[] =>
  next.map((y, k) => select(broadcastInDim(active, y.shape, [0]), y, carry[k]));

/** The parts of a batched `while` whose rows end at different times; the last carry says which rows are active. */
const rowsWhile = memoize(
  (cond: Jaxpr, size: number, ofCond: Mask, ofBody: Mask, _: Passes) =>
    `${identityOf(cond)}/${size}/${maskKey(ofCond)}/${maskKey(ofBody)}`,
  (body: Jaxpr, cond: Jaxpr, size: number, ofCond: Mask, ofBody: Mask, passes: Passes) => {
    const all = body.outputs.map(() => true);
    const asked = passes.batch(cond, size, [...ofCond, ...all], [true]).jaxpr;
    const step = passes.batch(body, size, [...ofBody, ...all], all).jaxpr;
    const carryTypes = body.outAvals.map((type) => withShape(type, [size, ...type.shape]));
    const condTypes = asked.inAvals.slice(0, ofCond.length);
    const bodyTypes = step.inAvals.slice(0, ofBody.length);
    const rows = aval([size], "bool");
    return {
      asked,
      cond: buildJaxpr("vmap", [...carryTypes, rows], (inputs) => [reduceOr(inputs[all.length], [0])]),
      body: buildJaxpr("vmap", [...condTypes, ...bodyTypes, ...carryTypes, rows], (inputs) => {
        const condConsts = inputs.slice(0, ofCond.length);
        const bodyConsts = inputs.slice(ofCond.length, ofCond.length + ofBody.length);
        const carry = inputs.slice(ofCond.length + ofBody.length, -1);
        const active = inputs[inputs.length - 1];
        const next = choose(active, evalJaxpr(step, seen(active, bodyConsts, ofBody, carry)), carry);
        const [more] = evalJaxpr(asked, [...condConsts, ...next]);
        return [...next, bitwiseAnd(active, more)];
      }),
    };
  },
);

/** What the body sees of a batch of which some rows are done. */
function seen(
  active: NDArray,
  consts: readonly NDArray[],
  batched: Mask,
  carry: readonly NDArray[],
): NDArray[] {
  const rows = activeRows(active, [...only(consts, batched), ...carry]);
  let next = 0;
  const shown = consts.map((x, i) => (batched[i] ? rows[next++] : x));
  return [...shown, ...rows.slice(next)];
}

export function batchIterate(
  bindIterate: BindIterate,
  size: number,
  [count, ...inputs]: readonly NDArray[],
  [countBatched, ...batched]: Mask,
  params: IterateParams,
  passes: Passes,
): ReturnType<BatchRule> {
  const { body, consts } = params;
  const given = { consts: inputs.slice(0, consts), carry: inputs.slice(consts) };
  const mask = { consts: batched.slice(0, consts), carry: batched.slice(consts) };
  if (!countBatched) {
    const together = batchBody(body, consts, size, batched, passes);
    const carry = repeated(given.carry, mask.carry, together.carry, size);
    return {
      outputs: bindIterate({ ...params, body: together.jaxpr }, [count, ...given.consts, ...carry]),
      batched: together.carry,
    };
  }
  const all = given.carry.map(() => true);
  const most = size === 0 ? scalar(0, "int32") : reduceMax(count, [0]);
  const results = bindIterate(
    { ...params, body: rowsIterate(body, size, mask.consts, passes), consts: consts + 1 },
    [most, count, ...given.consts, scalar(0, "int32"), ...repeated(given.carry, mask.carry, all, size)],
  );
  return { outputs: results.slice(1), batched: all };
}

/** A body whose constants begin with the numbers of steps of the rows, and whose carry begins with the step. */
const rowsIterate = memoize(
  (size: number, batched: Mask, _: Passes) => `${size}/${maskKey(batched)}`,
  (body: Jaxpr, size: number, batched: Mask, passes: Passes): Jaxpr => {
    const all = body.outputs.map(() => true);
    const step = passes.batch(body, size, [...batched, ...all], all).jaxpr;
    const consts = step.inAvals.slice(0, batched.length);
    const carryTypes = step.inAvals.slice(batched.length);
    const int = aval([], "int32");
    return buildJaxpr("vmap", [aval([size], "int32"), ...consts, int, ...carryTypes], ([counts, ...rest]) => {
      const given = rest.slice(0, batched.length);
      const [at, ...carry] = rest.slice(batched.length);
      const active = lt(at, counts);
      const next = choose(active, evalJaxpr(step, seen(active, given, batched, carry)), carry);
      return [add(at, 1), ...next];
    });
  },
);
