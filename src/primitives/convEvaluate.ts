/**
 * The numbers behind convGeneralDilated: direct loops, which visit only elements that are there. Zeros of the padding
 * and between dilated elements are never multiplied.
 */

import type { ConcreteArray } from "../core/array.js";
import { type Aval, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { allocate, isFloat, settle, type TypedArray } from "../core/dtype.js";
import { type ConvParams, lengths } from "./convShape.js";
import { offsets } from "./dotEvaluate.js";

/**
 * Along one spatial axis, for each place of the window: which of its elements meet an element of the image. They are
 * evenly spaced: the first, how many, and the steps in window and image from one to the next.
 */
interface Meetings {
  readonly tap: Int32Array;
  readonly pixel: Int32Array;
  readonly count: Int32Array;
  readonly tapStep: number;
  readonly pixelStep: number;
}

/**
 * Element k of the window at place o meets element i of the image if o·stride + k·rhsDilation = low + i·lhsDilation.
 * The solutions k of this congruence, if there are any, are lhsDilation / gcd(lhsDilation, rhsDilation) apart.
 */
function meetings(places: number, image: number, window: number, d: number, params: ConvParams): Meetings {
  const stride = params.windowStrides[d];
  const lhsDilation = params.lhsDilation[d];
  const rhsDilation = params.rhsDilation[d];
  const common = gcd(lhsDilation, rhsDilation);
  const tapStep = lhsDilation / common;
  const tap = new Int32Array(places);
  const pixel = new Int32Array(places);
  const count = new Int32Array(places);
  for (let o = 0; o < places; o++) {
    const base = o * stride - params.padding[d][0];
    let k = Math.max(0, Math.ceil(-base / rhsDilation));
    const limit = k + tapStep;
    while (k < limit && (base + k * rhsDilation) % lhsDilation !== 0) k++;
    const last = Math.min(window - 1, Math.floor(((image - 1) * lhsDilation - base) / rhsDilation));
    if (k === limit || last < k) continue;
    tap[o] = k;
    pixel[o] = (base + k * rhsDilation) / lhsDilation;
    count[o] = Math.floor((last - k) / tapStep) + 1;
  }
  return { tap, pixel, count, tapStep, pixelStep: rhsDilation / common };
}

/** Rows of the window shorter than this are not worth a loop of their own. */
const shortRow = 8;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

export function allMeetings(lhs: Shape, rhs: Shape, out: Shape, params: ConvParams): Meetings[] {
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const places = lengths(out, outSpec).slice(2);
  const image = lengths(lhs, lhsSpec).slice(2);
  const window = lengths(rhs, rhsSpec).slice(2);
  return places.map((n, d) => meetings(n, image[d], window[d], d, params));
}

/** How many products of two elements go into the result. */
export function convProducts(lhs: Shape, rhs: Shape, out: Shape, params: ConvParams): number {
  const { rhsSpec, outSpec } = params.dimensionNumbers;
  let products = out[outSpec[0]] * rhs[rhsSpec[0]] * rhs[rhsSpec[1]];
  for (const { count } of allMeetings(lhs, rhs, out, params))
    products *= count.reduce((total, n) => total + n, 0);
  return products;
}

/**
 * Runs: pieces of a row of the window that meet a row of the image, for each place in the result. The runs of place p
 * are numbered from `first[p]` up to `first[p + 1]`; each has the offset of its first element in image and window, and
 * a length. From one element to the next it is `imageStep` and `windowStep`.
 */
interface Runs {
  readonly first: Int32Array;
  readonly image: Int32Array;
  readonly window: Int32Array;
  readonly length: Int32Array;
  readonly imageStep: number;
  readonly windowStep: number;
}

/** Combines what meets along each axis; the axis `along` (if any) gives the runs, others are spelt out by element. */
function makeRuns(
  axes: readonly Meetings[],
  imageStrides: readonly number[],
  windowStrides: readonly number[],
  along: number,
): Runs {
  let runs: Runs = {
    first: Int32Array.of(0, 1),
    image: new Int32Array(1),
    window: new Int32Array(1),
    length: Int32Array.of(1),
    imageStep: 0,
    windowStep: 0,
  };
  for (const [d, axis] of axes.entries()) {
    const isRun = d === along;
    const perPlace = isRun ? axis.count.map((n) => Math.min(n, 1)) : axis.count;
    const places = runs.first.length - 1;
    const total = runs.image.length * perPlace.reduce((sum, n) => sum + n, 0);
    const first = new Int32Array(places * perPlace.length + 1);
    const image = new Int32Array(total);
    const window = new Int32Array(total);
    const length = new Int32Array(total);
    const imageStep = axis.pixelStep * imageStrides[d];
    const windowStep = axis.tapStep * windowStrides[d];
    let at = 0;
    let place = 0;
    for (let p = 0; p < places; p++)
      for (let o = 0; o < perPlace.length; o++) {
        for (let r = runs.first[p]; r < runs.first[p + 1]; r++)
          for (let j = 0; j < perPlace[o]; j++) {
            image[at] = runs.image[r] + axis.pixel[o] * imageStrides[d] + j * imageStep;
            window[at] = runs.window[r] + axis.tap[o] * windowStrides[d] + j * windowStep;
            length[at++] = isRun ? axis.count[o] : runs.length[r];
          }
        first[++place] = at;
      }
    runs = isRun
      ? { first, image, window, length, imageStep, windowStep }
      : { ...runs, first, image, window, length };
  }
  return runs;
}

/** One block of work: a group of output features for one element of the batch. */
interface Block {
  /** Offsets of the first input feature in lhs, of the first output feature in rhs and in the result. */
  image: number;
  window: number;
  out: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Strides of the features. */
  readonly imageFeature: number;
  readonly windowInput: number;
  readonly windowOutput: number;
  readonly outFeature: number;
}

/** Elements of the result, in row-major order. */
export function convValues(
  lhs: ConcreteArray,
  rhs: ConcreteArray,
  params: ConvParams,
  out: Aval,
): TypedArray {
  const { featureGroupCount, batchGroupCount, dimensionNumbers } = params;
  const { lhsSpec, rhsSpec, outSpec } = dimensionNumbers;
  const [imageBatch, imageFeature, ...imageStrides] = lengths(stridesOf(lhs.shape), lhsSpec);
  const [windowOutput, windowInput, ...windowStrides] = lengths(stridesOf(rhs.shape), rhsSpec);
  const [outBatch, outFeature, ...outStrides] = lengths(stridesOf(out.shape), outSpec);
  const [batch, , ...places] = lengths(out.shape, outSpec);
  const groups = featureGroupCount * batchGroupCount;
  const inputs = rhs.shape[rhsSpec[1]];
  const outputs = rhs.shape[rhsSpec[0]] / groups;
  const lastAxis = places.length - 1;
  const row = rhs.shape[rhsSpec[lastAxis + 2]] ?? 1;
  const spatial = allMeetings(lhs.shape, rhs.shape, out.shape, params);
  // A window with short rows (1×1, say) has longer runs along the input features.
  const alongFeatures = row < shortRow && inputs > row;
  const found = makeRuns(spatial, imageStrides, windowStrides, alongFeatures ? -1 : lastAxis);
  const runs = alongFeatures
    ? { ...found, length: found.length.fill(inputs), imageStep: imageFeature, windowStep: windowInput }
    : found;
  const targets = offsets(places, outStrides);
  const values = allocate(out.dtype, sizeOf(out.shape));
  const block: Block = {
    image: 0,
    window: 0,
    out: 0,
    inputs: alongFeatures ? 1 : inputs,
    outputs,
    imageFeature,
    windowInput,
    windowOutput,
    outFeature,
  };
  const eachBlock = (work: () => void): void => {
    for (let n = 0; n < batch; n++)
      for (let g = 0; g < groups; g++) {
        // Groups lie one after the other along the features of lhs, or along its batch.
        block.image =
          batchGroupCount > 1 ? (g * batch + n) * imageBatch : n * imageBatch + g * inputs * imageFeature;
        block.window = g * outputs * windowOutput;
        block.out = n * outBatch + g * outputs * outFeature;
        work();
      }
  };
  if (isFloat(out.dtype)) {
    const sums = values instanceof Float64Array ? values : new Float64Array(values.length);
    const image = doubles(lhs.values);
    const window = doubles(rhs.values);
    eachBlock(() => convolve(image, window, sums, targets, runs, block));
    if (sums !== values) values.set(sums);
    return settle(out.dtype, values);
  }
  const sums = new Int32Array(values.length);
  const image = new Int32Array(lhs.values);
  const window = new Int32Array(rhs.values);
  eachBlock(() => convolveIntegers(image, window, sums, targets, runs, block));
  values.set(sums);
  return values;
}

const doubles = (values: TypedArray): Float64Array =>
  values instanceof Float64Array ? values : new Float64Array(values);

/** Four output features at a time, so that each element of the image is loaded once for four products. */
function convolve(
  image: Float64Array,
  window: Float64Array,
  out: Float64Array,
  targets: Int32Array,
  runs: Runs,
  block: Block,
): void {
  const { imageStep, windowStep } = runs;
  const { inputs, outputs, imageFeature, windowInput, windowOutput, outFeature } = block;
  for (let f = 0; f < outputs; f += 4) {
    const w0 = block.window + f * windowOutput;
    const target = block.out + f * outFeature;
    if (outputs - f < 4) {
      for (let r = 0; r < outputs - f; r++)
        convolveOne(image, window, out, targets, runs, block, w0 + r * windowOutput, target + r * outFeature);
      return;
    }
    for (let p = 0; p < targets.length; p++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let c = 0; c < inputs; c++) {
        const fromImage = block.image + c * imageFeature;
        const fromWindow = w0 + c * windowInput;
        for (let r = runs.first[p]; r < runs.first[p + 1]; r++) {
          let i = fromImage + runs.image[r];
          let k0 = fromWindow + runs.window[r];
          let k1 = k0 + windowOutput;
          let k2 = k1 + windowOutput;
          let k3 = k2 + windowOutput;
          // Each run is added up on its own: the error grows with their number, not with that of the products.
          let t0 = 0;
          let t1 = 0;
          let t2 = 0;
          let t3 = 0;
          for (let left = runs.length[r]; left > 0; left--) {
            const x = image[i];
            t0 += x * window[k0];
            t1 += x * window[k1];
            t2 += x * window[k2];
            t3 += x * window[k3];
            i += imageStep;
            k0 += windowStep;
            k1 += windowStep;
            k2 += windowStep;
            k3 += windowStep;
          }
          s0 += t0;
          s1 += t1;
          s2 += t2;
          s3 += t3;
        }
      }
      const at = target + targets[p];
      out[at] = s0;
      out[at + outFeature] = s1;
      out[at + 2 * outFeature] = s2;
      out[at + 3 * outFeature] = s3;
    }
  }
}

