import {
  ArgumentError,
  ConcretizationError,
  grad,
  jit,
  jvp,
  makeJaxpr,
  type NDArray,
  numpy as np,
  tree,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { countOf, errorOf, expectClose, f32, f64, i32, plain, primitiveNames, types } from "../values.js";

/** A jitted function together with how often it was traced. */
function counted<A extends unknown[], R>(f: (...args: A) => R, options: object = {}) {
  const count = { traces: 0 };
  const wrapped = (...args: A): R => {
    count.traces++;
    return f(...args);
  };
  return { run: jit(wrapped, options), count };
}

describe("the cache", () => {
  it("traces once for each shape, dtype and weakness", () => {
    const { run, count } = counted((x: NDArray | number) => np.sin(x));
    const expectTraces = (n: number, ...xs: (NDArray | number)[]) => {
      for (const x of xs) run(x);
      expect(count.traces).toBe(n);
    };
    expectTraces(1, f64(1), f64(2), f64(Number.NaN));
    expectTraces(2, f32(1), f32(2));
    expectTraces(3, 1.5, 2.5, -0.5);
    expectTraces(4, 1, 2, 3);
    expectTraces(5, f64([1]), f64([2]));
    expectTraces(6, f64([[1]]));
    expectTraces(7, f64([1, 2]));
    expectTraces(8, i32(1));
    expectTraces(8, f64(1), f32(1), 1.5, 1, f64([1]), f64([[1]]), f64([1, 2]), i32(1));
  });

  it("tells trees apart by structure, and only by it", () => {
    const { run, count } = counted((p: unknown) =>
      tree.leaves(p as object).reduce((s: NDArray, x) => s.add(x as NDArray), f64(0)),
    );
    const x = f64(1);
    const same = [
      { a: x, b: x },
      { b: x, a: x },
    ];
    for (const p of same) run(p);
    expect(count.traces).toBe(1);
    const different: unknown[] = [
      [x, x],
      { a: x, c: x },
      { a: x, b: x, c: null },
      { a: [x], b: x },
      [[x, x]],
      [x, [x]],
      [x, x, x],
    ];
    for (const [i, p] of different.entries()) {
      run(p);
      run(p);
      expect(count.traces).toBe(i + 2);
    }
    const { run: two, count: twos } = counted((...xs: NDArray[]) => xs.length);
    two(x);
    two(x, x);
    two(x);
    expect(twos.traces).toBe(2);
  });

  it("meta fields of a registered class are part of the key", () => {
    class Model {
      constructor(
        readonly w: NDArray,
        readonly activation: string,
      ) {}
    }
    tree.registerDataclass(Model, { data: ["w"], meta: ["activation"] });
    const { run, count } = counted((m: Model) => (m.activation === "sin" ? np.sin(m.w) : np.cos(m.w)));
    expectClose(
      [run(new Model(f64(1), "sin")), run(new Model(f64(2), "sin")), run(new Model(f64(1), "cos"))],
      [Math.sin(1), Math.sin(2), Math.cos(1)],
    );
    expect(count.traces).toBe(2);
  });

  it("each jit of a function has its own", () => {
    let traces = 0;
    const f = (x: NDArray) => {
      traces++;
      return x;
    };
    const [a, b] = [jit(f), jit(f)];
    a(f64(1));
    b(f64(1));
    a(f64(1));
    expect(traces).toBe(2);
  });

  it("after a failed trace the next call traces again", () => {
    let fail = true;
    const { run, count } = counted((x: NDArray) => {
      if (fail) throw new RangeError("from the user");
      return np.sin(x);
    });
    expect(() => run(f64(1))).toThrow(RangeError);
    fail = false;
    expectClose(run(f64(1)), Math.sin(1));
    expectClose(run(f64(2)), Math.sin(2));
    expect(count.traces).toBe(2);
  });
});

describe("static arguments", () => {
  it("are values to the function, and keys of the cache", () => {
    const { run, count } = counted(
      (x: NDArray, n: number, mode: string) => {
        let y = x;
        for (let i = 0; i < n; i++) y = mode === "sin" ? np.sin(y) : np.square(y);
        return y;
      },
      { staticArgnums: [1, 2] },
    );
    expect(plain([run(f64(2), 2, "square"), run(f64(3), 2, "square"), run(f64(2), 3, "square")])).toEqual([
      16, 81, 256,
    ]);
    expect(count.traces).toBe(2);
    expectClose(run(f64(2), 2, "sin"), Math.sin(Math.sin(2)));
    expect(count.traces).toBe(3);
  });

  it("are told apart by value and type; functions and objects by identity", () => {
    const { run, count } = counted((x: NDArray, _: unknown) => x, { staticArgnums: -1 });
    const [f, g, o] = [() => 1, () => 1, {}];
    const values: unknown[] = [
      0,
      -0,
      1,
      "1",
      true,
      "true",
      null,
      undefined,
      "null",
      Number.NaN,
      f,
      g,
      o,
      {},
      1n,
      "1n",
    ];
    for (const [i, v] of values.entries()) {
      run(f64(1), v);
      run(f64(2), v);
      expect(count.traces, String(v)).toBe(i + 1);
    }
    for (const v of values) run(f64(3), v);
    expect(count.traces).toBe(values.length);
  });

  it("cannot be mistaken for one another when there are several", () => {
    const { run, count } = counted((x: NDArray, _: string, __: string) => x, { staticArgnums: [1, 2] });
    run(f64(1), "a", "b|2=string:c");
    run(f64(1), "a|2=string:b", "c");
    run(f64(1), "a|2=string:b|2=string:c", "");
    expect(count.traces).toBe(3);
  });

  it("cannot be arrays, and must be there", () => {
    const error = errorOf(() => jit((x: NDArray) => x, { staticArgnums: 0 })(f64(1)));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/static argument cannot be an array/);
    expect(() => jit((x: NDArray, _?: string) => x, { staticArgnums: 1 })(f64(1))).toThrow(/argnums 1/);
  });

  it("under transforms of the jitted function", () => {
    const power = jit((x: NDArray, n: number) => np.power(x, n), { staticArgnums: 1 });
    expect(plain(grad((x: NDArray) => power(x, 3))(f64(2)))).toBe(12);
    expect(plain(grad(power)(f64(2), 3))).toBe(12);
    expect(plain(vmap((x: NDArray) => power(x, 2))(f64([1, 2, 3])))).toEqual([1, 4, 9]);
    expect(plain(jvp((x: NDArray) => power(x, 2), [f64(3)], [f64(1)]))).toEqual([9, 6]);
  });
});

