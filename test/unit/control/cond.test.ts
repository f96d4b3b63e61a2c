/** `lax.cond` and `lax.switchCase`: values, derivatives of both modes, batches, and what one branch does not do to the other. */
import {
  checkJaxpr,
  countEqns,
  equalJaxprs,
  evalJaxpr,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  parseJaxpr,
  partialEvalJaxpr,
  printJaxpr,
  ShapeDtype,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { isRight, right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

const f64 = (x: number): NDArray => np.array(x, "float64");
const num = (x: NDArray): number => x.item() as number;

/** sin x where x > 0, else x³. */
const f = (x: NDArray): NDArray =>
  lax.cond(
    x.greater(0),
    (y) => y.sin(),
    (y) => y.mul(y).mul(y),
    x,
  );

describe("values", () => {
  it("is the branch that the predicate says", () => {
    expect(num(f(f64(0.5)))).toBe(Math.sin(0.5));
    expect(num(f(f64(-2)))).toBe(-8);
    expect(num(jit(f)(f64(0.5)))).toBeCloseTo(Math.sin(0.5), 15);
    expect(num(jit(f)(f64(-2)))).toBe(-8);
  });

  it("takes JavaScript booleans, trees, numbers and no operands at all", () => {
    const swap = (p: boolean) =>
      lax.cond(
        p,
        ({ a, b }, n) => ({ a: b, b: a.mul(n) }),
        ({ a, b }, n) => ({ a: a.add(n), b }),
        { a: f64(1), b: f64(2) },
        3,
      );
    expect([num(swap(true).a), num(swap(true).b)]).toEqual([2, 3]);
    expect([num(swap(false).a), num(swap(false).b)]).toEqual([4, 2]);
    const y = f64(7);
    expect(
      num(
        lax.cond(
          np.array(false),
          () => y,
          () => y.neg(),
        ),
      ),
    ).toBe(-7);
  });

  it("clamps the index of switchCase, whatever its dtype", () => {
    const pick = (i: number | NDArray) =>
      num(
        lax.switchCase(i, [(x: NDArray) => x, (x: NDArray) => x.mul(10), (x: NDArray) => x.mul(100)], f64(1)),
      );
    expect([-5, 0, 1, 2, 9].map(pick)).toEqual([1, 1, 10, 100, 100]);
    expect([-5, 0, 1, 2, 9].map((i) => pick(np.array(i, "int32")))).toEqual([1, 1, 10, 100, 100]);
    expect(pick(np.array(4_000_000_000, "uint32"))).toBe(100);
    expect(pick(np.array(1, "uint8"))).toBe(10);
    expect(num(lax.switchCase(np.array(3, "int32"), [(x: NDArray) => x.add(1)], f64(1)))).toBe(2);
  });

  it("gives the same values under jit, which keeps a branch a branch", () => {
    const g = jit((i: NDArray, x: NDArray) =>
      lax.switchCase(i, [(y: NDArray) => [y, y.sum()], (y: NDArray) => [y.mul(y), y.max()]], x),
    );
    for (const i of [0, 1]) {
      const [a, b] = g(np.array(i, "int32"), np.array([1, 2, 3], "float64"));
      expect(a.tolist()).toEqual(
        [
          [1, 2, 3],
          [1, 4, 9],
        ][i],
      );
      expect(num(b)).toBe([6, 3][i]);
    }
    const { jaxpr } = makeJaxpr(g)(new ShapeDtype([], "int32"), new ShapeDtype([3]));
    expect(countEqns(jaxpr)).toBe(1 + 1 + 3);
  });

  it("a number in one branch takes the dtype of the other", () => {
    const relu = (x: NDArray): NDArray =>
      lax.cond(
        x.greater(0),
        (y) => y,
        () => 0,
        x,
      );
    for (const dtype of ["float64", "float32", "int32"] as const) {
      expect(relu(np.array(3, dtype)).dtype).toBe(dtype);
      expect(num(relu(np.array(-3, dtype)))).toBe(0);
    }
    expect(num(grad(relu)(f64(3)))).toBe(1);
    expect(num(grad(relu)(f64(-3)))).toBe(0);
    const both = lax.cond(
      np.array(true),
      () => 1,
      () => 2.5,
    );
    expect([both.dtype, both.weakType, num(both)]).toEqual(["float32", true, 1]);
  });

  it("with a known predicate nothing is left of the other branch", () => {
    const { jaxpr } = makeJaxpr((x: NDArray) =>
      lax.cond(
        true,
        (y) => y.sin(),
        (y) => y.cos(),
        x,
      ),
    )(new ShapeDtype([], "float64"));
    expect(jaxpr.eqns.map(({ primitive }) => primitive.name)).toEqual(["sin"]);
  });

  it("an array that both branches close over is captured once, a scalar stands in the branch", () => {
    const [w, c] = [np.array([1, 2], "float64"), f64(5)];
    const closed = makeJaxpr((p: NDArray, x: NDArray) =>
      lax.cond(
        p,
        (y) => y.mul(w).mul(c),
        (y) => y.add(w).sub(w.mul(c)),
        x,
      ),
    )(new ShapeDtype([], "bool"), new ShapeDtype([2], "float64"));
    expect(closed.consts).toHaveLength(1);
    expect(closed.consts[0] === w).toBe(true);
    const [cond] = closed.jaxpr.eqns.filter(({ primitive }) => primitive.name === "cond");
    expect(cond.inputs).toHaveLength(3);
  });

  it("prints, parses and is found equal when it is traced again", () => {
    const { jaxpr } = makeJaxpr(f)(new ShapeDtype([], "float64"));
    expect(checkJaxpr(jaxpr)).toEqual(right(jaxpr));
    const parsed = parseJaxpr(printJaxpr(jaxpr));
    if (!isRight(parsed)) throw parsed.left;
    expect(equalJaxprs(parsed.right.jaxpr, jaxpr)).toBe(true);
    expect(num(evalJaxpr(parsed.right.jaxpr, f64(-2))[0])).toBe(-8);
    const again = makeJaxpr(f)(new ShapeDtype([], "float64")).jaxpr;
    expect(again.eqns.at(-1)?.params.branches).toEqual(jaxpr.eqns.at(-1)?.params.branches);
    const [a, b] = [again, jaxpr].map((j) => j.eqns.at(-1)?.params.branches as readonly unknown[]);
    expect(a[0]).toBe(b[0]);
  });
});

describe("derivatives", () => {
  const points = [0.7, -1.3];
  const first = (x: number): number => (x > 0 ? Math.cos(x) : 3 * x * x);
  const second = (x: number): number => (x > 0 ? -Math.sin(x) : 6 * x);
  const third = (x: number): number => (x > 0 ? -Math.cos(x) : 6);
  const forward = (g: (x: NDArray) => NDArray) => (x: NDArray) => jvp(g, [x], [1])[1];

  it.each(points)("both modes to order 3 at %d", (x) => {
    for (const g of [f, jit(f)]) {
      const modes = [forward, (h: (x: NDArray) => NDArray) => grad(h) as (x: NDArray) => NDArray];
      for (const a of modes) {
        expect(num(a(g)(f64(x)))).toBeCloseTo(first(x), 14);
        for (const b of modes) {
          expect(num(b(a(g))(f64(x)))).toBeCloseTo(second(x), 14);
          for (const c of modes) expect(num(c(b(a(g)))(f64(x)))).toBeCloseTo(third(x), 14);
        }
      }
      expect(num(jit(hessian(g))(f64(x)))).toBeCloseTo(second(x), 14);
    }
  });

  it("tangents that only one branch has, and none at all", () => {
    const g = (x: NDArray, p: NDArray): NDArray =>
      lax.cond(
        p,
        (y) => y.mul(y),
        () => f64(5),
        x,
      );
    const [yes, no] = [np.array(true), np.array(false)];
    expect(num(grad(g)(f64(3), yes))).toBe(6);
    expect(num(grad(g)(f64(3), no))).toBe(0);
    expect(num(jvp((x: NDArray) => g(x, yes), [f64(3)], [1])[1])).toBe(6);
    expect(num(jvp((x: NDArray) => g(x, no), [f64(3)], [1])[1])).toBe(0);
    const { jaxpr } = makeJaxpr(
      grad((x: NDArray, p: NDArray) =>
        lax
          .cond(
            p,
            () => 1,
            () => 2,
          )
          .mul(x),
      ),
    )(new ShapeDtype([]), new ShapeDtype([], "bool"));
    expect(String(jaxpr)).toContain("cond");
    expect(jaxpr.eqns.filter(({ primitive }) => primitive.name === "cond")).toHaveLength(1);
  });

  it("arrays that branches close over, traced ones too, are differentiated", () => {
    const w = np.array([1, 2, 3], "float64");
    const g = (a: NDArray, x: NDArray): NDArray =>
      lax.cond(
        x.sum().greater(0),
        () => a.mul(x).mul(w).sum(),
        (y) => a.mul(a).sum().mul(y.sum()),
        x,
      );
    const [a, x] = [np.array([4, 5, 6], "float64"), np.array([1, -1, 2], "float64")];
    const [da, dx] = grad(g, { argnums: [0, 1] })(a, x);
    expect(da.tolist()).toEqual([1, -2, 6]);
    expect(dx.tolist()).toEqual([4, 10, 18]);
    const [db, dz] = jit(grad(g, { argnums: [0, 1] }))(a, x.neg());
    expect(db.tolist()).toEqual([-16, -20, -24]);
    expect(dz.tolist()).toEqual([77, 77, 77]);
    expect(jacfwd(g)(a, x).tolist()).toEqual(jacrev(g)(a, x).tolist());
  });

  it("integers have no derivative, and what comes out of them has none", () => {
    const g = (x: NDArray, n: NDArray): NDArray => {
      const [y, k] = lax.cond(
        n.greater(1),
        (u, m) => [u.mul(m.astype("float64")), m.add(1)],
        (u, m) => [u, u.astype("int32").mul(m)],
        x,
        n,
      );
      return y.mul(k.astype("float64"));
    };
    expect(num(grad(g)(f64(3), np.array(2, "int32")))).toBe(6);
    expect(num(grad(g)(f64(3), np.array(1, "int32")))).toBe(3);
  });

  it("linearize does the non-linear work once; the linear part multiplies", () => {
    const g = (x: NDArray) =>
      lax.cond(
        x.greater(0),
        (y) => y.sin(),
        (y) => y.exp(),
        x,
      );
    const [y, push] = linearize(g, f64(-1));
    expect(num(y)).toBe(Math.exp(-1));
    expect(num(push(2))).toBe(2 * Math.exp(-1));
    const { jaxpr } = makeJaxpr(push)(new ShapeDtype([], "float64"));
    // The choice, and one multiplication in each branch.
    expect(countEqns(jaxpr)).toBe(3);
    expect(String(jaxpr)).not.toMatch(/sin|exp|cos/);
  });

  it("residuals of the branches share places, and those at hand are not stored", () => {
    const g = (i: NDArray, x: NDArray) =>
      lax.switchCase(
        i,
        [(y: NDArray) => y.sin().sin(), (y: NDArray) => y.mul(y), (y: NDArray) => y.exp()],
        x,
      );
    const { jaxpr } = makeJaxpr((i: NDArray, x: NDArray, t: NDArray) =>
      jvp((z: NDArray) => g(i, z), [x], [t]),
    )(new ShapeDtype([], "int32"), new ShapeDtype([4], "float64"), new ShapeDtype([4], "float64"));
    const split = partialEvalJaxpr(jaxpr, [false, false, true]);
    // Two cosines in one branch; x, which is at hand; the exponential, which is the result; and the index.
    const kept = split.known.outputs.slice(-split.residuals).map((a) => a.aval);
    expect(kept.filter(({ shape }) => shape.length === 1)).toHaveLength(2 + 1 + 1);
    expect(checkJaxpr(split.known)).toEqual(right(split.known));
    expect(checkJaxpr(split.unknown)).toEqual(right(split.unknown));
    const x = np.array([0.1, 0.2, 0.3, 0.4], "float64");
    const t = np.ones([4], "float64");
    const wanted = [(v: number) => Math.cos(Math.sin(v)) * Math.cos(v), (v: number) => 2 * v, Math.exp];
    for (const [i, d] of wanted.entries()) {
      const known = evalJaxpr(split.known, np.array(i, "int32"), x);
      const [tangent] = evalJaxpr(split.unknown, ...known.slice(-split.residuals), t);
      const values = tangent.tolist() as number[];
      for (const [k, v] of values.entries()) expect(v).toBeCloseTo(d(0.1 * (k + 1)), 14);
    }
  });

  it("grad of a cond is one cond forward and one backward", () => {
    const g = (x: NDArray): NDArray => f(x).mul(2);
    const { jaxpr } = makeJaxpr(valueAndGrad(g))(new ShapeDtype([], "float64"));
    expect(jaxpr.eqns.filter(({ primitive }) => primitive.name === "cond")).toHaveLength(2);
  });

  it("unused results and operands are dropped, from every branch", () => {
    const g = (x: NDArray, y: NDArray, p: NDArray): NDArray =>
      lax.cond(
        p,
        (a, b) => [a.sin(), b.exp()],
        (a, b) => [a.mul(2), b.log()],
        x,
        y,
      )[0];
    const types = [new ShapeDtype([]), new ShapeDtype([]), new ShapeDtype([], "bool")] as const;
    const { jaxpr } = makeJaxpr(
      (...args: [NDArray, NDArray, NDArray]) =>
        jvp((x: NDArray) => g(x, args[1], args[2]), [args[0]], [1])[1],
    )(...types);
    const split = partialEvalJaxpr(jaxpr, [false, false, false]);
    expect(String(split.known)).not.toMatch(/exp|log/);
  });

  it("transposes a linear cond, and refuses a choice that depends on what is linear", () => {
    const g = (p: NDArray) => (x: NDArray) =>
      lax.cond(
        p,
        (y) => y.mul(3),
        (y) => y.sum().mul(np.ones([2], "float64")),
        x,
      );
    const u = np.array([1, 10], "float64");
    const at = np.zeros([2], "float64");
    expect(linearTranspose(g(np.array(true)), at)(u)[0].tolist()).toEqual([3, 30]);
    expect(linearTranspose(g(np.array(false)), at)(u)[0].tolist()).toEqual([11, 11]);
    const nonlinear = (x: NDArray) => g(x.sum().greater(0))(x);
    expect(() => linearTranspose(nonlinear, at)(u)).toThrow(NotDifferentiableError);
  });

  it("a bool operand and a result that is an operand come through", () => {
    const g = (x: NDArray, p: NDArray) =>
      lax.cond(
        p,
        (y, q) => [y, q.logicalNot(), y],
        (y, q) => [y.mul(2), q, y],
        x,
        p,
      );
    const [[a, q, b], pull] = vjp((x: NDArray) => g(x, np.array(false)), f64(3));
    expect([num(a), q.item(), num(b)]).toEqual([6, false, 3]);
    expect(num(pull([1, 0, 10])[0])).toBe(12);
  });
});

describe("nesting", () => {
  const g = (x: NDArray, n: NDArray): NDArray =>
    lax.switchCase(
      n,
      [
        (y: NDArray) => f(y).mul(2),
        (y: NDArray) =>
          lax.cond(
            y.greater(1),
            jit((z: NDArray) => z.exp()),
            f,
            y,
          ),
        (y: NDArray) => grad(f)(y),
      ],
      x,
    );
  const wanted = (x: number, n: number): [number, number] => {
    const [v, d, dd] = x > 0 ? [Math.sin(x), Math.cos(x), -Math.sin(x)] : [x ** 3, 3 * x * x, 6 * x];
    if (n === 0) return [2 * v, 2 * d];
    if (n === 2) return [d, dd];
    return x > 1 ? [Math.exp(x), Math.exp(x)] : [v, d];
  };

  it("conds in conds, calls and derivatives in branches, in both modes and batches", () => {
    const xs = [-1.5, 0.5, 1.5];
    for (const n of [0, 1, 2]) {
      const index = np.array(n, "int32");
      for (const x of xs) {
        const [y, t] = jvp((z: NDArray) => g(z, index), [f64(x)], [1]);
        expect(num(y)).toBeCloseTo(wanted(x, n)[0], 14);
        expect(num(t)).toBeCloseTo(wanted(x, n)[1], 14);
        expect(num(jit(grad(g))(f64(x), index))).toBeCloseTo(wanted(x, n)[1], 14);
      }
      const all = vmap(valueAndGrad(g), { inAxes: [0, null] })(np.array(xs, "float64"), index);
      for (const [k, x] of xs.entries()) {
        expect((all[0].tolist() as number[])[k]).toBeCloseTo(wanted(x, n)[0], 14);
        expect((all[1].tolist() as number[])[k]).toBeCloseTo(wanted(x, n)[1], 14);
      }
    }
    const ns = np.array([0, 1, 2, 2, 1, 0], "int32");
    const zs = [-1.5, 0.5, 1.5, -1, 2, 1];
    const both = jit(vmap(valueAndGrad(g)))(np.array(zs, "float64"), ns);
    for (const [k, x] of zs.entries()) {
      const [y, d] = wanted(x, [0, 1, 2, 2, 1, 0][k]);
      expect((both[0].tolist() as number[])[k]).toBeCloseTo(y, 14);
      expect((both[1].tolist() as number[])[k]).toBeCloseTo(d, 14);
    }
  });

  it("shapes are known without running", () => {
    const type = evalShape(g, new ShapeDtype([], "float64"), new ShapeDtype([], "int32"));
    expect([type.shape, type.dtype]).toEqual([[], "float64"]);
  });
});
