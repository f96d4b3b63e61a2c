/** `jit(f).lower(...)`: the program as data, and compiled for one type of arguments. */
import {
  ArgumentError,
  DeviceError,
  DtypeError,
  debug,
  defaultDevice,
  grad,
  jaxprCost,
  jit,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeDtype,
  ShapeError,
  setDefaultDevice,
  TreeMismatchError,
  tree,
  vmap,
} from "fluxion";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf, expectClose, f32, i32, plain } from "../values.js";

const chosen = defaultDevice();
afterEach(() => setDefaultDevice(chosen));

const affine = (p: { w: NDArray; b: NDArray }, x: NDArray): NDArray => x.matmul(p.w).add(p.b);
const params = { w: new ShapeDtype([3, 2]), b: new ShapeDtype([2]) };

describe("lowering", () => {
  it("gives the jaxpr of the function, from arrays, numbers or types", () => {
    const f = jit((x: NDArray, n: number) => np.sin(x).mul(n));
    const wanted = String(makeJaxpr((x: NDArray, n: number) => np.sin(x).mul(n))(f32([1, 2]), 2));
    expect(String(f.lower(f32([1, 2]), 2).jaxpr)).toBe(wanted);
    expect(String(f.lower(new ShapeDtype([2]), 5).jaxpr)).toBe(wanted);
    expect(String(f.lower(new ShapeDtype([2]), new ShapeDtype([], "int32", { weakType: true })).jaxpr)).toBe(
      wanted,
    );
    expect(f.lower(new ShapeDtype([2]), new ShapeDtype([])).jaxpr.inAvals[1].weakType).toBe(false);
  });

  it("shares its traces with calls", () => {
    let traces = 0;
    const f = jit((x: NDArray) => {
      traces++;
      return np.sin(x);
    });
    f.lower(new ShapeDtype([2]));
    f(f32([1, 2]));
    f.lower(f32([1, 2]));
    expect(traces).toBe(1);
    f.lower(new ShapeDtype([3]));
    expect(traces).toBe(2);
    expectClose(f(f32([1, 2, 3])), [1, 2, 3].map(Math.sin), 1e-6);
    expect(traces).toBe(2);
  });

  it("computes nothing, and calls the function with static arguments as they are", () => {
    const seen: unknown[] = [];
    const f = jit(
      (x: NDArray, mode: string, options: { n: number }) => {
        seen.push(mode, options);
        return mode === "sin" ? np.sin(x) : np.power(x, options.n);
      },
      { staticArgnums: [1, 2] },
    );
    const options = { n: 3 };
    const lowered = f.lower(new ShapeDtype([2]), "power", options);
    expect(seen).toEqual(["power", options]);
    expect(seen[1]).toBe(options);
    expect(lowered.jaxpr.inAvals.length).toBe(1);
    expect(plain(lowered.compile()(f32([1, 2]), "power", options))).toEqual([1, 8]);
  });

  it("throws what tracing throws", () => {
    const f = jit((x: NDArray, y: NDArray) => x.add(y));
    expect(() => f.lower(new ShapeDtype([2]), new ShapeDtype([3]))).toThrow(ShapeError);
    expect(() => f.lower("x" as never, f32(1))).toThrow(ArgumentError);
  });

  it("can be done inside another function that is being traced", () => {
    const f = jit((x: NDArray) => np.sin(x));
    const g = (x: NDArray): NDArray => {
      expect(f.lower(x).jaxpr.inAvals[0].shape).toEqual([2]);
      return np.sum(f(x));
    };
    expectClose(grad(g)(f32([0, 0])), [1, 1], 1e-6);
  });
});

