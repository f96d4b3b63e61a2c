import {
  ArgumentError,
  grad,
  jacfwd,
  jacrev,
  jaxprCost,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  ShapeDtype,
  ShapeError,
  tree,
  vmap,
} from "fluxion";
import { JacobianPlan, jacobian, SparseArray } from "fluxion/analysis";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, types } from "../values.js";

const modes = ["auto", "forward", "reverse", "compressedForward", "compressedReverse"] as const;

/** Each element with its neighbours. */
const banded = (x: NDArray): NDArray => {
  const p = np.pad(x, 1);
  return x.mul(p.slice(":-2")).add(np.sin(p.slice("2:")));
};
const point = f64([0.5, -1, 2, 0.25, 1.5, -0.75, 3]);

/** Blocks of all kinds: diagonal, dense, a row, a column, none, of scalars. */
const mixed = (p: { a: NDArray; b: [NDArray, null]; c: NDArray }) => ({
  own: np.square(p.a),
  scaled: p.a.mul(p.c),
  outer: np.outer(p.b[0], p.b[0]),
  list: [np.sum(p.a).add(np.sum(p.b[0])), null] as const,
  nothing: np.zeros([2], "float64"),
});
const trees = { a: f64([0.5, -1, 2]), b: [f64([1.5, 3]), null] as [NDArray, null], c: f64(0.3) };

