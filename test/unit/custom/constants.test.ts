/** Arrays that rules close over, on their way to devices. */
import {
  checkJaxpr,
  customVjp,
  findPrimitive,
  grad,
  isZero,
  jit,
  jvpJaxpr,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  type Primitive,
  parseJaxpr,
  primitives,
} from "fluxion";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { evalJaxpr } from "../../../src/core/eval.js";
import { type Eqn, type Jaxpr, subJaxprs } from "../../../src/core/jaxpr.js";
import { liftConstants } from "../../../src/core/lifted.js";
import { expectClose, f64 } from "./tools.js";

const w = f64([1, 2, 3]);
const scaled = customVjp((x: NDArray) => x.mul(w)).defVjp(
  (x) => [x.mul(w), null],
  (_, ct) => [ct.mul(w)],
);

/** The program of a gradient, with the equations that hold arrays in it. */
const gradientOf = (f: (x: NDArray) => NDArray): Jaxpr =>
  makeJaxpr((x: NDArray) => grad((y: NDArray) => f(y).sum())(x))(f64([1, 1, 1])).jaxpr;

const eqnsOf = (jaxpr: Jaxpr): Eqn[] => [
  ...jaxpr.eqns,
  ...jaxpr.eqns.flatMap(({ params }) => subJaxprs(params).flatMap(eqnsOf)),
];
const holding = (jaxpr: Jaxpr): number =>
  eqnsOf(jaxpr).filter(({ primitive }) => primitive.name === "arrayConstant").length;

const containers: Record<string, (x: NDArray) => NDArray> = {
  plain: (x) => scaled(x),
  jit: (x) => jit((y: NDArray) => scaled(y))(x),
  scan: (x) => lax.scan((c: NDArray, _: null) => [scaled(c), null], x, null, { length: 2 })[0],
  cond: (x) =>
    lax.cond(
      np.greater(np.sum(np.square(x)), 0),
      (y: NDArray) => scaled(y),
      (y: NDArray) => y,
      x,
    ),
  while: (x) =>
    lax.whileLoop(
      ({ y }) => np.less(np.sum(np.square(y)), 100),
      ({ y }) => ({ y: scaled(y) }),
      { y: x },
    ).y,
};

describe("liftConstants", () => {
  it.each(Object.keys(containers))("makes inputs of the arrays inside: %s", (name) => {
    const jaxpr = gradientOf(containers[name]);
    expect(holding(jaxpr)).toBeGreaterThan(0);
    const lifted = liftConstants(jaxpr);
    expect(isRight(checkJaxpr(lifted.jaxpr))).toBe(true);
    expect(lifted.consts).toContain(w);
    expect(new Set(lifted.consts).size).toBe(lifted.consts.length);
    expect(holding(lifted.jaxpr)).toBe(0);
    const inputs = jaxpr.inputs.length === 1 ? [f64([1, 1, 1])] : [w, f64([1, 1, 1])];
    const [wanted] = evalJaxpr(jaxpr, inputs);
    expectClose(evalJaxpr(lifted.jaxpr, [...inputs, ...lifted.consts])[0], wanted);
    expect(liftConstants(jaxpr)).toBe(lifted);
  });

  it("leaves programs without such arrays as they are", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) => jit(np.sin)(x))(f64(1));
    expect(liftConstants(jaxpr)).toEqual({ jaxpr, consts: [] });
    expect(liftConstants(jaxpr).jaxpr).toBe(jaxpr);
  });

  it("is what jit runs and shows: nothing is left for the host", () => {
    for (const name of Object.keys(containers)) {
      const step = jit(grad((x: NDArray) => containers[name](x).sum()));
      const lowered = step.lower(f64([1, 1, 1]));
      const host = lowered.steps.filter((s) => s.kind === "host");
      expect(host.map((s) => s.text)).toEqual([]);
      expectClose(step(f64([1, 1, 1])), lowered.compile()(f64([1, 1, 1])));
    }
  });

  it("is compiled with donated arguments", () => {
    const step = jit(
      grad((x: NDArray) => scaled(x).sum()),
      { donateArgnums: [0] },
    );
    const x = f64([4, 5, 6]);
    expect(step(x).tolist()).toEqual([1, 2, 3]);
    expect(w.tolist()).toEqual([1, 2, 3]);
  });
});

describe("the records of rules", () => {
  const ruled = ["customJvp", "customVjp", "linearCall", "arrayConstant"];

  it("refer to rules and arrays by number, which may be gone", () => {
    for (const name of ruled) {
      const primitive = findPrimitive(name) as Primitive;
      const { avals, params } = primitive.laws.examples.at(-1) as Primitive["laws"]["examples"][number];
      expect(isRight(primitive.abstractEval(avals, params))).toBe(true);
      const key = name === "arrayConstant" ? "array" : "rule";
      for (const wrong of [-1, 1e9, undefined, "0", [0]]) {
        const result = primitive.abstractEval(avals, { ...params, [key]: wrong });
        expect(isRight(result)).toBe(false);
        if (result._tag === "Left") expect(result.left.message).toContain("refers to no");
      }
    }
  });

  it("refuse params that are none", () => {
    for (const name of ["customJvp", "customVjp", "linearCall", "tangentCall"]) {
      const primitive = findPrimitive(name) as Primitive;
      const { avals, params } = primitive.laws.examples[0];
      for (const wrong of [{ jaxpr: 3 }, { name: 3 }, { name: undefined }]) {
        const result = primitive.abstractEval(avals, { ...params, ...wrong } as never);
        expect(isRight(result)).toBe(false);
      }
      expect(isRight(primitive.abstractEval(avals.slice(1), params))).toBe(false);
    }
    const linear = findPrimitive("linearCall") as Primitive;
    const { avals, params } = linear.laws.examples[0];
    for (const residuals of [-1, 0.5, 4, null])
      expect(isRight(linear.abstractEval(avals, { ...params, residuals }))).toBe(false);
    const solve = findPrimitive("linearSolve") as Primitive;
    const [example] = solve.laws.examples;
    for (const wrong of [
      { matvec: null },
      { solve: 1 },
      { matvecConsts: 1 },
      { solveConsts: -1 },
      { vecmat: 0 },
    ])
      expect(isRight(solve.abstractEval(example.avals, { ...example.params, ...wrong }))).toBe(false);
  });

  it("print, and are read back as long as their rules are there", () => {
    const jaxpr = makeJaxpr((x: NDArray) => scaled(x))(f64([1, 1, 1])).jaxpr;
    const text = String(jaxpr);
    expect(text).toMatch(/customVjp\[name="[^"]*" rule=\d+ jaxpr=/);
    const parsed = parseJaxpr(text);
    expect(isRight(parsed)).toBe(true);
    if (isRight(parsed)) {
      expect(String(parsed.right.jaxpr)).toBe(text);
      expect(
        jvpJaxpr(
          parsed.right.jaxpr,
          jaxpr.inputs.map((_, i) => i === jaxpr.inputs.length - 1),
        ).activeOut,
      ).toEqual([true]);
    }
    expect(isZero(w)).toBe(false);
  });

  it("are in the registry", () => {
    const names = primitives().map((p) => p.name);
    for (const name of [...ruled, "tangentCall", "linearSolve"]) expect(names).toContain(name);
  });
});
