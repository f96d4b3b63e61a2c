/** lax.associativeScan against running combinations one after the other. */
import {
  ArgumentError,
  AxisError,
  DtypeError,
  grad,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeError,
  TreeMismatchError,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives, drawn } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, expectError, f64, i32, plain, primitiveNames, describe as typeOf } from "../values.js";

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 100];

function running<T>(combine: (a: T, b: T) => T, list: readonly T[], reverse = false): T[] {
  const results: T[] = [];
  for (let step = 0; step < list.length; step++) {
    const at = reverse ? list.length - 1 - step : step;
    results[at] = step === 0 ? list[at] : combine(results[reverse ? at + 1 : at - 1], list[at]);
  }
  return results;
}

describe.each(lengths)("of %i entries", (n) => {
  const numbers = Array.from({ length: n }, (_, i) => ((i * 7) % 11) - 5);

  it("sums, from either end, exactly", () => {
    for (const reverse of [false, true]) {
      const wanted = running((a: number, b: number) => a + b, numbers, reverse);
      const run = (x: NDArray) => lax.associativeScan(np.add, x, { reverse });
      expect(plain(run(np.array(numbers, "int32")))).toEqual(wanted);
      expect(plain(jit(run)(np.array(numbers, "int32")))).toEqual(wanted);
    }
  });

  it("composes affine maps, which do not commute: a tree of arrays", () => {
    // (a₁, b₁) then (a₂, b₂): x ↦ a₂ (a₁ x + b₁) + b₂
    const composed =
      <T>(mul: (x: T, y: T) => T, add: (x: T, y: T) => T) =>
      (p: { a: T; b: T }, q: { a: T; b: T }) => ({
        a: mul(p.a, q.a),
        b: add(mul(q.a, p.b), q.b),
      });
    const maps = numbers.map((x) => ({ a: 1 + x / 8, b: x / 4 }));
    for (const reverse of [false, true]) {
      const wanted = running(
        composed(
          (x: number, y: number) => x * y,
          (x: number, y: number) => x + y,
        ),
        maps,
        reverse,
      );
      const given = {
        a: np.reshape(f64(maps.map(({ a }) => a)), [n]),
        b: np.reshape(f64(maps.map(({ b }) => b)), [n]),
      };
      const result = lax.associativeScan(composed<NDArray>(np.multiply, np.add), given, { reverse });
      expectClose(result, { a: wanted.map(({ a }) => a), b: wanted.map(({ b }) => b) }, 1e-12);
    }
  });

  it("along any axis", () => {
    const x = np.reshape(
      np.array(
        Array.from({ length: 6 * n }, (_, i) => (i * 5) % 7),
        "int32",
      ),
      [2, n, 3],
    );
    for (const axis of [1, -2])
      expect(plain(lax.associativeScan(np.add, x, { axis }))).toEqual(plain(np.cumsum(x, 1)));
    expect(plain(lax.associativeScan(np.maximum, x, { axis: 1, reverse: true }))).toEqual(
      plain(lax.cummax(x, { axis: 1, reverse: true })),
    );
  });
});

