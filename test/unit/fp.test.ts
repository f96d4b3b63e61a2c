/**
 * `fluxion/fp`: differentiable maps are a category, and every function that may fail says so in its result. That trees and
 * cotangents keep the laws of their classes is tried by laws/suites/values.test.ts.
 */
import {
  FluxionError,
  grad,
  isZero,
  JaxprParseError,
  jit,
  makeJaxpr,
  type NDArray,
  NonScalarOutputError,
  numpy as np,
  ShapeDtype,
  ShapeError,
} from "fluxion";
import * as fp from "fluxion/fp";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { expectClose, f64, plain } from "./values.js";

const { tree, cotangent, diff } = fp;

describe("trees", () => {
  it("traverse names the first leaf that fails", () => {
    const check = (x: number) => (x > 0 ? E.right(x) : E.left(`${x}`));
    expect(pipe({ b: -2, a: [1, -1] }, tree.traverse(E.Applicative)(check))).toEqual(E.left("-1"));
    expect(pipe({ b: 2, a: [1, null] }, tree.traverse(E.Applicative)(check))).toEqual(
      E.right({ b: 2, a: [1, null] }),
    );
  });
});

describe("cotangents", () => {
  it("of trees, leaf by leaf", () => {
    const primals = { w: f64([1, 2]), b: [f64(3), null] as const };
    const M = cotangent.getTreeMonoid(primals);
    const x = { w: f64([10, 20]), b: [f64(30), null] as const };
    expect(isZero(M.empty.w)).toBe(true);
    expect(plain(M.concat(x, x))).toEqual({ w: [20, 40], b: [60, null] });
    expect(M.concat(M.empty, x).w).toBe(x.w);
    expect(M.concat(x, M.empty).b[0]).toBe(x.b[0]);
    expect(isZero(M.concat(M.empty, M.empty).b[0])).toBe(true);
  });
});

type Vector = (x: NDArray) => NDArray;

