/**
 * Programs that are large: results of more elements than 65,535 workgroups make (a workgroup has at most 256 threads), rows
 * of which there are more than that, and sums of a million terms.
 */
import { lax, type NDArray } from "fluxion";
import { type ConcreteArray, concreteArray } from "../../src/core/array.js";
import { sizeOf } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import type { DType, TypedArray } from "../../src/core/dtype.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { randomBits } from "../unit/compiler/ulps.js";
import type { DeviceUnderTest } from "./bounds.js";

export interface Large {
  readonly name: string;
  readonly jaxpr: () => Jaxpr;
  readonly inputs: () => readonly ConcreteArray[];
  /** Threads of a workgroup at most; default: as many as the device has. */
  readonly threads: number | undefined;
}

/** One more than 65,536 workgroups of 256 threads have. */
const many = 65_536 * 256 + 1;
const rows = 65_537;

type Body = (...inputs: NDArray[]) => NDArray;

const large = (
  name: string,
  inputs: () => readonly ConcreteArray[],
  body: Body,
  threads?: number,
): Large => ({
  name,
  threads,
  inputs,
  jaxpr: () =>
    buildJaxpr(
      name,
      inputs().map((x) => x.aval),
      (xs) => [body(...xs)],
    ),
});

/** Small whole numbers, with which everything is exact. */
const whole = (shape: readonly number[], dtype: DType = "float32", seed = 1) => {
  const bits = randomBits(seed);
  return concreteArray(
    Array.from({ length: sizeOf(shape) }, () => bits() % 8),
    shape,
    dtype,
  );
};

const nothing = (): readonly ConcreteArray[] => [];

/** The numbers 0 ... 6 over and over, in rows; made by the program itself. */
const table = (columns: number): NDArray =>
  lax.convertElementType(
    lax.reshape(lax.rem(lax.iota("int32", rows * columns), 7), [rows, columns]),
    "float32",
  );

export const largePrograms: readonly Large[] = [
  large(
    "neg of many elements",
    () => [
      concreteArray(
        Float32Array.from({ length: many }, (_, i) => i % 1000),
        [many],
        "float32",
      ),
    ],
    (x) => lax.neg(x),
  ),
  large("iota", nothing, () => lax.bitwiseXor(lax.iota("uint32", many), 0x5a5a5a)),
  large("concatenate", nothing, () =>
    lax.concatenate([lax.iota("int32", many - 7), lax.neg(lax.iota("int32", 7))], 0),
  ),
  large("transpose", nothing, () =>
    lax.transpose(lax.reshape(lax.iota("int32", 4097 * 4099), [4097, 4099]), [1, 0]),
  ),
  large(
    "gather",
    () => [whole([1000, 64])],
    (x) =>
      lax.gather(x, lax.reshape(lax.rem(lax.iota("int32", 4 * rows), 1003), [4 * rows, 1]), {
        offsetDims: [1],
        collapsedSliceDims: [0],
        startIndexMap: [0],
        sliceSizes: [1, 64],
        mode: "clip",
      }),
  ),
  // A workgroup for each row. Threads that wait for each other are so slow on SwiftShader that there may be but two.
  large("reduceSum of rows", nothing, () => lax.reduceSum(table(257), [1]), 2),
  large("reduceMax of columns", nothing, () => lax.reduceMax(table(33), [0])),
  large("argmax of short rows", nothing, () => lax.argmax(table(33), 1)),
  large(
    "cumsum of rows",
    () => [whole([rows, 5])],
    (x) => lax.cumsum(x, { axis: 1 }),
  ),
  large(
    "sort of rows",
    () => [whole([rows, 5])],
    (x) => lax.sort(x, { dimension: 1 }),
  ),
  large(
    "a batch of products",
    () => [whole([rows, 2, 3]), whole([rows, 3, 2], "float32", 2)],
    (x, y) => lax.dotGeneral(x, y, { contracting: [[2], [1]], batch: [[0], [0]] }),
  ),
  large(
    "scatterAdd of rows",
    () => [whole([rows, 3]), whole([100_003, 3], "float32", 2)],
    (x, updates) =>
      lax.scatterAdd(x, lax.reshape(lax.rem(lax.iota("int32", 100_003), rows - 2), [100_003, 1]), updates, {
        updateWindowDims: [1],
        insertedWindowDims: [0],
        scatterDimsToOperandDims: [0],
        mode: "drop",
      }),
  ),
];

// ---------------------------------------------------------------------------------------------------------------------
// A million terms
// ---------------------------------------------------------------------------------------------------------------------

const million = 1_000_000;

/** A million positive terms: equal ones, ones between 0 and 1, and ones of six orders of magnitude. */
export const terms: Readonly<Record<string, () => Float32Array>> = {
  equal: () => new Float32Array(million).fill(0.1),
  "between 0 and 1": () => {
    const bits = randomBits(3);
    return Float32Array.from({ length: million }, () => bits() / 2 ** 32);
  },
  "of all sizes": () => {
    const bits = randomBits(4);
    return Float32Array.from({ length: million }, () => 10 ** ((bits() / 2 ** 32) * -6));
  },
};

/** A way to add them up, and what its relative error must stay below. */
interface Sum {
  /** Gives an array of which the last element is the sum of all terms. */
  readonly add: Body;
  readonly bound: Readonly<Record<DeviceUnderTest, number>>;
}

const everywhere = (bound: number): Sum["bound"] => ({ wasm: bound, webgpu: bound });

export const sums: Readonly<Record<string, Sum>> = {
  reduceSum: { add: (x) => lax.reduceSum(x, [0]), bound: everywhere(1e-6) },
  "reduceSum of a column": {
    add: (x) => lax.reduceSum(lax.reshape(x, [million, 1]), [0]),
    bound: everywhere(1e-6),
  },
  "reduceSum of two columns": {
    add: (x) => lax.reduceSum(lax.broadcastInDim(x, [million, 2], [0]), [0]),
    bound: everywhere(1e-6),
  },
  "reduceSum of a square": {
    add: (x) => lax.reduceSum(lax.reshape(x, [1000, 1000]), [0, 1]),
    bound: everywhere(1e-6),
  },
  "reduceSum of products": {
    add: (x) => lax.reduceSum(lax.mul(lax.add(x, 0), lax.div(x, x)), [0]),
    bound: everywhere(1e-6),
  },
  cumsum: { add: (x) => lax.cumsum(x), bound: everywhere(1e-6) },
  "dotGeneral with ones": {
    add: (x) => lax.dotGeneral(x, lax.fullLike(x, 1), { contracting: [[0], [0]] }),
    bound: everywhere(1e-6),
  },
};

/** The error of the last one of `values` as the sum of the terms, which is computed with twice the digits of a double. */
export function relativeError(values: TypedArray, all: TypedArray): number {
  let [sum, lost] = [0, 0];
  for (const x of all) {
    const next = sum + x;
    const rounded = next - sum;
    lost += sum - (next - rounded) + (x - rounded);
    sum = next;
  }
  const exact = sum + lost;
  return Math.abs(values[values.length - 1] - exact) / exact;
}
