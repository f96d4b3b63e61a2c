/**
 * Which elements gather and scatter read and write. Where the indices are known each element has one source; where they are not,
 * everything along the axes that they are places on, and only there.
 */
import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { DependenceOperand, Relation, RelationStep } from "../core/dependence.js";
import { SparsityPattern } from "../core/pattern.js";
import { summing, walked } from "./dependence.js";
import { type AxisNumbers, countingAxes, placeWindows, windowAxes } from "./indexed.js";

/** For each element of the windowed array its place in the operand, -1 where the window does not lie inside. */
function knownPlaces(
  operand: Shape,
  indices: NonNullable<ReturnType<DependenceOperand["value"]>>,
  windowed: Shape,
  numbers: AxisNumbers,
  clip: boolean,
): Int32Array {
  const places = new Int32Array(sizeOf(windowed)).fill(-1);
  const { inOperand, inWindowed, operandSteps, windowedSteps } = placeWindows(
    operand,
    indices,
    windowed,
    numbers,
    clip,
  );
  for (let w = 0; w < inOperand.length; w++) {
    if (inOperand[w] < 0) continue;
    for (let i = 0; i < operandSteps.length; i++)
      places[inWindowed[w] + windowedSteps[i]] = inOperand[w] + operandSteps[i];
  }
  return places;
}

/** Where indices are not known: the axes that they are places on are as one, and for each element the place on the others. */
function coarsePlaces(operand: Shape, windowed: Shape, numbers: AxisNumbers) {
  const kept = operand.flatMap((_, a) => (numbers.start.includes(a) ? [] : [a]));
  const coarse = kept.map((a) => operand[a]);
  const strides = stridesOf(coarse);
  const stepOf = (axis: number | undefined): number => {
    const at = axis === undefined ? -1 : kept.indexOf(axis);
    return at < 0 ? 0 : strides[at];
  };
  const windows = windowAxes(operand.length, numbers);
  const counting = countingAxes(windowed.length, numbers);
  const steps = windowed.map((_, a) => {
    const batch = numbers.indicesBatching.indexOf(counting.indexOf(a));
    const axis = batch >= 0 ? numbers.operandBatching[batch] : windows.indexOf(a);
    return stepOf(axis < 0 ? undefined : axis);
  });
  return { kept, sources: walked(windowed, steps), count: sizeOf(coarse) };
}

/** How what a gather gives depends on its operand. */
export function gatheredFrom(
  operand: DependenceOperand,
  indices: DependenceOperand,
  windowed: Shape,
  numbers: AxisNumbers,
  clip: boolean,
): Relation {
  const { shape } = operand.aval;
  if (sizeOf(shape) === 0 || sizeOf(windowed) === 0) return "none";
  const known = indices.value();
  if (known !== undefined) return knownPlaces(shape, known, windowed, numbers, clip);
  const { kept, sources } = coarsePlaces(shape, windowed, numbers);
  return [summing(shape, kept), sources];
}

/** How the operand, after a scatter, depends on the updates. */
export function scatteredFrom(
  operand: Shape,
  indices: DependenceOperand,
  updates: Shape,
  numbers: AxisNumbers,
  clip: boolean,
): Relation {
  if (sizeOf(operand) === 0 || sizeOf(updates) === 0) return "none";
  const known = indices.value();
  if (known !== undefined)
    return SparsityPattern.ofSources(
      knownPlaces(operand, known, updates, numbers, clip),
      sizeOf(operand),
    ).transposed();
  const { kept, sources, count } = coarsePlaces(operand, updates, numbers);
  return [SparsityPattern.ofSources(sources, count).transposed(), spreadAlong(operand, kept)];
}

/** How the operand, after a scatter that overwrites, depends on what it was: not where it was overwritten. */
export function keptBy(
  operand: Shape,
  indices: DependenceOperand,
  updates: Shape,
  numbers: AxisNumbers,
  clip: boolean,
): Relation {
  const known = indices.value();
  if (known === undefined || sizeOf(operand) === 0 || sizeOf(updates) === 0) return "same";
  return without(sizeOf(operand), knownPlaces(operand, known, updates, numbers, clip));
}

/** Each element is the one in its place, but for the places given. */
function without(size: number, places: Int32Array): Int32Array {
  const kept = Int32Array.from({ length: size }, (_, i) => i);
  for (const place of places) if (place >= 0) kept[place] = -1;
  return kept;
}

/** For each element of an array its place among those of the kept axes. */
function spreadAlong(shape: Shape, kept: readonly number[]): Int32Array {
  const strides = stridesOf(kept.map((a) => shape[a]));
  return walked(
    shape,
    shape.map((_, a) => (kept.includes(a) ? strides[kept.indexOf(a)] : 0)),
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// Slices at computed places
// ---------------------------------------------------------------------------------------------------------------------

/** Where a part of the given sizes lies: the axes whose start is known, and each element's place along these. */
function partAlong(shape: Shape, sizes: Shape, starts: readonly DependenceOperand[]) {
  const known = starts.map((s) => s.value()?.values[0]);
  // A part as long as the axis begins where it does.
  const startOf = (a: number): number | undefined => {
    if (sizes[a] === shape[a]) return 0;
    const start = known[a];
    return start === undefined ? undefined : Math.max(Math.min(start, shape[a] - sizes[a]), 0);
  };
  const kept = shape.flatMap((_, a) => (startOf(a) === undefined ? [] : [a]));
  const strides = stridesOf(kept.map((a) => shape[a]));
  const first = kept.reduce((sum, a, i) => sum + (startOf(a) as number) * strides[i], 0);
  const steps = shape.map((_, a) => (kept.includes(a) ? strides[kept.indexOf(a)] : 0));
  const places = walked(sizes, steps).map((at) => at + first);
  return { kept, places, count: sizeOf(kept.map((a) => shape[a])), isExact: kept.length === shape.length };
}

/** How a slice depends on what it is taken from. */
export function slicedFrom(shape: Shape, sizes: Shape, starts: readonly DependenceOperand[]): Relation {
  if (sizeOf(sizes) === 0) return "none";
  const { kept, places, isExact } = partAlong(shape, sizes, starts);
  return isExact ? places : [summing(shape, kept), places];
}

/** How an array of which a part is overwritten depends on what it was, and on the part. */
export function overwritten(
  shape: Shape,
  part: Shape,
  starts: readonly DependenceOperand[],
): readonly [Relation, Relation] {
  if (sizeOf(part) === 0) return ["same", "none"];
  const { kept, places, count, isExact } = partAlong(shape, part, starts);
  const placed: RelationStep = SparsityPattern.ofSources(places, count).transposed();
  return isExact ? [without(sizeOf(shape), places), placed] : ["same", [placed, spreadAlong(shape, kept)]];
}
