/** Derivatives of scans in both modes: closed forms, the program with its steps written out, and structure. */
import {
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  type NDArray,
  numpy as np,
  tree,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives, drawn } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, f32, f64, i32, plain } from "../values.js";

describe("closed forms", () => {
  it("powers by multiplication: x^n, its first three derivatives", () => {
    const power = (x: NDArray) => lax.scan((c) => [c.mul(x), null], f64(1), null, { length: 7 })[0];
    const x = 1.3;
    const wanted = [7 * x ** 6, 42 * x ** 5, 210 * x ** 4];
    expectClose(grad(power)(f64(x)), wanted[0], 1e-13);
    expectClose(jvp(power, [f64(x)], [f64(1)])[1], wanted[0], 1e-13);
    expectClose(grad(grad(power))(f64(x)), wanted[1], 1e-13);
    expectClose(grad(grad(grad(power)))(f64(x)), wanted[2], 1e-12);
    const twice = (f: (z: NDArray) => NDArray) => (z: NDArray) => jvp(f, [z], [f64(1)])[1];
    expectClose(twice(twice(power))(f64(x)), wanted[1], 1e-13);
    expectClose(twice(grad(power))(f64(x)), wanted[1], 1e-13);
    expectClose(grad(twice(power))(f64(x)), wanted[1], 1e-13);
    expectClose(jit(grad(jit(grad(power))))(f64(x)), wanted[1], 1e-13);
  });

  it("a linear recurrence: the last state is Σ aⁿ⁻¹⁻ⁱ xᵢ", () => {
    const [a, n] = [0.9, 5];
    const last = (x: NDArray) => lax.scan((c, xi) => [c.mul(a).add(xi), null], f64(0), x)[0];
    const powers = Array.from({ length: n }, (_, i) => a ** (n - 1 - i));
    expectClose(grad(last)(np.zeros([n], "float64")), powers, 1e-14);
    const backwards = (x: NDArray) =>
      lax.scan((c, xi) => [c.mul(a).add(xi), null], f64(0), x, { reverse: true })[0];
    expectClose(grad(backwards)(np.zeros([n], "float64")), [...powers].reverse(), 1e-14);
  });

  it("Runge and Kutta's method on x' = -k x: the state and its sensitivity to k and to where it starts", () => {
    const [k, start, h, steps] = [0.7, 2, 0.01, 200];
    const solve = (rate: NDArray, x0: NDArray) => {
      const f = (x: NDArray) => x.mul(rate).neg();
      const step = (x: NDArray): [NDArray, null] => {
        const k1 = f(x);
        const k2 = f(x.add(k1.mul(h / 2)));
        const k3 = f(x.add(k2.mul(h / 2)));
        const k4 = f(x.add(k3.mul(h)));
        return [
          x.add(
            k1
              .add(k2.mul(2))
              .add(k3.mul(2))
              .add(k4)
              .mul(h / 6),
          ),
          null,
        ];
      };
      return lax.scan(step, x0, null, { length: steps })[0];
    };
    const t = h * steps;
    const x = start * Math.exp(-k * t);
    const args = [f64(k), f64(start)] as const;
    expectClose(solve(...args), x, 1e-9);
    const [dk, dx] = grad(solve, { argnums: [0, 1] })(...args);
    expectClose(dk, -t * x, 1e-9);
    expectClose(dx, Math.exp(-k * t), 1e-9);
    expectClose(jvp(solve, [...args], [f64(1), f64(0)])[1], -t * x, 1e-9);
    // The second derivative by k, forward over reverse and reverse over reverse.
    expectClose(jacfwd(grad(solve))(...args), t * t * x, 1e-8);
    expectClose(jacrev(grad(solve))(...args), t * t * x, 1e-8);
  });

  it("the flow of a linear pendulum: its Jacobian preserves area and has the closed form of the discrete motion", () => {
    // x'' = -ω²x by the leapfrog method, which is symplectic.
    const [omega, h, steps] = [1.5, 0.02, 100];
    const step = ([x, v]: NDArray[]) => {
      const half = v.sub(x.mul(omega * omega * (h / 2)));
      const next = x.add(half.mul(h));
      return [[next, half.sub(next.mul(omega * omega * (h / 2)))], null] as const;
    };
    const flow = (s: [NDArray, NDArray]) =>
      lax.scan(
        ([x, v]: [NDArray, NDArray]) => {
          const [[a, b]] = step([x, v]);
          return [[a, b] as [NDArray, NDArray], null];
        },
        s,
        null,
        { length: steps },
      )[0];
    const [[a, b], [c, d]] = plain(jacrev(flow)([f64(1), f64(0)])) as [number[], number[]];
    expectClose(a * d - b * c, 1, 1e-12);
    // Discrete trajectories of the method are x cos(φ n) with cos φ = 1 - ω²h²/2.
    const phi = Math.acos(1 - (omega * h) ** 2 / 2);
    expectClose(a, Math.cos(phi * steps), 1e-11);
    expectClose(d, a, 1e-11);
  });
});