describe("jacobian", () => {
  it.each(modes)("%s: the values and types of jacfwd", (mode) => {
    expectClose(jacobian(banded, { mode })(point), plain(jacfwd(banded)(point)), 1e-14);
    const all = jacobian(mixed, { mode })(trees);
    expectClose(all, plain(jacfwd(mixed)(trees)), 1e-14);
    expect(types(all)).toEqual(types(jacfwd(mixed)(trees)));
  });

  it.each(modes)("%s, sparse: the same entries, and none that cannot be", (mode) => {
    const j = jacobian(banded, { mode, sparse: true })(point);
    expect(j).toBeInstanceOf(SparseArray);
    expect(j.shape).toEqual([7, 7]);
    expect(j.nonzeros).toBe(19);
    expect([...j.rows]).toEqual([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6]);
    expect([...j.columns]).toEqual([0, 1, 0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6, 5, 6]);
    expectClose(j.toDense(), plain(jacfwd(banded)(point)), 1e-14);
    const all = jacobian(mixed, { mode, sparse: true })(trees);
    expect(all.own.a.nonzeros).toBe(3);
    expect(all.scaled.c.nonzeros).toBe(3);
    expect(all.nothing.c.nonzeros).toBe(0);
    const dense = jacfwd(mixed)(trees);
    expectClose(all.outer.b[0].toDense(), plain(dense.outer.b[0]), 1e-14);
    expectClose(all.list[0].a.toDense(), plain(dense.list[0].a), 1e-14);
    expectClose(all.nothing.a.toDense(), plain(dense.nothing.a));
    expect(all.own.b[1]).toBe(null);
  });

  it("chooses by the shape, and says why", () => {
    const way = (f: (x: NDArray) => NDArray, x: NDArray) => {
      const [, plan] = jacobian(f, { explain: true })(x);
      expect(plan).toBeInstanceOf(JacobianPlan);
      expect(plan.candidates.some((c) => c.way === plan.way)).toBe(true);
      expect(Math.min(...plan.candidates.map((c) => c.operations)) * 1.1).toBeGreaterThanOrEqual(
        plan.operations,
      );
      return [plan.way, plan.passes];
    };
    const x = np.linspace(0.1, 1, 40);
    expect(way((v) => np.sum(np.sin(v).mul(v)), x)).toEqual(["reverse", 1]);
    expect(way((t) => np.sin(x.mul(t)), f32(0.5))).toEqual(["forward", 1]);
    expect(way(banded, x)).toEqual(["compressedForward", 3]);
    expect(way((v) => v.slice("::2").mul(v.slice("1::2")), x)).toEqual(["compressedReverse", 1]);
    const [, plan] = jacobian(banded, { explain: true })(x);
    const text = String(plan);
    expect(text).toMatch(/^40 outputs by 40 inputs, 118 entries \(density 0\.074\)/);
    expect(text).toMatch(/forward, compressed +3 .*chosen/);
    expect(text).toMatch(/40 inputs \(float32\[40\]\) in 3 colours/);
  });

  it("chooses for each block of a tree", () => {
    const f = ({ scale, x }: { scale: NDArray; x: NDArray }) => ({
      y: np.sin(x).mul(scale),
      norm: np.sum(np.square(x)),
    });
    const [j, plan] = jacobian(f, { explain: true })({
      scale: f64(2),
      x: np.linspace(0, 1, 50).astype("float64"),
    });
    expect(plan.way).toBe("blockwise");
    expect(plan.passes).toBe(3);
    expect(
      plan.blocks.map(({ output, input, nonzeros, passes }) => [output, input, nonzeros, passes]),
    ).toEqual([
      [".norm", ".scale", 0, 0],
      [".norm", ".x", 50, 1],
      [".y", ".scale", 50, 1],
      [".y", ".x", 50, 1],
    ]);
    expect(plan.blocks[1]!.direction).toBe("reverse");
    expect(plan.blocks[2]!.direction).toBe("forward");
    expect(String(plan)).toMatch(/output\.norm by input\.scale +1 × 1 +0 entries +zero/);
    expect(types(j)).toEqual({
      y: { scale: "float64[50]", x: "float64[50,50]" },
      norm: { scale: "float64[]", x: "float64[50]" },
    });
  });

  it("a compressed mode under a dense pattern makes a pass for each element, and says so", () => {
    const dense = (x: NDArray) => x.mul(np.sum(x));
    const [j, plan] = jacobian(dense, { mode: "compressedForward", explain: true })(point);
    expectClose(j, plain(jacfwd(dense)(point)), 1e-14);
    expect(plan.passes).toBe(7);
    expect(plan.reason).toContain("the colours are as many as the inputs");
  });

  it("takes argnums, and gives an auxiliary output as it is", () => {
    const f = (x: NDArray, y: NDArray) => [x.mul(y), { note: "aux", sum: np.sum(x) }] as const;
    const args = [f64([1, 2]), f64([3, 4])] as const;
    const [j, aux] = jacobian(f, { argnums: 1, hasAux: true })(...args);
    expect(plain(j)).toEqual([
      [1, 0],
      [0, 2],
    ]);
    expect(aux.note).toBe("aux");
    expect(plain(aux.sum)).toBe(3);
    const [both, , plan] = jacobian(f, { argnums: [0, 1], hasAux: true, explain: true })(...args);
    expect(plain(both)).toEqual([
      [
        [3, 0],
        [0, 4],
      ],
      [
        [1, 0],
        [0, 2],
      ],
    ]);
    expect(plan).toBeInstanceOf(JacobianPlan);
  });

  it("gives the output's dtype, in reverse the input's, as jacfwd and jacrev do", () => {
    const f = (x: NDArray) => x.astype("float64").mul(2);
    const x = f32([1, 2, 3]);
    for (const mode of modes) {
      const expected = mode === "reverse" || mode === "compressedReverse" ? jacrev(f)(x) : jacfwd(f)(x);
      expect(types(jacobian(f, { mode })(x))).toBe(types(expected));
    }
  });

  it("is weakly typed for no input, as jacfwd is", () => {
    const weak = jacfwd((t: NDArray | number) => np.sin(t))(2).aval.weakType;
    for (const mode of modes) {
      const f = (t: NDArray | number) => np.sin(t);
      expect(jacobian(f, { mode })(2).aval.weakType).toBe(weak);
      expect(jacobian(f, { mode, sparse: true })(2).values.aval.weakType).toBe(weak);
    }
  });

  it("of what has no elements, and of what depends on nothing", () => {
    for (const mode of modes) {
      expect(jacobian((x: NDArray) => x.mul(2), { mode })(f64([])).shape).toEqual([0, 0]);
      const constant = jacobian((_: NDArray) => f64([1, 2]), { mode, sparse: true })(f64([1, 2, 3]));
      expect(constant.nonzeros).toBe(0);
      expect(plain(constant.toDense())).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      expect(plain(constant.matvec(f64([1, 2, 3])))).toEqual([0, 0]);
      expect(jacobian((_: NDArray) => ({}) as { [k: string]: NDArray }, { mode })(f64([1]))).toEqual({});
    }
    expect(plain(jacobian((x: number) => np.multiply(x, x))(3))).toBe(6);
  });

  it("a place that an array decides is planned anew for another array", () => {
    const read = (places: number[]) => (x: NDArray) => np.square(np.take(x, i32(places)));
    for (const places of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 1, 1],
      [0, 1, 2],
    ])
      expectClose(jacobian(read(places))(f64([1, 2, 3])), plain(jacfwd(read(places))(f64([1, 2, 3]))));
  });
});

