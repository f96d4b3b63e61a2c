/** Programs that eager code traces again and again: that remembering them changes no result, and keeps nothing alive. */
import {
  bind,
  debugNans,
  findPrimitive,
  grad,
  jit,
  jvp,
  type NDArray,
  numpy as np,
  type Primitive,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Jaxpr, Literal } from "../../src/core/jaxpr.js";
import { forgetPrograms, recall } from "../../src/core/recurring.js";
import { makeJaxpr } from "../../src/index.js";

beforeEach(forgetPrograms);
afterEach(forgetPrograms);

/** One trace more of the same program. */
const trace = (f: (x: NDArray) => NDArray, ...args: NDArray[]): Jaxpr => {
  const { inputs, eqns, outputs, varCount } = makeJaxpr(f)(...(args as [NDArray])).jaxpr;
  // As under grad, where equations know no lines.
  return new Jaxpr(
    inputs,
    eqns.map((eqn) => ({ ...eqn, source: undefined })),
    outputs,
    varCount,
  );
};

const x = np.array(0.7, { dtype: "float32" });
const v = np.array([0.1, 0.2, 0.3]);

/** Whether the second of two programs, each traced three times, is found to be the first. */
function areOne(f: (x: NDArray) => NDArray, g: (x: NDArray) => NDArray, a: NDArray = x, b: NDArray = a) {
  forgetPrograms();
  for (let i = 0; i < 2; i++) recall(trace(f, a));
  const first = recall(trace(f, a));
  expect(recall(trace(f, a))).toBe(first);
  return recall(trace(g, b)) === first;
}

describe("recall", () => {
  it("finds a program from its third trace on", () => {
    const [a, b, c, d] = [1, 2, 3, 4].map(() => trace((y) => y.sin().mul(y), x));
    expect(recall(a)).toBe(a);
    const kept = recall(b);
    expect(recall(c)).toBe(kept);
    expect(recall(d)).toBe(kept);
    forgetPrograms();
    expect(recall(c)).toBe(c);
  });

  it("tells programs apart by all that they are", () => {
    expect(
      areOne(
        (y) => y.mul(2),
        (z) => z.mul(2),
      ),
    ).toBe(true);
    expect(
      areOne(
        (y) => y.mul(2),
        (y) => y.mul(3),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.mul(2.5),
        (y) => y.mul(2.25),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.add(0),
        (y) => y.add(-0),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.mul(Number.NaN),
        (y) => y.mul(Number.NaN),
      ),
    ).toBe(true);
    expect(
      areOne(
        (y) => y.sin(),
        (y) => y.cos(),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.sub(y.sin()),
        (y) => y.sin().sub(y),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.sum(0),
        (y) => y.sum(1),
        np.ones([2, 2]),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.reshape(2, 3),
        (y) => y.reshape(3, 2),
        np.ones([6]),
      ),
    ).toBe(false);
    expect(
      areOne(
        (y) => y.reshape(2, 3),
        (y) => y.reshape(2, 3),
        np.ones([6]),
      ),
    ).toBe(true);
    // What the hash does not tell apart.
    const at = np.array([0, 5], { dtype: "int32" });
    const [clip, fill] = (["clip", "fill"] as const).map((mode) => (y: NDArray) => y.at(at).get({ mode }));
    expect(areOne(clip, fill, np.ones([3]))).toBe(false);
    expect(areOne(clip, clip, np.ones([3]))).toBe(true);
    const sin = (y: NDArray): NDArray => y.sin();
    expect(areOne(sin, sin, x, np.array(0.7))).toBe(false);
    expect(areOne(sin, sin, np.ones([2]), np.ones([3]))).toBe(false);
    expect(areOne(sin, sin, np.ones([2]), np.ones([2], { dtype: "float64" }))).toBe(false);
    expect(areOne(sin, sin, x, np.array(0.7, { dtype: "float64" }))).toBe(false);
    expect(
      areOne(
        (y) => y.pow(2),
        (y) => y.pow(3),
      ),
    ).toBe(false);
  });

  it("keeps no program whose params hold a program", () => {
    const inner = jit((y: NDArray) => y.sin());
    const [a, b, c] = [1, 2, 3].map(() => trace((y) => inner(y), x));
    for (const jaxpr of [a, b, c]) expect(recall(jaxpr)).toBe(jaxpr);
  });

  it("keeps no program that knows lines, no array, and no more than fits", () => {
    const lined = () => makeJaxpr((y: NDArray) => y.sin())(x).jaxpr;
    for (let i = 0; i < 3; i++) {
      const jaxpr = lined();
      expect(recall(jaxpr)).toBe(jaxpr);
    }
    const two = np.array(2);
    const scaled = () => trace((y) => y.mul(two), x);
    recall(scaled());
    const kept = recall(scaled());
    const literal = kept.eqns[0].inputs.find((a) => a instanceof Literal);
    expect(literal).toBeInstanceOf(Literal);
    expect(literal?.array).toBeUndefined();

    const long = (n: number) => () =>
      trace((y) => {
        for (let i = 0; i < n; i++) y = y.sin();
        return y;
      }, x);
    const isKept = (make: () => Jaxpr): boolean => {
      recall(make());
      const second = recall(make());
      return recall(make()) === second;
    };
    expect(isKept(long(2000))).toBe(true);
    expect(isKept(long(2100))).toBe(false);
    // Those that came before are dropped when there are too many equations, not those that come.
    for (let n = 1900; n < 1910; n++) expect(isKept(long(n))).toBe(true);
  });
});

