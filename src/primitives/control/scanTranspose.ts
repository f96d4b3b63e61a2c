/**
 * The transpose of a scan is a scan the other way. Its carry holds the cotangents of the carry, and the sums of those of
 * the constants: a constant is used in every step, and what each step contributes is added up on the way.
 */
import type { NDArray } from "../../core/array.js";
import { type Aval, tangentAval } from "../../core/aval.js";
import { buildJaxpr, maskKey, masksKey, memoize } from "../../core/build.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import {
  LinearInput,
  type PartialEvalResult,
  type Passes,
  type TransposeRule,
} from "../../core/primitive.js";
import { isZero, type Tangent, Zero } from "../../core/zero.js";
import { add } from "../elementwise.js";
import { instantiate, zeros } from "../filled.js";
import { inputParts, outputParts, type ScanParams } from "./scanParams.js";
import { splitBody } from "./scanPartialEval.js";
import type { BindScan } from "./scanRules.js";

export function transposeScan(
  bindScan: BindScan,
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  params: ScanParams,
  passes: Passes,
): ReturnType<TransposeRule> {
  const linear = inputs.map((x) => x instanceof LinearInput);
  const { unknownIn } = splitBody(params.jaxpr, params.consts, params.carries, linear, passes);
  return inputParts(unknownIn, params).carry.every((u) => u)
    ? transposeLinear(bindScan, cotangents, inputs, params, passes)
    : transposeMixed(bindScan, cotangents, inputs, linear, params, passes);
}

const isArray = (x: NDArray | LinearInput): x is NDArray => !(x instanceof LinearInput);

/** Carries that do not depend on linear values, a counter for instance, are run forwards in a scan of their own. */
function transposeMixed(
  bindScan: BindScan,
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  linear: readonly boolean[],
  params: ScanParams,
  passes: Passes,
): ReturnType<TransposeRule> {
  const { known, unknown, residuals } = splitAlone(
    params.jaxpr,
    inputs.map((x) => x.aval),
    linear,
    params,
    bindScan,
    passes,
  );
  const values = evalJaxpr(known, inputs.filter(isArray));
  const zero = cotangents.map(isZero);
  const mask = unknown.inputs.map((_, i) => i >= residuals);
  const { jaxpr, zeroOut } = passes.transpose(unknown, mask, zero);
  const results = evalJaxpr(jaxpr, [...values, ...cotangents.filter((ct): ct is NDArray => !isZero(ct))]);
  let nextInput = 0;
  let nextResult = 0;
  return inputs.map((x) => {
    if (isArray(x)) return null;
    return zeroOut[nextInput++] ? new Zero(x.aval) : results[nextResult++];
  });
}

/** The scan as a program of one equation, split. */
const splitAlone = memoize(
  (
    _: readonly Aval[],
    linear: readonly boolean[],
    { length, reverse, unroll, consts, carries }: ScanParams,
    __: BindScan,
    ___: Passes,
  ) => `${length}/${reverse}/${unroll}/${consts}/${carries}/${maskKey(linear)}`,
  (
    _: Jaxpr,
    types: readonly Aval[],
    linear: readonly boolean[],
    params: ScanParams,
    bindScan: BindScan,
    passes: Passes,
  ): PartialEvalResult => {
    const alone = buildJaxpr("scan", types, (xs) => bindScan(params, xs));
    return passes.partialEval(
      alone,
      linear,
      alone.outputs.map(() => true),
    );
  },
);

interface Turned {
  /**
   * Takes fixed constants, sums for linear constants and cotangents of the carry, then entries of fixed arrays and
   * cotangents of entries of the results.
   */
  readonly jaxpr: Jaxpr;
  /** For the linear constants, the carries and the linear arrays: whether they have a cotangent. */
  readonly consts: readonly boolean[];
  readonly carry: readonly boolean[];
  readonly xs: readonly boolean[];
}