describe("differentiable maps", () => {
  const at = f64([0.3, -0.8, 1.4]);
  const [v, u] = [f64([1, -2, 0.5]), f64([0.25, 3, -1])];
  const functions: Record<string, Vector> = {
    sin: np.sin,
    square: np.square,
    mix: (x) => np.multiply(x, np.sum(x)),
    scan: (x) => np.cumsum(np.exp(x)),
  };
  const maps = Object.entries(functions).map(([name, f]) => [name, f, diff.fromFunction(f)] as const);
  const inner = (x: NDArray, y: NDArray) => np.sum(np.multiply(x, y));

  const expectSame = (
    a: fp.diff.Dual<NDArray, NDArray>,
    b: fp.diff.Dual<NDArray, NDArray>,
    tolerance = 0,
  ): void => {
    expectClose(a.value, plain(b.value), tolerance);
    expectClose(a.push(v), plain(b.push(v)), tolerance);
    expectClose(a.pull(u), plain(b.pull(u)), tolerance);
  };

  it("are a category: identity on both sides, composition associates", () => {
    const { compose, id } = diff.Category;
    for (const [, , f] of maps) {
      expectSame(compose(id<NDArray>(), f)(at), f(at));
      expectSame(compose(f, id<NDArray>())(at), f(at));
      for (const [, , g] of maps)
        for (const [, , h] of maps) expectSame(compose(h, compose(g, f))(at), compose(compose(h, g), f)(at));
    }
  });

  it("the chain rule is composition: D(g∘f) = Dg∘Df forwards, (g∘f)* = f*∘g* backwards", () => {
    for (const [, f, df] of maps)
      for (const [, g, dg] of maps) {
        const whole = diff.fromFunction((x: NDArray) => g(f(x)))(at);
        const composed = diff.compose(dg)(df)(at);
        expectSame(composed, whole, 1e-13);
        const [first, second] = [df(at), dg(f(at))];
        expectClose(whole.push(v), plain(second.push(first.push(v))), 1e-13);
        expectClose(whole.pull(u), plain(first.pull(second.pull(u))), 1e-13);
      }
  });

  it("pull is the transpose of push", () => {
    for (const [, , f] of maps) {
      const { push, pull } = f(at);
      expectClose(inner(push(v), u), plain(inner(v, pull(u))), 1e-13);
    }
  });

  it("products: side by side, duplicated, projected", () => {
    const [[, , f], [, , g], [, , h]] = maps;
    const pair = diff.product(f, g)([at, v]);
    expectClose(pair.value, [plain(np.sin(at)), plain(np.square(v))]);
    expectClose(pair.push([v, u]), [plain(f(at).push(v)), plain(g(v).push(u))]);
    expectClose(pair.pull([v, u]), [plain(f(at).pull(v)), plain(g(v).pull(u))]);
    // (f × g) ∘ (h × h) = (f ∘ h) × (g ∘ h)
    const left = diff.compose(diff.product(f, g))(diff.product(h, h))([at, v]);
    const right = diff.product(diff.compose(f)(h), diff.compose(g)(h))([at, v]);
    expectClose(
      [left.value, left.push([v, u]), left.pull([v, u])],
      plain([right.value, right.push([v, u]), right.pull([v, u])]) as object,
    );
    // What comes from two copies adds up.
    const { value, push, pull } = diff.duplicate<NDArray>()(at);
    expect(plain([value, push(v)])).toEqual(
      plain([
        [at, at],
        [v, v],
      ]),
    );
    expect(plain(pull([u, v]))).toEqual(plain(np.add(u, v)));
    // fst ∘ ⟨f, g⟩ = f and snd ∘ ⟨f, g⟩ = g
    const fan = diff.fanout(f, g);
    expectSame(diff.compose(diff.fst<NDArray, NDArray>())(fan)(at), f(at), 1e-15);
    expectSame(diff.compose(diff.snd<NDArray, NDArray>())(fan)(at), g(at), 1e-15);
    expect(
      plain(
        diff
          .fst<NDArray, NDArray>()([at, f64(5)])
          .pull(u),
      ),
    ).toEqual([plain(u), 0]);
    // ⟨f, g⟩ followed by a product is the product rule.
    const times = diff.fromFunction(([a, b]: readonly [NDArray, NDArray]) => np.multiply(a, b));
    expectSame(
      diff.compose(times)(fan)(at),
      diff.fromFunction((x: NDArray) => np.multiply(np.sin(x), np.square(x)))(at),
      1e-13,
    );
  });

  it("linear maps are their own derivative; functions come back out", () => {
    const matrix = f64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const map = diff.linear(
      (x: NDArray) => np.matmul(matrix, x),
      (y: NDArray) => np.matmul(np.transpose(matrix), y),
    );
    const derived = diff.fromFunction((x: NDArray) => np.matmul(matrix, x));
    const y = f64([1, -1]);
    expectClose(
      [map(at).value, map(at).push(v), map(at).pull(y)],
      plain([derived(at).value, derived(at).push(v), derived(at).pull(y)]) as object,
    );
    for (const [, f, df] of maps) expect(plain(diff.toFunction(df)(at))).toEqual(plain(f(at)));
  });

  it("between trees, and under jit", () => {
    type P = { a: NDArray; b: [NDArray, null] };
    const f = diff.fromFunction((p: P) => ({ y: np.multiply(p.a, p.b[0]) }));
    const point: P = { a: f64([1, 2]), b: [f64(3), null] };
    expect(plain(f(point).push({ a: f64([1, 0]), b: [f64(10), null] }).y)).toEqual([13, 20]);
    expect(plain(f(point).pull({ y: f64([1, 1]) }))).toEqual({ a: [3, 3], b: [3, null] });
    const pulled = jit((x: NDArray) =>
      diff
        .compose(diff.fromFunction(np.sin as Vector))(diff.fromFunction(np.square as Vector))(x)
        .pull(u),
    );
    expectClose(
      pulled(at),
      plain(np.multiply(np.cos(np.square(at)), np.multiply(2, np.multiply(at, u)))),
      1e-13,
    );
  });
});