describe("without a device", () => {
  beforeEach(() => setDefaultDevice("reference"));

  it("every equation is a step on the host, those of called functions too", () => {
    const inner = jit((x: NDArray) => np.cos(x).mul(2));
    const lowered = jit((x: NDArray) => inner(inner(np.sin(x))).add(1)).lower(new ShapeDtype([4]));
    expect(lowered.device).toBe("reference");
    expect(lowered.kernels).toEqual([]);
    expect(lowered.steps.map((s) => s.name)).toEqual(["sin", "cos", "mul", "cos", "mul", "add"]);
    expect(lowered.steps.map((s) => s.text)).toEqual([
      "v0 = sin in0",
      "v1 = cos v0",
      "v2 = mul v1 2",
      "v3 = cos v2",
      "v4 = mul v3 2",
      "v5 = add v4 1",
    ]);
    expect(lowered.steps[2].buffers).toEqual([
      { name: "v1", dtype: "float32", size: 4, bytes: 16, access: "read" },
      { name: "v2", dtype: "float32", size: 4, bytes: 16, access: "write" },
    ]);
    expect(lowered.boundaries.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(new Set(lowered.boundaries.flatMap((b) => b.reasons)).size).toBe(1);
  });

  it("memory is what lives at a time", () => {
    // Two temporaries at a time: sin and cos while they are added, then their sum and its square.
    const lowered = jit((x: NDArray) => np.sum(np.square(np.sin(x).add(np.cos(x))))).lower(
      new ShapeDtype([100]),
    );
    expect(lowered.memoryAnalysis()).toEqual({
      inputBytes: 400,
      outputBytes: 4,
      aliasBytes: 0,
      temporaryBytes: 1200,
      peakBytes: 1604,
    });
    const called = jit((x: NDArray) => jit((y: NDArray) => np.sin(np.cos(np.tan(y))))(x.add(1))).lower(
      new ShapeDtype([100]),
    );
    // x + 1 lives through the call, in which tan and cos live at a time.
    expect(called.memoryAnalysis().temporaryBytes).toBe(1200);
    // An argument that is given back takes no memory, nor does what is given twice take more.
    const same = jit((x: NDArray) => [x, np.sin(x), np.sin(x)]).lower(new ShapeDtype([100]));
    expect(same.memoryAnalysis().outputBytes).toBe(800);
    const twice = jit((x: NDArray) => {
      const y = np.sin(x);
      return [y, y];
    }).lower(new ShapeDtype([100]));
    expect(twice.memoryAnalysis().outputBytes).toBe(400);
  });
});

describe.runIf(chosen === "wasm")("on the CPU device", () => {
  it("kernels have IR, WebAssembly text and buffers", () => {
    const lowered = jit((x: NDArray, y: NDArray) => np.sqrt(x).add(y)).lower(
      new ShapeDtype([8, 4]),
      new ShapeDtype([8, 4], "int32"),
    );
    expect(lowered.device).toBe("wasm");
    expect(lowered.steps).toEqual(lowered.kernels);
    const [kernel] = lowered.kernels;
    expect(kernel.language).toBe("wat");
    expect(kernel.source).toMatch(/^\(module[\s\S]*f32\.?x?4?\.sqrt[\s\S]*\)\n$/);
    expect(kernel.text).toMatch(/^kernel [\s\S]*range begin\.\.end of [\s\S]*sqrt\(/);
    expect(kernel.launch).toEqual({ items: expect.any(Number) });
    expect(kernel.buffers.map(({ dtype, size, bytes, access }) => ({ dtype, size, bytes, access }))).toEqual([
      { dtype: "float32", size: 32, bytes: 128, access: "read" },
      { dtype: "int32", size: 32, bytes: 128, access: "read" },
      { dtype: "float32", size: 32, bytes: 128, access: "write" },
    ]);
  });

  it("costs are those of the program that runs", () => {
    const f = (x: NDArray) => np.sin(x).mul(2).add(np.sin(x));
    const lowered = jit(f).lower(new ShapeDtype([100]));
    // One sine, though two are written.
    expect(lowered.costAnalysis()).toEqual({
      operations: 300,
      multiplications: 100,
      transcendentals: 100,
      bytesRead: 400,
      bytesWritten: 400,
      kernels: 1,
    });
    expect(jaxprCost(lowered.jaxpr.jaxpr).transcendentals).toBe(200);
    // The mean is stored, and read again.
    const two = jit((x: NDArray) => x.sub(np.mean(x))).lower(new ShapeDtype([200, 200]));
    const { bytesRead, bytesWritten, kernels } = two.costAnalysis();
    expect({ bytesRead, bytesWritten, kernels }).toEqual({
      bytesRead: 160000 + 160000 + 4,
      bytesWritten: 4 + 160000,
      kernels: 2,
    });
  });

  it("memory of temporaries is shared", () => {
    const f = (x: NDArray) => {
      let y = x;
      for (let i = 0; i < 10; i++) y = np.cumsum(y);
      return y;
    };
    const memory = jit(f)
      .lower(new ShapeDtype([1024]))
      .memoryAnalysis();
    expect(memory.inputBytes).toBe(4096);
    expect(memory.outputBytes).toBe(4096);
    expect(memory.temporaryBytes).toBeGreaterThanOrEqual(4096);
    expect(memory.temporaryBytes).toBeLessThanOrEqual(3 * 4096);
    expect(memory.peakBytes).toBe(memory.inputBytes + memory.outputBytes + memory.temporaryBytes);
  });

  it("effects are steps on the host, in order; what is between them is compiled", () => {
    const f = (x: NDArray): NDArray => {
      const y = np.sin(x).mul(2);
      debug.print("y = {}", y);
      const z = np.cos(y).add(1);
      debug.print("z = {}", z);
      debug.print("done");
      return z.sub(y);
    };
    const lowered = jit(f).lower(new ShapeDtype([2000]));
    expect(lowered.device).toBe("wasm");
    expect(lowered.kernels.length).toBeGreaterThan(0);
    const effects = lowered.steps.filter((s) => s.kind === "host");
    expect(effects.map((s) => s.name)).toEqual(["debugCallback", "debugCallback", "debugCallback"]);
    expect(effects.map((s) => s.buffers.map((b) => b.access))).toEqual([["read"], ["read"], []]);
    // Each comes after the kernel that makes what it prints.
    for (const effect of effects.slice(0, 2)) {
      const at = lowered.steps.indexOf(effect);
      const maker = lowered.steps.findIndex((s) =>
        s.buffers.some((b) => b.name === effect.buffers[0].name && b.access !== "read"),
      );
      expect(maker).toBeGreaterThanOrEqual(0);
      expect(maker).toBeLessThan(at);
    }
  });

  it("the outline names steps, memory and arguments", () => {
    const text = String(jit(affine).lower(params, new ShapeDtype([4, 3])));
    expect(text).toMatch(/^jit\(affine\) on wasm: \d+ kernels?, \d+ operations, .* read, .* written\n/);
    expect(text).toMatch(/memory: 80 B of inputs, 32 B of outputs, /);
    expect(text).toMatch(/\nin0: argument 0.b\nin1: argument 0.w\nin2: argument 1$/);
  });

  it("programs without operations have nothing to run", () => {
    const lowered = jit((x: NDArray) => [x, 3]).lower(new ShapeDtype([2]));
    expect(plain(lowered.compile()(f32([1, 2])))).toEqual([[1, 2], 3]);
    expect(lowered.memoryAnalysis()).toMatchObject({ inputBytes: 8, outputBytes: 4 });
    expect(String(lowered.explain())).toBe("no value is stored between steps");
  });
});

describe("a compiled program", () => {
  const program = jit(affine)
    .lower(params, new ShapeDtype([4, 3]))
    .compile();
  const w = f32([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const args = [{ w, b: f32([10, 20]) }, np.ones([4, 3])] as const;

  it("gives what the function gives, in its structure, and has its name", () => {
    expect(plain(program(...args))).toEqual(plain(affine(...args)));
    expect(program.name).toBe("affine");
    const nested = jit((x: NDArray) => ({ a: [x, null], n: 3 }))
      .lower(f32(1))
      .compile();
    expect(plain(nested(f32(2)))).toEqual({ a: [2, null], n: 3 });
  });

  it("is not traced again", () => {
    let traces = 0;
    const f = jit((x: NDArray) => {
      traces++;
      return x;
    });
    const compiled = f.lower(f32(1)).compile();
    compiled(f32(2));
    expect(() => compiled(f32([1]))).toThrow(ShapeError);
    expect(traces).toBe(1);
  });

  it.each<[string, () => unknown, new (message: string) => Error, RegExp]>([
    [
      "shapes",
      () => program({ ...args[0], w: np.ones([4, 2]) }, args[1]),
      ShapeError,
      /argument 0\.w was float32\[3,2\] when jit\(affine\) was lowered, and is float32\[4,2\] in this call/,
    ],
    [
      "dtypes",
      () => program(args[0], np.ones([4, 3], "int32")),
      DtypeError,
      /argument 1 was float32\[4,3\] .* is int32\[4,3\]/,
    ],
    [
      "trees",
      () => program({ ...args[0], c: f32(1) } as never, args[1]),
      TreeMismatchError,
      /argument 0\.c was not there when jit\(affine\) was lowered, and is a leaf/,
    ],
    [
      "missing parts",
      () => program({ w } as never, args[1]),
      TreeMismatchError,
      /argument 0\.b was a leaf .* is not there/,
    ],
    [
      "numbers of arguments",
      () => (program as (...xs: unknown[]) => unknown)(args[0]),
      TreeMismatchError,
      /the number of arguments was 2 .* and is 1 in this call/,
    ],
    ["what is no array", () => program(args[0], "x" as never), ArgumentError, /argument.*1.* a string/],
  ])("refuses other %s", (_, call, type, message) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
  });

  it("refuses other static arguments", () => {
    const power = jit((x: NDArray, n: number) => np.power(x, n), { staticArgnums: -1 })
      .lower(f32(1), 3)
      .compile();
    expect(plain(power(f32(2), 3))).toBe(8);
    const error = errorOf(() => power(f32(2), 2));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/static argument 1 was 3 when .* was lowered, and is 2/);
  });

  it("reads numbers as the types that it has", () => {
    const scale = jit((x: NDArray, rate: number | NDArray) => x.mul(rate));
    const byWeak = scale.lower(f32([1, 2]), 0.5).compile();
    expect(plain([byWeak(f32([1, 2]), 2), byWeak(f32([1, 2]), f32(3))])).toEqual([
      [2, 4],
      [3, 6],
    ]);
    const byArray = scale.lower(f32([1, 2]), f32(1)).compile();
    expect(plain(byArray(f32([1, 2]), 0.5))).toEqual([0.5, 1]);
    const whole = scale.lower(i32([1, 2]), i32(1)).compile();
    expect(plain(whole(i32([1, 2]), 3))).toEqual([3, 6]);
    expect(errorOf(() => whole(i32([1, 2]), 0.5))).toBeInstanceOf(DtypeError);
    expect(errorOf(() => byArray(f32([1, 2]), true as never))).toBeInstanceOf(DtypeError);
  });

  it("can be transformed", () => {
    const square = jit((x: NDArray) => np.sum(np.square(x)))
      .lower(new ShapeDtype([2]))
      .compile();
    expect(plain(grad(square)(f32([1, 2])))).toEqual([2, 4]);
    expect(plain(vmap(square)(f32([[1, 2]])))).toEqual([5]);
    expect(plain(jit((x: NDArray) => square(x).mul(2))(f32([1, 2])))).toBe(10);
  });

  it("keeps the arrays that the function closes over", () => {
    const table = f32([1, 2, 3]);
    const f = jit((x: NDArray | number) => table.mul(x))
      .lower(2)
      .compile();
    expect(plain(f(3))).toEqual([3, 6, 9]);
  });

  it.runIf(chosen === "wasm")("belongs to a device", () => {
    const compiled = jit((x: NDArray) => np.sin(x))
      .lower(f32([1]))
      .compile();
    setDefaultDevice("reference");
    const error = errorOf(() => compiled(f32([1])));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/lowered for wasm, but the device of this call is reference/);
    setDefaultDevice("wasm");
    expectClose(compiled(f32([1])), [Math.sin(1)], 1e-6);
  });
});

describe("loops and trees of programs", () => {
  it("lower through transforms of a jitted function", () => {
    const loss = jit((p: { w: NDArray }, x: NDArray) => np.sum(np.tanh(x.matmul(p.w))));
    const step = jit((p: { w: NDArray }, x: NDArray) =>
      tree.map((v: NDArray, g: NDArray) => v.sub(g.mul(0.1)), p, grad(loss)(p, x)),
    );
    const compiled = step.lower({ w: new ShapeDtype([3, 2]) }, new ShapeDtype([4, 3])).compile();
    const p = { w: np.linspace(-1, 1, 6).reshape(3, 2) };
    const x = np.linspace(0, 1, 12).reshape(4, 3);
    expectClose(compiled(p, x), step(p, x), 1e-7);
    expectClose(
      compiled(p, x),
      { w: p.w.sub(grad((w: NDArray) => np.sum(np.tanh(x.matmul(w))))(p.w).mul(0.1)) },
      1e-6,
    );
  });
});
