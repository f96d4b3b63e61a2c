import {
  ArgumentError,
  grad,
  jit,
  jvp,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  tree,
  valueAndGrad,
  vmap,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, f64, i32, plain, primitiveNames, types } from "../values.js";

/** x² y + z: its gradient is (2xy, x², 1). */
const cubic = (x: NDArray, y: NDArray, z: NDArray) => np.square(x).mul(y).add(z);
const point = [f64(3), f64(5), f64(7)] as const;

describe("argnums", () => {
  it("is the first argument by default, any position, or a list in the order given", () => {
    expect(plain(grad(cubic)(...point))).toBe(30);
    expect(plain(grad(cubic, { argnums: 1 })(...point))).toBe(9);
    expect(plain(grad(cubic, { argnums: -1 })(...point))).toBe(1);
    expect(plain(grad(cubic, { argnums: -3 })(...point))).toBe(30);
    expect(plain(grad(cubic, { argnums: [0] })(...point))).toEqual([30]);
    expect(plain(grad(cubic, { argnums: [2, 0, 1] })(...point))).toEqual([1, 30, 9]);
    expect(plain(grad(cubic, { argnums: [-1, 0] })(...point))).toEqual([1, 30]);
    expect(plain(grad(cubic, { argnums: [] })(...point))).toEqual([]);
  });

  it("leaves other arguments as they are, whatever they are", () => {
    const seen: unknown[] = [];
    const f = (
      x: NDArray,
      options: { scale: number; name: string },
      g: (y: NDArray) => NDArray,
      n: NDArray,
    ) => {
      seen.push(options, g, n.item());
      return g(x).mul(options.scale).mul(n);
    };
    const options = { scale: 3, name: "three" };
    expect(plain(grad(f)(f64(2), options, np.square, i32(2)))).toBe(2 * 2 * 3 * 2);
    expect(seen).toEqual([options, np.square, 2]);
    expect(seen[0]).toBe(options);
  });

  it("refuses positions that are none, and repeated ones", () => {
    const loose = grad as unknown as (f: unknown, o: object) => (...args: unknown[]) => unknown;
    for (const [argnums, text] of [
      [3, "argnums 3 is not a position of a call with 3 arguments"],
      [-4, "argnums -4"],
      [1.5, "argnums 1.5"],
      [[0, 7], "argnums 7"],
      [[0, 0], "names an argument twice"],
      [[0, -3], "names an argument twice"],
    ] as const) {
      const error = errorOf(() => loose(cubic, { argnums })(...point));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toContain(text);
      expect(error.message).toContain("grad(cubic)");
    }
  });
});

describe("values and types", () => {
  it("the gradient has shape, dtype and weakness of what it is the gradient of", () => {
    expect(types(grad((x: NDArray) => np.sum(x))(f32([[1, 2, 3]])))).toBe("float32[1,3]");
    expect(types(grad((x: NDArray) => np.sum(x))(np.ones([2], "float16")))).toBe("float16[2]");
    expect(types(grad((x: NDArray | number) => np.sin(x))(2))).toBe("~float32[]");
    expect(types(grad((x: NDArray) => np.astype(x, "float32"))(f64(2)))).toBe("float64[]");
  });

  it("a JavaScript number is a float, an integer one too", () => {
    const square = (x: NDArray | number) => np.multiply(x, x);
    expect(plain(grad(square)(3))).toBe(6);
    expect(plain(grad(square)(2.5))).toBe(5);
    expect(plain(valueAndGrad(square)(3))).toEqual([9, 6]);
    // A constant function of it as well: the value is a number of the program.
    expect(plain(valueAndGrad((x: NDArray | number) => (x === 0 ? 1 : 2))(3))).toEqual([2, 0]);
  });

  it("valueAndGrad evaluates once", () => {
    let calls = 0;
    const f = (x: NDArray) => {
      calls++;
      return np.sum(np.exp(x));
    };
    expectClose(valueAndGrad(f)(f64([0, 1])), [1 + Math.E, [1, Math.E]]);
    expect(calls).toBe(1);
    const program = makeJaxpr(valueAndGrad(f))(f64([0, 1]));
    expect(primitiveNames(program).filter((n) => n === "exp")).toHaveLength(1);
  });

  it("the gradient alone does not compute the value", () => {
    const program = makeJaxpr(grad((x: NDArray) => np.exp(np.sum(np.square(x)))))(f64([1, 2]));
    expect(primitiveNames(program).filter((n) => n === "exp")).toHaveLength(1);
    const linear = makeJaxpr(grad((x: NDArray) => np.sum(np.sin(f64([1, 2])).mul(x))))(f64([1, 2]));
    expect(primitiveNames(linear)).not.toContain("reduceSum");
  });
});