describe("jacobian under transforms", () => {
  const x = point;
  const dense = () => plain(jacfwd(banded)(x));

  it.each(modes)("%s: in jit, vmap, grad and jvp", (mode) => {
    const j = jacobian(banded, { mode });
    expectClose(jit(j)(x), dense(), 1e-14);
    const rows = np.stack([x, x.mul(0.5)]);
    expectClose(vmap(j)(rows), plain(vmap(jacfwd(banded))(rows)), 1e-14);
    const weigh = (of: (v: NDArray) => NDArray) => (v: NDArray) => np.sum(np.square(of(v)));
    expectClose(grad(weigh(j))(x), plain(grad(weigh(jacfwd(banded)))(x)), 1e-13);
    expectClose(jvp(j, [x], [x])[1], plain(jvp(jacfwd(banded), [x], [x])[1]), 1e-13);
    expectClose(jacobian(j, { mode })(x), plain(jacfwd(jacfwd(banded))(x)), 1e-13);
  });

  it("sparse blocks come out of jit and vmap, and their values are differentiated", () => {
    const sparse = jacobian(banded, { sparse: true });
    expectClose(jit(sparse)(x).toDense(), dense(), 1e-14);
    const batch = vmap(sparse)(np.stack([x, x.mul(0.5)]));
    expect(batch.values.shape).toEqual([2, 19]);
    const loss = (v: NDArray) => np.sum(np.square(sparse(v).values));
    const whole = (v: NDArray) => np.sum(np.square(jacfwd(banded)(v)));
    expectClose(grad(loss)(x), plain(grad(whole)(x)), 1e-13);
    const product = (v: NDArray) => np.sum(sparse(v).matvec(v).mul(sparse(v).transposed().matvec(v)));
    const expected = (v: NDArray) => np.sum(jacfwd(banded)(v).matmul(v).mul(jacfwd(banded)(v).T.matmul(v)));
    expectClose(grad(product)(x), plain(grad(expected)(x)), 1e-13);
    // All of one structure: a compiled function that takes one is traced once.
    let traces = 0;
    const sum = jit((s: SparseArray) => {
      traces++;
      return np.sum(s.values);
    });
    sum(sparse(x));
    sum(sparse(x.mul(2)));
    expect(traces).toBe(1);
  });

  it("is counted without arrays, however large", () => {
    const n = 1_000_000;
    const f = (v: NDArray) => np.sum(np.sin(v).mul(v));
    const operations = (mode: (typeof modes)[number]) =>
      jaxprCost(makeJaxpr(jacobian(f, { mode }))(new ShapeDtype([n])).jaxpr).operations;
    expect(operations("forward")).toBeGreaterThan(n * n);
    expect(operations("reverse")).toBe(operations("auto"));
    // sin, cos, x·cos, and the two products and the sum of the pullback.
    expect(operations("auto")).toBe(6 * n);
    const element = makeJaxpr(jacobian((v: NDArray) => np.exp(v)))(new ShapeDtype([n]));
    expect(element.outAvals[0]!.shape).toEqual([n, n]);
    expect(jaxprCost(element.jaxpr).operations).toBeLessThanOrEqual(4 * n);
  });

  it("plans a program once, also one that eager code traces anew in each call", () => {
    const plans = [0, 1, 2].map(
      () => jacobian((v: NDArray) => banded(v), { explain: true })(np.linspace(0, 1, 300))[1],
    );
    expect(plans[1]).toBe(plans[0]);
    expect(plans[2]).toBe(plans[0]);
    // The same for programs with bodies, which nothing else remembers.
    const looping = () =>
      jacobian(
        (v: NDArray) =>
          lax.scan((h: NDArray, e: NDArray) => [h.add(e), np.sin(h.mul(e))] as const, np.zeros([]), v)[1],
        {
          explain: true,
        },
      )(np.linspace(0, 1, 20))[1];
    expect(looping()).toBe(looping());
  });

  it("forgets plans with large patterns first, but not those in use", () => {
    const planOf = (n: number) =>
      jacobian((v: NDArray) => v.mul(np.roll(v, 1)), { sparse: true, explain: true })(np.ones([n]))[1];
    const small = planOf(11);
    const large = planOf(500_001);
    expect(planOf(500_001)).toBe(large);
    for (let k = 2; k < 8; k++) {
      planOf(500_000 + k);
      expect(planOf(11)).toBe(small);
    }
    expect(planOf(500_001)).not.toBe(large);
  });
});

