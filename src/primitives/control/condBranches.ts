/**
 * Branches that stay branches of one equation: what a pass makes of them has the same operands and results in each, so
 * what one branch needs or gives the others take or give as well, be it only zeros.
 */
import type { NDArray } from "../../core/array.js";
import { maskKey, masksKey, memoize } from "../../core/build.js";
import { Jaxpr } from "../../core/jaxpr.js";
import { identityOf } from "../../core/params.js";
import type { Passes } from "../../core/primitive.js";

export type Mask = readonly boolean[];

/** How one of several branches is applied: the files beside cond.ts get this as an argument. */
export type BindCond = (
  branches: readonly Jaxpr[],
  index: NDArray,
  operands: readonly NDArray[],
) => readonly NDArray[];

/** Branches as a part of a cache key. */
export const branchesKey = (branches: readonly Jaxpr[]): string => branches.map(identityOf).join(",");

/** For each place whether some list has a true there. */
export const union = (masks: readonly Mask[]): boolean[] => masks[0].map((_, k) => masks.some((m) => m[k]));

/** Branches that give their outputs and then tangents, the same ones each. */
export const pushBranches = memoize(
  (rest: readonly Jaxpr[], _: Passes, active: Mask) => `${branchesKey(rest)}/${maskKey(active)}`,
  (first: Jaxpr, rest: readonly Jaxpr[], passes: Passes, active: Mask) => {
    const branches = [first, ...rest];
    const activeOut = union(branches.map((branch) => passes.jvp(branch, active).activeOut));
    return { branches: branches.map((branch) => passes.jvp(branch, active, activeOut).jaxpr), activeOut };
  },
);

/** Branches turned around: each gives cotangents of the same linear operands. */
export const transposeBranches = memoize(
  (rest: readonly Jaxpr[], _: Passes, linear: Mask, zeros: Mask) =>
    `${branchesKey(rest)}/${masksKey(linear, zeros)}`,
  (first: Jaxpr, rest: readonly Jaxpr[], passes: Passes, linear: Mask, zeros: Mask) => {
    const branches = [first, ...rest];
    const given = union(
      branches.map((branch) => passes.transpose(branch, linear, zeros).zeroOut.map((zero) => !zero)),
    );
    return {
      branches: branches.map((branch) => passes.transpose(branch, linear, zeros, given).jaxpr),
      zeroOut: given.map((g) => !g),
    };
  },
);

/** Branches for a whole batch that all take the same way. */
export const batchBranches = memoize(
  (rest: readonly Jaxpr[], _: Passes, size: number, batched: Mask) =>
    `${branchesKey(rest)}/${size}/${maskKey(batched)}`,
  (first: Jaxpr, rest: readonly Jaxpr[], passes: Passes, size: number, batched: Mask) => {
    const branches = [first, ...rest];
    const batchedOut = union(branches.map((branch) => passes.batch(branch, size, batched).batchedOut));
    return {
      branches: branches.map((branch) => passes.batch(branch, size, batched, batchedOut).jaxpr),
      batchedOut,
    };
  },
);

/** Branches without what the used outputs do not need; an operand that one of them needs, all of them take. */
export const pruneBranches = memoize(
  (rest: readonly Jaxpr[], _: Passes, used: Mask) => `${branchesKey(rest)}/${maskKey(used)}`,
  (first: Jaxpr, rest: readonly Jaxpr[], passes: Passes, used: Mask) => {
    const branches = [first, ...rest];
    const pruned = branches.map((branch) => passes.dce(branch, used));
    const usedInputs = union(pruned.map((p) => p.usedInputs));
    return {
      branches: pruned.map(({ jaxpr }, i) => {
        const inputs = branches[i].inputs.filter((_, k) => usedInputs[k]);
        return inputs.length === jaxpr.inputs.length
          ? jaxpr
          : new Jaxpr(inputs, jaxpr.eqns, jaxpr.outputs, jaxpr.varCount);
      }),
      usedInputs,
    };
  },
);
