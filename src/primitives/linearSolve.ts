/**
 * `linearSolve`: the solution x of A x = b, by a procedure that nobody differentiates. A is a linear function, and all that
 * derivatives need: A ẋ = ḃ - Ȧ x forwards, and a solve with Aᵀ backwards.
 */
import { left, right } from "fp-ts/lib/Either.js";
import type { NDArray } from "../core/array.js";
import { type Aval, aval, describeAll, sameType, sizeOf } from "../core/aval.js";
import { buildJaxpr } from "../core/build.js";
import type { Relation } from "../core/dependence.js";
import { effectsOfBodies } from "../core/effects.js";
import { ArgumentError, NotDifferentiableError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { Jaxpr, Var } from "../core/jaxpr.js";
import { SparsityPattern } from "../core/pattern.js";
import { besides, closure, cut, placed, union } from "../core/patternAlgebra.js";
import {
  type DependenceRule,
  definePrimitive,
  type Example,
  LinearInput,
  type Params,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { isZero, type Tangent, Zero, zeroFor } from "../core/zero.js";
import { jaxprCost } from "./call.js";
import { isCount, showParam, type TypeResult } from "./checks.js";
import { evaluateBody } from "./customCall.js";
import { add } from "./elementwise.js";
import { div, mul, neg, sub } from "./field.js";
import { instantiate, repeat } from "./filled.js";
import { select } from "./select.js";

/** A program, and how many of its inputs, in front, it closes over. */
export interface Part {
  readonly jaxpr: Jaxpr;
  readonly consts: number;
}

/**
 * The parts of a linear equation. Each takes its constants, then a vector (of any number of arrays); `matvec` and `vecmat`
 * give A x and Aᵀ x, `solve` and `transposeSolve` what solves for them. `solve` may give more results behind the solution.
 */
export interface SolveParts {
  readonly matvec: Part;
  readonly solve: Part;
  /** Left out, the equation has no reverse mode. */
  readonly transposed?: { readonly vecmat: Part; readonly solve: Part };
}

const names = ["matvec", "vecmat", "solve", "transposeSolve"] as const;
type Name = (typeof names)[number];

const jaxprOf = (params: Params, name: Name): Jaxpr | undefined =>
  params[name] instanceof Jaxpr ? params[name] : undefined;
const countOf = (params: Params, name: Name): number => params[`${name}Consts`] as number;

/** The constants of each part, and the vector. */
function split<T>(params: Params, inputs: readonly T[]): Record<Name | "vector", readonly T[]> {
  let at = 0;
  const take = (name: Name): readonly T[] => {
    const from = at;
    at += countOf(params, name);
    return inputs.slice(from, at);
  };
  return {
    matvec: take("matvec"),
    vecmat: take("vecmat"),
    solve: take("solve"),
    transposeSolve: take("transposeSolve"),
    vector: inputs.slice(at),
  };
}

/** Solves A x = b: gives x, and what else `solve` gives. */
export function bindLinearSolve(
  { matvec, solve, transposed }: SolveParts,
  consts: {
    readonly matvec: readonly NDArray[];
    readonly vecmat?: readonly NDArray[];
    readonly solve: readonly NDArray[];
    readonly transposeSolve?: readonly NDArray[];
  },
  b: readonly NDArray[],
): readonly NDArray[] {
  const inputs = [
    ...consts.matvec,
    ...(consts.vecmat ?? []),
    ...consts.solve,
    ...(consts.transposeSolve ?? []),
    ...b,
  ];
  return bind(linearSolvePrimitive, inputs, {
    matvec: matvec.jaxpr,
    matvecConsts: matvec.consts,
    vecmat: transposed?.vecmat.jaxpr ?? null,
    vecmatConsts: transposed?.vecmat.consts ?? 0,
    solve: solve.jaxpr,
    solveConsts: solve.consts,
    transposeSolve: transposed?.solve.jaxpr ?? null,
    transposeSolveConsts: transposed?.solve.consts ?? 0,
  });
}

function typeOf(inputs: readonly Aval[], params: Params): TypeResult {
  const wrong = (message: string): TypeResult => left(new ArgumentError(`linearSolve: ${message}`));
  for (const name of names) {
    const optional = name === "vecmat" || name === "transposeSolve";
    if (jaxprOf(params, name) === undefined && !(optional && params[name] === null))
      return wrong(`the param ${name} must be a jaxpr, got ${showParam(params[name])}`);
    if (!isCount(params[`${name}Consts`]))
      return wrong(`the param ${name}Consts must be a count, got ${showParam(params[`${name}Consts`])}`);
  }
  if (inputs.length < names.reduce((n, name) => n + countOf(params, name), 0))
    return wrong(`there are fewer operands than constants, got ${describeAll(inputs)}`);
  const given = split(params, inputs);
  for (const name of names) {
    const jaxpr = jaxprOf(params, name);
    if (jaxpr === undefined) continue;
    const wanted = [...given[name], ...given.vector];
    const { inAvals, outAvals } = jaxpr;
    if (inAvals.length !== wanted.length || inAvals.some((t, i) => !sameType(t, wanted[i])))
      return left(
        new ShapeError(`linearSolve: ${name} takes ${describeAll(inAvals)}, got ${describeAll(wanted)}`),
      );
    const vector = name === "solve" ? outAvals.slice(0, given.vector.length) : outAvals;
    if (vector.length !== given.vector.length || vector.some((t, i) => !sameType(t, given.vector[i])))
      return left(
        new ShapeError(
          `linearSolve: ${name} gives ${describeAll(outAvals)} for a right hand side of ${describeAll(given.vector)}`,
        ),
      );
  }
  return right((jaxprOf(params, "solve") as Jaxpr).outAvals);
}

/** The params without results of `solve` behind the solution. */
function withoutAux(params: Params, count: number): Params {
  const { inputs, eqns, outputs, varCount } = params.solve as Jaxpr;
  if (outputs.length === count) return params;
  return { ...params, solve: new Jaxpr(inputs, eqns, outputs.slice(0, count), varCount) };
}

export const linearSolvePrimitive = definePrimitive({
  name: "linearSolve",
  family: "call",
  summary: "the solution of a linear equation, by a function that was given for it",
  abstractEval: typeOf,
  evaluate: (inputs, params) => {
    const given = split(params, inputs);
    return evaluateBody(params.solve as Jaxpr, [...given.solve, ...given.vector]);
  },
  jvp: (primals, tangents, params, passes) => {
    const given = split(params, primals);
    const moved = split(params, tangents);
    const outputs = bind(linearSolvePrimitive, primals, params);
    const x = outputs.slice(0, given.vector.length);
    const rest = outputs.slice(x.length).map((y): Tangent => zeroFor(y.aval));
    let rhs = moved.vector;
    if (!moved.matvec.every(isZero)) {
      const active = [...moved.matvec.map((t) => !isZero(t)), ...x.map(() => false)];
      const pushed = passes.jvp(params.matvec as Jaxpr, active);
      const live = moved.matvec.filter((t): t is NDArray => !isZero(t));
      const results = evalJaxpr(pushed.jaxpr, [...given.matvec, ...x, ...live]);
      let next = x.length;
      rhs = rhs.map((t, i) => {
        if (!pushed.activeOut[i]) return t;
        const change = results[next++];
        return isZero(t) ? neg(change) : sub(t, change);
      });
    }
    if (rhs.every(isZero)) return { outputs, tangents: [...x.map((y) => zeroFor(y.aval)), ...rest] };
    const consts = primals.slice(0, primals.length - x.length);
    const solved = bind(
      linearSolvePrimitive,
      [...consts, ...rhs.map(instantiate)],
      withoutAux(params, x.length),
    );
    return { outputs, tangents: [...solved, ...rest] };
  },
  transpose: (cotangents, inputs, params) => {
    const { vector, ...consts } = split(params, inputs);
    if (Object.values(consts).some((own) => own.some((x) => x instanceof LinearInput)))
      throw new NotDifferentiableError(
        "linearSolve: the solution is not linear in what the matrix is made of, so it cannot be transposed with respect to that",
      );
    if (params.transposeSolve === null)
      throw new NotDifferentiableError(
        "customLinearSolve has no reverse mode without transposeSolve; give it, or symmetric: true if the matrix is",
      );
    const { solve } = withoutAux(params, vector.length);
    const solved = bind(
      linearSolvePrimitive,
      [
        ...consts.vecmat,
        ...consts.matvec,
        ...consts.transposeSolve,
        ...consts.solve,
        ...cotangents.slice(0, vector.length).map(instantiate),
      ] as NDArray[],
      {
        matvec: params.vecmat,
        matvecConsts: params.vecmatConsts,
        vecmat: params.matvec,
        vecmatConsts: params.matvecConsts,
        solve: params.transposeSolve,
        solveConsts: params.transposeSolveConsts,
        transposeSolve: solve,
        transposeSolveConsts: params.solveConsts,
      },
    );
    const unknown = cotangents.slice(0, vector.length).every(isZero);
    const first = inputs.length - vector.length;
    return inputs.map((x, i) =>
      x instanceof LinearInput ? (unknown ? new Zero(x.aval) : solved[i - first]) : null,
    );
  },
  batch: (size, inputs, batched, params, passes) => {
    const mask = split(params, batched);
    const { vector } = split(params, inputs);
    const first = inputs.length - vector.length;
    const vectorised = Object.fromEntries(
      names.flatMap((name) => {
        const jaxpr = jaxprOf(params, name);
        if (jaxpr === undefined) return [];
        const batchedIn = [...mask[name], ...vector.map(() => true)];
        const all = jaxpr.outputs.map(() => true);
        return [[name, passes.batch(jaxpr, size, batchedIn, all).jaxpr]];
      }),
    );
    const operands = inputs.map((x, i) => (i < first || batched[i] ? x : repeat(x, size)));
    const outputs = bind(linearSolvePrimitive, operands, { ...params, ...vectorised });
    return { outputs, batched: outputs.map(() => true) };
  },
  inline: (params, types) => {
    const solve = params.solve as Jaxpr;
    let { varCount } = solve;
    const { solve: consts, vector } = split(params, [...types.keys()]);
    const own = [...consts, ...vector];
    const inputs = types.map((type, i) =>
      own.includes(i) ? solve.inputs[own.indexOf(i)] : new Var(varCount++, type),
    );
    return new Jaxpr(inputs, solve.eqns, solve.outputs, varCount);
  },
  cost: (_, params) => jaxprCost(params.solve as Jaxpr),
  dependence: (...args) => solvedFrom(...args),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples,
  },
});

/**
 * The inverse of a matrix is a polynomial in it (Cayley and Hamilton): element i of the solution depends on element j of the right
 * hand side only if the matrix leads from i to j in some number of steps.
 */
const solvedFrom: DependenceRule = (operands, params, outputs, passes, limit) => {
  const { matvec, vector } = split(params, operands);
  const first = operands.length - vector.length;
  const sizes = vector.map((x) => sizeOf(x.aval.shape));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0));
  const size = sizes.reduce((sum, n) => sum + n, 0);
  const matrix = passes.dependence(
    params.matvec as Jaxpr,
    [
      ...matvec.map((x) => ({ ...x, active: false })),
      ...vector.map(({ aval: type }) => ({ aval: type, active: true, value: () => undefined })),
    ],
    limit,
  );
  const rows = matrix.map((row, k) =>
    besides(
      row.slice(matvec.length).flatMap((pattern, i) => (pattern ? [{ pattern, column: starts[i] }] : [])),
      sizes[k],
      size,
      limit,
    ),
  );
  const whole = rows.reduce(
    (sum, row, k) => union(sum, placed(row, size, size, starts[k], 0, limit), limit),
    SparsityPattern.none(size, size),
  );
  const reached = closure(whole, limit);
  return outputs.map((_, k) =>
    operands.map((__, i): Relation => {
      if (i < first || k >= vector.length) return "all";
      return cut(reached, starts[k], sizes[k], starts[i - first], sizes[i - first]);
    }),
  );
};

