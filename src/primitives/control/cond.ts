/**
 * `cond`: one of several branches, chosen by an integer when the program runs. Only that branch runs. Each transform of it is
 * a cond of transformed branches; only for a batch whose rows go different ways it becomes a choice between results.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { type ConcreteArray, isReadable, type NDArray } from "../../core/array.js";
import { aval, describe, describeAll, sameType } from "../../core/aval.js";
import type { Relation } from "../../core/dependence.js";
import { effectsOfBodies } from "../../core/effects.js";
import { ArgumentError, DtypeError, NotDifferentiableError, ShapeError } from "../../core/errors.js";
import { evalJaxpr } from "../../core/eval.js";
import { Jaxpr, Var } from "../../core/jaxpr.js";
import { unionOf } from "../../core/patternAlgebra.js";
import {
  type Cost,
  type DceRule,
  type DependenceRule,
  definePrimitive,
  LinearInput,
  type Params,
  type TransposeRule,
} from "../../core/primitive.js";
import { bind, currentTrace, withTrace } from "../../core/trace.js";
import { isZero, Zero, zeroFor } from "../../core/zero.js";
import { eachItsOwn, jaxprCost } from "../call.js";
import { showParam, type TypeResult } from "../checks.js";
import { batchBranches, pruneBranches, pushBranches, transposeBranches } from "./condBranches.js";
import { condExamples } from "./condExamples.js";
import { batchByRows } from "./condRows.js";
import { splitCond } from "./condSplit.js";

const branchesOf = (params: Params): readonly Jaxpr[] => params.branches as readonly Jaxpr[];

/** A branch outside of the list means the nearest one. */
const nearest = (index: number, count: number): number => Math.min(Math.max(index, 0), count - 1);

/**
 * Applies one of the branches, which all take the operands and give results of the same types. An index that is known
 * while a program is recorded leaves nothing to choose: then the branch itself is recorded.
 */
export function bindCond(
  branches: readonly Jaxpr[],
  index: NDArray,
  operands: readonly NDArray[],
): readonly NDArray[] {
  if (currentTrace() !== undefined && (branches.length === 1 || isReadable(index))) {
    const taken = isReadable(index) ? nearest(index.values[0], branches.length) : 0;
    return evalJaxpr(branches[taken], operands);
  }
  return bind(condPrimitive, [index, ...operands], { branches });
}

export const condPrimitive = definePrimitive({
  name: "cond",
  family: "control",
  summary: "one of several branches, chosen by an integer; only that one runs",
  abstractEval: (inputs, params) => condTypes(inputs, params),
  evaluate: (inputs, params, outputs) => {
    const [index, ...operands] = inputs;
    const branches = branchesOf(params);
    const branch = branches[nearest(index.values[0], branches.length)];
    const results = withTrace(undefined, () => evalJaxpr(branch, operands) as ConcreteArray[]);
    return eachItsOwn(branch, inputs, results, outputs);
  },
  jvp: ([index, ...operands], [_, ...tangents], params, passes) => {
    const [first, ...rest] = branchesOf(params);
    const pushed = pushBranches(
      first,
      rest,
      passes,
      tangents.map((t) => !isZero(t)),
    );
    const live = tangents.filter((t): t is NDArray => !isZero(t));
    const results = bindCond(pushed.branches, index, [...operands, ...live]);
    const outputs = results.slice(0, first.outputs.length);
    let next = outputs.length;
    return {
      outputs,
      tangents: outputs.map((y, k) => (pushed.activeOut[k] ? results[next++] : zeroFor(y.aval))),
    };
  },
  partialEval: splitCond,
  transpose: (...args) => transposeCond(...args),
  batch: (size, [index, ...operands], [differs, ...batched], params, passes) => {
    const [first, ...rest] = branchesOf(params);
    if (differs) return batchByRows(bindCond, size, index, operands, batched, [first, ...rest], passes);
    const vectorised = batchBranches(first, rest, passes, size, batched);
    return {
      outputs: bindCond(vectorised.branches, index, operands),
      batched: vectorised.batchedOut,
    };
  },
  dce: (...args) => dceCond(...args),
  inline: (params) => {
    const branches = branchesOf(params);
    return branches.length === 1 ? withIndex(branches[0]) : undefined;
  },
  lower: { kind: "control", parts: (params) => ({ flow: "cond", branches: branchesOf(params) }) },
  cost: (_, params) => dearest(branchesOf(params).map(jaxprCost)),
  dependence: (...args) => condDependence(...args),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples: () => condExamples(bindCond),
  },
});