describe("hasAux", () => {
  it("hands the auxiliary output through, with arrays, other leaves and traced intermediates in it", () => {
    const tag = Symbol("tag");
    const f = (x: NDArray) => {
      const y = np.sin(x);
      return [
        np.sum(y),
        { y, step: 3, name: "run", tag, none: null, list: [np.cos(x), "text"], fresh: f32([1]) },
      ] as const;
    };
    const [gradient, aux] = grad(f, { hasAux: true })(f64([0, 1]));
    expectClose(gradient, [1, Math.cos(1)]);
    expect(aux).toMatchObject({ step: 3, name: "run", tag, none: null });
    expectClose([aux.y, aux.list[0], aux.fresh], [[0, Math.sin(1)], [1, Math.cos(1)], [1]]);
    expect(aux.list[1]).toBe("text");
    const [[value, again], g] = valueAndGrad(f, { hasAux: true })(f64([0, 1]));
    expectClose([value, g, again.y], [Math.sin(1), [1, Math.cos(1)], [0, Math.sin(1)]]);
    expect(again.step).toBe(3);
  });

  it("is not differentiated, and stays an array of the outer function under an outer transform", () => {
    const f = (x: NDArray) => [np.square(x), np.multiply(x, x).mul(x)] as const;
    const outer = (x: NDArray) => {
      const [g, cube] = grad(f, { hasAux: true })(x);
      return g.add(cube);
    };
    // g + aux = 2x + x³, whose derivative is 2 + 3x².
    expectClose(grad(outer)(f64(2)), 14);
    expectClose(jit(outer)(f64(2)), 12);
    expectClose(vmap(outer)(f64([1, 2])), [3, 12]);
    expectClose(jvp(outer, [f64(2)], [f64(1)]), [12, 14]);
  });

  it("may be anything that is a tree, and must be there", () => {
    expect(grad((x: NDArray) => [x, "aux"] as const, { hasAux: true })(f64(1))[1]).toBe("aux");
    expect(grad((x: NDArray) => [x, null] as const, { hasAux: true })(f64(1))[1]).toBeNull();
    expect(grad((x: NDArray) => [x, [7n, {}]] as const, { hasAux: true })(f64(1))[1]).toEqual([7n, {}]);
    const loose = grad as unknown as (f: unknown, o: object) => (x: NDArray) => unknown;
    expect(errorOf(() => loose((x: NDArray) => x, { hasAux: true })(f64(1))).message).toContain(
      "must return [result, aux]",
    );
    expect(() => loose((x: NDArray) => [x, x, x], { hasAux: true })(f64(1))).toThrow(ArgumentError);
  });
});

class Layer {
  constructor(
    readonly w: NDArray,
    readonly b: NDArray,
    readonly activation: string,
  ) {}
  apply(x: NDArray): NDArray {
    const y = np.matmul(x, this.w).add(this.b);
    return this.activation === "tanh" ? np.tanh(y) : y;
  }
}
tree.registerDataclass(Layer, { data: ["w", "b"], meta: ["activation"] });

class Interval {
  constructor(
    readonly lo: NDArray,
    readonly hi: NDArray,
  ) {}
}
tree.registerClass(Interval, {
  flatten: (i) => ({ children: [i.lo, i.hi], keys: ["lo", "hi"] }),
  unflatten: (_, [lo, hi]) => new Interval(lo as NDArray, hi as NDArray),
});

describe("trees", () => {
  it("nested objects, lists, tuples and null", () => {
    const params = {
      layers: [
        { w: f64([[1, 2]]), b: f64([3]) },
        { w: f64([[4]]), b: null },
      ],
      pair: [f64(5), { deep: f64(6) }] as [NDArray, { deep: NDArray }],
      frozen: null,
      empty: {},
    };
    const loss = (p: typeof params) =>
      np.add(
        tree.leaves(p.layers).reduce((s: NDArray, x) => s.add(np.sum(np.square(x as NDArray))), f64(0)),
        np.multiply(p.pair[0], p.pair[1].deep),
      );
    expect(plain(grad(loss)(params))).toEqual({
      layers: [
        { w: [[2, 4]], b: [6] },
        { w: [[8]], b: null },
      ],
      pair: [6, { deep: 5 }],
      frozen: null,
      empty: {},
    });
  });

  it("instances of registered classes", () => {
    const layer = new Layer(f64([[0.5], [0.25]]), f64([0.1]), "tanh");
    const x = f64([[1, 2]]);
    const g = grad((l: Layer) => np.sum(l.apply(x)))(layer) as Layer;
    const slope = 1 - Math.tanh(1.1) ** 2;
    expect(g).toBeInstanceOf(Layer);
    expect(g.activation).toBe("tanh");
    expectClose([g.w, g.b], [[[slope], [2 * slope]], [slope]]);
    expectClose(g.apply(x), [[Math.tanh(slope + 4 * slope + slope)]]);
    const width = grad((i: Interval) => np.square(i.hi.sub(i.lo)))(new Interval(f64(1), f64(4))) as Interval;
    expect(width).toBeInstanceOf(Interval);
    expect(plain([width.lo, width.hi])).toEqual([-6, 6]);
  });

  it("a registered class inside an object, by a list of argnums, under jit", () => {
    const model = { first: new Layer(f64([[1]]), f64([2]), "linear"), scale: f64(3) };
    const f = jit(
      grad((m: typeof model, x: NDArray) => np.sum(m.first.apply(x)).mul(m.scale), { argnums: [0, 1] }),
    );
    const [dm, dx] = f(model, f64([[4]])) as unknown as [typeof model, NDArray];
    expect(dm.first).toBeInstanceOf(Layer);
    expect(plain([dm.first.w, dm.first.b, dm.scale, dx])).toEqual([[[12]], [3], 6, [[3]]]);
  });

  it("an array used in two places gets a gradient for each place", () => {
    const shared = f64(3);
    expect(
      plain(grad((p: { a: NDArray; b: NDArray }) => p.a.mul(p.a).mul(p.b))({ a: shared, b: shared })),
    ).toEqual({ a: 18, b: 9 });
  });

  it("a leaf that is an integer is refused by its path", () => {
    const error = errorOf(() =>
      grad((p: { w: NDArray[]; n: NDArray }) => np.sum(p.w[0]))({ w: [f64(1)], n: i32([1, 2]) }),
    );
    expect(error).toBeInstanceOf(NotDifferentiableError);
    expect(error.message).toContain("int32[2]");
    expect(error.message).toMatch(/\.n\b/);
  });
});