describe("the program with its steps written out", () => {
  const random = generator(11);
  const xs = drawn([4, 3], random);
  const w = drawn([3, 3], random, -1, 1);
  const h0 = drawn([3], random);
  const cell = (weights: NDArray, h: NDArray, x: NDArray) =>
    np.tanh(
      np
        .matmul(weights, h)
        .add(x)
        .mul(np.sin(weights.at(0, 0).get())),
    );
  type Args = readonly [NDArray, NDArray, NDArray];
  const scanned =
    (reverse: boolean, unroll: number) =>
    (...[weights, h, all]: Args): NDArray => {
      const body = (c: NDArray, x: NDArray) => {
        const next = cell(weights, c, x);
        return [next, next.mul(c).sum()] as const;
      };
      const [last, ys] = lax.scan(body, h, all, { reverse, unroll });
      return last.sum().add(ys.mul(np.arange(4)).sum());
    };
  const written =
    (reverse: boolean) =>
    (...[weights, h, all]: Args): NDArray => {
      let c = h;
      let total = f64(0);
      for (let step = 0; step < 4; step++) {
        const at = reverse ? 3 - step : step;
        const next = cell(weights, c, all.at(at).get());
        total = total.add(next.mul(c).sum().mul(at));
        c = next;
      }
      return total.add(c.sum());
    };

  it.each([
    [false, 1],
    [true, 1],
    [false, 3],
    [true, 2],
  ])("reverse %s, unroll %i: values, gradients, tangents, Hessian products", (reverse, unroll) => {
    const [f, g] = [scanned(reverse, unroll), written(reverse)];
    const args: Args = [w, h0, xs];
    const tangents = args.map((x) => drawn(x.shape, random)) as unknown as Args;
    const argnums = [0, 1, 2] as const;
    const gradients = (p: typeof f) => grad(p, { argnums });
    const alike = (of: (p: typeof f) => unknown): void => {
      const wanted = of(g);
      expectClose(of(f), wanted, 1e-12);
      expectClose(of(jit(f) as typeof f), wanted, 1e-12);
    };
    alike((p) => p(...args));
    alike((p) => gradients(p)(...args));
    alike((p) => jvp(p, [...args], [...tangents])[1]);
    alike((p) => jvp(gradients(p), [...args], [...tangents])[1]);
    alike((p) => grad((...a: Args) => jvp(p, [...a], [...tangents])[1], { argnums })(...args));
    alike((p) => vjp(gradients(p), ...args)[1]([...tangents] as never));
    alike((p) => linearize(p, ...args)[1](...tangents));
  });

  it("agrees with finite differences by each argument, under vmap and jit as well", () => {
    checkDerivatives((x) => scanned(false, 1)(x, h0, xs), w);
    checkDerivatives((x) => scanned(true, 1)(w, x, xs), h0);
    checkDerivatives((x) => scanned(false, 2)(w, h0, x), xs);
  });

  it("vmap of the gradient and gradient of vmap", () => {
    const f = scanned(false, 1);
    const batch = np.stack([h0, h0.mul(2), h0.neg()]);
    const each = vmap(grad(f, { argnums: 1 }), { inAxes: [null, 0, null] })(w, batch, xs);
    const wanted = [h0, h0.mul(2), h0.neg()].map((h) => plain(grad(f, { argnums: 1 })(w, h, xs)));
    expectClose(each, wanted, 1e-13);
    const total = (b: NDArray) => vmap(f, { inAxes: [null, 0, null] })(w, b, xs).sum();
    expectClose(grad(total)(batch), wanted, 1e-13);
    // A batch of weights: a constant of the loop.
    const many = np.stack([w, w.mul(0.5)]);
    expectClose(
      vmap(grad(f), { inAxes: [0, null, null] })(many, h0, xs),
      [w, w.mul(0.5)].map((x) => plain(grad(f)(x, h0, xs))),
      1e-13,
    );
  });
});