describe("errors as values", () => {
  const [two, three] = [f64([1, 2]), f64([1, 2, 3])];

  const leftOf = <T>(result: E.Either<FluxionError, T>): FluxionError => {
    if (E.isRight(result)) throw new Error("expected a left");
    expect(result.left).toBeInstanceOf(FluxionError);
    return result.left;
  };

  it("attempt and safely catch the library's errors, and no others", () => {
    expect(leftOf(fp.attempt(() => np.add(two, three)))).toBeInstanceOf(ShapeError);
    expect(
      pipe(
        fp.attempt(() => np.add(two, 1)),
        E.map(plain),
      ),
    ).toEqual(E.right([2, 3]));
    const add = fp.safely((x: NDArray, y: NDArray) => np.add(x, y));
    expect(leftOf(add(two, three)).message).toMatch(/float64\[2\], float64\[3\]/);
    expect(E.isRight(add(two, two))).toBe(true);
    expect(() =>
      fp.attempt(() => {
        throw new RangeError("the user's");
      }),
    ).toThrow(RangeError);
    expect(() =>
      fp.safely((): number => {
        throw new TypeError("the user's");
      })(),
    ).toThrow(TypeError);
  });

  it("makeJaxprE, evalShapeE", () => {
    const f = (x: NDArray) => np.matmul(x, x);
    expect(pipe(fp.makeJaxprE(f)(new ShapeDtype([2, 2])), E.map(String))).toEqual(
      E.right(String(makeJaxpr(f)(new ShapeDtype([2, 2])))),
    );
    expect(leftOf(fp.makeJaxprE(f)(new ShapeDtype([2, 3]))).code).toBe("shape");
    expect(
      pipe(
        fp.evalShapeE(f, new ShapeDtype([4, 4])),
        E.map((s) => s.shape),
      ),
    ).toEqual(E.right([4, 4]));
    expect(leftOf(fp.evalShapeE(f, new ShapeDtype([4, 3]))).code).toBe("shape");
    expect(leftOf(fp.makeJaxprE((x: NDArray) => (x.item() ? x : x))(two)).code).toBe("concretization");
  });

  it("gradE, valueAndGradE", () => {
    const f = (x: NDArray) => np.sum(np.square(x));
    expect(pipe(fp.gradE(f)(three), E.map(plain))).toEqual(E.right([2, 4, 6]));
    expect(pipe(fp.valueAndGradE(f)(two), E.map(plain))).toEqual(E.right([5, [2, 4]]));
    expect(leftOf(fp.gradE(np.sin)(three))).toBeInstanceOf(NonScalarOutputError);
    expect(leftOf(fp.valueAndGradE(np.sin)(three)).code).toBe("non-scalar-output");
    // They chain: the first failure ends it.
    const steps = pipe(
      fp.gradE(f)(three),
      E.chain((g) => fp.attempt(() => np.add(g, two))),
      E.map(plain),
    );
    expect(leftOf(steps).code).toBe("shape");
  });

  it("checkJaxpr and parseJaxpr", () => {
    const jaxpr = makeJaxpr(np.sin)(1).jaxpr;
    expect(
      pipe(
        fp.parseJaxpr(String(jaxpr)),
        E.map((closed) => String(closed.jaxpr)),
      ),
    ).toEqual(E.right(String(jaxpr)));
    expect(
      pipe(
        fp.checkJaxpr(jaxpr),
        E.map((j) => j === jaxpr),
      ),
    ).toEqual(E.right(true));
    expect(leftOf(fp.parseJaxpr("{ lambda ; a:f32[]. let in (b,) }"))).toBeInstanceOf(JaxprParseError);
  });

  it("data is a TaskEither", async () => {
    expect(await fp.data(two)()).toEqual(E.right(new Float64Array([1, 2])));
    const total = pipe(
      fp.data(three),
      TE.map((values) => Array.from(values).reduce((s, x) => s + x, 0)),
    );
    expect(await total()).toEqual(E.right(6));
    const pending: Promise<E.Either<FluxionError, unknown>>[] = [];
    jit((x: NDArray) => {
      pending.push(fp.data(x)());
      return x;
    })(two);
    expect(leftOf(await pending[0]).code).toBe("concretization");
  });

  it("pipe and flow work on transforms as they are", () => {
    expect(
      plain(
        fp.pipe(
          f64(3),
          fp.pipe((x: NDArray) => np.square(x), grad, jit),
        ),
      ),
    ).toBe(6);
    expect(plain(fp.flow(np.square, np.sum)(three))).toBe(14);
  });
});
