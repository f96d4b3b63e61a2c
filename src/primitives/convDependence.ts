/** Which elements a convolution depends on: those that its window meets, less where the window is known to be zero. */
import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { DependenceOperand, Relation } from "../core/dependence.js";
import { SparsityPattern } from "../core/pattern.js";
import { allMeetings } from "./convEvaluate.js";
import { type ConvParams, lengths } from "./convShape.js";
import { summing } from "./dependence.js";
import { offsets } from "./dotEvaluate.js";

/** Elements of image and window that meet at each place: those of place p are numbered from `first[p]` up to `first[p + 1]`. */
interface Met {
  readonly first: Int32Array;
  readonly pixel: Int32Array;
  readonly tap: Int32Array;
}

/** All that meet, as offsets along the spatial axes, for places in row-major order. */
function meetingsOf(
  [lhs, rhs, out]: readonly [Shape, Shape, Shape],
  params: ConvParams,
  pixelSteps: readonly number[],
  tapSteps: readonly number[],
): Met {
  let met: Met = { first: Int32Array.of(0, 1), pixel: new Int32Array(1), tap: new Int32Array(1) };
  for (const [d, axis] of allMeetings(lhs, rhs, out, params).entries()) {
    const first = [0];
    const pixel: number[] = [];
    const tap: number[] = [];
    for (let p = 0; p + 1 < met.first.length; p++)
      for (let o = 0; o < axis.count.length; o++) {
        for (let m = met.first[p]; m < met.first[p + 1]; m++)
          for (let j = 0; j < axis.count[o]; j++) {
            pixel.push(met.pixel[m] + (axis.pixel[o] + j * axis.pixelStep) * pixelSteps[d]);
            tap.push(met.tap[m] + (axis.tap[o] + j * axis.tapStep) * tapSteps[d]);
          }
        first.push(pixel.length);
      }
    met = { first: Int32Array.from(first), pixel: Int32Array.from(pixel), tap: Int32Array.from(tap) };
  }
  return met;
}

/** The relation of the result to the image (0) or to the window (1). */
export function convRelation(
  operands: readonly [DependenceOperand, DependenceOperand],
  out: Shape,
  params: ConvParams,
  which: 0 | 1,
  limit: number,
): Relation {
  if (!operands[which].active) return "none";
  const lhs = operands[0].aval.shape;
  const rhs = operands[1].aval.shape;
  if ([lhs, rhs, out].some((shape) => sizeOf(shape) === 0)) return "none";
  const { lhsSpec, rhsSpec, outSpec } = params.dimensionNumbers;
  const groups = params.featureGroupCount * params.batchGroupCount;
  const [batch, , ...places] = lengths(out, outSpec);
  const [allOutputs, inputs] = lengths(rhs, rhsSpec);
  const outputs = allOutputs / groups;
  const [lhsBatch, lhsFeature, ...pixelSteps] = lengths(stridesOf(lhs), lhsSpec);
  const [rhsOutput, rhsInput, ...tapSteps] = lengths(stridesOf(rhs), rhsSpec);
  const [outBatch, outFeature, ...outSteps] = lengths(stridesOf(out), outSpec);
  const targets = offsets(places, outSteps);
  const met = meetingsOf([lhs, rhs, out], params, pixelSteps, tapSteps);
  const factors = operands[1 - which].active ? undefined : operands[1 - which].value()?.values;
  const entries = batch * allOutputs * met.pixel.length * inputs;
  // Too many to list: each place depends on all features of what it meets, and these on the sums over them.
  const bySums = entries > limit;
  const rowOf: number[] = [];
  const columnOf: number[] = [];
  const sums = bySums ? featureSums(which === 0 ? lhs : rhs, which === 0 ? lhsSpec : rhsSpec) : undefined;
  if (bySums && batch * allOutputs * met.pixel.length > limit) return "all";
  for (let n = 0; n < batch; n++)
    for (let f = 0; f < allOutputs; f++) {
      const group = Math.floor(f / outputs);
      const image = params.batchGroupCount > 1 ? (group * batch + n) * lhsBatch : n * lhsBatch;
      const feature = params.batchGroupCount > 1 ? 0 : group * inputs;
      for (let p = 0; p < targets.length; p++) {
        const row = n * outBatch + f * outFeature + targets[p];
        for (let m = met.first[p]; m < met.first[p + 1]; m++)
          for (let c = 0; c < (bySums ? 1 : inputs); c++) {
            const inLhs = image + (feature + c) * lhsFeature + met.pixel[m];
            const inRhs = f * rhsOutput + c * rhsInput + met.tap[m];
            if (!bySums && factors !== undefined && factors[which === 0 ? inRhs : inLhs] === 0) continue;
            rowOf.push(row);
            columnOf.push(
              sums === undefined ? (which === 0 ? inLhs : inRhs) : sums.rowOf[which === 0 ? inLhs : inRhs],
            );
          }
      }
    }
  if (sums === undefined)
    return SparsityPattern.ofEntries(sizeOf(out), sizeOf(which === 0 ? lhs : rhs), rowOf, columnOf);
  return [sums.pattern, SparsityPattern.ofEntries(sizeOf(out), sums.pattern.rows, rowOf, columnOf)];
}

/** Sums over the features (axis 1 of the spec), and for each element the sum that it is in. Groups are summed together. */
function featureSums(shape: Shape, spec: readonly number[]) {
  const kept = shape.flatMap((_, a) => (a === spec[1] ? [] : [a]));
  const pattern = summing(shape, kept);
  const strides = stridesOf(kept.map((a) => shape[a]));
  const rowOf = offsets(
    shape,
    shape.map((_, a) => (a === spec[1] ? 0 : strides[kept.indexOf(a)])),
  );
  return { pattern, rowOf };
}
