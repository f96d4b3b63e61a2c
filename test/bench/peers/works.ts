/** The works that are measured: a program, its inputs, what it is to give, and how exactly. */
import type { Inputs, Kind, Sizes } from "./contract.js";
import { uniform } from "./random.js";
import * as reference from "./reference.js";

export interface Work {
  readonly id: string;
  readonly kind: Kind;
  readonly sizes: Sizes;
  readonly inputs: () => Inputs;
  /** Float64, from the inputs. */
  readonly reference: (inputs: Inputs) => readonly Float64Array[];
  /** The largest error of an output that is right, as a part of the largest value in it. */
  readonly tolerance: number;
  /** What fluxion holds itself to, where that is less. */
  readonly strict?: number;
  /** Operations and bytes of one call, where a rate says something. */
  readonly flops?: number;
  readonly bytes?: number;
}

type Range = readonly [number, number];

const array = (name: string, shape: readonly number[], [low, high]: Range = [-1, 1], scale = 1) => {
  const values = uniform(new Float32Array(shape.reduce((a, b) => a * b, 1)), name, low, high);
  return { values: scale === 1 ? values : values.map((x) => x * scale), shape };
};

function matmul(id: string, m: number, k: number, n: number | undefined, wide = false): Work {
  const one = (name: string, shape: readonly number[]) =>
    wide
      ? { values: uniform(new Float64Array(shape[0] * shape[1]), `${id} ${name}`, -1, 1), shape }
      : array(`${id} ${name}`, shape);
  return {
    id,
    kind: wide ? "product64" : n === undefined ? "matvec" : "product",
    sizes: {},
    inputs: () => ({ A: one("A", [m, k]), B: one("B", n === undefined ? [k] : [k, n]) }),
    reference: reference.products,
    tolerance: wide ? 1e-12 : 1e-5,
    flops: 2 * m * k * (n ?? 1),
    ...(n === undefined ? { bytes: 4 * m * k } : {}),
  };
}

function elementwise(id: string, kind: Kind, n: number, range: Range, more: Partial<Work>): Work {
  return {
    id,
    kind,
    sizes: { n },
    inputs: () => ({ X: array(id, [n], range) }),
    reference: reference.waves,
    tolerance: 2e-6,
    bytes: 8 * n,
    ...more,
  };
}

const wave = (label: string, n: number): Work => elementwise(`ew/${label}`, "wave", n, [-3, 3], {});

const sum = (label: string, n: number): Work =>
  elementwise(`sum/${label}`, "sum", n, [0, 1], {
    reference: reference.sums,
    tolerance: 1e-5,
    strict: 1e-6,
    bytes: 4 * n,
  });

function rows(kind: "softmax" | "argmax" | "sort", height: number, width: number): Work {
  const id = `${kind}/${height}x${width}`;
  return {
    id,
    kind,
    sizes: {},
    inputs: () => ({ X: array(id, [height, width], [-4, 4]) }),
    reference: { softmax: reference.softmaxes, argmax: reference.argmaxes, sort: reference.sorts }[kind],
    tolerance: kind === "softmax" ? 1e-5 : 0,
    bytes: (kind === "argmax" ? 4 : 8) * height * width,
  };
}

interface Layers {
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
}

const penalty = 1e-3;

function perceptron(tag: string, layers: Layers, gradient: boolean): Work {
  const { batch, inputs, hidden, classes } = layers;
  const name = (input: string): string => `mlp-${tag} ${input}`;
  const forward = 2 * batch * hidden * (inputs + classes);
  return {
    id: `mlp-${tag}/${gradient ? "grad" : "fwd"}`,
    kind: gradient ? "mlpGrad" : "mlp",
    sizes: { batch, penalty },
    inputs: () => {
      const labels = new Float32Array(batch * classes);
      for (let i = 0; i < batch; i++) labels[i * classes + ((i * 7) % classes)] = 1;
      return {
        X: array(name("X"), [batch, inputs]),
        Y: { values: labels, shape: [batch, classes] },
        W1: array(name("W1"), [inputs, hidden], [-1, 1], inputs ** -0.5),
        b1: array(name("b1"), [hidden], [-0.1, 0.1]),
        W2: array(name("W2"), [hidden, classes], [-1, 1], hidden ** -0.5),
        b2: array(name("b2"), [classes], [-0.1, 0.1]),
      };
    },
    reference: reference.perceptrons(penalty, gradient),
    tolerance: 1e-5,
    strict: gradient ? 1e-5 : 1e-6,
    // By the inputs there is no gradient: one product less than twice the forward ones.
    flops: gradient ? 3 * forward - 2 * batch * hidden * inputs : forward,
  };
}

const scalar = (id: string, kind: Kind, expected: Work["reference"]): Work => ({
  id: `scalar/${id}`,
  kind,
  sizes: {},
  inputs: () => ({ X: { values: Float32Array.of(0.7), shape: [] } }),
  reference: expected,
  tolerance: 1e-6,
});

