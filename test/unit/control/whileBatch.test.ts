/** Batches of loops whose rows end at different times, and loops inside of other control flow. */
import { grad, jit, jvp, lax, linearTranspose, type NDArray, numpy as np, vmap } from "fluxion";
import { describe, expect, it } from "vitest";
import { activeRows, whereActive } from "../../../src/primitives/control/rows.js";

const f64 = (x: number | readonly number[]): NDArray => np.array(x as number[], "float64");
const values = (x: NDArray): number[] => Array.from(x.dataSync());

function close(actual: NDArray, wanted: readonly number[], digits = 12): void {
  const found = values(actual);
  expect(found).toHaveLength(wanted.length);
  for (const [i, w] of wanted.entries()) expect(found[i], `element ${i}`).toBeCloseTo(w, digits);
}

const sum = (n: number, term: (k: number) => number): number =>
  Array.from({ length: n }, (_, k) => term(k)).reduce((a, b) => a + b, 0);

describe("rows that end at different times", () => {
  const ends = [1, 4, 2, 0, 3];

  it("keep their values, with one loop for all", () => {
    const f = (n: NDArray, x: NDArray): NDArray =>
      lax.whileLoop(
        ([i]) => i.less(n),
        ([i, y]) => [i.add(1), y.mul(2)] as const,
        [0, x] as [number, NDArray],
      )[1];
    const n = np.array(ends, "int32");
    const x = f64([1, 2, 3, 4, 5]);
    const wanted = ends.map((k, i) => (i + 1) * 2 ** k);
    expect(values(vmap(f)(n, x))).toEqual(wanted);
    expect(values(jit(vmap(f))(n, x))).toEqual(wanted);
    expect(values(vmap((m: NDArray) => vmap((y: NDArray) => f(m, y))(f64([1, 3])))(n))).toEqual(
      ends.flatMap((k) => [2 ** k, 3 * 2 ** k]),
    );
    expect(vmap(f)(np.zeros([0], "int32"), np.zeros([0], "float64")).shape).toEqual([0]);
  });

  // Σ w·√(x - k) over k < x: one step more would take the root of 0, whose derivative is infinite.
  const roots = (w: NDArray, x: NDArray): NDArray =>
    lax.whileLoop(
      ([y]) => y.greater(0),
      ([y, s]) => [y.sub(1), s.add(w.mul(np.sqrt(y)))] as const,
      [x, np.zeros([], "float64")] as [NDArray, NDArray],
      { checkpoint: { slots: 2 } },
    )[1];
  const xs = [1, 4, 2, 3];
  const ofX = (x: number): number => sum(x, (k) => 0.5 / Math.sqrt(x - k));
  const ofW = (x: number): number => sum(x, (k) => Math.sqrt(x - k));
  const all = (w: NDArray, x: NDArray): NDArray => vmap((y: NDArray) => roots(w, y))(x).sum();
  const wrap = [
    ["", <F>(f: F): F => f],
    ["jit ", jit as never as <F>(f: F) => F],
  ] as const;

  it.each(wrap)("do not leak an infinite derivative beyond their end: %sreverse mode", (_, wrapped) => {
    const [gw, gx] = wrapped(grad(all, { argnums: [0, 1] }))(f64(2), f64(xs));
    close(
      gx,
      xs.map((x) => 2 * ofX(x)),
    );
    close(gw, [xs.reduce((s, x) => s + ofW(x), 0)]);
    // Each row with its own gradient, of what it shares with the others too.
    const each = wrapped(vmap(grad(roots, { argnums: [0, 1] }), { inAxes: [null, 0] }))(f64(2), f64(xs));
    close(each[0], xs.map(ofW));
    close(
      each[1],
      xs.map((x) => 2 * ofX(x)),
    );
  });

  it.each(wrap)("do not leak an infinite derivative beyond their end: %sforward mode", (_, wrapped) => {
    const push = wrapped(
      (w: NDArray, x: NDArray) =>
        jvp(
          (v: NDArray, y: NDArray) => vmap((z: NDArray) => roots(v, z))(y),
          [w, x],
          [f64(1), f64([1, 1, 1, 1])],
        )[1],
    );
    close(
      push(f64(2), f64(xs)),
      xs.map((x) => ofW(x) + 2 * ofX(x)),
    );
    const each = wrapped(vmap((x: NDArray) => jvp((y: NDArray) => roots(f64(2), y), [x], [f64(1)])[1]));
    close(
      each(f64(xs)),
      xs.map((x) => 2 * ofX(x)),
    );
  });

  it("nor one of second order", () => {
    const second = xs.map((x) => 2 * sum(x, (k) => -0.25 * (x - k) ** -1.5));
    const pushed = (x: NDArray): NDArray =>
      jvp(
        grad((y: NDArray) => all(f64(2), y)),
        [x],
        [np.ones([4], "float64")],
      )[1];
    close(pushed(f64(xs)), second);
    close(vmap(grad(grad((x: NDArray) => roots(f64(2), x))))(f64(xs)), second, 11);
    close(grad((x: NDArray) => vmap(grad((y: NDArray) => roots(f64(2), y)))(x).sum())(f64(xs)), second, 11);
  });

  it("do not divide by zero beyond their end", () => {
    // Σ c / (x - k) over k < x; the loop of a row that is done stands at 0.
    const harmonic = (c: NDArray, x: NDArray): NDArray =>
      lax.whileLoop(
        ([y]) => y.greater(0),
        ([y, s]) => [y.sub(1), s.add(c.div(y))] as const,
        [x, np.zeros([], "float64")] as [NDArray, NDArray],
      )[1];
    const f = (c: NDArray, x: NDArray): NDArray => vmap((y: NDArray) => harmonic(c, y))(x).sum();
    const [gc, gx] = grad(f, { argnums: [0, 1] })(f64(1), f64(xs));
    close(gc, [xs.reduce((s, x) => s + sum(x, (k) => 1 / (x - k)), 0)]);
    close(
      gx,
      xs.map((x) => -sum(x, (k) => (x - k) ** -2)),
    );
    const [value, tangent] = jvp(f, [f64(1), f64(xs)], [f64(1), f64([0, 0, 0, 0])]);
    expect(tangent.item()).toBeCloseTo(value.item() as number, 12);
  });

  it("are transposed, where they are linear", () => {
    const n = np.array(ends, "int32");
    const f = (x: NDArray): NDArray =>
      vmap(
        (m: NDArray, y: NDArray) =>
          lax.whileLoop(
            ([i]) => i.less(m),
            ([i, z]) => [i.add(1), z.mul(2)] as const,
            [0, y] as [number, NDArray],
          )[1],
      )(n, x);
    const pulled = linearTranspose(f, f64([0, 0, 0, 0, 0]))(f64([1, 1, 1, 1, 1]))[0];
    expect(values(pulled)).toEqual(ends.map((k) => 2 ** k));
  });

  it("share a loop whose condition is the same for all", () => {
    const f = (x: NDArray): NDArray =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, y]) => [i.add(1), np.sin(y)] as const,
        [0, x] as [number, NDArray],
      )[1];
    const rows = [0.1, 0.5, 1];
    close(
      vmap(f)(f64(rows)),
      rows.map((x) => Math.sin(Math.sin(Math.sin(x)))),
    );
    close(
      vmap(grad(f))(f64(rows)),
      rows.map((x) => Math.cos(Math.sin(Math.sin(x))) * Math.cos(Math.sin(x)) * Math.cos(x)),
    );
  });
});

