/**
 * The cases that every text on the subject works out by hand: e = (a + b)(b + 1), the paths of a graph and their factored
 * sum, and the perceptron with one hidden layer whose backward pass the chapters derive step by step.
 */
import {
  countEqns,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jvp,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  random,
  ShapeDtype,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { countOf, expectClose, f64, i32, plain, types } from "./values.js";

describe("e = (a + b)(b + 1) at a = 2, b = 1", () => {
  const e = (a: NDArray, b: NDArray) => np.multiply(np.add(a, b), np.add(b, 1));
  const [a, b] = [f64(2), f64(1)];

  it("is 6, with ∂e/∂a = 2 and ∂e/∂b = 5, by reverse mode in one pass", () => {
    expect(plain(valueAndGrad(e, { argnums: [0, 1] })(a, b))).toEqual([6, [2, 5]]);
    const [value, pull] = vjp(e, a, b);
    expect(plain([value, pull(1)])).toEqual([6, [2, 5]]);
  });

  it("and by forward mode, one pass for each input", () => {
    expect(plain(jvp(e, [a, b], [1, 0]))).toEqual([6, 2]);
    expect(plain(jvp(e, [a, b], [0, 1]))).toEqual([6, 5]);
    expect(plain(jacfwd(e, { argnums: [0, 1] })(a, b))).toEqual([2, 5]);
  });

  it("the derivatives on the edges: 1, 1, 1, 2, 3, and 5 is the sum over the two paths from b", () => {
    const [c, d] = [f64(3), f64(2)];
    const sum = (x: NDArray, y: NDArray) => np.add(x, y);
    const product = (x: NDArray, y: NDArray) => np.multiply(x, y);
    const [ca, cb] = grad(sum, { argnums: [0, 1] })(a, b);
    const db = grad((x: NDArray) => np.add(x, 1))(b);
    const [ec, ed] = grad(product, { argnums: [0, 1] })(c, d);
    expect(plain([ca, cb, db, ec, ed])).toEqual([1, 1, 1, 2, 3]);
    expect(plain(np.add(np.multiply(cb, ec), np.multiply(db, ed)))).toBe(5);
  });

  it("its second derivatives", () => {
    expect(plain(hessian(e, { argnums: [0, 1] })(a, b))).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe("paths through a graph are summed by factoring", () => {
  it("X → Y → Z with three edges each: nine paths, (α+β+γ)(δ+ε+ζ), six products", () => {
    const [first, second] = [
      [2, 3, 5],
      [7, 11, 13],
    ];
    const through = (weights: readonly number[]) => (x: NDArray) =>
      weights.map((w) => np.multiply(w, x)).reduce((s, y) => np.add(s, y));
    const z = (x: NDArray) => through(second)(through(first)(x));
    expect(plain([grad(z)(f64(1)), jvp(z, [f64(1)], [1])[1]])).toEqual([310, 310]);
    for (const program of [
      makeJaxpr(grad(z))(f64(1)),
      makeJaxpr((t: NDArray) => jvp(z, [f64(1)], [t])[1])(f64(1)),
    ])
      expect(countOf(program, "mul")).toBeLessThanOrEqual(6 + 6);
  });

  it("a ladder of n rungs has 2ⁿ paths and a derivative that costs n", () => {
    const ladder = (n: number) => (x: NDArray) => {
      let y = x;
      for (let i = 0; i < n; i++) y = np.add(np.sin(y), np.cos(y));
      return y;
    };
    const size = (n: number) => countEqns(makeJaxpr(grad(ladder(n)))(f64(1)).jaxpr);
    expect(size(64) - size(32)).toBe(2 * (size(32) - size(16)));
    expect(size(64)).toBeLessThanOrEqual(8 * 64);
    let [y, slope] = [0.3, 1];
    for (let i = 0; i < 64; i++)
      [y, slope] = [Math.sin(y) + Math.cos(y), slope * (Math.cos(y) - Math.sin(y))];
    expectClose(grad(ladder(64))(f64(0.3)), slope);
  });

  it("many inputs, one output: one pass backwards against one for each input forwards", () => {
    const f = (x: NDArray) => np.sum(np.sin(x));
    const x = random.normal(random.key(0), [50], { dtype: "float64" });
    const columns = vmap((v: NDArray) => jvp(f, [x], [v])[1])(np.eye(50, { dtype: "float64" }));
    expectClose(grad(f)(x), plain(columns));
    expectClose(plain(columns), plain(np.cos(x)));
  });
});

describe("the perceptron with one hidden layer", () => {
  const [d, h, q] = [5, 7, 3];
  const lambda = 0.3;
  const [kw, kv, kb, kx] = Array.from(random.split(random.key(11), 4));
  const draw = (key: NDArray, shape: number[]) => random.normal(key, shape, { dtype: "float64" });
  const weights = { w1: draw(kw, [h, d]), w2: draw(kv, [q, h]) };
  const x = draw(kx, [d]);
  const label = 1;
  const target = nn.oneHot(i32(label), q, { dtype: "float64" });
  const squared = (w: NDArray) => np.sum(np.square(w));

  /** J = L + s with L the cross-entropy of o and s = λ/2 (‖W1‖² + ‖W2‖²). */
  const penalty = (w: typeof weights) => np.multiply(np.add(squared(w.w1), squared(w.w2)), lambda / 2);
  const crossEntropy = (o: NDArray) => np.negative(np.sum(np.multiply(target, nn.logSoftmax(o))));
  const objective =
    (phi: (z: NDArray) => NDArray) =>
    (w: typeof weights, input: NDArray, b?: NDArray): NDArray => {
      const z = np.matmul(w.w1, input);
      const hidden = phi(b === undefined ? z : np.add(z, b));
      return np.add(crossEntropy(np.matmul(w.w2, hidden)), penalty(w));
    };

  /** The backward pass as the chapter derives it, in plain numbers. */
  function byHand(phi: (z: number) => number, slope: (z: number) => number, b: readonly number[] = []) {
    const [w1, w2, input] = plain([weights.w1, weights.w2, x]) as [number[][], number[][], number[]];
    const dot = (u: readonly number[], v: readonly number[]) => u.reduce((s, ui, i) => s + ui * v[i], 0);
    const z = w1.map((row, i) => dot(row, input) + (b[i] ?? 0));
    const hidden = z.map(phi);
    const o = w2.map((row) => dot(row, hidden));
    const total = o.reduce((s, v) => s + Math.exp(v), 0);
    const square = (w: readonly number[][]) => w.reduce((s, row) => s + dot(row, row), 0);
    const J = Math.log(total) - o[label] + (lambda / 2) * (square(w1) + square(w2));
    const dO = o.map((v, i) => Math.exp(v) / total - (i === label ? 1 : 0));
    const dW2 = dO.map((g, i) => hidden.map((v, j) => g * v + lambda * w2[i][j]));
    const dH = hidden.map((_, j) => dO.reduce((s, g, i) => s + w2[i][j] * g, 0));
    const dZ = dH.map((g, j) => g * slope(z[j]));
    const dW1 = dZ.map((g, j) => input.map((v, k) => g * v + lambda * w1[j][k]));
    const dX = input.map((_, k) => dZ.reduce((s, g, j) => s + w1[j][k] * g, 0));
    return { J, dW1, dW2, dZ, dX };
  }

  const activations = {
    relu: [nn.relu, (z: number) => Math.max(z, 0), (z: number) => (z > 0 ? 1 : 0)],
    tanh: [np.tanh, Math.tanh, (z: number) => 1 - Math.tanh(z) ** 2],
    sigmoid: [
      nn.sigmoid,
      (z: number) => 1 / (1 + Math.exp(-z)),
      (z: number) => Math.exp(-z) / (1 + Math.exp(-z)) ** 2,
    ],
  } as const;

  it.each(Object.entries(activations))(
    "without bias, φ = %s: ∂J/∂W2 = ∂J/∂o hᵀ + λW2, ∂J/∂W1 = ∂J/∂z xᵀ + λW1",
    (_, [phi, f, slope]) => {
      const J = objective(phi);
      const hand = byHand(f, slope);
      const [value, [dw, dx]] = valueAndGrad(J, { argnums: [0, 1] })(weights, x);
      expectClose(value, hand.J, 1e-13);
      expectClose(dw, { w1: hand.dW1, w2: hand.dW2 }, 1e-13);
      expectClose(dx, hand.dX, 1e-13);
      expect(types(dw)).toEqual({ w1: `float64[${h},${d}]`, w2: `float64[${q},${h}]` });
    },
  );

  it.each(Object.entries(activations))(
    "with a bias of the hidden layer, φ = %s: ∂J/∂b = ∂J/∂z, and no penalty on it",
    (_, [phi, f, slope]) => {
      const b = draw(kb, [h]);
      const hand = byHand(f, slope, plain(b) as number[]);
      const [value, [dw, db]] = valueAndGrad(
        objective(phi) as (w: typeof weights, v: NDArray, b: NDArray) => NDArray,
        { argnums: [0, 2] },
      )(weights, x, b);
      expectClose(value, hand.J, 1e-13);
      expectClose(dw, { w1: hand.dW1, w2: hand.dW2 }, 1e-13);
      expectClose(db, hand.dZ, 1e-13);
    },
  );

  it("forward mode agrees: the derivative in a direction is the gradient times it", () => {
    const J = objective(np.tanh);
    const direction = { w1: draw(kx, [h, d]), w2: draw(kb, [q, h]) };
    const [, change] = jvp((w: typeof weights) => J(w, x), [weights], [direction]);
    const inner = tree.leaves(
      tree.map((g, v) => np.sum(np.multiply(g, v)), grad(J)(weights, x), direction),
    ) as NDArray[];
    expectClose(change, plain(np.add(inner[0], inner[1])), 1e-12);
  });

  it("second derivatives: the Hessian over the tree is symmetric and agrees with differences of the gradient", () => {
    const J = (w: typeof weights) => objective(np.tanh)(w, x);
    const second = hessian(J)(weights);
    expect(types(second)).toEqual({
      w1: { w1: `float64[${h},${d},${h},${d}]`, w2: `float64[${h},${d},${q},${h}]` },
      w2: { w1: `float64[${q},${h},${h},${d}]`, w2: `float64[${q},${h},${q},${h}]` },
    });
    expectClose(np.transpose(second.w2.w1, [2, 3, 0, 1]), plain(second.w1.w2), 1e-12);
    expectClose(np.transpose(second.w1.w1, [2, 3, 0, 1]), plain(second.w1.w1), 1e-12);
    // Along one weight: ∂²J/∂W1[2,3]∂(all).
    const step = 1e-5;
    const unit = np.zeros([h, d], "float64").at(2, 3).set(step);
    const [up, down] = [np.add(weights.w1, unit), np.subtract(weights.w1, unit)].map((w1) =>
      grad(J)({ ...weights, w1 }),
    );
    const difference = tree.map((p, m) => np.divide(np.subtract(p, m), 2 * step), up, down);
    expectClose(
      { w1: second.w1.w1.slice("...", 2, 3), w2: second.w2.w1.slice("...", 2, 3) },
      plain(difference),
      1e-8,
    );
  });

  it("a mini-batch: the gradient of the mean is the mean of the gradients", () => {
    const batch = draw(kx, [4, d]);
    const J = objective(nn.relu);
    const mean = grad((w: typeof weights) => np.mean(vmap((v: NDArray) => J(w, v))(batch)))(weights);
    const each = vmap(grad(J), { inAxes: [null, 0] })(weights, batch);
    expectClose(mean, plain(tree.map((g) => np.mean(g, { axis: 0 }), each)), 1e-13);
  });

  it("training on a few points brings the objective down to where its gradient is small", () => {
    const J = (w: typeof weights) => objective(np.tanh)(w, x);
    let w = weights;
    const before = J(w).item() as number;
    for (let i = 0; i < 300; i++) w = tree.map((p, g) => np.subtract(p, np.multiply(0.5, g)), w, grad(J)(w));
    expect(J(w).item()).toBeLessThan(before / 2);
    for (const g of tree.leaves(grad(J)(w)) as NDArray[]) expect(np.max(np.abs(g)).item()).toBeLessThan(1e-6);
  });
});

describe("the shape of a gradient", () => {
  it("a scalar of an n×m matrix has a gradient of shape n×m, whatever the function", () => {
    for (const [n, m] of [
      [3, 4],
      [1, 5],
      [6, 1],
      [0, 3],
    ]) {
      const x = new ShapeDtype([n, m], "float64");
      const scalars: ((a: NDArray) => NDArray)[] = [
        (a) => np.sum(a),
        (a) => np.sum(np.square(np.matmul(a, np.transpose(a)))),
        (a) => np.linalg.norm(np.ravel(a)),
        (a) => np.mean(np.sin(a)),
      ];
      for (const f of scalars)
        expect(makeJaxpr(grad(f))(x).outAvals).toEqual([
          { shape: [n, m], dtype: "float64", weakType: false },
        ]);
    }
  });

  it("the Jacobian of a map from n×m to p×q has shape p×q×n×m", () => {
    const f = (a: NDArray) => np.matmul(np.transpose(a), f64([[1], [2], [3]]));
    expect(jacrev(f)(np.ones([3, 4], "float64")).shape).toEqual([4, 1, 3, 4]);
    expect(jacfwd(f)(np.ones([3, 4], "float64")).shape).toEqual([4, 1, 3, 4]);
  });
});
