/** Applications of dynamic loops that together reach every branch of their rules: for the laws. All end, whatever the operands. */
import type { NDArray } from "../../core/array.js";
import { type Aval, aval } from "../../core/aval.js";
import { buildJaxpr } from "../../core/build.js";
import type { Example } from "../../core/primitive.js";
import { mul, neg, sub } from "../arithmetic.js";
import { bitwiseAnd, bitwiseNot } from "../bits.js";
import { reduceSum } from "../broadcast.js";
import { convertElementType } from "../cast.js";
import { gt, lt } from "../comparison.js";
import { add } from "../elementwise.js";
import { filled } from "../filled.js";
import { select } from "../select.js";
import { cos, sin } from "../trigonometric.js";
import type { Loops } from "./whileParams.js";

const x = aval([2], "float64");
const s = aval([], "float64");
const n = aval([], "int32");
const flag = aval([], "bool");

type Interval = readonly [number, number];
type Rule = (...inputs: NDArray[]) => readonly NDArray[];

const few: Interval = [-1, 4];
const usual: Interval = [-2, 2];

const domainOf = (type: Aval): Interval => (type.dtype === "bool" ? [0, 1] : usual);

/** A loop with `n` steps: the condition sees that number, and the first carry, which counts from 0. */
function counted(
  consts: readonly Aval[],
  carry: readonly Aval[],
  slots: number,
  step: Rule,
  steps: Interval = few,
): Example {
  const cond = buildJaxpr("cond", [n, n, ...carry], ([end, i]) => [lt(i, end)]);
  const body = buildJaxpr("body", [...consts, n, ...carry], (inputs) => {
    const i = inputs[consts.length];
    return [add(i, 1), ...step(...inputs)];
  });
  return {
    avals: [n, ...consts, n, ...carry],
    params: { cond, body, condConsts: 1, bodyConsts: consts.length, slots },
    domain: [steps, ...consts.map(domainOf), [0, 0], ...carry.map(domainOf)],
  };
}

export function whileExamples(loops: Loops): readonly Example[] {
  const doubling = buildJaxpr("body", [s, n, x], ([a, i, y]) => [add(i, 1), mul(add(y, sin(a)), 2)]);
  const below = buildJaxpr("cond", [s, n, x], ([limit, i, y]) => [
    bitwiseAnd(lt(reduceSum(y, [0]), limit), lt(i, 8)),
  ]);
  const never = buildJaxpr("cond", [n], ([i]) => [gt(i, 100)]);
  const inner = buildJaxpr("inner", [x, n, x], ([b, j, z]) => [add(j, 1), mul(cos(z), b)]);
  const innerCond = buildJaxpr("inner", [n, n, x], ([end, j]) => [lt(j, end)]);
  return [
    // Constants that are multiplied by the carry; the state is the carry itself.
    counted([x], [x], 2, (a, _, y) => [mul(sin(y), a)]),
    // How many steps there are depends on the values.
    {
      avals: [s, s, n, x],
      params: { cond: below, body: doubling, condConsts: 1, bodyConsts: 1, slots: 3 },
      domain: [
        [20, 24],
        [0.2, 1],
        [0, 0],
        [0.3, 1.4],
      ],
    },
    // No step; no carry.
    counted([s], [x], 4, (a, _, y) => [mul(y, filled([2], a))], [-1, 0]),
    {
      avals: [n],
      params: { cond: never, body: buildJaxpr("body", [], () => []), condConsts: 1, bodyConsts: 0, slots: 1 },
    },
    // Linear in the carry, with the same coefficients in each step, and with coefficients that another carry gives.
    counted([s], [x], 4, (a, _, y) => [neg(mul(y, filled([2], sin(a))))]),
    counted([], [s, x], 1, (_, a, y) => [sin(a), mul(y, filled([2], a))], [2, 5]),
    // Integers and booleans; a carry that nothing depends on; one that gets its tangent from another.
    counted([n], [flag, aval([2], "int32"), s, x, x], 2, (k, i, odd, m, a, y, z) => [
      bitwiseNot(odd),
      add(m, filled([2], k)),
      cos(a),
      add(y, mul(z, convertElementType(m, "float64"))),
      select(odd, mul(z, z), sub(z, mul(y, filled([2], convertElementType(i, "float64"))))),
    ]),
    // A loop in a loop, whose length differs from step to step.
    counted(
      [x],
      [x],
      2,
      (b, i, y) => {
        const params = { cond: innerCond, body: inner, condConsts: 1, bodyConsts: 1, slots: 2 };
        return [loops.while(params, [i, b, filled([], sub(i, i)), y])[1]];
      },
      [0, 3],
    ),
  ];
}

function repeated(
  consts: readonly Aval[],
  carry: readonly Aval[],
  slots: number,
  step: Rule,
  steps: Interval = few,
): Example {
  const body = buildJaxpr("body", [...consts, ...carry], (inputs) => step(...inputs));
  return {
    avals: [n, ...consts, ...carry],
    params: { body, consts: consts.length, slots },
    domain: [steps, ...consts.map(domainOf), ...carry.map(domainOf)],
  };
}

export function iterateExamples(loops: Loops): readonly Example[] {
  const inner = buildJaxpr("inner", [x, x], ([b, z]) => [mul(cos(z), b)]);
  return [
    repeated([x], [x], 2, (a, y) => [mul(sin(y), a)]),
    // Steps that repeat some of the others, and steps that need not.
    repeated([s], [x], 1, (a, y) => [sin(add(y, filled([2], a)))], [4, 5]),
    repeated([s], [x], 8, (a, y) => [sin(add(y, filled([2], a)))], [4, 5]),
    repeated([s], [x], 3, (a, y) => [mul(y, filled([2], sin(a)))], [-1, 0]),
    repeated([s], [x], 4, (a, y) => [neg(mul(y, filled([2], sin(a))))]),
    repeated([], [], 1, () => []),
    // A constant and a carry that are added alone; integers and booleans.
    repeated([x, n], [n, flag, x, s], 2, (a, k, i, odd, y, t) => [
      add(i, k),
      bitwiseNot(odd),
      select(odd, add(y, a), mul(y, filled([2], t))),
      add(t, convertElementType(i, "float64")),
    ]),
    repeated([x], [n, x], 2, (b, i, y) => [
      sub(i, 1),
      loops.iterate({ body: inner, consts: 1, slots: 2 }, [i, b, y])[0],
    ]),
  ];
}
