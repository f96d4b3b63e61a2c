/**
 * The corners of differentiation that naive implementations get wrong, numbered as in the list of semantics (1 to 19;
 * the corners of values, types and trees, 29 to 35, are in semanticsOfValues.test.ts).
 */
import {
  dceJaxpr,
  debug,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  makeJaxpr,
  type NDArray,
  NonScalarOutputError,
  NotDifferentiableError,
  nn,
  numpy as np,
  ShapeError,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it, vi } from "vitest";
import { partialEvalJaxpr } from "../../src/transforms/partialEval.js";
import { countOf, expectClose, f32, f64, i32, plain, primitiveNames, types } from "./values.js";

type Scalar = (x: NDArray) => NDArray;

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** The derivative of a function of one scalar, by each way there is. */
const derivatives: Record<string, (f: Scalar) => Scalar> = {
  grad: (f) => grad(f),
  jvp: (f) => (x) => jvp(f, [x], [np.onesLike(x)])[1],
  vjp: (f) => (x) => vjp(f, x)[1](np.onesLike(f(x)))[0],
  linearize: (f) => (x) => linearize(f, x)[1](np.onesLike(x)),
  jacfwd: (f) => jacfwd(f) as Scalar,
  jacrev: (f) => jacrev(f) as Scalar,
  "grad of jit": (f) => grad(jit(f)),
  "jit of grad": (f) => jit(grad(f)),
  "jvp under vmap": (f) => (x) =>
    vmap((y: NDArray) => jvp(f, [y], [np.onesLike(y)])[1])(np.expandDims(x, 0)).slice(0),
};
const ways = Object.entries(derivatives);

/** The value and the derivatives up to an order, by reverse mode. */
function orders(f: Scalar, x: NDArray, n: number): number[] {
  const values: number[] = [];
  let g = f;
  for (let i = 0; i <= n; i++) {
    values.push(g(x).item() as number);
    g = grad(g);
  }
  return values;
}

