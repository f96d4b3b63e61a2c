/** Applications of cond that together reach every branch of its rules: for the laws. */
import type { NDArray } from "../../core/array.js";
import { type Aval, aval } from "../../core/aval.js";
import { buildJaxpr } from "../../core/build.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import type { Example } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { add, mul, neg, sub } from "../arithmetic.js";
import { reduceSum } from "../broadcast.js";
import { callPrimitive } from "../call.js";
import { convertElementType } from "../cast.js";
import { exp } from "../exponential.js";
import { filled, zeros } from "../filled.js";
import { cos, sin } from "../trigonometric.js";
import type { BindCond } from "./condBranches.js";

type Branch = (...operands: NDArray[]) => readonly NDArray[];

const index = aval([], "int32");
const x = aval([2], "float64");
const s = aval([], "float64");
const n = aval([2], "int32");

const branchesOf = (types: readonly Aval[], ...branches: readonly Branch[]): Jaxpr[] =>
  branches.map((f) => buildJaxpr("cond", types, (inputs) => f(...inputs)));

/** An example with an index that is sometimes outside of the list. */
function example(types: readonly Aval[], ...branches: readonly Branch[]): Example {
  return {
    avals: [index, ...types],
    params: { branches: branchesOf(types, ...branches) },
    domain: [[-1, branches.length] as const, ...types.map(() => [-2, 2] as const)],
  };
}

/** @param bindCond applies branches: conds inside branches. */
export function condExamples(bindCond: BindCond): readonly Example[] {
  const inner = branchesOf(
    [x],
    (a) => [sin(a)],
    (a) => [mul(a, a)],
  );
  const body = buildJaxpr("f", [x], ([a]) => [mul(exp(a), cos(a))]);
  return [
    example(
      [x],
      (a) => [sin(a)],
      (a) => [mul(a, a)],
    ),
    // One branch: no choice at all.
    example([x, x], (a, b) => [mul(a, b), a]),
    // Residuals of different types and numbers, operands that only some branches use, results that are operands.
    example(
      [x, s, x],
      (a, c, b) => [mul(sin(a), filled([2], c)), exp(c), b],
      (a) => [a, reduceSum(mul(a, a), [0]), cos(a)],
      (a, c, b) => [mul(mul(a, b), b), c, neg(b)],
    ),
    // Results without derivative in some branches, and in all; integers; literals.
    example(
      [x, n],
      (a, k) => [mul(a, convertElementType(k, "float64")), zeros(x), k],
      (a, k) => [filled([2], zeros(s)), zeros(x), add(k, convertElementType(a, "int32"))],
    ),
    // No operand, no result.
    example(
      [],
      () => [zeros(s)],
      () => [filled([], zeros(s))],
    ),
    { avals: [index, x], params: { branches: [buildJaxpr("cond", [x], () => [])] } },
    // Conds and calls inside.
    example(
      [index, x],
      (i, a) => bindCond(inner, i, [a]),
      (_, a) => bind(callPrimitive, [a], { jaxpr: body, name: "f" }),
      (_, a) => [sub(a, mul(a, sin(a)))],
    ),
    // So much work in one branch that it is left out where no row takes it.
    example(
      [s],
      (c) => [c],
      (c) => [reduceSum(sin(filled([700], c)), [0])],
    ),
  ];
}