describe("results", () => {
  const f = (y: NDArray): NDArray => y.sin().mul(y).add(y.exp());
  const bitsOf = (y: NDArray): string => JSON.stringify([y.dtype, y.weakType, y.shape, [...y.dataSync()]]);

  it("are the same bits in the first call and in all others", () => {
    const W = np.array([
      [0.5, -0.25],
      [1.5, 0.125],
    ]);
    const g = (w: NDArray): NDArray => np.sum(np.tanh(w.matmul(W).add(1)).mul(w)).sub(np.max(w));
    const calls: (() => NDArray[])[] = [
      () => [grad(f)(x)],
      () => [grad(grad(f))(x)],
      () => [grad(f)(0.7 as unknown as NDArray)],
      () => jvp(f, [x], [np.array(1.5)]),
      () => {
        const [y, pull] = vjp(f, x);
        return [y, ...pull(2), ...pull(3)];
      },
      () => [vmap(f)(v), vmap(grad(f))(v)],
      () => valueAndGrad(g)(W),
      () => [grad((y: NDArray) => y.mul(0).sum())(v), grad((y: NDArray) => np.sum(W).add(y.mul(0)))(x)],
    ];
    for (const call of calls) {
      const first = call().map(bitsOf);
      for (let i = 0; i < 4; i++) expect(call().map(bitsOf)).toEqual(first);
    }
  });

  it("follow scalars and arrays that the function closes over", () => {
    const slopes = (scale: number): number => {
      const weights = v.mul(scale);
      return Number(grad((y: NDArray) => np.sum(weights.mul(y)).mul(scale))(x).item());
    };
    for (let i = 0; i < 3; i++)
      for (const scale of [1, 2, 1, -3]) expect(slopes(scale)).toBeCloseTo(0.6 * scale * scale, 5);
  });

  it("survive that arrays are disposed of: results, scalars that were closed over, arguments", () => {
    const both = valueAndGrad((y: NDArray) => [np.array(3).mul(np.array(1)), y][0] as NDArray);
    const constant = () => {
      const [value, slope] = both(x);
      const found = [value.item(), slope.item()];
      value.dispose();
      slope.dispose();
      return found;
    };
    for (let i = 0; i < 5; i++) expect(constant()).toEqual([3, 0]);
    const [[one], [two]] = [both(x), both(x)];
    one.dispose();
    expect(two.item()).toBe(3);
    const c = np.array(2, { dtype: "float32" });
    const [, pull] = vjp((z: NDArray) => z.mul(c), x);
    c.dispose();
    expect(pull(3)[0].item()).toBe(6);
    for (let i = 0; i < 5; i++) {
      const [c, y] = [np.array(2), np.array(5)];
      const slope = grad((z: NDArray) => z.mul(z).mul(c))(y);
      c.dispose();
      y.dispose();
      expect(slope.item()).toBe(20);
      slope.dispose();
    }
  });

  it("follow the path that values on demand chose", () => {
    const branch = grad((y: NDArray) => (Number(y.item()) > 0 ? y.mul(2) : y.mul(-5)));
    for (let i = 0; i < 4; i++) {
      expect(branch(np.array(1)).item()).toBe(2);
      expect(branch(np.array(-1)).item()).toBe(-5);
    }
  });

  it("use the rules of now, once programs are forgotten", () => {
    const slope = () => Number(grad((y: NDArray) => y.sin())(np.array(2)).item());
    for (let i = 0; i < 3; i++) expect(slope()).toBeCloseTo(Math.cos(2), 6);
    const sin = findPrimitive("sin") as { -readonly [K in keyof Primitive]: Primitive[K] };
    const { jvp: right } = sin;
    sin.jvp = ([y], [t]) => ({ outputs: bind(sin, [y], {}), tangents: [t] });
    try {
      forgetPrograms();
      for (let i = 0; i < 3; i++) expect(slope()).toBe(1);
    } finally {
      sin.jvp = right;
      forgetPrograms();
    }
    expect(slope()).toBeCloseTo(Math.cos(2), 6);
  });

  it("name the line of the call that went wrong, not of an earlier one", () => {
    const log = (y: NDArray): NDArray => y.log();
    for (let i = 0; i < 3; i++) vmap(log)(v);
    debugNans(true);
    try {
      const lines = [1, 2].map(() => {
        try {
          vmap((y: NDArray) => y.log())(v.neg());
        } catch (e) {
          return (e as Error).message;
        }
        return "";
      });
      for (const line of lines) expect(line).toMatch(/log gave NaN.*called at .*recurring\.test\.ts/);
    } finally {
      debugNans(false);
    }
  });
});