/** A carry has a cotangent if its last value has one, or if what the body makes of it has one. */
const turnBody = memoize(
  (consts: number, carries: number, linear: readonly boolean[], zero: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${masksKey(linear, zero)}`,
  (
    jaxpr: Jaxpr,
    consts: number,
    carries: number,
    linear: readonly boolean[],
    zero: readonly boolean[],
    passes: Passes,
  ): Turned => {
    const parts = { consts, carries };
    const given = inputParts(linear, parts);
    const mask = [...given.consts, ...given.carry.map(() => true), ...given.xs];
    const zeroYs = outputParts(zero, parts).ys;
    const linearConsts = given.consts.filter((l) => l).length;
    const own = { consts: linearConsts, carries };
    let live: readonly boolean[] = outputParts(zero, parts).carry.map((z) => !z);
    for (;;) {
      const force = [...new Array<boolean>(linearConsts).fill(false), ...live];
      const turned = passes.transpose(jaxpr, mask, [...live.map((l) => !l), ...zeroYs], force);
      const out = inputParts(
        turned.zeroOut.map((z) => !z),
        own,
      );
      if (out.carry.some((l, i) => l !== live[i])) {
        live = out.carry;
        continue;
      }
      return {
        jaxpr: accumulating(turned.jaxpr, {
          fixedConsts: consts - linearConsts,
          fixedXs: given.xs.filter((l) => !l).length,
          sums: out.consts.filter((l) => l).length,
          carries: live.filter((l) => l).length,
        }),
        consts: out.consts,
        carry: live,
        xs: out.xs,
      };
    }
  },
);

/**
 * The body of the transposed scan.
 *
 * @param turned takes fixed constants and fixed arrays, then cotangents of the carry and of the results; gives
 *   cotangents of constants, of the carry and of arrays.
 */
function accumulating(turned: Jaxpr, parts: Counts): Jaxpr {
  const { fixedConsts, fixedXs, sums, carries } = parts;
  const types = turned.inAvals;
  const consts = types.slice(0, fixedConsts);
  const xs = types.slice(fixedConsts, fixedConsts + fixedXs);
  const carry = types.slice(fixedConsts + fixedXs, fixedConsts + fixedXs + carries);
  const ys = types.slice(fixedConsts + fixedXs + carries);
  const totals = turned.outAvals.slice(0, sums);
  return buildJaxpr("scan", [...consts, ...totals, ...carry, ...xs, ...ys], (inputs) => {
    const given = inputParts(inputs, { consts: fixedConsts, carries: sums + carries });
    const results = evalJaxpr(turned, [
      ...given.consts,
      ...given.xs.slice(0, fixedXs),
      ...given.carry.slice(sums),
      ...given.xs.slice(fixedXs),
    ]);
    return results.map((ct, i) => (i < sums ? add(given.carry[i], ct) : ct));
  });
}

interface Counts {
  readonly fixedConsts: number;
  readonly fixedXs: number;
  /** Constants that have a cotangent. */
  readonly sums: number;
  /** Carries that have one. */
  readonly carries: number;
}

/** The case where the whole carry is linear. */
function transposeLinear(
  bindScan: BindScan,
  cotangents: readonly Tangent[],
  inputs: readonly (NDArray | LinearInput)[],
  params: ScanParams,
  passes: Passes,
): ReturnType<TransposeRule> {
  const { jaxpr, consts, carries, reverse } = params;
  const linear = inputs.map((x) => x instanceof LinearInput);
  const turned = turnBody(jaxpr, consts, carries, linear, cotangents.map(isZero), passes);
  const given = inputParts(inputs, params);
  const seeds = outputParts(cotangents, params);
  const fixedConsts = given.consts.filter(isArray);
  const sums = given.consts
    .filter((x) => !isArray(x))
    .filter((_, i) => turned.consts[i])
    .map((x) => zeros(x.aval));
  const carry = seeds.carry.filter((_, i) => turned.carry[i]).map(instantiate);
  const results = bindScan(
    {
      ...params,
      jaxpr: turned.jaxpr,
      reverse: !reverse,
      consts: fixedConsts.length,
      carries: sums.length + carry.length,
    },
    [
      ...fixedConsts,
      ...sums,
      ...carry,
      ...given.xs.filter(isArray),
      ...seeds.ys.filter((ct): ct is NDArray => !isZero(ct)),
    ],
  );
  let next = 0;
  const cotangentsOf = (
    part: readonly (NDArray | LinearInput)[],
    live: readonly boolean[],
  ): (Tangent | null)[] => {
    let at = 0;
    return part.map((x) => {
      if (isArray(x)) return null;
      return live[at++] ? results[next++] : new Zero(tangentAval(x.aval));
    });
  };
  const ofConsts = cotangentsOf(given.consts, turned.consts);
  // A carry is linear in the loop even if what it starts from is not: then that has no cotangent.
  const ofCarry = given.carry.map((x, i): Tangent | null => {
    const ct = turned.carry[i] ? results[next++] : new Zero(tangentAval(x.aval));
    return isArray(x) ? null : ct;
  });
  return [...ofConsts, ...ofCarry, ...cotangentsOf(given.xs, turned.xs)];
}
