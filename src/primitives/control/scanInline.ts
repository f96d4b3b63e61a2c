/**
 * What a scan is compiled as: work that is the same in every step is done before the loop, carries that the body hands on
 * as they are become constants, and with `unroll` several steps are written out one after the other. Every number is
 * computed by the same operations as before.
 */
import type { NDArray } from "../../core/array.js";
import { buildJaxpr, memoize } from "../../core/build.js";
import { evalJaxpr } from "../../core/eval.js";
import { Jaxpr } from "../../core/jaxpr.js";
import { zeros } from "../filled.js";
import { hoistInvariants, writtenOut } from "./hoist.js";
import { entry, inBlocks, outOfBlocks, stack } from "./scanBlocks.js";
import { inputParts, outputParts, type ScanParams, stacked } from "./scanParams.js";
import type { BindScan } from "./scanRules.js";

/** A scan that is run: its body, and arrays for it. */
interface Loop {
  readonly params: ScanParams;
  readonly consts: readonly NDArray[];
  readonly carry: readonly NDArray[];
  readonly xs: readonly NDArray[];
}

interface Results {
  readonly carry: readonly NDArray[];
  readonly ys: readonly NDArray[];
}

/** Undefined if the scan is to be compiled as it is. */
export const inlineScan = (bindScan: BindScan, params: ScanParams): Jaxpr | undefined =>
  inlining(params.jaxpr, params, bindScan).found;

const inlining = memoize(
  ({ length, reverse, unroll, consts, carries }: ScanParams, _: BindScan) =>
    `${length}/${reverse}/${unroll}/${consts}/${carries}`,
  (jaxpr: Jaxpr, params: ScanParams, bindScan: BindScan): { readonly found: Jaxpr | undefined } => {
    const { length, unroll, consts, carries } = params;
    const body = writtenOut(jaxpr);
    const isUnchanged = body.outputs.slice(0, carries).map((a, k) => a === body.inputs[consts + k]);
    const simple = constantCarries(body, params, isUnchanged);
    const fixed = simple.inputs.map((_, i) => i < consts + isUnchanged.filter((u) => u).length);
    const hoisted = hoistInvariants(simple, fixed);
    if (!isUnchanged.includes(true) && hoisted === undefined && unroll === 1 && length > 1)
      return { found: undefined };

    const types = inputParts(jaxpr.inAvals, params);
    const all = [...types.consts, ...types.carry, ...types.xs.map((x) => stacked(x, length))];
    const found = buildJaxpr("scan", all, (inputs) => {
      const given = inputParts(inputs, params);
      const invariant = [...given.consts, ...given.carry.filter((_, k) => isUnchanged[k])];
      const before = hoisted === undefined ? [] : evalJaxpr(hoisted.before, invariant);
      const carry = given.carry.filter((_, k) => !isUnchanged[k]);
      const loop: Loop = {
        params: {
          ...params,
          jaxpr: hoisted?.body ?? simple,
          unroll: 1,
          consts: before.length + invariant.length,
          carries: carry.length,
        },
        consts: [...before, ...invariant],
        carry,
        xs: given.xs,
      };
      const results = runLoop(bindScan, loop, unroll);
      let next = 0;
      return [...given.carry.map((x, k) => (isUnchanged[k] ? x : results.carry[next++])), ...results.ys];
    });
    return { found };
  },
);

/** The body with carries that it hands on as they are behind its constants, and without these results. */
function constantCarries(body: Jaxpr, params: ScanParams, isUnchanged: readonly boolean[]): Jaxpr {
  if (!isUnchanged.includes(true)) return body;
  const { consts, carry, xs } = inputParts(body.inputs, params);
  const out = outputParts(body.outputs, params);
  return new Jaxpr(
    [...consts, ...carry.filter((_, k) => isUnchanged[k]), ...carry.filter((_, k) => !isUnchanged[k]), ...xs],
    body.eqns,
    [...out.carry.filter((_, k) => !isUnchanged[k]), ...out.ys],
    body.varCount,
  );
}

/** The loop with `unroll` steps written out at a time, and what is left over behind it. */
function runLoop(bindScan: BindScan, loop: Loop, unroll: number): Results {
  const { params, consts, carry, xs } = loop;
  const { length, reverse } = params;
  if (length === 0) {
    const { ys } = outputParts(params.jaxpr.outAvals, params);
    return { carry, ys: ys.map((y) => zeros(stacked(y, 0))) };
  }
  if (unroll >= length) return runSteps(loop);
  if (unroll === 1) return outputParts(bindScan(params, [...consts, ...carry, ...xs]), params);

  const parts = xs.map((x) => inBlocks(x, unroll, params));
  const count = Math.floor(length / unroll);
  const main = outputParts(
    bindScan({ ...params, jaxpr: blockOf(params.jaxpr, params, unroll), length: count }, [
      ...consts,
      ...carry,
      ...parts.map(({ blocks }) => blocks),
    ]),
    params,
  );
  const left = length - count * unroll;
  const rest = runSteps({
    params: { ...params, length: left },
    consts,
    carry: main.carry,
    xs: parts.map((part) => part.rest),
  });
  return { carry: rest.carry, ys: main.ys.map((y, k) => outOfBlocks(y, rest.ys[k], reverse)) };
}

/** All steps, written out. */
function runSteps({ params, consts, carry: init, xs }: Loop): Results {
  const { jaxpr, length, reverse } = params;
  let carry = init;
  const ys: NDArray[][] = outputParts(jaxpr.outputs, params).ys.map(() => []);
  for (let step = 0; step < length; step++) {
    const at = reverse ? length - 1 - step : step;
    const results = outputParts(
      evalJaxpr(jaxpr, [...consts, ...carry, ...xs.map((x) => entry(x, at))]),
      params,
    );
    carry = results.carry;
    for (const [k, y] of results.ys.entries()) ys[k][at] = y;
  }
  return { carry, ys: length === 0 ? [] : ys.map(stack) };
}

/** A body of several steps: it takes and gives an entry for each of them. */
const blockOf = memoize(
  ({ reverse, consts, carries }: ScanParams, size: number) => `${reverse}/${consts}/${carries}/${size}`,
  (jaxpr: Jaxpr, params: ScanParams, size: number): Jaxpr => {
    const types = inputParts(jaxpr.inAvals, params);
    const all = [...types.consts, ...types.carry, ...types.xs.map((x) => stacked(x, size))];
    return buildJaxpr("scan", all, (inputs) => {
      const results = runSteps({ params: { ...params, length: size }, ...inputParts(inputs, params) });
      return [...results.carry, ...results.ys];
    });
  },
);