describe("loops in other control flow", () => {
  /** xⁿ; n is a carry, not known before. */
  const power = (x: NDArray, n: NDArray): NDArray =>
    lax.whileLoop(
      ([i]) => i.greater(0),
      ([i, y]) => [i.sub(1), y.mul(x)] as const,
      [n, np.ones([], "float64")] as [NDArray, NDArray],
      { checkpoint: { slots: 2 } },
    )[1];
  const x = f64(1.25);
  const both = (f: (y: NDArray) => NDArray, derivative: number): void => {
    expect(grad(f)(x).item()).toBeCloseTo(derivative, 11);
    expect(jit(grad(f))(x).item()).toBeCloseTo(derivative, 11);
    expect(jvp(f, [x], [f64(1)])[1].item()).toBeCloseTo(derivative, 11);
  };

  it("in a loop: Σ xᵏ for k < 5", () => {
    const f = (y: NDArray): NDArray =>
      lax.whileLoop(
        ([k]) => k.less(5),
        ([k, s]) => [k.add(1), s.add(power(y, k))] as const,
        [np.array(0, "int32"), np.zeros([], "float64")] as [NDArray, NDArray],
        { checkpoint: { slots: 2 } },
      )[1];
    expect(f(x).item()).toBeCloseTo(
      sum(5, (k) => 1.25 ** k),
      12,
    );
    both(
      f,
      sum(5, (k) => k * 1.25 ** (k - 1)),
    );
    expect(grad(grad(f))(x).item()).toBeCloseTo(
      sum(5, (k) => k * (k - 1) * 1.25 ** (k - 2)),
      11,
    );
  });

  it("in a scan: the same sum", () => {
    const f = (y: NDArray): NDArray =>
      lax.scan(
        (s: NDArray, k: NDArray) => [s.add(power(y, k)), null] as const,
        np.zeros([], "float64"),
        np.arange(5),
      )[0];
    expect(f(x).item()).toBeCloseTo(
      sum(5, (k) => 1.25 ** k),
      12,
    );
    both(
      f,
      sum(5, (k) => k * 1.25 ** (k - 1)),
    );
  });

  it("in a branch, and a branch in it", () => {
    const f = (y: NDArray): NDArray =>
      lax.cond(
        y.greater(1),
        (z) => power(z, np.array(3, "int32")),
        (z) => z.neg(),
        y,
      );
    both(f, 3 * 1.25 ** 2);
    close(vmap(grad(f))(f64([2, 0.5, 3])), [12, -1, 27]);
    // y ← y² or 3 y, by turns.
    const g = (y: NDArray): NDArray =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, z]) =>
          [
            i.add(1),
            lax.cond(
              np.mod(i, 2).equal(0),
              (u) => u.mul(u),
              (u) => u.mul(3),
              z,
            ),
          ] as const,
        [np.array(0, "int32"), y] as [NDArray, NDArray],
        { checkpoint: { slots: 2 } },
      )[1];
    // (3 x²)² = 9 x⁴
    both(g, 36 * 1.25 ** 3);
    expect(grad(grad(g))(x).item()).toBeCloseTo(108 * 1.25 ** 2, 10);
  });

  it("with a scan in it", () => {
    // Each step multiplies by x as often as there are entries: x⁶.
    const f = (y: NDArray): NDArray =>
      lax.whileLoop(
        ([i]) => i.less(2),
        ([i, z]) =>
          [
            i.add(1),
            lax.scan((c: NDArray, _: NDArray) => [c.mul(y), null] as const, z, np.arange(3))[0],
          ] as const,
        [0, np.ones([], "float64")] as [number, NDArray],
        { checkpoint: { slots: 1 } },
      )[1];
    both(f, 6 * 1.25 ** 5);
  });
});

