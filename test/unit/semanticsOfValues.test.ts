/**
 * The corners of values, types and trees that naive implementations get wrong, numbered as in the list of semantics
 * (29 to 35; those of differentiation are in semantics.test.ts).
 */
import {
  ArgumentError,
  ConcretizationError,
  grad,
  jit,
  jvp,
  LeakedTracerError,
  lax,
  linearize,
  makeJaxpr,
  type NDArray,
  numpy as np,
  random,
  ShapeDtype,
  tree,
  vjp,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, describe as typeOf, types } from "./values.js";

const nan = Number.NaN;

describe("values, types, trees", () => {
  it("29: weak types give way, and are other cache keys than strong ones", () => {
    const half = np.array([1, 2], { dtype: "float16" });
    const [n, u] = [i32([1, 2]), np.array([1, 2], { dtype: "uint32" })];
    expect(typeOf(np.multiply(half, 2.5))).toBe("float16[2]");
    expect(typeOf(np.multiply(n, 1.5))).toBe("~float32[2]");
    expect(typeOf(np.multiply(np.multiply(n, 1.5), half))).toBe("float16[2]");
    expect(typeOf(np.multiply(n, 2))).toBe("int32[2]");
    expect(typeOf(np.add(n, u))).toBe("int32[2]");
    expect(typeOf(np.add(u, 1))).toBe("uint32[2]");
    expect(typeOf(np.multiply(f64([1]), 0.1))).toBe("float64[1]");
    expect(plain(np.multiply(f64([1]), 0.1))).toEqual([0.1]);
    expect(typeOf(np.add(np.array([true]), 1))).toBe("~int32[1]");
    let traces = 0;
    const f = jit((x: NDArray | number) => {
      traces++;
      return np.multiply(half, x);
    });
    expect(typeOf(f(2.5))).toBe("float16[2]");
    expect(typeOf(f(3.5))).toBe("float16[2]");
    expect(traces).toBe(1);
    expect(typeOf(f(f32(2.5)))).toBe("float32[2]");
    expect(traces).toBe(2);
    // A function of a number has the same type inside jit and outside.
    for (const x of [2, 2.5, true])
      for (const y of [half, n, u, f32([1]), f64([1])]) {
        const sum = (a: NDArray | number | boolean, b: NDArray) => np.add(a, b);
        expect(typeOf(jit(sum)(x, y))).toBe(typeOf(sum(x, y)));
      }
  });

  it("30: reductions and indexing give shape (); arrays of size zero work throughout", () => {
    const x = f64([
      [1, 2],
      [3, 4],
    ]);
    for (const y of [
      np.sum(x),
      np.max(x),
      np.mean(x),
      np.argmax(x),
      x.slice(0, 1),
      np.dot(x.slice(0), x.slice(1)),
    ])
      expect(y.shape).toEqual([]);
    const none = np.zeros([0, 3], "float64");
    expect(plain(np.sum(none))).toBe(0);
    expect(plain(np.sum(none, { axis: 0 }))).toEqual([0, 0, 0]);
    expect(plain(np.prod(none, { axis: 0 }))).toEqual([1, 1, 1]);
    expect(types(grad((z: NDArray) => np.sum(np.sin(z)))(none))).toBe("float64[0,3]");
    expect(types(jvp(np.sin, [none], [none]))).toEqual(["float64[0,3]", "float64[0,3]"]);
    expect(types(vmap((row: NDArray) => np.sum(row))(none))).toBe("float64[0]");
    expect(types(vmap(grad((row: NDArray) => np.sum(np.square(row))))(none))).toBe("float64[0,3]");
    expect(plain(np.matmul(np.zeros([2, 0], "float64"), none))).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(types(jit((z: NDArray) => np.matmul(z, np.zeros([3, 0], "float64")))(none))).toBe("float64[0,0]");
    const [, pull] = vjp((a: NDArray, b: NDArray) => np.matmul(a, b), np.zeros([2, 0], "float64"), none);
    expect(types(pull(np.zeros([2, 3], "float64")))).toEqual(["float64[2,0]", "float64[0,3]"]);
    for (const f of [np.max, np.min, np.argmax, np.argmin] as ((z: NDArray, axis: number) => NDArray)[]) {
      expect(f(none, 1).shape, "over the other axis").toEqual([0]);
      expect(errorOf(() => f(none, 0)).message).toMatch(/\[0,3\]/);
    }
  });

  it("31: dynamicSlice clamps, take fills with NaN, indexing clamps, scatter drops, scatter-add accumulates", () => {
    const x = f64([10, 20, 30, 40]);
    expect(plain(lax.dynamicSlice(x, [3], [2]))).toEqual([30, 40]);
    expect(plain(lax.dynamicSlice(x, [-9], [2]))).toEqual([10, 20]);
    expect(plain(lax.dynamicUpdateSlice(x, f64([1, 2]), [3]))).toEqual([10, 20, 1, 2]);
    expect(plain(np.take(x, i32([0, 4, -1, -5])))).toEqual([10, nan, 40, nan]);
    expect(plain(x.slice(i32([0, 9, -1, -9])))).toEqual([10, 40, 40, 10]);
    expect(plain(x.at(i32([1, 9])).set(0))).toEqual([10, 0, 30, 40]);
    expect(plain(x.at(i32([1, 9, 1])).add(1))).toEqual([10, 22, 30, 40]);
    const f = (z: NDArray) => np.sum(np.multiply(z.slice(i32([1, 1, 3])), f64([1, 2, 4])));
    expect(plain(grad(f)(x))).toEqual([0, 3, 0, 4]);
    expect(plain(grad((z: NDArray) => np.sum(x.at(i32([1, 1])).add(z)))(f64([1, 2])))).toEqual([1, 1]);
    expect(plain(grad((z: NDArray) => np.sum(z.at(i32([1, 9])).set(0)))(x))).toEqual([1, 0, 1, 1]);
  });

  it("32: lax divides towards zero, numpy towards minus infinity; np.round is half to even, lax.round away from zero", () => {
    const [a, b] = [i32([7, -7, 7, -7]), i32([3, 3, -3, -3])];
    expect(plain(lax.rem(a, b))).toEqual([1, -1, 1, -1]);
    expect(plain(lax.div(a, b))).toEqual([2, -2, -2, 2]);
    expect(plain(np.mod(a, b))).toEqual([1, 2, -2, -1]);
    expect(plain(np.remainder(a, b))).toEqual([1, 2, -2, -1]);
    expect(plain(np.floorDivide(a, b))).toEqual([2, -3, -3, 2]);
    expect(plain(lax.rem(f64([7.5, -7.5]), f64([2, 2])))).toEqual([1.5, -1.5]);
    expect(plain(np.mod(f64([7.5, -7.5]), f64([2, 2])))).toEqual([1.5, 0.5]);
    expect(plain(np.floorDivide(f64([7.5, -7.5]), f64([2, 2])))).toEqual([3, -4]);
    const halves = f64([0.5, 1.5, 2.5, -0.5, -1.5, -2.5]);
    expect(plain(np.round(halves))).toEqual([0, 2, 2, -0, -2, -2]);
    expect(plain(lax.round(halves))).toEqual([1, 2, 3, -1, -2, -3]);
    expect(plain(grad((x: NDArray) => np.sum(np.mod(x, 2)))(f64([7.5, -7.5])))).toEqual([1, 1]);
  });

  it("33: foldIn(k, i) is split(k, n)[i], and shorter draws begin longer ones", () => {
    for (const seed of [0, 42, -1]) {
      const k = random.key(seed);
      const keys = random.split(k, 5);
      for (let i = 0; i < 5; i++) expect(plain(random.foldIn(k, i))).toEqual(plain(keys.slice(i)));
      expect(plain(random.split(k))).toEqual((plain(keys) as number[][]).slice(0, 2));
      for (const draw of [random.bits, random.uniform, random.normal] as ((
        key: NDArray,
        shape: number[],
      ) => NDArray)[]) {
        const long = plain(draw(k, [10])) as number[];
        for (const n of [0, 1, 3, 9]) expect(plain(draw(k, [n]))).toEqual(long.slice(0, n));
        expect(plain(np.ravel(draw(k, [2, 5])))).toEqual(long);
      }
    }
    // A known value of the generator: jax.random.bits(jax.random.key(0), (2,)) would be the pair that uniform scales.
    const bits = plain(random.bits(random.key(7), [4])) as number[];
    expect(new Set(bits).size).toBe(4);
    // The bits of one draw: the two words of threefry for the counter, xor-ed.
    const same = vmap((i: NDArray) => random.foldIn(random.key(3), i))(np.arange(4, { dtype: "uint32" }));
    expect(plain(same)).toEqual(plain(random.split(random.key(3), 4)));
  });

  it("34: null is an empty subtree, empty containers come back, keys are sorted", () => {
    const t = { b: f64(2), a: { n: null, e: [], o: {} }, c: [f64(3), null] };
    expect(tree.leaves(t).map((leaf) => plain(leaf))).toEqual([2, 3]);
    expect(tree.leaves({ z: 1, y: 2, x: { b: 3, a: 4 } })).toEqual([4, 3, 2, 1]);
    const square = (p: typeof t) => tree.map((x) => np.square(x as NDArray), p);
    for (const f of [
      square,
      jit(square),
      (p: typeof t) => vmap(square, { axisSize: 1, inAxes: null, outAxes: null })(p),
    ])
      expect(plain(f(t))).toEqual({ a: { e: [], n: null, o: {} }, b: 4, c: [9, null] });
    const loss = (p: typeof t) => np.add(np.square(p.b), np.multiply(p.c[0] as NDArray, p.b));
    expect(plain(grad(loss)(t))).toEqual({ a: { e: [], n: null, o: {} }, b: 7, c: [2, null] });
    expect(plain(jvp(loss, [t], [tree.map(() => f64(1), t)] as never)[1])).toBe(9);
    expect(plain(vjp(square, t)[1](tree.map(() => f64(1), t) as never))).toEqual([
      { a: { e: [], n: null, o: {} }, b: 4, c: [6, null] },
    ]);
    expect(plain(jit(() => ({}))())).toEqual({});
    expect(plain(jit(() => null)())).toBeNull();
    expect(() => jit(() => undefined)()).toThrow(ArgumentError);
    // Two objects with the same fields in another order are the same structure: one trace.
    let traces = 0;
    const f = jit((p: { a: NDArray; b: NDArray }) => {
      traces++;
      return np.subtract(p.a, p.b);
    });
    expect(plain([f({ a: f64(5), b: f64(2) }), f({ b: f64(2), a: f64(5) })])).toEqual([3, 3]);
    expect(traces).toBe(1);
  });

  it("35: a tracer that outlives its trace raises with type and origin; host control flow is for grad without jit", () => {
    for (const [name, run] of Object.entries<(f: (x: NDArray) => NDArray) => unknown>({
      "jit(keep)": (f) => jit(f)(f64(1)),
      "grad(keep)": (f) => grad(f)(f64(1)),
      "vmap(keep)": (f) => vmap(f)(f64([1])),
      "jvp(keep)": (f) => jvp(f, [f64(1)], [f64(1)]),
      "linearize(keep)": (f) => linearize(f, f64(1)),
      "makeJaxpr(keep)": (f) => makeJaxpr(f)(new ShapeDtype([], "float64")),
    })) {
      const kept: NDArray[] = [];
      run(function keep(x) {
        kept.push(x, np.sin(x));
        return x;
      });
      for (const use of [
        () => np.add(kept[1], 1),
        () => kept[1].item(),
        () => jit((y: NDArray) => np.add(y, kept[1]))(f64(1)),
        () => grad((y: NDArray) => np.multiply(y, kept[1]))(f64(1)),
        () => jit(jit((y: NDArray) => np.add(y, kept[1])))(f64(1)),
        () => jit(() => kept[1])(),
      ]) {
        const error = errorOf(use);
        expect(error).toBeInstanceOf(LeakedTracerError);
        expect(error.message).toContain(name);
        expect(error.message).toContain("float64[]");
        // Eager transforms note where they were called, the others where each array was made.
        const place = /^(jit|vmap|makeJaxpr)/.test(name)
          ? "it was made at"
          : `${name.replace(/[()]/g, "\\$&")} was called at`;
        expect(error.message).toMatch(new RegExp(`; ${place} [^ ]*semanticsOfValues\\.test\\.ts:\\d+:\\d+`));
      }
    }
    // From an inner trace into an outer one that still runs.
    let inner: NDArray | undefined;
    const leak = (x: NDArray) => {
      jit(function step(y: NDArray) {
        inner = np.cos(y);
        return y;
      })(x);
      return np.add(x, inner as NDArray);
    };
    for (const run of [() => grad(leak)(f64(1)), () => jit(leak)(f64(1)), () => vmap(leak)(f64([1]))])
      expect(errorOf(run).message).toMatch(/float64\[\].*jit\(step\)/);

    const seen: unknown[] = [];
    const branch = (x: NDArray): NDArray => {
      seen.push(np.multiply(x, 2).item());
      return (np.sin(x).item() as number) > 0 ? np.square(x) : np.negative(x);
    };
    expectClose([grad(branch)(f64(1)), grad(branch)(f64(-1)), grad(grad(branch))(f64(1))], [2, -1, 2]);
    expect(plain(jvp(branch, [f64(-1)], [f64(1)]))).toEqual([1, -1]);
    expect(seen).toEqual([2, -2, 2, -2]);
    for (const run of [
      () => jit(branch)(f64(1)),
      () => vmap(branch)(f64([1])),
      () => grad(jit(branch))(f64(1)),
      () => jit(grad(branch))(f64(1)),
      () => vmap(grad(branch))(f64([1])),
    ]) {
      const error = errorOf(run);
      expect(error).toBeInstanceOf(ConcretizationError);
      expect(error.message).toMatch(/item\(\).*float64\[\].*(jit|vmap)\(.*lax\.cond/);
    }
  });
});
