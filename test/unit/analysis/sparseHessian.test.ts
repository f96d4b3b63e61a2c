import {
  ArgumentError,
  grad,
  hessian,
  jit,
  type NDArray,
  NonScalarOutputError,
  NotDifferentiableError,
  numpy as np,
  vmap,
} from "fluxion";
import { HessianPlan, sparseHessian } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, types } from "../values.js";

const arrow = (x: NDArray) => np.sum(x.mul(x).mul(x)).add(np.sum(x.slice("1:")).mul(np.sin(x.slice(0))));
const rosenbrock = (x: NDArray) =>
  np.sum(np.square(x.slice("1:").sub(np.square(x.slice(":-1")))).mul(100)).add(np.sum(np.square(x.sub(1))));
const point = (n: number) => np.linspace(0.2, 1.7, n).astype("float64");

describe("sparseHessian", () => {
  it.each([
    ["an arrow", arrow, 2, 3 * 30 - 2],
    ["Rosenbrock's function", rosenbrock, 3, 3 * 30 - 2],
    ["a sum of squares", (x: NDArray) => np.sum(np.square(x)), 1, 30],
    ["what is dense", (x: NDArray) => np.square(np.sum(np.sin(x))), 30, 900],
    ["blocks", (x: NDArray) => np.sum(np.prod(x.reshape(10, 3), 1)), 3, 60],
  ] as const)("%s: the entries of hessian", (_, f, passes, nonzeros) => {
    const x = point(30);
    const [h, plan] = sparseHessian(f as (x: NDArray) => NDArray, { explain: true })(x);
    expect(plan).toBeInstanceOf(HessianPlan);
    expect([plan.passes, h.nonzeros]).toEqual([passes, nonzeros]);
    expectClose(h.toDense(), plain(hessian(f as (x: NDArray) => NDArray)(x)), 1e-11);
  });

  it("of a linear function is zero, without a pass", () => {
    const [h, plan] = sparseHessian((x: NDArray) => np.sum(x.mul(2)), { explain: true })(point(4));
    expect([plan.passes, h.nonzeros, plan.density]).toEqual([0, 0, 0]);
    expect(String(plan)).toContain("The Hessian is zero.");
    expect(plain(h.toDense())).toEqual(plain(np.zeros([4, 4])));
  });

  it("of trees: blocks of all pairs of leaves, coloured together", () => {
    const f = ({ a, b }: { a: NDArray; b: NDArray[] }) =>
      np
        .sum(np.square(a).mul(b[0]!))
        .add(np.sum(np.exp(b[1]!)))
        .add(b[1]!.slice(0).mul(a.slice(0)));
    const x = { a: f64([1, 2, 3]), b: [f64([0.5, 0.25, 4]), f64([1, 2])] };
    const [h, plan] = sparseHessian(f, { explain: true })(x);
    const dense = hessian(f)(x);
    for (const [sparse, whole] of [
      [h.a.a, dense.a.a],
      [h.a.b[0], dense.a.b[0]],
      [h.b[0]!.a, dense.b[0]!.a],
      [h.b[0]!.b[0], dense.b[0]!.b[0]],
      [h.b[1]!.a, dense.b[1]!.a],
      [h.b[1]!.b[1], dense.b[1]!.b[1]],
    ] as const)
      expectClose(sparse!.toDense(), plain(whole), 1e-12);
    expect(h.b[0]!.b[0]!.nonzeros).toBe(0);
    expect(plan.passes).toBeLessThanOrEqual(3);
    const g = (x: NDArray, y: NDArray) => np.sum(np.square(x).mul(y));
    const [[, xy], [yx, yy]] = sparseHessian(g, { argnums: [0, 1] })(f64([1, 2]), f64([3, 4]));
    expect(plain(xy.toDense())).toEqual([
      [2, 0],
      [0, 4],
    ]);
    expect(plain(yx.values)).toEqual([2, 4]);
    expect(yy.nonzeros).toBe(0);
  });

  it("of leaves of several dtypes: each block in that of its row", () => {
    const f = ({ a, b }: { a: NDArray; b: NDArray }) => np.sum(np.square(a.astype("float64")).mul(np.sin(b)));
    const x = { a: f32([1, 2]), b: f64([3, 4]) };
    const h = sparseHessian(f)(x);
    expect([h.a.b.dtype, h.b.a.dtype]).toEqual(["float32", "float64"]);
    expectClose(h.a.b.toDense(), plain(hessian(f)(x).a.b), 1e-6);
    expect(types(h.b.b.toDense())).toBe("float64[2,2]");
  });

  it("of many elements with many neighbours", () => {
    const n = 140_000;
    const products = (x: NDArray) =>
      [1, 2, 3, 4, 5].reduce(
        (sum, k) => sum.add(np.sum(x.slice({ start: k }).mul(x.slice({ stop: n - k })))),
        np.zeros([]),
      );
    const [h, plan] = sparseHessian(products, { explain: true })(np.ones([n]));
    expect(h.nonzeros).toBe(10 * n - 2 * (1 + 2 + 3 + 4 + 5));
    expect(plan.passes).toBe(11);
  });

  it("in jit, vmap and grad", () => {
    const h = sparseHessian(rosenbrock);
    const x = point(6);
    expectClose(jit(h)(x).toDense(), plain(hessian(rosenbrock)(x)), 1e-11);
    const rows = np.stack([x, x.mul(2)]);
    expectClose(vmap((v: NDArray) => h(v).toDense())(rows), plain(vmap(hessian(rosenbrock))(rows)), 1e-11);
    const trace = (v: NDArray) => np.trace(h(v).toDense());
    expectClose(grad(trace)(x), plain(grad((v: NDArray) => np.trace(hessian(rosenbrock)(v)))(x)), 1e-10);
  });

  it("says how it is computed", () => {
    const [, plan] = sparseHessian(arrow, { explain: true })(point(100));
    expect(String(plan)).toMatch(
      /^Hessian of 100 inputs, 298 entries \(density 0\.03\)\n2 passes, .* 2 colours of a star colouring/,
    );
  });

  it("refuses what has no Hessian", () => {
    expect(() => sparseHessian((x: NDArray) => x.mul(2) as never)(point(3))).toThrow(NonScalarOutputError);
    expect(() => sparseHessian((x: NDArray) => np.sum(x))(i32([1, 2]))).toThrow(NotDifferentiableError);
    expect(errorOf(() => sparseHessian((x: NDArray) => np.sum(x))(i32([1, 2]))).message).toContain(
      "sparseHessian",
    );
    expect(() => sparseHessian(arrow, { mode: "star" } as never)).toThrow(ArgumentError);
    expect(() => sparseHessian("f" as never)).toThrow(ArgumentError);
  });
});