/** One output feature. */
function convolveOne(
  image: Float64Array,
  window: Float64Array,
  out: Float64Array,
  targets: Int32Array,
  runs: Runs,
  block: Block,
  windowAt: number,
  target: number,
): void {
  const { imageStep, windowStep } = runs;
  for (let p = 0; p < targets.length; p++) {
    let sum = 0;
    for (let c = 0; c < block.inputs; c++) {
      const fromImage = block.image + c * block.imageFeature;
      const fromWindow = windowAt + c * block.windowInput;
      for (let r = runs.first[p]; r < runs.first[p + 1]; r++) {
        let i = fromImage + runs.image[r];
        let k = fromWindow + runs.window[r];
        let part = 0;
        for (let left = runs.length[r]; left > 0; left--) {
          part += image[i] * window[k];
          i += imageStep;
          k += windowStep;
        }
        sum += part;
      }
    }
    out[target + targets[p]] = sum;
  }
}

/** The same for integers: the low 32 bits of the products are added up, and wrap around. */
function convolveIntegers(
  image: Int32Array,
  window: Int32Array,
  out: Int32Array,
  targets: Int32Array,
  runs: Runs,
  block: Block,
): void {
  const { imageStep, windowStep } = runs;
  for (let f = 0; f < block.outputs; f++)
    for (let p = 0; p < targets.length; p++) {
      let sum = 0;
      for (let c = 0; c < block.inputs; c++) {
        const fromImage = block.image + c * block.imageFeature;
        const fromWindow = block.window + f * block.windowOutput + c * block.windowInput;
        for (let r = runs.first[p]; r < runs.first[p + 1]; r++) {
          let i = fromImage + runs.image[r];
          let k = fromWindow + runs.window[r];
          for (let left = runs.length[r]; left > 0; left--) {
            sum = (sum + Math.imul(image[i], window[k])) | 0;
            i += imageStep;
            k += windowStep;
          }
        }
      }
      out[block.out + f * block.outFeature + targets[p]] = sum;
    }
}