describe("derivatives", () => {
  const random = generator(3);
  it("of running products of matrices agree with finite differences", () => {
    const f = (x: NDArray) => lax.associativeScan((a, b) => np.matmul(a, b), x);
    checkDerivatives(f, drawn([6, 2, 2], random, -1, 1));
  });

  it("of running sums: the number of sums an entry is in", () => {
    expectClose(
      grad((x: NDArray) => lax.associativeScan(np.add, x).sum())(np.ones([5], "float64")),
      [5, 4, 3, 2, 1],
    );
    expectClose(
      grad((x: NDArray) => lax.associativeScan(np.add, x, { reverse: true }).sum())(np.ones([5], "float64")),
      [1, 2, 3, 4, 5],
    );
    expectClose(
      jvp((x: NDArray) => lax.associativeScan(np.add, x), [f64([1, 2, 3])], [f64([1, 10, 100])])[1],
      [1, 11, 111],
    );
  });

  it("solve a linear recurrence as a scan does", () => {
    const [a, b] = [drawn([9], random), drawn([9], random)];
    const fast = (p: NDArray, q: NDArray) =>
      lax.associativeScan(
        (l: NDArray[], r: NDArray[]) => [l[0].mul(r[0]), r[0].mul(l[1]).add(r[1])],
        [p, q],
      )[1];
    const slow = (p: NDArray, q: NDArray) =>
      lax.scan((c, [s, t]: NDArray[]) => [s.mul(c).add(t), s.mul(c).add(t)], f64(0), [p, q])[1];
    expectClose(fast(a, b), plain(slow(a, b)), 1e-12);
    const argnums = [0, 1] as const;
    expectClose(
      grad((p: NDArray, q: NDArray) => np.sin(fast(p, q)).sum(), { argnums })(a, b),
      plain(grad((p: NDArray, q: NDArray) => np.sin(slow(p, q)).sum(), { argnums })(a, b)),
      1e-11,
    );
  });
});

it("applies the function about 2 log₂ n times", () => {
  const count = (n: number) =>
    primitiveNames(makeJaxpr((x: NDArray) => lax.associativeScan(np.multiply, x))(np.ones([n]))).filter(
      (p) => p === "mul",
    ).length;
  expect(count(1024)).toBeLessThanOrEqual(20);
  expect(count(1024)).toBeGreaterThanOrEqual(10);
});

it("under vmap", () => {
  const run = (x: NDArray) => lax.associativeScan(np.multiply, x);
  expectClose(
    vmap(run)(
      f64([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ),
    [
      [1, 2, 6],
      [4, 20, 120],
    ],
  );
});

it("keeps signed zeros, NaN and booleans", () => {
  const zeros = plain(lax.associativeScan((_, b) => b, f64([-0, 0, -0, 1, -0]))) as number[];
  expect(zeros.map((x) => Object.is(x, -0))).toEqual([true, false, true, false, true]);
  expect(plain(lax.associativeScan(np.maximum, f64([1, Number.NaN, 2])))).toEqual([
    1,
    Number.NaN,
    Number.NaN,
  ]);
  const flags = lax.associativeScan(np.logicalOr, np.array([false, true, false]));
  expect([plain(flags), typeOf(flags)]).toEqual([[false, true, true], "bool[3]"]);
});

describe("refuses", () => {
  it("arrays without the axis, or of different lengths", () => {
    expectError(() => lax.associativeScan(np.add, f64([1]), { axis: 1 }), AxisError, "axis");
    expectError(() => lax.associativeScan(np.add, f64(1)), AxisError, "axis");
    const pick = (a: NDArray[]) => a;
    expectError(
      () => lax.associativeScan(pick, [f64([1, 2]), f64([1, 2, 3])]),
      ShapeError,
      "shape",
      "has 2",
      "has 3",
    );
  });

  it("a function that gives something else than it takes", () => {
    expectError(
      () => lax.associativeScan((a) => a.sum(), f64([1, 2])),
      ShapeError,
      "shape",
      "float64[1]",
      "float64[]",
    );
    expectError(
      () => lax.associativeScan((a) => a.astype("float32"), f64([1, 2])),
      DtypeError,
      "dtype",
      "float32",
    );
    expectError(
      () => lax.associativeScan(((a: NDArray) => [a]) as never, f64([1, 2])),
      TreeMismatchError,
      "tree-mismatch",
    );
  });

  it("wrong options", () => {
    expectError(
      () => lax.associativeScan(np.add, i32([1]), { reverse: 1 } as never),
      ArgumentError,
      "argument",
      "reverse",
    );
    expectError(
      () => lax.associativeScan(np.add, i32([1]), { along: 1 } as never),
      ArgumentError,
      "argument",
      "along",
    );
    expectError(() => lax.associativeScan(3 as never, i32([1])), ArgumentError, "argument");
  });
});
