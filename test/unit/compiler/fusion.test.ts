/** How many kernels programs become, that these compute what the programs do, and the reasons for every boundary. */
import {
  type Boundary,
  definePrimitive,
  grad,
  jit,
  type NDArray,
  nn,
  numpy as np,
  ShapeDtype,
  tree,
  valueAndGrad,
  vmap,
} from "fluxion";
import { right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { initialise, objective, type Params } from "../../../docs/examples/mnist/model.js";
import { type CompileOptions, compile, wasmOptions, webgpuOptions } from "../../../src/compiler/compile.js";
import { describeProgram } from "../../../src/compiler/describe.js";
import { planBuffers } from "../../../src/compiler/plan.js";
import type { ConcreteArray } from "../../../src/core/array.js";
import { bind } from "../../../src/core/trace.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import type { Fn } from "../../../src/transforms/types.js";
import { array, checkProgram } from "./lowered.js";

const targets = [wasmOptions, webgpuOptions];

const shape = (...lengths: number[]): ShapeDtype => new ShapeDtype(lengths);

const jaxprOf = (f: Fn, args: readonly unknown[]) => makeJaxpr(f)(...(args as [])).jaxpr;

/** The kernels that a function becomes on each target: their number, if nothing runs on the host. */
function kernelCounts(f: Fn, ...args: readonly unknown[]): number[] {
  return targets.map((options) => {
    const { steps } = compile(jaxprOf(f, args), options);
    expect(steps.every((s) => s.kind === "kernel")).toBe(true);
    return steps.length;
  });
}

/** The kernels give what the `evaluate` rules give, on small arguments. */
function checkValues(f: Fn, ...args: readonly NDArray[]): void {
  checkProgram(jaxprOf(f, args), args as readonly ConcreteArray[], { tolerance: 1e-5 });
}

const chain = (x: NDArray): NDArray => {
  let y = x;
  for (let i = 0; i < 50; i++) y = [np.sin, np.square, np.negative, np.tanh][i % 4](y).add(i / 50);
  return y;
};

const layerNorm = (x: NDArray): NDArray => {
  const centred = x.sub(np.mean(x, { axis: -1, keepdims: true }));
  const variance = np.mean(np.square(centred), { axis: -1, keepdims: true });
  return centred.div(np.sqrt(variance.add(1e-5)));
};

/** A step of gradient descent on the objective of the MNIST example. */
const step = (params: Params, x: NDArray, y: NDArray, rate: NDArray) => {
  const [loss, gradient] = valueAndGrad(objective)(params, x, y);
  return { loss, params: tree.map((w: NDArray, g: NDArray) => w.sub(g.mul(rate)), params, gradient) };
};

describe("the number of kernels", () => {
  it("a chain of elementwise operations is one", () => {
    expect(kernelCounts(chain, shape(64, 100))).toEqual([1, 1]);
    expect(kernelCounts((x: NDArray) => vmap(chain)(np.transpose(x)).reshape(-1), shape(64, 100))).toEqual([
      1, 1,
    ]);
    checkValues(chain, array([3, 5]));
  });

  it("its gradient is one", () => {
    const f = (x: NDArray): NDArray => grad((v: NDArray) => np.sum(np.sin(v).mul(np.tanh(v))))(x);
    expect(kernelCounts(f, shape(1000))).toEqual([1, 1]);
    checkValues(f, array([7]));
  });

  it("sums that need the same costly values are one, if they need the same elements", () => {
    const sums = (x: NDArray, t: NDArray): NDArray[] => {
      const y = np.sin(x);
      return [np.sum(y.mul(x)), np.sum(np.cos(x).mul(x).add(y).mul(t))];
    };
    expect(compile(jaxprOf(sums, [shape(1000), shape(1000)]), wasmOptions).steps).toHaveLength(1);
    checkValues(sums, array([70]), array([70]));
    const others = (x: NDArray): NDArray[] => [np.sum(np.sin(x).mul(x)), np.sum(np.flip(np.sin(x)).mul(x))];
    expect(compile(jaxprOf(others, [shape(1000)]), wasmOptions).steps).toHaveLength(2);
    checkValues(others, array([70]));
  });

  it("softmax over rows is one, as is normalising rows", () => {
    for (const f of [nn.softmax, nn.logSoftmax, layerNorm]) {
      const rows = (x: NDArray): NDArray => f(x);
      for (const [n, m] of [
        [64, 10],
        [64, 5000],
        [4096, 512],
      ])
        expect(kernelCounts(rows, shape(n, m)), `${f.name} of ${n} rows of ${m}`).toEqual([1, 1]);
      checkValues(rows, array([5, 7]));
      checkValues(rows, array([3, 300]));
    }
  });

  it("a softmax of few long rows, or of one, is at most four", () => {
    const f = (x: NDArray): NDArray => nn.softmax(x);
    for (const count of [...kernelCounts(f, shape(100_000)), ...kernelCounts(f, shape(2, 100_000))])
      expect(count).toBeLessThanOrEqual(4);
    checkValues(f, array([17_000]));
  });

  it("reductions over the same elements are one", () => {
    const f = (x: NDArray) => [np.max(x, 1), np.sum(np.exp(x), 1), np.sum(np.square(x), 1), np.min(x, 1)];
    expect(kernelCounts(f, shape(100, 80))).toEqual([1, 1]);
    checkValues(f as Fn, array([4, 6]));
  });

  it("a step of training on MNIST is at most 16, sums for the penalty and updates included", () => {
    const params = { W1: shape(128, 784), W2: shape(10, 128) };
    const labels = new ShapeDtype([64], "int32");
    for (const count of kernelCounts(step, params, shape(64, 784), labels, shape())) {
      expect(count).toBeLessThanOrEqual(16);
      // Five products, and sums over three different shapes.
      expect(count).toBeGreaterThanOrEqual(8);
    }
  });

  it("a step with biases, and weights on the right, is at most 16 dispatches too", () => {
    type Weights = { readonly w: NDArray; readonly b: NDArray }[];
    const loss = (layers: Weights, x: NDArray, y: NDArray): NDArray => {
      const hidden = nn.relu(x.matmul(layers[0].w).add(layers[0].b));
      const logits = hidden.matmul(layers[1].w).add(layers[1].b);
      const entropy = np.mean(np.sum(nn.logSoftmax(logits).mul(y), 1)).neg();
      const penalty = np.sum(np.square(layers[0].w)).add(np.sum(np.square(layers[1].w)));
      return entropy.add(penalty.mul(1e-4));
    };
    const update = (layers: Weights, x: NDArray, y: NDArray) => {
      const [value, gradient] = valueAndGrad(loss)(layers, x, y);
      return { value, layers: tree.map((v: NDArray, g: NDArray) => v.sub(g.mul(0.1)), layers, gradient) };
    };
    const layers = [
      { w: shape(784, 128), b: shape(128) },
      { w: shape(128, 10), b: shape(10) },
    ];
    const [cpu, gpu] = kernelCounts(update, layers, shape(64, 784), shape(64, 10));
    expect(gpu).toBeLessThanOrEqual(16);
    // There some products pack their operands first.
    expect(cpu).toBeLessThanOrEqual(20);
  });

  it("the kernels of that step compute the step", () => {
    const { W1, W2 } = initialise(np.array([0, 7], { dtype: "uint32" }), 12, 6);
    const flat = (w1: NDArray, w2: NDArray, x: NDArray, y: NDArray, rate: NDArray) =>
      step({ W1: w1, W2: w2 }, x, y, rate);
    const y = np.array([0, 9, 3, 3, 1], { dtype: "int32" });
    checkValues(flat as Fn, W1, W2, array([5, 12]), y, np.array(0.1));
  });

  it("turning a product is no kernel", () => {
    const loss = (w: NDArray, x: NDArray): NDArray => np.sum(np.square(x.matmul(w)));
    const names = targets.map((options) =>
      describeSteps(grad(loss), options, shape(20, 5), shape(32, 20)).steps.map((s) => s.name),
    );
    for (const found of names) expect(found.some((name) => name.includes("transpose"))).toBe(false);
    checkValues(grad(loss), array([4, 3]), array([5, 4]));
    // As it is asked for, in a batch, twice over, and beside the product as it was.
    const products: Fn[] = [
      (x: NDArray, y: NDArray) => np.matmul(x, y).mT,
      (x: NDArray, y: NDArray) => np.matmul(x, y).mT.mT.mul(2),
      (x: NDArray, y: NDArray) => [np.matmul(x, y), np.matmul(x, y).mT],
      (x: NDArray, y: NDArray) => np.transpose(np.matmul(x, y), [1, 0, 2]),
      (x: NDArray, y: NDArray) => np.transpose(np.matmul(x, y), [2, 0, 1]),
    ];
    for (const f of products) checkValues(f, array([2, 3, 4]), array([2, 4, 3]));
    checkValues(
      (x: NDArray, y: NDArray) => np.transpose(np.tensordot(x, y, 1), [2, 0, 1]),
      array([2, 3, 4]),
      array([4, 5]),
    );
    checkValues(
      (x: NDArray, y: NDArray) => np.transpose(np.tensordot(x, y, 1), [0, 2, 1]),
      array([2, 3, 4]),
      array([4, 5]),
    );
  });

  it("what only the epilogue of a product reads is not stored", () => {
    const f = (x: NDArray, w: NDArray, b: NDArray): NDArray => nn.relu(x.matmul(w).add(b));
    for (const options of targets) {
      const { steps } = compile(jaxprOf(f, [shape(64, 32), shape(32, 48), shape(48)]), options);
      const last = describeSteps(f, options, shape(64, 32), shape(32, 48), shape(48)).steps.at(-1);
      expect(steps.length).toBeLessThanOrEqual(2);
      expect(last?.buffers.filter((b) => b.access === "write").map((b) => b.size)).toEqual([64 * 48]);
    }
    checkValues(f, array([4, 5]), array([5, 6], "float32", 2), array([6]));
  });
});

function describeSteps(f: Fn, options: CompileOptions, ...args: readonly unknown[]) {
  const bytesOf = ({ size }: { readonly size: number }): number => 4 * size;
  return describeProgram(jaxprOf(f, args), "", {
    device: options.target,
    options,
    language: options.target === "wasm" ? "wat" : "wgsl",
    print: (kernel) => kernel.name,
    bytesOf,
    plan: (program) => planBuffers(program, bytesOf),
    prepare: () => {},
  });
}

const withoutRule = definePrimitive({
  name: "withoutLowerRule",
  family: "test",
  summary: "the operand as it is",
  abstractEval: (inputs) => right(inputs),
  evaluate: (inputs) => inputs,
  jvp: (primals, tangents) => ({ outputs: primals, tangents }),
  batch: (_, inputs, batched) => ({ outputs: inputs, batched }),
  cost: () => ({ operations: 0, multiplications: 0, transcendentals: 0 }),
  laws: { differentiable: false, examples: [] },
});
const onHost = (x: NDArray): NDArray => bind(withoutRule, [x], {})[0];

const repeat = (x: NDArray, times: number): NDArray => {
  let y = x;
  for (let i = 0; i < times; i++) y = i % 2 === 0 ? y.mul(y) : y.add(1.5);
  return y;
};

const many = (count: number, make: (i: number) => ShapeDtype): ShapeDtype[] =>
  Array.from({ length: count }, (_, i) => make(i));

type Case = [
  name: string,
  f: Fn,
  args: readonly ShapeDtype[],
  value: string,
  reasons: readonly string[],
  options?: CompileOptions,
];

const cases: Case[] = [
  [
    "an output, and a reduction that leaves one row",
    (x: NDArray) => [np.sin(x), np.sum(np.sin(x))],
    [shape(200, 200)],
    "sin float32[200,200]",
    [
      "sin is an output of the program",
      "reduceSum cannot join: [200,200] reduced over axes 0, 1 leaves 1 row, too few to run row by row",
    ],
  ],
  [
    "several users of something costly, and a reduction across rows",
    (x: NDArray) => [np.sum(np.sin(x), 0), np.sum(np.sin(x), 1)],
    [shape(200, 200)],
    "sin float32[200,200]",
    [
      "sin is used by 2 operations and costs 11 additions an element",
      "reduceSum cannot join: [200,200] reduced over axis 0 would walk across the rows",
    ],
  ],
  [
    "an operand that would be computed many times",
    (x: NDArray, y: NDArray) => np.sin(x).mul(y),
    [shape(200), shape(300, 200)],
    "sin float32[200]",
    [
      "broadcastInDim would compute elements of sin several times, for 11 additions each",
      "mul cannot join: its index space is [300,200], that of the kernel [200]",
    ],
  ],
  [
    "the operand of a product",
    (x: NDArray, w: NDArray) => np.sin(x).matmul(w),
    [shape(64, 64), shape(64, 64)],
    "sin float32[64,64]",
    [
      "dotGeneral would compute elements of sin several times, for 11 additions each",
      "the kernels of dotGeneral cannot be part of an earlier one",
    ],
    webgpuOptions,
  ],
  [
    "a reduction after a product",
    (x: NDArray, w: NDArray) => np.sum(x.matmul(w), 1),
    [shape(64, 64), shape(64, 64)],
    "dotGeneral float32[64,64]",
    [
      "what dotGeneral gives is stored",
      "reduceSum cannot join: dotGeneral takes in only what follows for single elements",
    ],
  ],
  [
    "large expressions",
    (x: NDArray) => np.sum(repeat(x, 200)),
    [shape(200, 200)],
    "add float32[200,200]",
    [
      "add ends an expression that is large enough",
      "reduceSum cannot join: [200,200] reduced over axes 0, 1 leaves 1 row, too few to run row by row",
    ],
  ],
  [
    "large kernels",
    (x: NDArray) => repeat(x, 600),
    [shape(200)],
    "add float32[200]",
    [
      "add ends an expression that is large enough",
      "add cannot join: the kernel would have more than 400 operations",
    ],
  ],
  [
    "too many buffers",
    (...xs: NDArray[]) => xs.reduce((a, b) => a.mul(b)),
    many(12, () => shape(20)),
    "mul float32[20]",
    [
      "mul would read too many buffers, were mul computed in place",
      "mul cannot join: the kernel would use 14 buffers, more than the limit",
    ],
    webgpuOptions,
  ],
  [
    "other elements",
    (x: NDArray) => np.sin(x).add(np.flip(np.sin(x))),
    [shape(200)],
    "sin float32[200]",
    [
      "sin is used by 2 operations and costs 11 additions an element",
      "add cannot join: it reads other elements of float32[200] than the one at hand",
    ],
  ],
  [
    "what comes only after a reduction",
    (x: NDArray) => np.sin(x).sub(np.sum(np.sin(x))),
    [shape(200, 200)],
    "sin float32[200,200]",
    [
      "sin is used by 2 operations and costs 11 additions an element",
      "sub cannot join: it also reads float32[] that is made only later",
    ],
  ],
  [
    "too far away",
    (x: NDArray, ...xs: NDArray[]) => [np.sin(x), ...xs.map((y) => np.sum(y)), np.sum(np.sin(x))],
    [shape(200, 200), ...many(14, (i) => shape(100 + i, 200))],
    "sin float32[200,200]",
    ["sin is an output of the program", "reduceSum comes more than 12 kernels later"],
  ],
  [
    "to the host",
    (x: NDArray) => onHost(np.sin(x)),
    [shape(200)],
    "sin float32[200]",
    ["withoutLowerRule has no lower rule, so it runs on the host"],
    wasmOptions,
  ],
  [
    "from the host",
    (x: NDArray) => np.sin(onHost(x)),
    [shape(200)],
    "withoutLowerRule float32[200]",
    ["withoutLowerRule runs on the host", "sin cannot join: withoutLowerRule runs on the host"],
    wasmOptions,
  ],
];

describe("reasons for boundaries", () => {
  it.each(cases)("%s", (_, f, args, value, reasons, only) => {
    for (const options of only === undefined ? targets : [only]) {
      const { steps, boundaries } = describeSteps(f, options, ...args);
      const found = boundaries();
      const told = found.map((b: Boundary) => ({
        value: `${b.value.primitive} ${b.value.type}`,
        reasons: b.reasons,
      }));
      expect(told).toContainEqual({ value, reasons });
      for (const { from, to, bytes } of found) {
        expect(from).toBeLessThan(to);
        const written = steps[from].buffers.filter((b) => b.access !== "read" && b.bytes === bytes);
        const names = new Set(written.map((b) => b.name));
        expect(steps[to].buffers.some((b) => b.access !== "write" && names.has(b.name))).toBe(true);
      }
    }
  });

  it("one kernel has none", () => {
    for (const options of targets) expect(describeSteps(chain, options, shape(8)).boundaries()).toEqual([]);
  });

  it("say where in user code a value was made", () => {
    const lowered = jit((x: NDArray) => [np.sin(x), np.sum(np.sin(x))] as NDArray[]).lower(shape(200, 200));
    expect(lowered.boundaries[0].value.source).toMatch(/fusion\.test\.ts.*:\d+:\d+$/);
  });

  it("there is one for every value that a step reads and an earlier one has stored", () => {
    for (const options of targets) {
      const params = { W1: shape(128, 784), W2: shape(10, 128) };
      const args = [params, shape(64, 784), new ShapeDtype([64], "int32"), shape()];
      const { steps, boundaries } = describeSteps(step, options, ...args);
      const readers = steps.flatMap(({ buffers }, to) =>
        buffers.filter((b) => b.access === "read" && !/^in\d+$/.test(b.name)).map(() => to),
      );
      expect(boundaries().map((b) => b.to)).toEqual(readers);
      expect(boundaries().every((b) => b.reasons.length > 0)).toBe(true);
    }
  });
});