/** A triangular matrix of two by two blocks, and a diagonal one whose parts take constants. */
function examples(): readonly Example[] {
  const float = aval([2], "float64");
  const flag = aval([], "bool");
  const triangular: Params = {
    matvec: buildJaxpr("matvec", [float, float], ([x, y]) => [add(mul(x, 2), y), mul(y, 4)]),
    matvecConsts: 0,
    vecmat: buildJaxpr("vecmat", [float, float], ([x, y]) => [mul(x, 2), add(x, mul(y, 4))]),
    vecmatConsts: 0,
    solve: buildJaxpr("solve", [float, float], ([a, b]) => {
      const y = div(b, 4);
      return [div(sub(a, y), 2), y];
    }),
    solveConsts: 0,
    transposeSolve: buildJaxpr("transposeSolve", [float, float], ([a, b]) => {
      const x = div(a, 2);
      return [x, div(sub(b, x), 4)];
    }),
    transposeSolveConsts: 0,
  };
  const scaling = buildJaxpr("matvec", [flag, float], ([p, x]) => [select(p, mul(x, 3), mul(x, 3))]);
  const dividing = buildJaxpr("solve", [flag, float], ([p, x]) => [select(p, div(x, 3), div(x, 3))]);
  const diagonal: Params = {
    ...{ matvec: scaling, matvecConsts: 1, vecmat: scaling, vecmatConsts: 1 },
    ...{ solve: dividing, solveConsts: 1, transposeSolve: dividing, transposeSolveConsts: 1 },
  };
  return [
    { avals: [float, float], params: triangular },
    { avals: [flag, flag, flag, flag, float], params: diagonal },
  ];
}