/** What any branch depends on that may be taken. */
const condDependence: DependenceRule = ([index, ...operands], params, _, passes, limit) => {
  const all = branchesOf(params);
  const chosen = index.value()?.values[0];
  const taken = chosen === undefined ? all : [all[nearest(chosen, all.length)]];
  const patterns = taken
    .map((branch) => passes.dependence(branch, operands, limit))
    .reduce((sum, more) => sum.map((row, k) => row.map((p, i) => unionOf(p, more[k][i], limit))));
  return patterns.map((row) => ["none", ...row.map((p): Relation => p ?? "none")]);
};

/** Output types, whatever the params are. Results that are weak in some branches only are not weak. */
function condTypes(
  inputs: Parameters<typeof condPrimitive.abstractEval>[0],
  { branches }: Params,
): TypeResult {
  if (!Array.isArray(branches) || branches.length === 0 || !branches.every((b) => b instanceof Jaxpr))
    return left(
      new ArgumentError(`cond: the param branches must be a list of jaxprs, got ${showParam(branches)}`),
    );
  const [index, ...operands] = inputs;
  if (index === undefined || index.dtype !== "int32" || index.shape.length > 0)
    return left(
      new DtypeError(
        `cond: the index must be int32[], got ${index === undefined ? "none" : describe(index)}`,
      ),
    );
  const all = branches as readonly Jaxpr[];
  for (const [i, { inAvals }] of all.entries())
    if (inAvals.length !== operands.length || inAvals.some((type, k) => !sameType(type, operands[k])))
      return left(
        new ShapeError(`cond: branch ${i} takes ${describeAll(inAvals)}, got ${describeAll(operands)}`),
      );
  const types = all.map((branch) => branch.outAvals);
  for (const [i, given] of types.entries())
    if (given.length !== types[0].length || given.some((type, k) => !sameType(type, types[0][k])))
      return left(
        new ShapeError(
          `cond: branch 0 gives ${describeAll(types[0])}, but branch ${i} gives ${describeAll(given)}`,
        ),
      );
  return right(
    types[0].map((type, k) =>
      aval(
        type.shape,
        type.dtype,
        types.every((given) => given[k].weakType),
      ),
    ),
  );
}

const transposeCond: TransposeRule = (cotangents, [index, ...operands], params, passes) => {
  if (index instanceof LinearInput)
    throw new NotDifferentiableError(
      "a branch that is chosen by a linear value cannot be transposed: the choice is not linear",
    );
  const [first, ...rest] = branchesOf(params);
  const { branches, zeroOut } = transposeBranches(
    first,
    rest,
    passes,
    operands.map((x) => x instanceof LinearInput),
    cotangents.map(isZero),
  );
  const fixed = operands.filter((x): x is NDArray => !(x instanceof LinearInput));
  const seeds = cotangents.filter((ct): ct is NDArray => !isZero(ct));
  const results = bindCond(branches, index, [...fixed, ...seeds]);
  let nextLinear = 0;
  let nextResult = 0;
  const pulled = operands.map((x) => {
    if (!(x instanceof LinearInput)) return null;
    return zeroOut[nextLinear++] ? new Zero(x.aval) : results[nextResult++];
  });
  return [null, ...pulled];
};

const dceCond: DceRule = (eqn, used, passes) => {
  const [first, ...rest] = branchesOf(eqn.params);
  const { branches, usedInputs } = pruneBranches(first, rest, passes, used);
  const [index, ...operands] = eqn.inputs;
  return {
    ...eqn,
    params: { branches },
    inputs: [index, ...operands.filter((_, i) => usedInputs[i])],
    outputs: eqn.outputs.filter((_, k) => used[k]),
  };
};

/** The only branch there is, as a function of an index that it does not need. */
const withIndex = ({ inputs, eqns, outputs, varCount }: Jaxpr): Jaxpr =>
  new Jaxpr([new Var(varCount, aval([], "int32")), ...inputs], eqns, outputs, varCount + 1);

const dearest = (costs: readonly Cost[]): Cost =>
  costs.reduce((a, b) => (b.operations > a.operations ? b : a));