describe("which carries have derivatives", () => {
  it("a tangent that reaches the last carry only after several steps", () => {
    const f = (x: NDArray) =>
      lax.scan(
        ([a, b, c]: NDArray[]) => [[b, c.mul(1), np.sin(a).add(x)], null],
        [f64(1), f64(2), f64(3)],
        null,
        { length: 4 },
      )[0][0];
    // After four steps the first is the third of step 2: sin(2 + 0·x) + x, where the second started as 2.
    expectClose(grad(f)(f64(0.5)), 1, 1e-14);
    const g = (x: NDArray) =>
      lax.scan(([a, b]: NDArray[]) => [[b, np.sin(a)], null], [x, f64(1)], null, { length: 5 })[0];
    // a: x, 1, sin x, sin 1, sin sin x, ...
    const x = 0.4;
    expectClose(
      jacrev(g)(f64(x)),
      [0, Math.cos(x) * Math.cos(Math.sin(x)) * Math.cos(Math.sin(Math.sin(x)))],
      1e-14,
    );
    expectClose(
      jacfwd(g)(f64(x)),
      [0, Math.cos(x) * Math.cos(Math.sin(x)) * Math.cos(Math.sin(Math.sin(x)))],
      1e-14,
    );
  });

  it("counters and booleans in the carry have none, and are no obstacle", () => {
    const f = (x: NDArray) =>
      lax.scan(
        ({ i, odd, s }) => [{ i: i.add(1), odd: odd.logicalNot(), s: np.where(odd, s.mul(x), s.add(i)) }, i],
        { i: i32(1), odd: np.array(false), s: x },
        null,
        { length: 4 },
      )[0].s;
    // s: x, x+1, x²+x, x²+x+3, x³+x²+3x
    const x = 1.25;
    expectClose(f(f64(x)), x ** 3 + x ** 2 + 3 * x, 1e-14);
    for (const g of [grad(f), jit(grad(f)), (z: NDArray) => jvp(f, [z], [f64(1)])[1]])
      expectClose(g(f64(x)), 3 * x * x + 2 * x + 3, 1e-14);
    expectClose(grad(grad(f))(f64(x)), 6 * x + 2, 1e-13);
    expectClose(vmap(grad(f))(f64([1, 2])), [8, 19], 1e-13);
  });

  it("a linear function with a counter is transposed", () => {
    const f = (x: NDArray) =>
      lax.scan(
        ([i, s]) => [[i.add(1), s.add(x.mul(i.astype("float64")))], s.mul(2)],
        [i32(0), np.zeros([2], "float64")],
        null,
        { length: 4 },
      );
    const [[, carry], ys] = f(f64([1, 1]));
    expect(plain([carry, ys])).toEqual([
      [6, 6],
      [
        [0, 0],
        [0, 0],
        [2, 2],
        [6, 6],
      ],
    ]);
    const linear = (x: NDArray) => {
      const [[, s], all] = f(x);
      return [s, all] as const;
    };
    const [, pull] = vjp(linear, f64([1, 1]));
    expectClose(
      pull([
        f64([1, 10]),
        f64([
          [1, 0],
          [1, 0],
          [1, 0],
          [1, 1],
        ]),
      ] as never)[0],
      [6 + 0 + 0 + 2 + 6, 60 + 6],
      1e-14,
    );
  });

  it("integers among the arrays", () => {
    const table = f64([0.5, 1.5, 2.5]);
    const f = (t: NDArray) => lax.scan((s, i) => [s.mul(np.take(t, i)).add(1), s], f64(1), i32([2, 0, 2]))[0];
    // ((t₂ + 1) t₀ + 1) t₂ + 1
    expectClose(grad(f)(table), [3.5 * 2.5, 0, 2.5 * 0.5 + (3.5 * 0.5 + 1)], 1e-14);
  });

  it("outputs that do not depend on the point have zero gradients", () => {
    const f = (x: NDArray) =>
      lax
        .scan((c) => [c.add(1), c], f64(0), null, { length: 3 })[1]
        .sum()
        .add(x.mul(0));
    expectClose(grad(f)(f64(2)), 0);
    const g = (x: NDArray) => lax.scan((c) => [c, c.mul(0).add(1)], x, null, { length: 3 })[1].sum();
    expectClose(grad(g)(f64(2)), 0);
  });

  it("of length 0: the identity on the carry, and nothing for the rest", () => {
    const f = (w: NDArray, c: NDArray, xs: NDArray) => lax.scan((h, x) => [h.mul(w).add(x), h], c, xs)[0];
    const args = [f64(2), f64(3), np.zeros([0], "float64")] as const;
    const [dw, dc, dx] = grad(f, { argnums: [0, 1, 2] })(...args);
    expect([plain(dw), plain(dc), dx.shape]).toEqual([0, 1, [0]]);
    expectClose(jvp(f, [...args], [f64(5), f64(7), np.zeros([0], "float64")])[1], 7);
  });

  it("stopGradient holds in each step", () => {
    const f = (x: NDArray) => lax.scan((c) => [c.mul(lax.stopGradient(c)), null], x, null, { length: 2 })[0];
    // c₁ = x·[x], c₂ = c₁·[c₁]: the derivative is x·x².
    expectClose(grad(f)(f64(3)), 27, 1e-14);
  });
});

