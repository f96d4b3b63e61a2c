/** `pureCallback`: host functions in programs: values, batches, what is refused. */
import {
  ArgumentError,
  ConcreteArray,
  DtypeError,
  evalJaxpr,
  grad,
  ImpureFunctionError,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  NotDifferentiableError,
  numpy as np,
  parseJaxpr,
  printJaxpr,
  pureCallback,
  ShapeDtype,
  ShapeError,
  stopGradient,
  TreeMismatchError,
  vjp,
  vmap,
} from "fluxion";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

const f64 = new ShapeDtype([], "float64");
const three = np.array(3, "float64");

/** x³ by JavaScript, and how often it has been asked. */
function cube(vmapMethod?: "sequential" | "expandDims" | "broadcastAll") {
  const calls: (readonly number[])[] = [];
  const run = (x: NDArray): NDArray => {
    calls.push(x.shape);
    expect(x).toBeInstanceOf(ConcreteArray);
    return np.array(x.dataSync().map((v) => v ** 3)).reshape(x.shape as number[]);
  };
  return { calls, run, f: (x: NDArray) => pureCallback(run, x, x, { vmapMethod }) };
}

describe("values", () => {
  it("come from the function: at once, under jit, in branches", () => {
    const { f, calls } = cube();
    expect(f(three).item()).toBe(27);
    const g = jit((x: NDArray) => f(x.add(1)).mul(2));
    expect(g(three).item()).toBe(128);
    expect(g(np.array(0, "float64")).item()).toBe(2);
    expect(calls).toEqual([[], [], []]);
    const h = (x: NDArray) => lax.cond(x.greater(0), f, (y) => y, x);
    expect(h(three).item()).toBe(27);
    expect(h(np.array(-3, "float64")).item()).toBe(-3);
    expect(calls).toHaveLength(4);
  });

  it("trees go in and come out; typed arrays, numbers and booleans are taken", () => {
    const stats = ({ x, n }: { x: NDArray; n: NDArray }) => {
      const values = Array.from(x.dataSync());
      return {
        sorted: Float64Array.from(values).sort(),
        max: Math.max(...values),
        big: values.length > (n.item() as number),
        counts: [Int32Array.from([1, 2]), new Uint8Array([7]), new Uint32Array([4294967295])],
        half: 0.1,
      };
    };
    const f = (x: NDArray) =>
      pureCallback(
        stats,
        {
          sorted: x,
          max: f64,
          big: new ShapeDtype([], "bool"),
          counts: [
            new ShapeDtype([2, 1], "int32"),
            new ShapeDtype([1], "uint8"),
            new ShapeDtype([1], "uint32"),
          ],
          half: new ShapeDtype([], "float16"),
        },
        { x, n: 2 },
      );
    for (const g of [f, jit(f)]) {
      const { sorted, max, big, counts, half } = g(np.array([3, 1, 2], "float64"));
      expect(sorted.tolist()).toEqual([1, 2, 3]);
      expect([max.item(), max.dtype, big.item(), big.dtype]).toEqual([3, "float64", true, "bool"]);
      expect(counts.map((c) => c.tolist())).toEqual([[[1], [2]], [7], [4294967295]]);
      expect([half.item(), half.dtype]).toEqual([0.0999755859375, "float16"]);
    }
  });

  it("the function may use the library, keep what it gets, and throw", () => {
    const kept: NDArray[] = [];
    const f = jit((x: NDArray) =>
      pureCallback(
        (y: NDArray) => {
          kept.push(y);
          if ((y.item() as number) > 100) throw new RangeError("too large");
          return grad(jit((z: NDArray) => z.mul(z)))(y);
        },
        x,
        x.mul(1),
      ).add(1),
    );
    expect(f(three).item()).toBe(7);
    expect(f(np.array(5, "float64")).item()).toBe(11);
    expect(kept.map((x) => x.item())).toEqual([3, 5]);
    expect(() => f(np.array(1000, "float64"))).toThrow(new RangeError("too large"));
  });

  it("equal calls are merged, unused ones dropped", () => {
    const { f, calls } = cube();
    const g = jit((x: NDArray) => {
      f(x.neg());
      return f(x).add(f(x));
    });
    expect(g(three).item()).toBe(54);
    expect(calls).toHaveLength(1);
  });

  it("stands in the jaxpr as data, and is found again from a text", () => {
    const { f } = cube();
    const { jaxpr } = makeJaxpr(f)(f64);
    expect(String(makeJaxpr(f)(f64).jaxpr)).toBe(String(jaxpr));
    const parsed = parseJaxpr(printJaxpr(jaxpr));
    if (!isRight(parsed)) throw parsed.left;
    expect(evalJaxpr(parsed.right.jaxpr, three)[0].item()).toBe(27);
    const missing = parseJaxpr(printJaxpr(jaxpr).replace(/callback=\d+/, "callback=123456789"));
    expect(isRight(missing)).toBe(false);
  });
});