describe("active rows", () => {
  const x = f64([1, 2, 3, 4]);
  const rows =
    (...active: boolean[]) =>
    (y: NDArray) =>
      activeRows(np.array(active), [y])[0];

  it("are seen by all others, as the first of them", () => {
    expect(rows(false, true, false, true)(x).tolist()).toEqual([2, 2, 2, 4]);
    expect(rows(false, false, false, false)(x).tolist()).toEqual([1, 1, 1, 1]);
    expect(activeRows(np.zeros([0], "bool"), [np.zeros([0, 2])])[0].shape).toEqual([0, 2]);
    const nested = vmap((m: NDArray, y: NDArray) => activeRows(m, [y])[0]);
    const masks = np.array([
      [false, true],
      [true, false],
    ]);
    expect(nested(masks, x.reshape([2, 2])).tolist()).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it("have a derivative, and others have none, at any order", () => {
    const f = (y: NDArray) => rows(false, true, false, true)(y).mul(y).mul(y).sum();
    // Row 0 is 2 y₀², the 2 a constant; row 1 is y₁³.
    expect(grad(f)(x).tolist()).toEqual([4, 12, 12, 48]);
    expect(jvp(f, [x], [f64([1, 1, 1, 1])])[1].item()).toBe(76);
    expect(grad((y: NDArray) => grad(f)(y).sum())(x).tolist()).toEqual([4, 12, 4, 24]);
    expect(linearTranspose(rows(false, true, false, true), x)(x)[0].tolist()).toEqual([0, 2, 0, 4]);
    expect(grad((y: NDArray) => rows(false, false, false, false)(y).sum())(x).tolist()).toEqual([0, 0, 0, 0]);
  });

  it("stop the derivative of one value where nothing is active", () => {
    const f = (active: boolean) => (y: NDArray) => whereActive(np.array(active), y).mul(3).sum();
    expect([f(true)(x).item(), f(false)(x).item()]).toEqual([30, 30]);
    expect(grad(f(true))(x).tolist()).toEqual([3, 3, 3, 3]);
    expect(grad(f(false))(x).tolist()).toEqual([0, 0, 0, 0]);
  });
});