describe("a recurrent network over 1,000 steps", () => {
  const random = generator(5);
  const [n, m, steps] = [8, 4, 1000];
  const params = {
    w: drawn([n, n], random, -0.4, 0.4),
    u: drawn([n, m], random, -0.5, 0.5),
    b: drawn([n], random, -0.1, 0.1),
  };
  const xs = drawn([steps, m], random, -1, 1);
  const target = drawn([steps, n], random, -0.5, 0.5);
  const loss = (p: typeof params, all: NDArray) => {
    const step = (h: NDArray, x: NDArray) => {
      const next = np.tanh(np.matmul(p.w, h).add(np.matmul(p.u, x)).add(p.b));
      return [next, next] as const;
    };
    const [, hs] = lax.scan(step, np.zeros([n], "float64"), all);
    return np.mean(np.square(hs.sub(target)));
  };

  it("has the gradient that finite differences find, compiled and not", () => {
    const gradient = grad(loss)(params, xs);
    expectClose(jit(grad(loss))(params, xs), plain(gradient), 1e-12);
    const direction = tree.map((x) => drawn(x.shape, random), params);
    const along = tree
      .leaves(tree.map((g, d) => g.mul(d).sum(), gradient, direction))
      .reduce((sum, x) => sum + (x.item() as number), 0);
    const moved = (h: number) =>
      loss(
        tree.map((x, d) => x.add(d.mul(h)), params, direction),
        xs,
      ).item() as number;
    const h = 1e-5;
    expect(Math.abs((moved(h) - moved(-h)) / (2 * h) - along)).toBeLessThan(1e-8);
    expectClose(jvp((p: typeof params) => loss(p, xs), [params], [direction])[1], along, 1e-11);
  });

  it("learns: twenty steps of descent", () => {
    const step = jit((p: typeof params) => tree.map((x, g) => x.sub(g.mul(0.5)), p, grad(loss)(p, xs)));
    let p = params;
    const before = loss(p, xs).item() as number;
    for (let i = 0; i < 20; i++) p = step(p) as typeof params;
    expect(loss(p, xs).item()).toBeLessThan(before * 0.9);
  });
});

it("a Hessian of a scan is symmetric and right", () => {
  // The energy of a chain: Σ (c_i)², c_{i+1} = c_i + a sin(c_i) + b.
  const f = (p: NDArray) => {
    const [, ys] = lax.scan(
      (c) => [c.add(np.sin(c).mul(p.at(0).get())).add(p.at(1).get()), c.mul(c)],
      f64(0.3),
      null,
      { length: 5 },
    );
    return ys.sum();
  };
  const h = plain(hessian(f)(f64([0.2, 0.1]))) as number[][];
  expectClose(h[0][1], h[1][0], 1e-12);
  const g = (a: number, b: number) => plain(grad(f)(f64([a, b]))) as number[];
  const e = 1e-5;
  expectClose(
    h[0],
    [0, 1].map((k) => (g(0.2 + e, 0.1)[k] - g(0.2 - e, 0.1)[k]) / (2 * e)),
    1e-8,
  );
});

it("float32 stays float32", () => {
  const f = (x: NDArray) => lax.scan((c) => [np.sin(c), null], x, null, { length: 3 })[0].sum();
  const g = grad(f)(f32([0.5, 1]));
  expect(g.dtype).toBe("float32");
});
