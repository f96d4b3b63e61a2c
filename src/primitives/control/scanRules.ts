/** Tangents and batches through a scan: of both it must be found out first which carries have one. */
import type { NDArray } from "../../core/array.js";
import { maskKey, memoize } from "../../core/build.js";
import { isFloat } from "../../core/dtype.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import type { BatchResult, BatchRule, JvpRule, Passes } from "../../core/primitive.js";
import { isZero, type Tangent, zeroFor } from "../../core/zero.js";
import { instantiate, repeat } from "../filled.js";
import { transpose } from "../shape.js";
import { inputParts, outputParts, rearranged, type ScanParams } from "./scanParams.js";

export type BindScan = (params: ScanParams, inputs: readonly NDArray[]) => readonly NDArray[];

interface Pushed {
  /** A body whose constants, carry, arrays and results are each followed by their tangents. */
  readonly jaxpr: Jaxpr;
  readonly carry: readonly boolean[];
  readonly ys: readonly boolean[];
}

/** A carry has a tangent if its first value has one, or if the body gives it one from what has one. */
const pushBody = memoize(
  (consts: number, carries: number, active: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${maskKey(active)}`,
  (jaxpr: Jaxpr, consts: number, carries: number, active: readonly boolean[], passes: Passes): Pushed => {
    const parts = { consts, carries };
    const given = inputParts(active, parts);
    let carry = given.carry;
    for (;;) {
      const mask = [...given.consts, ...carry, ...given.xs];
      const pushed = passes.jvp(jaxpr, mask, [...carry, ...jaxpr.outputs.slice(carries).map(() => false)]);
      const out = outputParts(pushed.activeOut, parts);
      if (out.carry.some((a, i) => a !== carry[i])) {
        carry = out.carry;
        continue;
      }
      const primals = inputParts([...jaxpr.inputs.keys()], parts);
      const tangents = inputParts(spread(mask, jaxpr.inputs.length), parts);
      const results = outputParts([...jaxpr.outputs.keys()], parts);
      const moved = outputParts(spread(pushed.activeOut, jaxpr.outputs.length), parts);
      const body = rearranged(
        pushed.jaxpr,
        (["consts", "carry", "xs"] as const).flatMap((part) => [
          ...primals[part],
          ...tangents[part].filter(isPosition),
        ]),
        (["carry", "ys"] as const).flatMap((part) => [...results[part], ...moved[part].filter(isPosition)]),
      );
      return { jaxpr: body, carry, ys: out.ys };
    }
  },
);

const isPosition = (i: number): boolean => i >= 0;

/** For each entry of a list that is true its position, counted from `from` on; -1 for the others. */
function spread(mask: readonly boolean[], from: number): number[] {
  let next = from;
  return mask.map((yes) => (yes ? next++ : -1));
}

export function pushScan(
  bindScan: BindScan,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: ScanParams,
  passes: Passes,
): ReturnType<JvpRule> {
  const { jaxpr, consts, carries } = params;
  const active = tangents.map((t, i) => !isZero(t) && isFloat(primals[i].dtype));
  const pushed = pushBody(jaxpr, consts, carries, active, passes);
  const x = inputParts(primals, params);
  const t = inputParts(tangents, params);
  const mask = inputParts(active, params);
  const moving = [
    t.consts.filter((_, i) => mask.consts[i]),
    t.carry.filter((_, i) => pushed.carry[i]),
    t.xs.filter((_, i) => mask.xs[i]),
  ].map((list) => list.map(instantiate));
  const results = bindScan(
    {
      ...params,
      jaxpr: pushed.jaxpr,
      consts: consts + moving[0].length,
      carries: carries + moving[1].length,
    },
    [...x.consts, ...moving[0], ...x.carry, ...moving[1], ...x.xs, ...moving[2]],
  );
  const own = outputParts(results, { carries: carries + moving[1].length });
  const outputs = [...own.carry.slice(0, carries), ...own.ys.slice(0, jaxpr.outputs.length - carries)];
  const moved = [...own.carry.slice(carries), ...own.ys.slice(jaxpr.outputs.length - carries)];
  let next = 0;
  const activeOut = [...pushed.carry, ...pushed.ys];
  return {
    outputs,
    tangents: outputs.map((y, k): Tangent => (activeOut[k] ? moved[next++] : zeroFor(y.aval))),
  };
}

/** A carry is batched if its first value is, or if the body makes it so. */
const batchBody = memoize(
  (consts: number, carries: number, size: number, batched: readonly boolean[], _: Passes) =>
    `${consts}/${carries}/${size}/${maskKey(batched)}`,
  (
    jaxpr: Jaxpr,
    consts: number,
    carries: number,
    size: number,
    batched: readonly boolean[],
    passes: Passes,
  ): BatchResult & { readonly carry: readonly boolean[] } => {
    const parts = { consts, carries };
    const given = inputParts(batched, parts);
    let carry = given.carry;
    for (;;) {
      const mask = [...given.consts, ...carry, ...given.xs];
      const force = [...carry, ...jaxpr.outputs.slice(carries).map(() => false)];
      const result = passes.batch(jaxpr, size, mask, force);
      const out = outputParts(result.batchedOut, parts).carry;
      if (out.every((b, i) => b === carry[i])) return { ...result, carry };
      carry = out;
    }
  },
);

export function batchScan(
  bindScan: BindScan,
  size: number,
  inputs: readonly NDArray[],
  batched: readonly boolean[],
  params: ScanParams,
  passes: Passes,
): ReturnType<BatchRule> {
  const { jaxpr, consts, carries } = params;
  const body = batchBody(jaxpr, consts, carries, size, batched, passes);
  const mask = inputParts(batched, params);
  const given = inputParts(inputs, params);
  const carry = given.carry.map((x, i) => (body.carry[i] && !mask.carry[i] ? repeat(x, size) : x));
  // The axis of steps stays in front: each step takes an entry for the whole batch.
  const xs = given.xs.map((x, i) => (mask.xs[i] ? swapped(x) : x));
  const results = bindScan({ ...params, jaxpr: body.jaxpr }, [...given.consts, ...carry, ...xs]);
  return {
    outputs: results.map((y, k) => (k >= carries && body.batchedOut[k] ? swapped(y) : y)),
    batched: body.batchedOut,
  };
}

/** Exchanges the first two axes. */
const swapped = (x: NDArray): NDArray => transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);
