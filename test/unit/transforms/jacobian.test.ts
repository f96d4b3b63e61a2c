import { grad, hessian, jacfwd, jacrev, jit, type NDArray, numpy as np, tree, vmap } from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, types } from "../values.js";

/** Two leaves in, three out, of several shapes; every block of the Jacobian is different. */
const f = (p: { a: NDArray; b: [NDArray, null] }) => ({
  matrix: np.outer(p.a, np.square(p.b[0])),
  scalar: np.sum(np.sin(p.a)),
  list: [p.b[0].mul(np.sum(p.a)), null] as const,
});
const point = { a: f64([0.5, -1, 2]), b: [f64([1.5, 3]), null] as [NDArray, null] };

describe("jacfwd and jacrev", () => {
  it("agree on trees with several leaves, and with the derivative by hand", () => {
    const forward = jacfwd(f)(point);
    const reverse = jacrev(f)(point);
    expectClose(forward, plain(reverse), 1e-13);
    expect(types(forward)).toEqual({
      matrix: { a: "float64[3,2,3]", b: ["float64[3,2,2]", null] },
      scalar: { a: "float64[3]", b: ["float64[2]", null] },
      list: [{ a: "float64[2,3]", b: ["float64[2,2]", null] }, null],
    });
    expect(types(reverse)).toEqual(types(forward));
    const [a, b] = [
      [0.5, -1, 2],
      [1.5, 3],
    ];
    const sum = 1.5;
    const delta = (i: number, j: number) => (i === j ? 1 : 0);
    expectClose(forward, {
      matrix: {
        a: a.map((_, i) => b.map((y) => a.map((__, k) => delta(i, k) * y * y))),
        b: [a.map((x) => b.map((y, j) => b.map((_, k) => delta(j, k) * x * 2 * y))), null],
      },
      scalar: { a: a.map(Math.cos), b: [[0, 0], null] },
      list: [
        { a: b.map((y) => a.map(() => y)), b: [b.map((_, j) => b.map((__, k) => delta(j, k) * sum)), null] },
        null,
      ],
    });
  });

  it("argnums: one position gives one tree, a list gives a list", () => {
    const g = (x: NDArray, y: NDArray, z: { w: NDArray }) => x.mul(y).add(np.sum(z.w));
    const args = [f64([1, 2]), f64([3, 4]), { w: f64([5, 6, 7]) }] as const;
    for (const jacobian of [jacfwd, jacrev]) {
      expect(plain(jacobian(g)(...args))).toEqual([
        [3, 0],
        [0, 4],
      ]);
      expect(plain(jacobian(g, { argnums: 1 })(...args))).toEqual([
        [1, 0],
        [0, 2],
      ]);
      expect(plain(jacobian(g, { argnums: -1 })(...args))).toEqual({
        w: [
          [1, 1, 1],
          [1, 1, 1],
        ],
      });
      expect(plain(jacobian(g, { argnums: [2, 0] })(...args))).toEqual([
        {
          w: [
            [1, 1, 1],
            [1, 1, 1],
          ],
        },
        [
          [3, 0],
          [0, 4],
        ],
      ]);
    }
  });

  it("hasAux", () => {
    const g = (x: NDArray) => [np.square(x), { x, word: "aux" }] as const;
    for (const jacobian of [jacfwd, jacrev]) {
      const [j, aux] = jacobian(g, { hasAux: true })(f64([1, 2]));
      expect(plain([j, aux.x])).toEqual([
        [
          [2, 0],
          [0, 4],
        ],
        [1, 2],
      ]);
      expect(aux.word).toBe("aux");
    }
  });

  it("scalars, sizes of zero, mixed dtypes", () => {
    for (const jacobian of [jacfwd, jacrev]) {
      expectClose(jacobian((x: NDArray) => np.sin(x))(f64(0.5)), Math.cos(0.5));
      expect(types(jacobian((x: NDArray) => np.square(x))(np.zeros([0, 2], "float64")))).toBe(
        "float64[0,2,0,2]",
      );
      expect(types(jacobian((_: NDArray) => np.zeros([0]))(f64([1, 2])))).toMatch(/\[0,2\]/);
      const mixed = (p: { x: NDArray; y: NDArray }) => np.astype(p.x, "float64").mul(p.y);
      expect(plain(jacobian(mixed)({ x: f32(2), y: f64(3) }))).toEqual({ x: 3, y: 2 });
    }
    expectClose(jacfwd((x: NDArray | number) => np.sin(x))(1), Math.cos(1), 1e-7);
  });

  it("under jit, vmap and grad", () => {
    const g = (x: NDArray) => np.sin(x).mul(np.sum(x));
    const x = f64([0.1, 0.2, 0.3]);
    const wanted = plain(jacfwd(g)(x));
    for (const jacobian of [jacfwd, jacrev]) {
      expectClose(jit(jacobian(g))(x), wanted);
      expectClose(jacobian(jit(g))(x), wanted);
      expectClose(vmap(jacobian(g))(np.stack([x, x])), [wanted, wanted]);
      // The trace of the Jacobian, differentiated: Σ cos(xᵢ) s + sin(xᵢ), in xₖ: −sin(xₖ) s + Σ cos(xᵢ) + cos(xₖ).
      const trace = grad((z: NDArray) => np.trace(jacobian(g)(z) as NDArray));
      const [s, c] = [0.6, Math.cos(0.1) + Math.cos(0.2) + Math.cos(0.3)];
      expectClose(
        trace(x),
        [0.1, 0.2, 0.3].map((v) => -Math.sin(v) * s + c + Math.cos(v)),
      );
    }
  });

  it("evaluates the function once, whatever the number of columns", () => {
    for (const jacobian of [jacfwd, jacrev]) {
      let calls = 0;
      jacobian((x: NDArray) => {
        calls++;
        return np.square(x);
      })(np.ones([20]));
      expect(calls).toBe(1);
    }
  });

  it("refuses integers by path", () => {
    for (const jacobian of [jacfwd, jacrev])
      expect(errorOf(() => jacobian((p: { n: NDArray }) => p.n)({ n: i32([1]) })).message).toMatch(
        /int32\[1\]/,
      );
  });
});

