/** Convolution by its definition: the oracle of the tests. */
import type { NDArray } from "../../../src/core/array.js";
import { type Shape, stridesOf } from "../../../src/core/aval.js";
import type { ConvParams } from "../../../src/primitives/conv.js";
import { list } from "./arrays.js";

/** All indices into an array of the given shape, in row-major order. */
const indices = (shape: Shape): number[][] =>
  shape.reduce<number[][]>(
    (all, n) => all.flatMap((i) => Array.from({ length: n }, (_, k) => [...i, k])),
    [[]],
  );

const at = (x: NDArray, values: readonly number[], index: readonly number[]): number =>
  values[stridesOf(x.shape).reduce((offset, step, a) => offset + step * index[a], 0)];

/** Puts the entries for batch, feature and space where a spec says. */
export const place = (spec: readonly number[], entries: readonly number[]): number[] =>
  spec.map((_, axis) => entries[spec.indexOf(axis)]);

/**
 * The definition, step by step: an image with its dilation and padding written out as zeros, a window that slides over
 * it. Slow, and of another build than the code under test, which skips what is not there.
 */
export function byDefinition(
  lhs: NDArray,
  rhs: NDArray,
  params: ConvParams,
): { shape: number[]; values: number[] } {
  const { windowStrides, padding, lhsDilation, rhsDilation, dimensionNumbers } = params;
  const { featureGroupCount, batchGroupCount } = params;
  const { lhsSpec, rhsSpec, outSpec } = dimensionNumbers;
  const [batch, features, ...image] = lhsSpec.map((a) => lhs.shape[a]);
  const [outputs, inputs, ...window] = rhsSpec.map((a) => rhs.shape[a]);
  const x = list(lhs);
  const w = list(rhs);
  const dilate = (n: number, by: number) => Math.max(0, (n - 1) * by + 1);
  const padded = image.map((n, d) => dilate(n, lhsDilation[d]) + padding[d][0] + padding[d][1]);
  /** The image with zeros written out, for one example and feature. */
  const paper = (n: number, c: number) =>
    new Map(
      indices(image).map((i) => [
        i.map((k, d) => k * lhsDilation[d] + padding[d][0]).join(),
        at(lhs, x, place(lhsSpec, [n, c, ...i])),
      ]),
    );
  const papers = Array.from({ length: batch }, (_, n) =>
    Array.from({ length: features }, (__, c) => paper(n, c)),
  );
  const places = padded.map((n, d) => {
    const starts: number[] = [];
    for (let o = 0; o + dilate(window[d], rhsDilation[d]) <= n; o += windowStrides[d]) starts.push(o);
    return starts;
  });
  const outSizes = [batch / batchGroupCount, outputs, ...places.map((p) => p.length)];
  const shape = place(outSpec, outSizes);
  const values = indices(shape).map((index) => {
    const [n, f, ...o] = outSpec.map((a) => index[a]);
    const featureGroup = Math.floor(f / (outputs / featureGroupCount));
    const batchGroup = Math.floor(f / (outputs / batchGroupCount));
    let sum = 0;
    for (let c = 0; c < inputs; c++)
      for (const k of indices(window)) {
        const where = k.map((j, d) => places[d][o[d]] + j * rhsDilation[d]).join();
        const pixel =
          papers[batchGroup * (batch / batchGroupCount) + n][featureGroup * inputs + c].get(where) ?? 0;
        sum += pixel * at(rhs, w, place(rhsSpec, [f, c, ...k]));
      }
    return sum;
  });
  return { shape, values };
}