describe("differentiation", () => {
  it("1: d/dx [x · d/dy (x + y)] at x = 1, y = 1 is 1, not 2", () => {
    for (const [outer, d] of ways)
      for (const [inner, e] of ways) {
        const f: Scalar = (x) => np.multiply(x, e((y) => np.add(x, y))(f64(1)));
        expectClose(d(f)(f64(1)), 1, 0, `${outer} of ${inner}`);
      }
    // Three levels: d/dx [x · d/dy (y · d/dz (x y z))] = d/dx [x · 2 x y] = 4 x y.
    const g: Scalar = (x) =>
      np.multiply(
        x,
        grad((y: NDArray) => np.multiply(y, grad((z: NDArray) => x.mul(y).mul(z))(f64(7))))(f64(3)),
      );
    expectClose(grad(g)(f64(2)), 4 * 2 * 3);
  });

  it("2: where does not protect the branch that is not taken; a second where does", () => {
    const naive: Scalar = (x) => np.where(np.greater(x, 0), np.sqrt(x), 0);
    const safe: Scalar = (x) => {
      const inside = np.greater(x, 0);
      return np.where(inside, np.sqrt(np.where(inside, x, 1)), 0);
    };
    // Backwards, the zero that comes from the branch not taken meets an infinite slope.
    for (const name of ["grad", "vjp", "jacrev", "grad of jit", "jit of grad"])
      expect(derivatives[name](naive)(f64(0)).item(), name).toBeNaN();
    for (const [name, d] of ways) {
      expect(d(safe)(f64(0)).item(), name).toBe(0);
      expectClose(d(safe)(f64(4)), 0.25);
    }
  });

  it("3: tangents that are zero stay symbolic inside and become zeros of the right type at the boundary", () => {
    const [a, b] = [np.ones([2, 3], "float64"), np.ones([4], "float16")];
    const first = (x: NDArray, _: NDArray) => np.sum(np.sin(x));
    const gradients = grad(first, { argnums: [0, 1] })(a, b);
    expect(types(gradients)).toEqual(["float64[2,3]", "float16[4]"]);
    expect(plain(gradients[1])).toEqual([0, 0, 0, 0]);
    const constant = (_: NDArray) => ({ c: np.full([2], 5, { dtype: "float64" }), n: i32([1, 2, 3]) });
    expect(types(jvp(constant, [b], [b]))).toEqual([
      { c: "float64[2]", n: "int32[3]" },
      { c: "float64[2]", n: "float0[3]" },
    ]);
    expect(plain(jvp(constant, [b], [b])[1].c)).toEqual([0, 0]);
    expect(plain(jacrev((_: NDArray) => f64([1, 2]))(a))).toEqual(plain(np.zeros([2, 2, 3])));
    expect(plain(jacfwd((_: NDArray) => f64([1, 2]))(a))).toEqual(plain(np.zeros([2, 2, 3])));
    const [, pull] = vjp((x: NDArray, y: NDArray) => [np.sin(x), np.shape(y)[0]], a, b);
    expect(types(pull([a, 1]))).toEqual(["float64[2,3]", "float16[4]"]);
    // The function, and for the tangent one multiplication: nothing for what is constant.
    const push = makeJaxpr(
      (x: NDArray, t: NDArray) => jvp((z: NDArray) => z.mul(0.5).add(np.cos(a)), [x], [t])[1],
    )(a, a);
    expect(primitiveNames(push).sort()).toEqual(["add", "cos", "mul", "mul"]);
  });

  it("4: integers and booleans have a trivial tangent type, and a cast to one drops the tangent", () => {
    const [x, n] = [f64([1.5, 2.5]), i32([3, 4])];
    const f = (a: NDArray, k: NDArray) => np.sum(np.multiply(a, k));
    const [, pull] = vjp(f, x, n);
    const [da, dk] = pull(1);
    expect(plain(da)).toEqual([3, 4]);
    expect([dk.dtype, dk.shape]).toEqual(["float0", [2]]);
    const trivial = dk;
    expectClose(jvp(f, [x, n], [x, trivial])[1], 1.5 * 3 + 2.5 * 4);
    expect(types(jvp(np.logicalNot, [np.array([true])], [0]))).toEqual(["bool[1]", "float0[1]"]);
    expect(() => grad(f, { argnums: 1 })(x, n)).toThrow(NotDifferentiableError);
    const cut: Scalar = (a) => np.multiply(a, np.astype(np.astype(a, "int32"), "float64"));
    for (const [name, d] of ways) expectClose(d(cut)(f64(2.5)), 2, 0, name);
    const around: Scalar = (a) => np.astype(np.astype(np.astype(a, "int32"), "float64"), "float64");
    for (const [name, d] of ways) expectClose(d(around)(f64(2.5)), 0, 0, name);
    expect(() => grad((a: NDArray) => np.astype(a, "int32"))(f64(2.5))).toThrow(NotDifferentiableError);
  });

  it("5: linearize does all non-linear work once; the linear part of sin is one multiplication", () => {
    const [y, push] = linearize(np.sin, f64(0.5));
    expectClose(y, Math.sin(0.5));
    expect(primitiveNames(makeJaxpr(push)(f64(1)))).toEqual(["mul"]);
    const vector = linearize(np.sin, f64([0.5, 1]))[1];
    expect(primitiveNames(makeJaxpr(vector)(f64([1, 1])))).toEqual(["mul"]);
    // Under jit too: cos is computed by the known part, and the linear part is a call of one multiplication.
    const jitted = linearize(jit(np.sin), f64(0.5))[1];
    expect(primitiveNames(makeJaxpr(jitted)(f64(1)))).toEqual(["jit", "mul"]);
    const busy = jit((x: NDArray) => np.exp(np.tanh(np.sin(x))).mul(np.log(x)));
    const linear = makeJaxpr(linearize(busy, f64(0.5))[1])(f64(1));
    expect(primitiveNames(linear).filter((n) => !["jit", "mul", "div", "add"].includes(n))).toEqual([]);
    expectClose(linearize(busy, f64(0.5))[1](f64(2)), jvp(busy, [f64(0.5)], [f64(2)])[1]);
  });

  it("6: partial evaluation inside jit is per output, with residuals that are few and not repeated", () => {
    const f = jit((x: NDArray, y: NDArray) => {
      const [s, e] = [np.sin(x), np.exp(y)];
      return { both: s.mul(e), known: e, twice: s.add(s).mul(e) };
    });
    const closed = makeJaxpr((x: NDArray, y: NDArray) => f(x, y))(f64(1), f64(2));
    const split = partialEvalJaxpr(closed.jaxpr, [true, false]);
    // exp(y) alone is known, and it is an output of the known part already: forwarded, not computed or kept twice.
    expect(split.unknownOut).toEqual([true, false, true]);
    expect(countOf(split.known, "exp")).toBe(1);
    expect(countOf(split.known, "sin")).toBe(0);
    expect(countOf(split.unknown, "exp")).toBe(0);
    expect(split.residuals).toBe(1);
    expect(new Set(split.known.outputs).size).toBe(1);
    // A residual that is an input of the known part is at hand: nothing is run to hand it over.
    const product = makeJaxpr(jit((x: NDArray, y: NDArray) => np.multiply(x, y)))(f64(1), f64(2));
    const parts = partialEvalJaxpr(product.jaxpr, [true, false]);
    expect([parts.residuals, parts.known.eqns.length]).toEqual([1, 0]);
    // Dead residuals are dropped: cos(x) is needed only where sin's tangent is.
    const dead = jit((x: NDArray) => ({ a: np.sin(x), b: np.cos(x) }));
    const program = makeJaxpr((x: NDArray) => grad((z: NDArray) => dead(z).a)(x))(f64(1));
    expect(primitiveNames(program).filter((n) => n === "sin")).toEqual([]);
    expect(countOf(program, "cos")).toBe(1);
    const [value, push] = linearize((x: NDArray) => f(x, f64(2)), f64(1));
    expectClose(value, {
      both: Math.sin(1) * Math.exp(2),
      known: Math.exp(2),
      twice: 2 * Math.sin(1) * Math.exp(2),
    });
    expectClose(push(f64(1)), {
      both: Math.cos(1) * Math.exp(2),
      known: 0,
      twice: 2 * Math.cos(1) * Math.exp(2),
    });
  });

  it("7: effects survive dead-code elimination and partial evaluation, and grad does not double them", () => {
    const printed: unknown[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line: unknown) => void printed.push(line));
    const since = (): unknown[] => printed.splice(0);
    try {
      const f: Scalar = (x) => {
        debug.print("x = {}", x);
        return np.sin(x);
      };
      for (const [name, d] of ways) {
        since();
        d(f)(f64(0.5));
        // The vjp and linearize ways above also run f itself, for the shape of its result.
        const calls = name === "vjp" ? 2 : 1;
        expect(since(), name).toEqual(Array.from({ length: calls }, () => "x = 0.5"));
      }
      const { jaxpr } = makeJaxpr(f)(f64(0.5));
      const pruned = dceJaxpr(jaxpr, [false]).jaxpr;
      expect(primitiveNames(pruned)).toEqual(["debugCallback"]);
      const split = partialEvalJaxpr(jaxpr, [false]);
      expect(countOf(split.known, "debugCallback") + countOf(split.unknown, "debugCallback")).toBe(1);
    } finally {
      log.mockRestore();
    }
  });

  it("8: stopGradient holds at every level", () => {
    const f: Scalar = (x) => np.multiply(np.square(x), lax.stopGradient(np.square(x)));
    // d/dx x²·[x²] = 2x·[x²]; once more 2·[x²].
    expect(orders(f, f64(3), 3)).toEqual([81, 2 * 3 * 9, 2 * 9, 0]);
    for (const [name, d] of ways) expectClose(d(f)(f64(3)), 54, 0, name);
    const inner: Scalar = (x) => grad((y: NDArray) => np.multiply(lax.stopGradient(x), np.square(y)))(x);
    expectClose(grad(inner)(f64(3)), 2 * 3);
    expect(plain(jvp((x: NDArray) => lax.stopGradient({ a: x, b: [x] }), [f64(1)], [f64(1)])[1])).toEqual({
      a: 0,
      b: [0],
    });
  });

  it("9: powers with a constant exponent are smooth at 0, and x ↦ x⁰ and y ↦ 0^y are constant", () => {
    expect(orders((x) => np.power(x, 3), f64(0), 4)).toEqual([0, 0, 0, 6, 0]);
    expect(orders((x) => lax.integerPow(x, 3), f64(0), 4)).toEqual([0, 0, 0, 6, 0]);
    expect(orders((x) => np.power(x, 1), f64(0), 2)).toEqual([0, 1, 0]);
    expect(orders((x) => np.power(x, 0), f64(0), 2)).toEqual([1, 0, 0]);
    for (const [name, d] of ways) {
      expectClose(d((x) => np.power(x, f64(0)))(f64(0)), 0, 0, name);
      expectClose(d((y) => np.power(f64(0), y))(f64(2)), 0, 0, name);
      expectClose(d((x) => np.power(x, 2))(f64(0)), 0, 0, name);
    }
    const [x, y] = [1.5, 0];
    const h = hessian((p: NDArray, q: NDArray) => np.power(p, q), { argnums: [0, 1] })(f64(x), f64(y));
    expectClose(h, [
      [0, 1 / x],
      [1 / x, Math.log(x) ** 2],
    ]);
  });

  it("10: ties share the derivative, sort is stable, argmax is the first, NaN wins and sorts last", () => {
    const three = f64(3);
    for (const op of [np.maximum, np.minimum, lax.max, lax.min]) {
      expectClose(
        grad(op as (a: NDArray, b: NDArray) => NDArray, { argnums: [0, 1] })(three, three),
        [0.5, 0.5],
      );
      for (const [name, d] of ways) expectClose(d((x) => op(x, x))(three), 1, 0, name);
    }
    const tied = f64([1, 4, 4, 2, 4, 1]);
    expectClose(grad((x: NDArray) => np.max(x))(tied), [0, 1 / 3, 1 / 3, 0, 1 / 3, 0]);
    expectClose(grad((x: NDArray) => np.min(x))(tied), [0.5, 0, 0, 0, 0, 0.5]);
    expectClose(jvp((x: NDArray) => np.max(x), [tied], [f64([9, 1, 2, 9, 6, 9])])[1], 3);
    const weights = f64([10, 20, 30, 40, 50, 60]);
    // Sorted: 1(0) 1(5) 2(3) 4(1) 4(2) 4(4), each element keeps the place of its first occurrence.
    expectClose(
      grad((x: NDArray) => np.sum(np.multiply(np.sort(x), weights)))(tied),
      [10, 40, 50, 30, 60, 20],
    );
    expect(plain([np.argmax(tied), np.argmin(tied)])).toEqual([1, 0]);
    const holes = f64([1, nan, 3, nan]);
    expect(plain([np.max(holes), np.min(holes), np.argmax(holes), np.argmin(holes)])).toEqual([
      nan,
      nan,
      1,
      1,
    ]);
    expect(plain(np.sort(holes))).toEqual([1, 3, nan, nan]);
    expect(plain(np.maximum(holes, 2))).toEqual([2, nan, 3, nan]);
  });

  it("11: kinks: abs′(0) = 1, relu′(0) = 0, relu6′(6) = 0, clamp inside only, clip ½ at its edges", () => {
    for (const [name, d] of ways) {
      expectClose(d(np.abs)(f64(0)), 1, 0, name);
      expectClose(d(nn.relu)(f64(0)), 0, 0, name);
      expectClose(d(nn.relu6)(f64(6)), 0, 0, name);
      expectClose(d(nn.relu6)(f64(0)), 0, 0, name);
      expectClose(d(nn.relu6)(f64(3)), 1, 0, name);
      for (const [x, inside, clipped] of [
        [-1, 0, 0],
        [0, 0, 0.5],
        [1, 1, 1],
        [2, 0, 0.5],
        [3, 0, 0],
      ]) {
        expectClose(d((z) => lax.clamp(0, z, 2))(f64(x)), inside, 0, `${name}, clamp at ${x}`);
        expectClose(d((z) => np.clip(z, 0, 2))(f64(x)), clipped, 0, `${name}, clip at ${x}`);
      }
    }
  });

  it("12: √′(0) is infinite and the norm has no derivative at 0; sinc at 0 is exact to order 4", () => {
    expectClose(orders(np.sinc, f64(0), 4), [1, 0, -(Math.PI ** 2) / 3, 0, Math.PI ** 4 / 5], 1e-14);
    for (const [name, d] of ways) expect(d(np.sqrt)(f64(0)).item(), name).toBe(inf);
    expect(plain(grad((x: NDArray) => np.linalg.norm(x))(f64([0, 0])))).toEqual([nan, nan]);
    expectClose(grad((x: NDArray) => np.linalg.norm(x))(f64([3, 4])), [0.6, 0.8]);
  });

  it("13: the gradient of a determinant is the matrix of cofactors, at singular matrices too", () => {
    const det = (a: NDArray) => np.linalg.det(a);
    const rank1 = f64([
      [1, 2],
      [2, 4],
    ]);
    const cofactors = [
      [4, -2],
      [-2, 1],
    ];
    expectClose(det(rank1), 0);
    for (const d of [grad(det), jacfwd(det), jacrev(det), jit(grad(det)), grad(jit(det))])
      expectClose((d as typeof det)(rank1), cofactors);
    const rank2 = f64([
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 0],
    ]);
    expect(plain(grad(det)(rank2))).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 2],
    ]);
  });

  it("13: the gradient of a product is exact with zeros among the factors", () => {
    const gradient = grad((x: NDArray) => np.prod(x));
    expectClose(gradient(f64([2, 3, 5])), [15, 10, 6]);
    expect(plain(gradient(f64([2, 0, 5])))).toEqual([0, 10, 0]);
    expect(plain(gradient(f64([0, 3, 0])))).toEqual([0, 0, 0]);
    expect(plain(hessian((x: NDArray) => np.prod(x))(f64([0, 3, 0])))).toEqual([
      [0, 0, 3],
      [0, 0, 0],
      [3, 0, 0],
    ]);
    const columns = grad((x: NDArray) => np.sum(np.prod(x, { axis: 0 })));
    expect(
      plain(
        columns(
          f64([
            [0, 1],
            [4, 2],
          ]),
        ),
      ),
    ).toEqual([
      [4, 2],
      [0, 1],
    ]);
  });

  it("14: logsumexp, logaddexp and softplus stay finite where their arguments are not", () => {
    expect(plain(nn.logsumexp(f64([-inf, -inf])))).toBe(-inf);
    expect(plain(nn.logsumexp(f64([-inf, 0])))).toBe(0);
    expect(plain(nn.logsumexp(f64([inf, 0])))).toBe(inf);
    expect(plain(grad((x: NDArray) => nn.logsumexp(x))(f64([-inf, 2])))).toEqual([0, 1]);
    expect(plain(np.logaddexp(f64([-inf, -inf, inf, 1]), f64([-inf, 3, 1, inf])))).toEqual([
      -inf,
      3,
      inf,
      inf,
    ]);
    const add = (x: NDArray, y: NDArray) => np.logaddexp(x, y);
    expect(plain(grad(add, { argnums: [0, 1] })(f64(-inf), f64(3)))).toEqual([0, 1]);
    expect(plain(nn.softplus(f64([-inf, inf, -1000, 1000])))).toEqual([0, inf, 0, 1000]);
    for (const [name, d] of ways) {
      expectClose(d(nn.softplus)(f64(-inf)), 0, 0, name);
      expectClose(d(nn.softplus)(f64(1000)), 1, 0, name);
      expectClose(d(nn.softplus)(f64(0)), 0.5, 1e-15, name);
    }
  });

  it("15: 0·x, x − x and 0 − x are computed, never folded", () => {
    const zeroTimes: Scalar = (x) => np.multiply(0, x);
    const selfMinus: Scalar = (x) => np.subtract(x, x);
    const zeroMinus: Scalar = (x) => np.subtract(0, x);
    for (const wrap of [
      (f: Scalar) => f,
      (f: Scalar) => jit(f),
      (f: Scalar) => (x: NDArray) => jvp(f, [x], [x])[0],
    ]) {
      expect(plain(wrap(zeroTimes)(f64([1, inf, nan, -1])))).toEqual([0, nan, nan, -0]);
      expect(plain(wrap(selfMinus)(f64([1, inf, nan])))).toEqual([0, nan, nan]);
      expect(plain(wrap(zeroMinus)(f64([0, -0])))).toEqual([0, 0]);
    }
    for (const f of [zeroTimes, selfMinus, zeroMinus])
      expect(makeJaxpr((x: NDArray, t: NDArray) => jvp(f, [x], [t]))(f64(1), f64(1)).jaxpr.eqns.length).toBe(
        2,
      );
    expect(grad((x: NDArray) => np.multiply(zeroTimes(x), f64(inf)))(f64(1)).item()).toBeNaN();
  });

  it("16: the transpose of a broadcast sums to the shape of the operand, axes of length 1 kept", () => {
    const weights = f64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const gradient = grad((x: NDArray) => np.sum(np.multiply(x, weights)));
    for (const [x, wanted] of [
      [f64(1), 21],
      [f64([1]), [21]],
      [f64([[1]]), [[21]]],
      [f64([1, 1, 1]), [5, 7, 9]],
      [f64([[1, 1, 1]]), [[5, 7, 9]]],
      [f64([[1], [1]]), [[6], [15]]],
    ] as const) {
      expect(plain(gradient(x))).toEqual(wanted);
      expect(plain(jit(gradient)(x))).toEqual(wanted);
    }
    expect(types(grad((x: NDArray) => np.sum(np.broadcastTo(x, [5, 4, 1, 3])))(np.ones([1, 1, 3])))).toBe(
      "float32[1,1,3]",
    );
    expect(plain(grad((x: NDArray) => np.sum(np.broadcastTo(x, [5, 4, 1, 3])))(np.ones([1, 1, 3])))).toEqual([
      [[20, 20, 20]],
    ]);
  });

  it("17: entries of jacfwd have the dtype of the output, those of jacrev that of the input", () => {
    const widen = (x: NDArray) => np.astype(np.sin(x), "float64");
    expect(types([jacfwd(widen)(f32([1, 2])), jacrev(widen)(f32([1, 2]))])).toEqual([
      "float64[2,2]",
      "float32[2,2]",
    ]);
    const constant = (_: NDArray) => f64([1, 2, 3]);
    expect(types([jacfwd(constant)(f32([1, 2])), jacrev(constant)(f32([1, 2]))])).toEqual([
      "float64[3,2]",
      "float32[3,2]",
    ]);
    const narrow = (x: NDArray) => np.astype(x, "float16");
    expect(types([jacfwd(narrow)(f64([1, 2])), jacrev(narrow)(f64([1, 2]))])).toEqual([
      "float16[2,2]",
      "float64[2,2]",
    ]);
  });

  it("18: grad wants shape (), and a scalar tangent is not spread over a vector", () => {
    expect(() => grad((x: NDArray) => np.reshape(x, [1]))(f64(2))).toThrow(NonScalarOutputError);
    expect(() => grad((x: NDArray) => np.expandDims(np.sum(x), 0))(f64([2, 3]))).toThrow(
      NonScalarOutputError,
    );
    expect(() => jvp(np.sin, [f64([1, 2])], [1])).toThrow(/needs float64\[2\]/);
    expect(() => jvp(np.sin, [f64([1, 2])], [f64(1)])).toThrow(ShapeError);
    expect(() => vjp((x: NDArray) => np.sin(x), f64([1, 2]))[1](1)).toThrow(/needs float64\[2\]/);
  });

  it("19: grad of jit, jit of grad and vmap of jit trace once for each signature", () => {
    const [scalars, vectors] = [
      [f64(1), f64([1])],
      [f64([1, 2]), f64([[1], [2]])],
    ];
    const transforms: readonly [string, (f: Scalar) => Scalar, readonly NDArray[]][] = [
      ["grad(jit f)", (f) => grad(jit(f)), scalars],
      ["jit(grad f)", (f) => jit(grad(f)), scalars],
      ["jit(grad(jit f))", (f) => jit(grad(jit(f))), scalars],
      ["vmap(jit f)", (f) => vmap(jit(f)), vectors],
      ["jit(vmap f)", (f) => jit(vmap(f)), vectors],
      ["jit(vmap(grad(jit f)))", (f) => jit(vmap(grad(jit(f)))), vectors],
      ["grad(grad(jit f))", (f) => grad(grad(jit(f))), [f64(1), f32(1)]],
    ];
    for (const [name, transform, [x, other]] of transforms) {
      let traces = 0;
      const f = transform((a) => {
        traces++;
        return np.sum(np.sin(a));
      });
      for (let i = 0; i < 4; i++) f(np.add(x, i));
      expect(traces, name).toBe(1);
      for (let i = 0; i < 4; i++) f(np.add(other, i));
      expect(traces, `${name}, another signature`).toBe(2);
      f(x);
      expect(traces, `${name}, the first signature again`).toBe(2);
    }
    // One jitted function under several transforms: still one trace.
    let traces = 0;
    const shared = jit((a: NDArray) => {
      traces++;
      return np.sin(a);
    });
    shared(f64(1));
    grad(shared)(f64(2));
    jvp(shared, [f64(3)], [f64(1)]);
    vmap(shared)(f64([1, 2, 3]));
    jit((a: NDArray) => shared(shared(a)))(f64(1));
    expect(traces).toBe(1);
  });
});
