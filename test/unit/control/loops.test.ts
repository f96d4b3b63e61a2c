/** lax.foriLoop and lax.map. */
import {
  ArgumentError,
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
import {
  countOf,
  expectClose,
  expectError,
  f32,
  f64,
  i32,
  plain,
  primitiveNames,
  describe as typeOf,
} from "../values.js";

describe("foriLoop", () => {
  it.each([
    [0, 5],
    [1, 6],
    [-3, 2],
    [4, 4],
    [4, 1],
  ])("counts from %i to %i", (lower, upper) => {
    let wanted = 10;
    for (let i = lower; i < upper; i++) wanted = wanted * 0.5 + i;
    const body = (i: NDArray, c: NDArray) => c.mul(0.5).add(i);
    expect(lax.foriLoop(lower, upper, body, f64(10)).item()).toBe(wanted);
    expect(jit(() => lax.foriLoop(lower, upper, body, f64(10), { unroll: 2 }))().item()).toBe(wanted);
    // Bounds that are arrays, known and traced.
    expect(lax.foriLoop(i32(lower), i32(upper), body, f64(10)).item()).toBe(wanted);
    const traced = jit((a: NDArray, b: NDArray) => lax.foriLoop(a, b, body, f64(10)));
    expect(traced(i32(lower), i32(upper)).item()).toBe(wanted);
    expect(jit((b: NDArray) => lax.foriLoop(lower, b, body, f64(10)))(i32(upper)).item()).toBe(wanted);
  });

  it("is a scan if the bounds are known, and a while loop if not", () => {
    const f = (n: number | NDArray) => lax.foriLoop(0, n, (i, c) => c.add(i), 0);
    expect(primitiveNames(makeJaxpr(() => f(3))())).toContain("scan");
    expect(primitiveNames(makeJaxpr(() => f(i32(3)))())).toContain("scan");
    expect(primitiveNames(makeJaxpr(f)(i32(3)))).toContain("while");
  });

  it("counts in weak integers between numbers, and in the type of arrays", () => {
    const types: string[] = [];
    const body = (i: NDArray, c: NDArray) => {
      types.push(typeOf(i));
      return c.mul(i);
    };
    expect(typeOf(lax.foriLoop(1, 3, body, np.ones([2], "float16")))).toBe("float16[2]");
    lax.foriLoop(i32(1), 3, body, f32(1));
    lax.foriLoop(np.array(1, "uint32"), np.array(3, "uint32"), body, f32(1));
    lax.foriLoop(np.array(1, "uint8"), 3, body, f32(1));
    expect([...new Set(types)]).toEqual(["~int32[]", "int32[]", "uint32[]", "uint8[]"]);
  });

  it("carries trees, and numbers that take the dtype of the body", () => {
    const [a, { b }] = lax.foriLoop(0, 4, (i, [x, { b: y }]) => [x.add(y), { b: y.mul(i.add(1)) }], [
      f64(0),
      { b: 1 },
    ] as [NDArray, { b: number }]);
    expect([a.item(), b.item(), typeOf(b)]).toEqual([1 + 1 + 2 + 6, 24, "~int32[]"]);
    expect(typeOf(lax.foriLoop(0, 2, (_, c) => c.add(f64(1)), 0))).toBe("float64[]");
  });

  it("has derivatives in both modes, to second order, and under vmap", () => {
    const power = (x: NDArray) => lax.foriLoop(0, 5, (_, c) => c.mul(x), f64(1));
    const x = 1.5;
    expectClose(grad(power)(f64(x)), 5 * x ** 4, 1e-13);
    expectClose(jvp(power, [f64(x)], [f64(2)])[1], 10 * x ** 4, 1e-13);
    expectClose(grad(grad(power))(f64(x)), 20 * x ** 3, 1e-13);
    expectClose(jvp(grad(power), [f64(x)], [f64(1)])[1], 20 * x ** 3, 1e-13);
    expectClose(vmap(jit(grad(power)))(f64([1, 2])), [5, 80], 1e-13);
  });

  it("uses the counter in derivatives: a polynomial by Horner's rule", () => {
    const coefficients = f64([4, 3, 2, 1]);
    const p = (c: NDArray, x: NDArray) => lax.foriLoop(0, 4, (i, s) => s.mul(x).add(np.take(c, i)), f64(0));
    const [dc, dx] = grad(p, { argnums: [0, 1] })(coefficients, f64(2));
    expect(plain(p(coefficients, f64(2)))).toBe(4 * 8 + 3 * 4 + 2 * 2 + 1);
    expectClose(dc, [8, 4, 2, 1], 1e-14);
    expectClose(dx, 12 * 4 + 6 * 2 + 2, 1e-13);
  });

  it("has derivatives with traced bounds", () => {
    const f = (n: NDArray, x: NDArray) => lax.foriLoop(0, n, (_, c) => c.mul(x), f64(1));
    expectClose(jit(grad(f, { argnums: 1 }))(i32(4), f64(1.5)), 4 * 1.5 ** 3, 1e-13);
    expectClose(vmap(f, { inAxes: [0, null] })(i32([0, 1, 3]), f64(2)), [1, 2, 8]);
  });

  it("refuses wrong bounds, bodies and options", () => {
    const body = (_: NDArray, c: NDArray) => c;
    const call =
      (lower: unknown, upper: unknown, f: unknown = body, init: unknown = f64(0), options?: unknown) =>
      () =>
        lax.foriLoop(lower as number, upper as number, f as typeof body, init as NDArray, options as object);
    expectError(call(0.5, 3), DtypeError, "dtype", "the lower bound", "0.5");
    expectError(call(0, 3e10), DtypeError, "dtype", "the upper bound");
    expectError(call(0, Number.NaN), DtypeError, "dtype", "NaN");
    expectError(call(0, f64(3)), DtypeError, "dtype", "float64[]");
    expectError(call(i32([0, 1]), 3), ShapeError, "shape", "int32[2]");
    expectError(call("0", 3), DtypeError, "dtype", "string");
    expectError(call(0, 3, 5), ArgumentError, "argument");
    expectError(call(0, 3, body, f64(0), { unroll: 0 }), ArgumentError, "argument", "unroll");
    expectError(call(0, 3, body, f64(0), { length: 3 }), ArgumentError, "argument", "length");
    // The path does not count the counter.
    const grown = (_: NDArray, c: { h: NDArray }) => ({ h: np.stack([c.h, c.h]) });
    expectError(call(0, 3, grown, { h: f64(0) }), ShapeError, "shape", "at .h the carry", "float64[2]");
    expectError(
      call(0, 3, (_: NDArray, c: NDArray) => [c], f64(0)),
      TreeMismatchError,
      "tree-mismatch",
      "TreeDef(*)",
      "TreeDef([*])",
    );
  });
});

describe("map", () => {
  const f = (x: NDArray) => ({ square: x.dot(x), double: x.mul(2) });
  const rows = Array.from({ length: 7 }, (_, i) => [i + 0.5, 1 - i]);
  const wanted = {
    square: rows.map(([a, b]) => a * a + b * b),
    double: rows.map(([a, b]) => [2 * a, 2 * b]),
  };

  it.each([1, 2, 3, 7, 100])("in batches of %i", (batchSize) => {
    const run = (x: NDArray) => lax.map(f, x, { batchSize });
    for (const result of [run(f64(rows)), jit(run)(f64(rows))])
      expectClose(result, { double: wanted.double, square: wanted.square }, 1e-14);
    const total = (x: NDArray) => run(x).square.sum();
    expectClose(grad(total)(f64(rows)), wanted.double, 1e-14);
    expectClose(
      jvp(total, [f64(rows)], [np.ones([7, 2], "float64")])[1],
      rows.flat().reduce((s, x) => s + 2 * x, 0),
      1e-13,
    );
  });

  it("is a scan, of batches if they are asked for", () => {
    const count = (batchSize: number) =>
      countOf(makeJaxpr((x: NDArray) => lax.map(f, x, { batchSize }))(f64(rows)), "scan");
    expect([1, 3, 7].map(count)).toEqual([1, 1, 0]);
  });

  it("goes through trees, and through nothing", () => {
    const [a, b] = lax.map(([x, { y }]: [NDArray, { y: NDArray }]) => [x.add(y), y] as const, [
      f64([1, 2]),
      { y: i32([3, 4]) },
    ] as [NDArray, { y: NDArray }]);
    expect(plain([a, b])).toEqual([
      [4, 6],
      [3, 4],
    ]);
    for (const batchSize of [1, 4]) {
      const empty = lax.map(f, np.zeros([0, 2], "float64"), { batchSize });
      expect([typeOf(empty.square), typeOf(empty.double)]).toEqual(["float64[0]", "float64[0,2]"]);
    }
  });

  it("under vmap", () => {
    const run = (x: NDArray) => lax.map((y) => y.sum().mul(y.at(0).get()), x, { batchSize: 2 });
    expectClose(
      vmap(run)(
        f64([
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          [
            [0, 1],
            [2, 0],
            [1, 1],
          ],
        ]),
      ),
      [
        [3, 21, 55],
        [0, 4, 2],
      ],
      1e-14,
    );
  });

  it("refuses what scan refuses, and wrong batch sizes", () => {
    expectError(() => lax.map(f, f64(1)), ShapeError, "shape", "float64[]");
    expectError(
      () => lax.map(([x]: NDArray[]) => x, [f64([1, 2]), f64([1])]),
      ShapeError,
      "shape",
      "has 2",
      "has 1",
    );
    expectError(() => lax.map(() => f64(1), null), ArgumentError, "argument", "at least one array");
    for (const batchSize of [0, -1, 1.5])
      expectError(() => lax.map(f, f64(rows), { batchSize }), ArgumentError, "argument", "batchSize");
  });
});