describe("SparseArray", () => {
  const [m, n] = [4, 6];
  const weights = f64(Array.from({ length: m * n }, (_, k) => (k % 3 === 0 ? 0 : k + 1))).reshape(m, n);
  const j = jacobian((v: NDArray) => weights.mul(np.tile(v, 1)).reshape(m, n), { sparse: true })(
    np.ones([n], "float64"),
  );

  it("of an output with axes: shape, flat positions, product, transposed", () => {
    expect(j.shape).toEqual([m, n, n]);
    const dense = j.toDense();
    const v = f64([1, 2, 3, 4, 5, 6]);
    expectClose(j.matvec(v), plain(dense.matmul(v)), 1e-13);
    const t = j.transposed();
    expect(t.shape).toEqual([n, m, n]);
    expect([...t.rows]).toEqual([...t.rows].sort((a, b) => a - b));
    expectClose(t.toDense().reshape(n, m * n), plain(dense.reshape(m * n, n).T), 1e-13);
    expectClose(t.transposed().toDense(), plain(dense));
    const u = f64(Array.from({ length: m * n }, (_, k) => k)).reshape(m, n);
    expectClose(t.matvec(u), plain(np.sum(dense.mul(u.reshape(m, n, 1)), [0, 1])), 1e-12);
  });

  it("is a container of its values", () => {
    const doubled = tree.map((a: unknown) => (a as NDArray).mul(2), j) as unknown as SparseArray;
    expect(doubled).toBeInstanceOf(SparseArray);
    expectClose(doubled.toDense(), plain(j.toDense().mul(2)));
    expect(j.density).toBeCloseTo(j.nonzeros / (m * n * n));
    expect(String(j)).toMatch(/^SparseArray\(float64\[4,6,6\], 24 × 6, \d+ nonzeros, density 0\.\d+\)/);
  });

  it("refuses a vector that does not fit", () => {
    expect(() => j.matvec(np.ones([5]))).toThrow(ShapeError);
    expect(errorOf(() => j.matvec(np.ones([5]))).message).toContain("shape [5] for columns of shape [6]");
    expect(() => j.matvec(3 as never)).toThrow(ArgumentError);
  });
});

describe("what jacobian refuses", () => {
  const f = (x: NDArray) => x.mul(2);
  it("an unknown mode, a mode for each leaf, an unknown option", () => {
    expect(errorOf(() => jacobian(f, { mode: "backward" as never }))).toBeInstanceOf(ArgumentError);
    expect(errorOf(() => jacobian(f, { mode: "backward" as never })).message).toContain(
      'the mode is one of "auto", "forward", "reverse", "compressedForward", "compressedReverse", got "backward"',
    );
    expect(errorOf(() => jacobian(f, { mode: { a: "forward" } as never })).message).toContain(
      "one mode holds for all leaves",
    );
    expect(errorOf(() => jacobian(f, { sparce: true } as never)).message).toContain(
      'there is no option "sparce"',
    );
  });

  it("what is no function, and functions that return nothing or no floats", () => {
    expect(() => jacobian(3 as never)).toThrow(ArgumentError);
    expect(
      errorOf(() => jacobian(((_: NDArray) => undefined) as unknown as typeof f)(f64([1]))).message,
    ).toContain("returned nothing");
    expect(() => jacobian((x: NDArray) => x.astype("int32"))(f64([1]))).toThrow(NotDifferentiableError);
    expect(() => jacobian(f)(i32([1, 2]))).toThrow(NotDifferentiableError);
    expect(errorOf(() => jacobian(f)(i32([1, 2]))).message).toContain("jacobian needs float inputs");
    expect(() => jacobian(f, { argnums: 1 as never })(f64([1]))).toThrow(ArgumentError);
  });
});