describe("the call", () => {
  it("is one equation, also in another jit, and its program is shared", () => {
    const f = jit((x: NDArray) => np.sin(x).mul(2));
    const program = makeJaxpr((x: NDArray) => f(f(x)))(f64(1));
    expect(program.jaxpr.eqns.map((e) => e.primitive.name)).toEqual(["jit", "jit"]);
    expect(program.jaxpr.eqns[0].params.jaxpr).toBe(program.jaxpr.eqns[1].params.jaxpr);
    expect(primitiveNames(program)).toEqual(["jit", "sin", "mul", "jit", "sin", "mul"]);
  });

  it("is never unfolded to be differentiated or batched", () => {
    const f = jit((x: NDArray) => np.sum(np.tanh(np.sin(x))));
    for (const g of [grad(f), (x: NDArray) => jvp(f, [x], [x]), vmap(f, { inAxes: null, axisSize: 1 })])
      expect(
        makeJaxpr(g as (x: NDArray) => NDArray)(f64([1, 2])).jaxpr.eqns.filter(
          (e) => e.primitive.family === "elementwise" && e.primitive.name === "tanh",
        ),
      ).toEqual([]);
    const twice = makeJaxpr((x: NDArray) => [grad(f)(x), grad(f)(x.mul(2))])(f64([1, 2]));
    const bodies = new Set(twice.jaxpr.eqns.flatMap((e) => (e.params.jaxpr ? [e.params.jaxpr] : [])));
    const calls = twice.jaxpr.eqns.filter((e) => e.primitive.name === "jit").length;
    // Two gradients, one forward and one backward body.
    expect(calls).toBe(4);
    expect(bodies.size).toBe(2);
  });

  it("gives the same values, types and weakness as the plain call", () => {
    const f = (p: { x: NDArray; y: number }, z: [NDArray, null]) => ({
      a: np.multiply(p.x, p.y),
      b: [z[0], z[1], 3, true] as const,
      w: np.sin(p.y),
    });
    const args = [{ x: f64([1, 2]), y: 2.5 }, [i32(4), null]] as [{ x: NDArray; y: number }, [NDArray, null]];
    const jitted = jit(f)(...args);
    expect(plain(jitted)).toEqual({
      a: [2.5, 5],
      b: [4, null, 3, true],
      w: expect.closeTo(Math.sin(2.5), 6),
    });
    expect(types(jitted)).toEqual({
      a: "float64[2]",
      b: ["int32[]", null, "~int32[]", "bool[]"],
      w: "~float32[]",
    });
    const named = jit(function step(x: NDArray) {
      return x;
    });
    expect(named.name).toBe("step");
  });

  it("returns arguments, constants and the same array twice", () => {
    const table = f64([1, 2, 3]);
    const f = jit((x: NDArray, y: NDArray) => [y, x, x, table, f64(5), table]);
    expect(plain(f(f64(1), f64(2)))).toEqual([2, 1, 1, [1, 2, 3], 5, [1, 2, 3]]);
    expect(plain(vmap(f)(f64([1]), f64([2])))).toEqual([[2], [1], [1], [[1, 2, 3]], [5], [[1, 2, 3]]]);
    const [a] = grad((x: NDArray, y: NDArray) => np.sum(f(x, y)[1]), { argnums: [0, 1] })(f64(1), f64(2));
    expect(plain(a)).toBe(1);
  });

  it("throws away what its result does not need", () => {
    const f = jit((x: NDArray) => {
      np.exp(x);
      return { used: np.sin(x), dropped: np.cosh(x) };
    });
    const program = makeJaxpr(grad((x: NDArray) => f(x).used))(f64(1));
    expect(countOf(program, "cosh") + countOf(program, "sinh") + countOf(program, "exp")).toBe(0);
  });

  it("has no values to ask for, and says where the array was made", () => {
    const error = errorOf(() => jit((x: NDArray) => (np.sin(x).item() ? x : x))(f64(1)));
    expect(error).toBeInstanceOf(ConcretizationError);
    expect(error.message).toMatch(/jit.test.ts:\d+:\d+/);
    for (const ask of [
      (x: NDArray) => x.item(),
      (x: NDArray) => x.tolist(),
      (x: NDArray) => x.dataSync(),
      (x: NDArray) => [...x.dataSync()],
    ])
      expect(() => jit((x: NDArray) => [x, String(ask(x))] as never)(f64(1))).toThrow(ConcretizationError);
    // Of arrays that are not traced there are.
    expect(plain(jit((x: NDArray) => (f64(2).item() === 2 ? np.square(x) : x))(f64(3)))).toBe(9);
  });
});

describe("a jit inside grad that asks for outer values", () => {
  it("takes the branch of the outer value, and is traced again when that has changed", () => {
    const sign = (x: NDArray) => {
      const inner = jit((y: NDArray) => ((x.item() as number) > 0 ? y.mul(2) : y.mul(3)));
      return inner(x);
    };
    expect(plain([grad(sign)(f64(1)), grad(sign)(f64(-1))])).toEqual([2, 3]);
    let captured = f64(0);
    const shared = jit((y: NDArray) => ((captured.item() as number) > 0 ? y.mul(2) : y.mul(3)));
    const through = grad((x: NDArray) => {
      captured = np.sin(x);
      return shared(x);
    });
    expect(plain([through(f64(1)), through(f64(-1)), through(f64(1))])).toEqual([2, 3, 2]);
  });
});