describe("batches", () => {
  const rows = np.array([1, 2, 3], "float64");

  it("sequential calls the function for each row, in order, in nested batches too", () => {
    const { f, calls } = cube("sequential");
    for (const g of [vmap(f), jit(vmap(f)), vmap(jit(f))]) {
      expect(g(rows).tolist()).toEqual([1, 8, 27]);
      expect(calls.splice(0)).toEqual([[], [], []]);
    }
    const seen: number[][] = [];
    const add = (x: NDArray, y: NDArray, z: NDArray) =>
      pureCallback(
        (...args: NDArray[]) => {
          seen.push(args.map((v) => v.item() as number));
          return args.reduce((a, b) => a.add(b));
        },
        f64,
        x,
        y,
        z,
        { vmapMethod: "sequential" },
      );
    const inner = vmap(add, { inAxes: [0, null, 0] });
    const sums = vmap(inner, { inAxes: [1, 0, null] })(
      np.array(
        [
          [1, 2],
          [3, 4],
        ],
        "float64",
      ),
      np.array([10, 20], "float64"),
      np.array([100, 200], "float64"),
    );
    expect(sums.tolist()).toEqual([
      [111, 213],
      [122, 224],
    ]);
    expect(seen).toEqual([
      [1, 10, 100],
      [3, 10, 200],
      [2, 20, 100],
      [4, 20, 200],
    ]);
    expect(vmap(f)(np.zeros([0], "float64")).shape).toEqual([0]);
    expect(calls).toEqual([]);
  });

  it("expandDims and broadcastAll call it once, with axes in front", () => {
    const shapes: (readonly number[])[][] = [];
    const outer = (x: NDArray, y: NDArray, vmapMethod: "expandDims" | "broadcastAll") =>
      pureCallback(
        (a: NDArray, b: NDArray) => {
          shapes.push([a.shape, b.shape]);
          return np.multiply(a, b);
        },
        new ShapeDtype([2], "float64"),
        x,
        y,
        { vmapMethod },
      );
    const y = np.array([1, 10], "float64");
    const xs = np.array(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      "float64",
    );
    const wanted = [
      [1, 20],
      [3, 40],
      [5, 60],
    ];
    expect(vmap((x: NDArray) => outer(x, y, "expandDims"))(xs).tolist()).toEqual(wanted);
    expect(jit(vmap((x: NDArray) => outer(x, y, "broadcastAll")))(xs).tolist()).toEqual(wanted);
    expect(shapes).toEqual([
      [
        [3, 2],
        [1, 2],
      ],
      [
        [3, 2],
        [3, 2],
      ],
    ]);
    shapes.length = 0;
    vmap(vmap((x: NDArray) => outer(x, y, "expandDims")))(xs.reshape([1, 3, 2]));
    expect(shapes).toEqual([
      [
        [1, 3, 2],
        [1, 1, 2],
      ],
    ]);
  });

  it("without a method vmap is refused, and the error names the methods", () => {
    const { f } = cube();
    expect(() => vmap(f)(rows)).toThrow(ArgumentError);
    expect(() => vmap(f)(rows)).toThrow(
      /pureCallback\(run\) is batched and does not say how: give \{ vmapMethod: "sequential" \}/,
    );
    // What does not depend on the batch is computed once.
    expect(vmap((x: NDArray) => x.add(f(three)))(rows).tolist()).toEqual([28, 29, 30]);
  });
});