describe("hessian", () => {
  it("of a function of an array", () => {
    const h = hessian((x: NDArray) => np.sum(x.mul(x).mul(x)).add(x.slice(0).mul(x.slice(1))));
    expect(plain(h(f64([1, 2])))).toEqual([
      [6, 1],
      [1, 12],
    ]);
  });

  it("over trees: a block for each pair of leaves, symmetric", () => {
    const loss = (p: { w: NDArray; b: NDArray; n: null }) => np.sum(np.square(p.w)).mul(p.b).add(np.exp(p.b));
    const at = { w: f64([1, 2]), b: f64(0.5), n: null };
    const h = hessian(loss)(at);
    expectClose(h, {
      w: {
        w: [
          [1, 0],
          [0, 1],
        ],
        b: [2, 4],
        n: null,
      },
      b: { w: [2, 4], b: Math.exp(0.5), n: null },
      n: null,
    });
    expectClose(jit(hessian(loss))(at), plain(h));
  });

  it("by several arguments, and of every mix of modes", () => {
    const g = (x: NDArray, y: NDArray) => np.sum(np.square(x)).mul(y);
    const at = [f64([1, 2]), f64(3)] as const;
    expect(plain(hessian(g, { argnums: [0, 1] })(...at))).toEqual([
      [
        [
          [6, 0],
          [0, 6],
        ],
        [2, 4],
      ],
      [[2, 4], 0],
    ]);
    const k = (x: NDArray) => np.sum(np.exp(np.sin(x)).mul(np.roll(x, 1)));
    const x = f64([0.3, -0.4, 1]);
    const wanted = plain(hessian(k)(x));
    for (const outer of [jacfwd, jacrev])
      for (const inner of [jacfwd, jacrev, grad]) {
        type Transform = (f: (z: NDArray) => NDArray) => (z: NDArray) => NDArray;
        const h = (outer as unknown as Transform)((inner as unknown as Transform)(k));
        expectClose(h(x), wanted, 1e-12);
      }
    const rows = wanted as number[][];
    for (const i of [0, 1, 2]) for (const j of [0, 1, 2]) expectClose(rows[i][j], rows[j][i]);
  });

  it("of a function with several outputs", () => {
    const h = hessian((x: NDArray) => ({ sq: np.square(x), sum: np.sum(np.power(x, 3)) }))(f64([1, 2]));
    expect(plain(h)).toEqual({
      sq: [
        [
          [2, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 2],
        ],
      ],
      sum: [
        [6, 0],
        [0, 12],
      ],
    });
    expect(tree.leaves(h)).toHaveLength(2);
  });
});