function sine(label: string, n: number, what: "f" | "grad" | "jvp" | "jacfwd"): Work {
  const by = {
    f: { kind: "sine", reference: reference.sines, tolerance: 2e-5, strict: 1e-6 },
    grad: { kind: "sineGrad", reference: reference.sineSlopes, tolerance: 1e-5 },
    jvp: { kind: "sineJvp", reference: reference.sineTangents, tolerance: 1e-4, strict: 1e-5 },
    jacfwd: { kind: "sineJacfwd", reference: reference.sineSlopes, tolerance: 1e-5 },
  } as const;
  return {
    id: `sine/${label}/${what}`,
    sizes: { n },
    inputs: () => ({
      X: array(`sine ${n} X`, [n]),
      ...(what === "jvp" ? { T: array(`sine ${n} T`, [n]) } : {}),
    }),
    bytes: (what === "f" ? 4 : 8) * n,
    ...by[what],
  };
}

const chain = (length: number): Work => ({
  id: `chain/${length}`,
  kind: "chain",
  sizes: { length },
  inputs: () => ({ X: array("chain", [1000]) }),
  reference: reference.chains(length),
  tolerance: 1e-4,
  flops: 1000 * length,
});

function convolution(layout: "nchw" | "nhwc"): Work {
  const inputs = (): Inputs => ({ X: array("conv X", [8, 32, 64, 64]), W: array("conv W", [64, 32, 3, 3]) });
  const base = {
    id: `conv/${layout}`,
    sizes: {},
    tolerance: 1e-5,
    flops: 2 * 8 * 64 * 64 * 64 * 288,
  };
  if (layout === "nchw") return { ...base, kind: "convNchw", inputs, reference: reference.convolutions };
  return {
    ...base,
    kind: "convNhwc",
    inputs: () => {
      const { X, W } = inputs();
      return {
        X: { values: reference.moved(X.values, X.shape, [0, 2, 3, 1]), shape: [8, 64, 64, 32] },
        W: { values: reference.moved(W.values, W.shape, [2, 3, 1, 0]), shape: [3, 3, 32, 64] },
      };
    },
    reference: () => {
      const [out] = reference.convolutions(inputs());
      return [reference.moved(out, [8, 64, 64, 64], [0, 2, 3, 1])];
    },
  };
}

/** The numbers of inputs on which the modes are compared. */
export const inputCounts: readonly (readonly [label: string, n: number])[] = [
  ["1", 1],
  ["16", 16],
  ["256", 256],
  ["1024", 1024],
  ["1e5", 100_000],
  ["1e6", 1_000_000],
];

/** So many tangents at once are still reasonable. */
export const jacobianAtMost = 1024;

export const works: readonly Work[] = [
  wave("1e6", 1e6),
  wave("1e7", 1e7),
  wave("999999", 999_999),
  sum("1e7", 1e7),
  sum("9999997", 9_999_997),
  rows("argmax", 4096, 1024),
  rows("argmax", 4095, 1025),
  rows("softmax", 4096, 1024),
  rows("softmax", 4095, 1023),
  ...[512, 1023, 1024, 1025, 2048].map((n) => matmul(`matmul/${n}`, n, n, n)),
  matmul("matmul64/1024", 1024, 1024, 1024, true),
  matmul("matvec/4096", 4096, 4096, undefined),
  matmul("matvec/4095", 4095, 4095, undefined),
  convolution("nchw"),
  convolution("nhwc"),
  ...(["fwd", "grad"] as const).flatMap((pass) => [
    perceptron("S", { batch: 128, inputs: 784, hidden: 256, classes: 10 }, pass === "grad"),
    perceptron("L", { batch: 256, inputs: 1024, hidden: 4096, classes: 1024 }, pass === "grad"),
  ]),
  ...inputCounts.flatMap(([label, n]) => [
    sine(label, n, "f"),
    sine(label, n, "jvp"),
    sine(label, n, "grad"),
    ...(n <= jacobianAtMost ? [sine(label, n, "jacfwd")] : []),
  ]),
  scalar("add", "scalarAdd", reference.additions),
  scalar("grad", "scalarGrad", reference.scalarSlopes),
  scalar("grad-jit", "scalarGradJit", reference.scalarSlopes),
  ...[500, 1_000, 10_000].map(chain),
  // Measured on several threads alone.
  wave("1e4", 1e4),
  rows("sort", 4096, 1024),
  elementwise("increment/1e7", "increment", 1e7, [-3, 3], { reference: reference.increments }),
  perceptron("T", { batch: 32, inputs: 64, hidden: 64, classes: 10 }, true),
];

export function workOf(id: string): Work {
  const work = works.find((w) => w.id === id);
  if (work === undefined) throw new Error(`there is no work ${id}`);
  return work;
}

/** The largest error of any output, as a part of the largest value there; NaN and outputs of other lengths are infinitely wrong. */
export function errorOf(got: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  expected.forEach((reference, i) => {
    const output = got[i];
    let [error, scale] = [output.length === reference.length ? 0 : Number.POSITIVE_INFINITY, 0];
    for (let j = 0; j < reference.length; j++) {
      const difference = Math.abs(Number(output[j]) - reference[j]);
      if (!(difference <= error)) error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
      scale = Math.max(scale, Math.abs(reference[j]));
    }
    worst = Math.max(worst, error === 0 ? 0 : error / (scale || 1));
  });
  return worst;
}