describe("derivatives", () => {
  it("there are none, and the error says what to do", () => {
    const { f } = cube();
    for (const g of [grad(f), (x: NDArray) => jvp(f, [x], [1]), (x: NDArray) => vjp(f, x), grad(jit(f))]) {
      expect(() => g(three)).toThrow(NotDifferentiableError);
      expect(() => g(three)).toThrow(/pureCallback\(run\) has no derivative.*customJvp or customVjp/);
    }
  });

  it("arguments and results that have none are no obstacle", () => {
    const { f } = cube();
    expect(grad((x: NDArray) => f(stopGradient(x)).mul(x))(three).item()).toBe(27);
    const count = (x: NDArray) =>
      pureCallback(
        (y: NDArray) => np.array(Math.floor(y.item() as number), "int32"),
        new ShapeDtype([], "int32"),
        x,
      );
    expect(grad((x: NDArray) => count(x.mul(2.5)).astype("float64").mul(x))(three).item()).toBe(7);
  });
});

describe("what is refused", () => {
  const give = (result: unknown, shapes: unknown = new ShapeDtype([2])) => {
    const f = function oracle() {
      return result;
    };
    return () => pureCallback(f, shapes as ShapeDtype, three);
  };

  it.each<[string, unknown, new (message: string) => Error, string]>([
    ["another shape", np.zeros([3]), ShapeError, "the result is float32[3], but float32[2] was declared"],
    [
      "another dtype",
      np.zeros([2], "int32"),
      DtypeError,
      "the result is int32[2], but float32[2] was declared",
    ],
    [
      "a longer typed array",
      new Float32Array(3),
      ShapeError,
      "the result is Float32Array(3), but float32[2] was declared",
    ],
    [
      "another typed array",
      new Float64Array(2),
      DtypeError,
      "the result is Float64Array(2), but float32[2] was declared",
    ],
    ["a number for an array", 1.5, ShapeError, "the result is the number 1.5, but float32[2] was declared"],
    ["a boolean", true, DtypeError, "the result is true, but float32[2] was declared"],
    ["a text", "1", ArgumentError, "the result is a value of type string"],
    ["a map", new Map(), ArgumentError, "the result is an object of class Map"],
  ])("%s", (_, result, type, message) => {
    expect(give(result)).toThrow(type);
    expect(give(result)).toThrow(`pureCallback(oracle): ${message}`);
    expect(() => jit(give(result))()).toThrow(type);
  });

  it("numbers that the dtype cannot hold", () => {
    const int = new ShapeDtype([], "int32");
    expect(give(1.5, int)).toThrow("the result is 1.5, but int32[] was declared");
    expect(give(3e9, int)).toThrow(DtypeError);
    expect(give(-1, new ShapeDtype([], "uint8"))).toThrow(DtypeError);
    expect(give(1, new ShapeDtype([], "bool"))).toThrow(DtypeError);
  });

  it("other structures, with the place", () => {
    expect(give({ a: 1 }, { a: f64, b: f64 })).toThrow(TreeMismatchError);
    expect(give(undefined, f64)).toThrow(TreeMismatchError);
    expect(give({ a: 1, b: np.zeros([2]) }, { a: f64, b: f64 })).toThrow(
      "the result at .b is float32[2], but float64[] was declared",
    );
    expect(give(Promise.resolve(1), f64)).toThrow(ImpureFunctionError);
  });

  it("wrong calls", () => {
    const call = pureCallback as unknown as (...args: unknown[]) => unknown;
    expect(() => call(3, f64)).toThrow("pureCallback takes a function, got number");
    expect(() => call(() => 1, { a: "float32" })).toThrow(
      "the result shapes of pureCallback(function) at .a must be a ShapeDtype or an array",
    );
    expect(() => call(() => 1, f64, "text")).toThrow(ArgumentError);
    expect(() => call(() => 1, f64, three, { vmapMethod: "parallel" })).toThrow(
      'vmapMethod must be one of sequential, expandDims, broadcastAll, got "parallel"',
    );
    expect(() => call(() => 1, f64, three, { vmapMethod: "sequential", size: 1 })).toThrow(
      'there is no option "size"',
    );
  });
});
