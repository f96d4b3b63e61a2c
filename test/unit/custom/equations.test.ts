/** Equations that are solved by procedures of one's own: roots, fixed points, implicit layers, linear equations. */
import {
  ArgumentError,
  customVjp,
  DtypeError,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  random,
  ShapeError,
  TreeMismatchError,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { derivatives, expectClose, f64, forward } from "./tools.js";

describe("customRoot", () => {
  /** Newton's iteration for x² = a, in a loop whose length nobody knows. */
  const newton =
    (a: NDArray) =>
    (f: (x: NDArray) => NDArray, guess: NDArray): NDArray =>
      lax.whileLoop(
        (x: NDArray) => np.greater(np.abs(f(x)), np.multiply(1e-15, a)),
        (x: NDArray) => x.add(a.div(x)).div(2),
        guess,
      );
  const byDivision = (g: (y: number) => NDArray, y: NDArray) => y.div(g(1));
  const sqrt = (a: NDArray) => lax.customRoot((x: NDArray) => x.mul(x).sub(a), f64(1), newton(a), byDivision);

  it("has the derivatives of the root, of every order", () => {
    expectClose(sqrt(f64(9)), 3);
    for (const [, d] of derivatives(sqrt, 1)) expectClose(d(f64(9)), 1 / 6);
    for (const [, d] of derivatives(sqrt, 2)) expectClose(d(f64(9)), -1 / 4 / 27);
    for (const [, d] of derivatives(sqrt, 3)) expectClose(d(f64(9)), 3 / 8 / 243);
    for (const [, d] of derivatives(jit(sqrt), 2)) expectClose(jit(d)(f64(9)), -1 / 4 / 27);
  });

  it("can be batched, in and outside of derivatives", () => {
    const many = f64([1, 4, 16]);
    expectClose(vmap(sqrt)(many), [1, 2, 4]);
    expectClose(vmap(grad(sqrt))(many), [1 / 2, 1 / 4, 1 / 8]);
    expectClose(grad((a: NDArray) => vmap(sqrt)(a).sum())(many), [1 / 2, 1 / 4, 1 / 8]);
    expectClose(jvp((a: NDArray) => vmap(sqrt)(a), [many], [f64([1, 1, 1])])[1], [1 / 2, 1 / 4, 1 / 8]);
    expectClose(jit(vmap(jit(grad(sqrt))))(many), [1 / 2, 1 / 4, 1 / 8]);
  });

  it("has a root and auxiliary results in trees", () => {
    const solve = (p: { a: NDArray; b: NDArray }) =>
      lax.customRoot(
        ({ x, y }: { x: NDArray; y: NDArray }) => ({ x: x.mul(x).sub(p.a), y: y.sub(p.b.mul(x)) }),
        { x: f64(1), y: f64(0) },
        (f, guess) => {
          let x = guess.x;
          for (let i = 0; i < 40; i++) x = x.add(p.a.div(x)).div(2);
          return [
            { x, y: p.b.mul(x) },
            { steps: np.array(40, { dtype: "int32" }), f: f(guess).x },
          ];
        },
        (g, { x, y }) => {
          // The matrix of g is lower triangular: [[2x, 0], [-b, 1]].
          const first = g({ x: 1, y: 0 });
          const dx = x.div(first.x);
          return { x: dx, y: y.sub(first.y.mul(dx)) };
        },
        { hasAux: true },
      );
    const at = { a: f64(4), b: f64(3) };
    const [root, aux] = solve(at);
    expect([root.x.item(), root.y.item()]).toEqual([2, 6]);
    expect(aux.steps.item()).toBe(40);
    expect(aux.f.item()).toBe(-3);
    const y = (p: typeof at) => solve(p)[0].y;
    // y = b √a.
    const g = grad(y)(at);
    expectClose(g.a, 3 / 4);
    expectClose(g.b, 2);
    expectClose(jvp(y, [at], [{ a: f64(1), b: f64(10) }])[1], 3 / 4 + 20);
    // What is auxiliary has no derivative.
    expect(grad((p: typeof at) => solve(p)[1].f)(at).a.item()).toBe(0);
  });

  it("gives a linearisation that solves nothing but the tangent equation", () => {
    const [value, push] = linearize(sqrt, f64(16));
    expectClose(value, 4);
    expectClose(push(f64(8)), 1);
  });

  it("names what does not fit", () => {
    const x0 = f64([1, 2]);
    const ok = (_: unknown, x: NDArray) => x;
    const run = (f: unknown, solve: unknown, tangent: unknown, options?: unknown) => () =>
      grad((s: NDArray) =>
        (lax.customRoot as (...args: unknown[]) => NDArray)(
          (x: NDArray) => (f as (x: NDArray, s: NDArray) => unknown)(x, s),
          x0,
          solve,
          tangent,
          options,
        ).sum(),
      )(f64(1));
    const good = (x: NDArray, s: NDArray) => x.mul(s);
    expect(run((x: NDArray) => x.sum(), ok, ok)).toThrow(ShapeError);
    expect(run((x: NDArray) => [x], ok, ok)).toThrow(TreeMismatchError);
    expect(run(good, (_: unknown, x: NDArray) => x.astype("float32"), ok)).toThrow(DtypeError);
    expect(run(good, ok, (_: unknown, y: NDArray) => y.sum())).toThrow(
      /tangentSolve of customRoot\(.*\) gives is float64\[\], but the root needs float64\[2\]/,
    );
    expect(run(good, ok, (_: unknown, y: NDArray) => ({ y }))).toThrow(TreeMismatchError);
    expect(run(good, ok, (g: (x: NDArray[]) => NDArray, y: NDArray) => g([y]))).toThrow(TreeMismatchError);
    expect(run(good, ok, (_: unknown, y: NDArray) => np.sin(y))).toThrow(/must be linear in the tangents/);
    expect(run(good, ok, ok, { hasAux: true })).toThrow(ArgumentError);
    expect(run(3, ok, null)).toThrow(ArgumentError);
    expect(() =>
      lax.customRoot((n: NDArray) => n, np.array(1, { dtype: "int32" }), ok as never, ok as never),
    ).toThrow(NotDifferentiableError);
  });
});

describe("a fixed point", () => {
  // x = cos(a x): by 200 steps.
  const step = (a: NDArray, x: NDArray): NDArray => np.cos(a.mul(x));
  const iterate = (a: NDArray): NDArray =>
    lax.foriLoop(0, 200, (_: NDArray, x: NDArray) => step(a, x), f64(0.7));

  /** By the backward pass of the implicit function theorem. */
  const byVjp = customVjp(iterate).defVjp(
    (a) => {
      const x = iterate(a);
      return [x, { a, x }];
    },
    ({ a, x }, ct) => {
      const [, pull] = vjp(step, a, x);
      // u = ct + u ∂step/∂x, by iteration too.
      const u = lax.foriLoop(0, 200, (_: NDArray, total: NDArray) => ct.add(pull(total)[1]), ct);
      return [pull(u)[0]];
    },
  );
  const byRoot = (a: NDArray): NDArray =>
    lax.customRoot(
      (x: NDArray) => x.sub(step(a, x)),
      f64(0.7),
      () => iterate(a),
      (g, y) => y.div(g(1)),
    );

  it("is differentiated by customVjp and by customRoot alike", () => {
    const a = f64(0.9);
    const x = iterate(a).item() as number;
    const slope = -Math.sin(0.9 * x);
    const wanted = (slope * x) / (1 - slope * 0.9);
    for (const f of [byVjp, byRoot, iterate]) {
      expectClose(f(a), x);
      for (const [, d] of derivatives(f, 1)) expectClose(d(a), wanted, 1e-11);
    }
    const curvature = grad(grad(byRoot))(a).item() as number;
    const h = 1e-5;
    const central =
      (grad(byRoot)(f64(0.9 + h)).item() as number) - (grad(byRoot)(f64(0.9 - h)).item() as number);
    expect(Math.abs(curvature - central / (2 * h))).toBeLessThan(1e-7);
    for (const [, d] of derivatives(byRoot, 2)) expectClose(d(a), curvature, 1e-10);
    expectClose(grad(grad(byVjp))(a), curvature, 1e-10);
    expectClose(forward(grad(byVjp))(a), curvature, 1e-10);
  });
});

describe("an implicit layer", () => {
  // z = tanh(W z + x), with W small enough for one solution.
  const n = 4;
  const key = random.key(7);
  const W = random.normal(key, [n, n], { dtype: "float64" }).mul(0.2);
  const x = random.normal(random.foldIn(key, 1), [n], { dtype: "float64" });
  const step = (W: NDArray, x: NDArray, z: NDArray): NDArray => np.tanh(W.matmul(z).add(x));
  const unrolled = (W: NDArray, x: NDArray): NDArray =>
    lax.foriLoop(0, 150, (_: NDArray, z: NDArray) => step(W, x, z), np.zeros([n], { dtype: "float64" }));

  /** Solves with I - J, by the Neumann series. */
  const neumann = (matvec: (v: NDArray) => NDArray, b: NDArray): NDArray =>
    lax.foriLoop(0, 150, (_: NDArray, v: NDArray) => b.add(v.sub(matvec(v))), b);
  const layer = (W: NDArray, x: NDArray): NDArray =>
    lax.customRoot(
      (z: NDArray) => z.sub(step(W, x, z)),
      np.zeros([n], { dtype: "float64" }),
      () => unrolled(W, x),
      (g, y) => lax.customLinearSolve(g, y, neumann, { transposeSolve: neumann }),
    );

  it("has the derivatives of the unrolled iteration", () => {
    expectClose(layer(W, x), unrolled(W, x));
    for (const argnums of [0, 1] as const) {
      const wanted = jacrev(unrolled, { argnums })(W, x);
      expectClose(jacrev(layer, { argnums })(W, x), wanted, 1e-10);
      expectClose(jacfwd(layer, { argnums })(W, x), wanted, 1e-10);
      expectClose(jit(jacrev(jit(layer), { argnums }))(W, x), wanted, 1e-10);
    }
  });

  it("satisfies the implicit function theorem", () => {
    // (I - D W) ∂z/∂x = D with D = diag(1 - z²).
    const z = layer(W, x);
    const D = np.diag(np.subtract(1, np.square(z)));
    const J = jacrev(layer, { argnums: 1 })(W, x);
    const left = np.subtract(np.eye(n, { dtype: "float64" }), D.matmul(W)).matmul(J);
    expectClose(left, D, 1e-11);
  });

  it("has second derivatives, and a batch of inputs", () => {
    const loss = (f: typeof layer) => (x: NDArray) => np.sum(np.square(f(W, x)));
    const wanted = hessian(loss(unrolled))(x);
    expectClose(hessian(loss(layer))(x), wanted, 1e-9);
    expectClose(jacrev(jacrev(loss(layer)))(x), wanted, 1e-9);
    const xs = np.stack([x, x.neg(), x.mul(0.5)]);
    const total = (f: typeof layer) => (W: NDArray) =>
      np.sum(np.square(vmap(f, { inAxes: [null, 0] })(W, xs)));
    expectClose(grad(total(layer))(W), grad(total(unrolled))(W), 1e-10);
  });
});

describe("customLinearSolve", () => {
  /** Cramer's rule for two equations. */
  const cramer = (m: NDArray, b: NDArray): NDArray => {
    const [p, q, r, s] = [0, 1, 2, 3].map((i) => np.take(m.reshape([4]), i));
    const [u, v] = [0, 1].map((i) => np.take(b, i));
    const det = p.mul(s).sub(q.mul(r));
    return np.stack([s.mul(u).sub(q.mul(v)).div(det), p.mul(v).sub(r.mul(u)).div(det)]);
  };
  const solve = (m: NDArray, b: NDArray): NDArray =>
    lax.customLinearSolve(
      (x: NDArray) => m.matmul(x),
      b,
      (_, b) => cramer(m, b),
      { transposeSolve: (_, b) => cramer(m.transpose(), b) },
    );
  const m = f64([
    [2, 1],
    [0.5, 4],
  ]);
  const b = f64([1, 2]);

  it("has the derivatives of the solution, by matrix and right hand side", () => {
    expectClose(solve(m, b), cramer(m, b));
    for (const argnums of [0, 1] as const) {
      const wanted = jacfwd(cramer, { argnums })(m, b);
      for (const jacobian of [jacfwd, jacrev]) {
        expectClose(jacobian(solve, { argnums })(m, b), wanted);
        expectClose(jit(jacobian(jit(solve), { argnums }))(m, b), wanted);
      }
    }
    const h = hessian((m: NDArray) => cramer(m, b).sum())(m);
    for (const [outer, inner] of [
      [jacfwd, jacrev],
      [jacrev, jacrev],
      [jacrev, jacfwd],
      [jacfwd, jacfwd],
    ])
      expectClose(outer(inner((m: NDArray) => solve(m, b).sum()))(m), h);
  });

  it("is linear in the right hand side", () => {
    const [, pull] = vjp((b: NDArray) => solve(m, b), b);
    expectClose(pull(f64([1, 0]))[0], cramer(m.transpose(), f64([1, 0])));
  });

  it("can be batched over either", () => {
    const ms = np.stack([m, m.mul(2), m.add(1)]);
    const bs = f64([
      [1, 0],
      [0, 1],
      [2, 3],
    ]);
    for (const inAxes of [
      [0, null],
      [null, 0],
      [0, 0],
    ] as const) {
      const args = [inAxes[0] === null ? m : ms, inAxes[1] === null ? b : bs] as const;
      const [own, plain] = [solve, cramer].map((f) => vmap(f, { inAxes }));
      expectClose(own(...args), plain(...args));
      for (const argnums of [0, 1] as const)
        expectClose(
          grad((m: NDArray, b: NDArray) => own(m, b).sum(), { argnums })(...args),
          grad((m: NDArray, b: NDArray) => plain(m, b).sum(), { argnums })(...args),
        );
    }
  });

  it("hands the solvers the functions that they solve for", () => {
    // Jacobi's iteration with A, and with its transpose, of which only products are known.
    const jacobi = (matvec: (x: NDArray) => NDArray, b: NDArray): NDArray =>
      lax.foriLoop(0, 100, (_: NDArray, x: NDArray) => x.add(b.sub(matvec(x)).div(f64([2, 4]))), b);
    const iterative = (m: NDArray, b: NDArray): NDArray =>
      lax.customLinearSolve((x: NDArray) => m.matmul(x), b, jacobi, { transposeSolve: jacobi });
    expectClose(iterative(m, b), cramer(m, b));
    expectClose(jacrev(iterative)(m, b), jacfwd(cramer)(m, b));
    expectClose(jacfwd(iterative)(m, b), jacfwd(cramer)(m, b));
  });

  it("takes trees, symmetric matrices and auxiliary results", () => {
    const diagonal = (d: { p: NDArray; q: NDArray }) =>
      lax.customLinearSolve(
        ({ p, q }: typeof d) => ({ p: p.mul(d.p), q: q.mul(d.q) }),
        { p: f64([6, 8]), q: f64(5) },
        (matvec, b) => [
          { p: b.p.div(d.p), q: b.q.div(d.q) },
          { residual: matvec(b).q, flag: np.array(true) },
        ],
        { symmetric: true, hasAux: true },
      );
    const at = { p: f64([2, 4]), q: f64(5) };
    const [x, aux] = diagonal(at);
    expect([x.p.tolist(), x.q.item(), aux.residual.item(), aux.flag.item()]).toEqual([[3, 2], 1, 25, true]);
    const g = grad((d: typeof at) => diagonal(d)[0].p.sum().add(diagonal(d)[0].q))(at);
    expectClose(g.p, [-1.5, -0.5]);
    expectClose(g.q, -0.2);
    expect(grad((d: typeof at) => diagonal(d)[1].residual)(at).q.item()).toBe(0);
    expectClose(grad(grad((q: NDArray) => diagonal({ p: at.p, q })[0].q))(f64(5)), (2 * 5) / 125);
  });

  it("has forward mode only, without a transposed solver", () => {
    const one = (m: NDArray) =>
      lax.customLinearSolve(
        (x: NDArray) => m.matmul(x),
        b,
        (_, b) => cramer(m, b),
      );
    expectClose(jacfwd(one)(m), jacfwd(cramer)(m, b));
    expect(() => jacrev(one)(m)).toThrow(NotDifferentiableError);
    expect(() => jacrev(one)(m)).toThrow("no reverse mode without transposeSolve");
  });

  it("names what does not fit", () => {
    const run =
      (matvec: unknown, solver: unknown, options: unknown = {}) =>
      () =>
        (lax.customLinearSolve as (...args: unknown[]) => unknown)(matvec, b, solver, options);
    const id = (x: NDArray) => x;
    const same = (_: unknown, b: NDArray) => b;
    expect(run(id, same)).not.toThrow();
    expect(run((x: NDArray) => x.sum(), same)).toThrow(ShapeError);
    expect(run((x: NDArray) => ({ x }), same)).toThrow("customLinearSolve: matvec must give what it takes");
    expect(run(id, (_: unknown, b: NDArray) => b.astype("float32"))).toThrow(DtypeError);
    expect(run(id, same, { transposeSolve: (_: unknown, b: NDArray) => [b] })).toThrow(TreeMismatchError);
    expect(run(np.sin, same, { transposeSolve: same })).toThrow(NotDifferentiableError);
    expect(run(np.sin, same, { transposeSolve: same })).toThrow(
      /customLinearSolve: matvec must be linear, but the equation .* = sin/,
    );
    expect(run(id, same, { hasAux: true })).toThrow(ArgumentError);
    expect(run(id, same, { transpose: same })).toThrow('no option "transpose"');
    expect(run(3, same)).toThrow(ArgumentError);
    expect(() =>
      lax.customLinearSolve(
        (x: NDArray) => x,
        np.array([1, 2], { dtype: "int32" }),
        (_, b) => b,
      ),
    ).toThrow(NotDifferentiableError);
  });
});
