/** Conds in batches: rows that go different ways see nothing of each other's branches, in values or derivatives of any order. */
import {
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeDtype,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";

type F = (x: NDArray) => NDArray;

const row = (xs: readonly number[]): NDArray => np.array(xs, "float64");
const list = (x: NDArray): number[] => x.tolist() as number[];
const sum = (x: NDArray): NDArray => np.sum(x);
const conds = (g: (...args: NDArray[]) => NDArray, ...types: ShapeDtype[]): number =>
  makeJaxpr(g)(...types).jaxpr.eqns.filter(({ primitive }) => primitive.name === "cond").length;

function expectClose(x: NDArray, wanted: readonly number[]): void {
  expect(list(x)).toHaveLength(wanted.length);
  for (const [i, v] of list(x).entries()) expect(v, `row ${i}`).toBeCloseTo(wanted[i], 12);
}

/** √x where x > 0, else x²: the root has no derivative at 0 and no value below. */
const root: F = (x) =>
  lax.cond(
    x.greater(0),
    (y) => y.sqrt(),
    (y) => y.mul(y),
    x,
  );

describe("a predicate for each row", () => {
  const xs = [4, 0, -1, 9, 0];
  const value = [2, 0, 1, 3, 0];
  const slope = [0.25, 0, -2, 1 / 6, 0];
  const bend = [-1 / 32, 2, 2, -1 / 108, 2];

  it("gives each row its own branch, in every mode and to second order", () => {
    expectClose(vmap(root)(row(xs)), value);
    const modes: Record<string, (f: F) => F> = {
      "vmap of grad": (f) => vmap(grad(f) as F),
      "vmap of jvp": (f) => vmap((x: NDArray) => jvp(f, [x], [1])[1]),
      "grad of vmap": (f) => grad((x: NDArray) => sum(vmap(f)(x))) as F,
      "jvp of vmap": (f) => (x) => jvp(vmap(f), [x], [np.ones([5], "float64")])[1],
      "jit of vmap of grad": (f) => jit(vmap(jit(grad(f) as F))),
    };
    for (const [name, mode] of Object.entries(modes)) {
      const got = list(mode(root)(row(xs)));
      for (const [i, v] of got.entries()) expect(v, `${name}, row ${i}`).toBeCloseTo(slope[i], 12);
    }
    const second: Record<string, F> = {
      "vmap of hessian": vmap(hessian(root) as F),
      "vmap of forward over reverse": vmap((x: NDArray) => jvp(grad(root) as F, [x], [1])[1]),
      "vmap of reverse over forward": vmap(grad((x: NDArray) => jvp(root, [x], [1])[1]) as F),
      "grad of sum of vmap of grad": grad((x: NDArray) => sum(vmap(grad(root) as F)(x))) as F,
      "grad of sum of grad of sum of vmap": grad((x: NDArray) =>
        sum(grad((y: NDArray) => sum(vmap(root)(y)))(x)),
      ) as F,
      "jvp of grad of vmap": (x) =>
        jvp(grad((y: NDArray) => sum(vmap(root)(y))) as F, [x], [np.ones([5], "float64")])[1],
    };
    for (const [name, g] of Object.entries(second)) {
      const got = list(g(row(xs)));
      for (const [i, v] of got.entries()) expect(v, `${name}, row ${i}`).toBeCloseTo(bend[i], 12);
    }
  });

  it("no row takes a branch: nothing of it is left, for operands that all rows share either", () => {
    const f = (p: NDArray, x: NDArray): NDArray =>
      lax.cond(
        p,
        (y) => y.mul(3),
        (y) => y.sqrt().add(y.log()),
        x,
      );
    const all = vmap(f, { inAxes: [0, null] });
    const none = np.array([true, true]);
    const total = (x: NDArray) => sum(all(none, x));
    const at = np.array(0, "float64");
    for (const g of [total, jit(total)]) {
      expect(grad(g)(at).item()).toBe(6);
      expect(jvp(g, [at], [1])[1].item()).toBe(6);
      expect(grad(grad(g))(at).item()).toBe(0);
      expect(grad((x: NDArray) => jvp(g, [x], [1])[1])(at).item()).toBe(0);
      expect(jvp(grad(g) as F, [at], [1])[1].item()).toBe(0);
    }
    expect(vmap(grad(f, { argnums: 1 }), { inAxes: [0, null] })(none, at).tolist()).toEqual([3, 3]);
  });

  it("a derivative that is infinite in the branch taken stays so", () => {
    const slopes = list(
      vmap(
        grad((x: NDArray) =>
          lax.cond(
            x.less(1),
            (y) => y.sqrt(),
            (y) => y,
            x,
          ),
        ),
      )(row([0, 2])),
    );
    expect(slopes).toEqual([Number.POSITIVE_INFINITY, 1]);
  });

  it("shared operands collect the derivatives of the rows that use them", () => {
    const f = (x: NDArray, w: NDArray): NDArray =>
      lax.cond(
        x.greater(0),
        (y, a) => y.mul(a).sum(),
        (y, a) => y.mul(a).mul(a).sum(),
        x,
        w,
      );
    const w = row([1, 2, 3]);
    const xs = row([2, -1, 3]);
    const total = (a: NDArray) => sum(vmap(f, { inAxes: [0, null] })(xs, a));
    // 5 from the first branch, -2a from the second.
    expectClose(grad(total)(w) as NDArray, [3, 1, -1]);
    expectClose(jit(grad(total))(w) as NDArray, [3, 1, -1]);
    expectClose(jvp(total, [w], [row([1, 0, 0])])[1].reshape([1]), [3]);
    const each = vmap(grad(f, { argnums: 1 }), { inAxes: [0, null] })(xs, w) as NDArray;
    expect(each.tolist()).toEqual([
      [2, 2, 2],
      [-2, -4, -6],
      [3, 3, 3],
    ]);
  });

  it("any number of branches, clamped, with results of all kinds", () => {
    const f = (i: NDArray, x: NDArray) =>
      lax.switchCase(
        i,
        [
          (y: NDArray) => ({ v: y, n: np.array(1, "int32"), b: y.greater(0), c: np.ones([2], "float64") }),
          (y: NDArray) => ({
            v: y.sin(),
            n: np.array(2, "int32"),
            b: y.less(0),
            c: np.zeros([2], "float64"),
          }),
          (y: NDArray) => ({
            v: y.exp(),
            n: np.array(3, "int32"),
            b: np.array(true),
            c: y.mul(np.ones([2], "float64")),
          }),
        ],
        x,
      );
    const g = vmap(f);
    for (const h of [g, jit(g)]) {
      const { v, n, b, c } = h(np.array([-3, 1, 2, 7], "int32"), row([1, 2, 3, 4]));
      expectClose(v, [1, Math.sin(2), Math.exp(3), Math.exp(4)]);
      expect(n.tolist()).toEqual([1, 2, 3, 3]);
      expect(b.tolist()).toEqual([true, false, true, true]);
      expect(c.tolist()).toEqual([
        [1, 1],
        [0, 0],
        [3, 3],
        [4, 4],
      ]);
    }
  });

  it("batches of one and of none, and batches of batches", () => {
    expectClose(vmap(root)(row([4])), [2]);
    expect(vmap(root)(row([])).shape).toEqual([0]);
    expect((vmap(grad(root))(row([])) as NDArray).shape).toEqual([0]);
    const grid = np.array(
      [
        [4, -1],
        [0, 9],
      ],
      "float64",
    );
    expect(vmap(vmap(root))(grid).tolist()).toEqual([
      [2, 1],
      [0, 3],
    ]);
    const slopes = vmap(vmap(grad(root)))(grid) as NDArray;
    expectClose(slopes.reshape([4]), [0.25, -2, 0, 1 / 6]);
    expect(jacfwd(vmap(root))(row([4, 0])).tolist()).toEqual([
      [0.25, 0],
      [0, 0],
    ]);
    expect(jacrev(vmap(root))(row([4, 0])).tolist()).toEqual([
      [0.25, 0],
      [0, 0],
    ]);
  });

  it("a nested cond sees only rows that came to it", () => {
    // log of log: the inner one must not see rows at or below 1, the outer one none at or below 0.
    const f: F = (x) =>
      lax.cond(
        x.greater(0),
        (y) =>
          lax.cond(
            y.greater(1),
            (z) => z.log().log(),
            (z) => z,
            y,
          ),
        (y) => y.neg(),
        x,
      );
    const xs = [Math.E, 0.5, -2, 0, 1];
    const [values, slopes] = vmap(valueAndGrad(f))(row(xs));
    expectClose(values, [0, 0.5, 2, 0, 1]);
    expectClose(slopes as NDArray, [1 / Math.E, 1, -1, -1, 1]);
    const [, pull] = vjp(vmap(f), row(xs));
    expectClose(pull(np.ones([5], "float64"))[0], [1 / Math.E, 1, -1, -1, 1]);
  });

  it("a branch with much work is left out where no row takes it", () => {
    const grid = np.linspace(0.5, 1, 600, { dtype: "float64" });
    const long: F = (x) => sum(x.mul(grid).sin());
    const f: F = (x) => lax.cond(x.greater(0), long, (y) => y.mul(y), x);
    expect(conds(vmap(f), new ShapeDtype([3], "float64"))).toBe(1);
    expect(conds(vmap(root), new ShapeDtype([3], "float64"))).toBe(0);
    const xs = row([1, -2, 0.5]);
    const wanted = [1, -2, 0.5].map((x) =>
      x > 0 ? (grad(long)(np.array(x, "float64")).item() as number) : 2 * x,
    );
    expectClose(vmap(grad(f))(xs) as NDArray, wanted);
    expectClose(grad((x: NDArray) => sum(vmap(f)(x)))(xs) as NDArray, wanted);
    expectClose(grad((x: NDArray) => sum(vmap(f)(x)))(row([-1, -2])) as NDArray, [-2, -4]);
  });
});

describe("one predicate for all rows", () => {
  it("stays a cond, of branches for the whole batch", () => {
    const f = (p: NDArray, x: NDArray): NDArray =>
      lax.cond(
        p,
        (y) => y.sqrt(),
        () => np.array(1, "float64"),
        x,
      );
    const all = vmap(f, { inAxes: [null, 0] });
    expect(conds(all, new ShapeDtype([], "bool"), new ShapeDtype([3], "float64"))).toBe(1);
    const xs = row([4, 0, 9]);
    expect(list(all(np.array(true), xs))).toEqual([2, 0, 3]);
    expect(list(all(np.array(false), xs))).toEqual([1, 1, 1]);
    const slopes = vmap(grad(f, { argnums: 1 }), { inAxes: [null, 0] });
    expect(list(slopes(np.array(false), xs) as NDArray)).toEqual([0, 0, 0]);
    expect(list(slopes(np.array(true), xs) as NDArray)).toEqual([0.25, Number.POSITIVE_INFINITY, 1 / 6]);
    expect(list(grad((x: NDArray) => sum(all(np.array(false), x)))(xs) as NDArray)).toEqual([0, 0, 0]);
  });

  it("results that no operand of a row reaches are not batched", () => {
    const f = (p: NDArray, w: NDArray, x: NDArray) =>
      lax.cond(
        p,
        (a, y) => [a.sin(), y],
        (a, y) => [a, y.mul(a)],
        w,
        x,
      );
    const all = vmap(f, { inAxes: [null, null, 0], outAxes: [null, 0] as never });
    const [a, y] = all(np.array(false), np.array(2, "float64"), row([1, 2]));
    expect(a.item()).toBe(2);
    expect(list(y)).toEqual([2, 4]);
  });
});
