/** Reading the elements that indices mean: slices first, then at most one gather. */
import type { NDArray } from "../core/array.js";
import type { Index } from "../core/methods.js";
import { dynamicSlice } from "../primitives/dynamic.js";
import { gather } from "../primitives/gather.js";
import { reshape } from "../primitives/shape.js";
import { rev, slice } from "../primitives/slicing.js";
import { integers } from "./constants.js";
import { type Gathered, type Part, readIndices } from "./indexParts.js";
import { aligned, ascending, indexVectors, lengthsOf, type Plan, planIndices, toInt32 } from "./indexPlan.js";
import { counting } from "./rearrange.js";

/** What places outside of the array give: the nearest element, or NaN (see `lax.gather`). */
export type ReadMode = "clip" | "fill";

/** Single places outside are read by the gather, if it is to fill them. */
const movable = (part: Part, x: NDArray, mode: ReadMode): Part =>
  part.kind === "point" && mode === "fill" && (part.place < 0 || part.place >= x.shape[part.axis])
    ? { kind: "gathered", axis: part.axis, indices: integers([part.place], []) }
    : part;

/** What slices alone can do: ranges and single places. Axes of single places stay, with length 1. */
function sliceParts(x: NDArray, parts: readonly Part[]): NDArray {
  const start = x.shape.map(() => 0);
  const limit = [...x.shape];
  const steps = x.shape.map(() => 1);
  const reversed: number[] = [];
  for (const part of parts) {
    if (part.kind === "range") {
      const range = ascending(part);
      [start[part.axis], limit[part.axis], steps[part.axis]] = [range.start, range.limit, range.step];
      if (range.reversed) reversed.push(part.axis);
    } else if (part.kind === "point") {
      const inside = Math.min(Math.max(part.place, 0), x.shape[part.axis] - 1);
      [start[part.axis], limit[part.axis]] = [inside, inside + 1];
    }
  }
  const whole = x.shape.every((n, i) => start[i] === 0 && limit[i] === n && steps[i] === 1);
  const part = whole ? x : slice(x, start, limit, steps);
  return reversed.length === 0 ? part : rev(part, reversed);
}

export function readPlan(x: NDArray, plan: Plan, mode: ReadMode): NDArray {
  const parts = plan.parts.map((part) => movable(part, x, mode));
  const y = sliceParts(x, parts);
  const arrays = parts.filter((p): p is Gathered => p.kind === "gathered");
  if (arrays.length === 0) return reshape(y, plan.shape);
  if (plan.shared.length === 0 && mode === "clip") return readScalars(y, arrays, parts, plan);
  const dropped = parts.flatMap((p) => (p.kind === "point" ? [p.axis] : []));
  const kept = counting(x.ndim).filter((axis) => !dropped.includes(axis));
  const without = reshape(
    y,
    kept.map((axis) => y.shape[axis]),
  );
  return reshape(gatherParts(without, arrays, kept, plan, mode), plan.shape);
}

/** One element of each indexed axis, at places known when the program runs. */
function readScalars(y: NDArray, arrays: readonly Gathered[], parts: readonly Part[], plan: Plan): NDArray {
  const single = (axis: number) => parts.some((p) => p.kind === "point" && p.axis === axis);
  const at = (axis: number) => arrays.find((a) => a.axis === axis);
  const starts = y.shape.map((n, axis) => {
    const array = at(axis);
    return array === undefined ? 0 : toInt32(array.indices, n);
  });
  const sizes = y.shape.map((n, axis) => (at(axis) !== undefined || single(axis) ? 1 : n));
  return reshape(dynamicSlice(y, starts, sizes), plan.shape);
}

/** `kept` are the axes of the indexed array that the operand still has. */
function gatherParts(
  operand: NDArray,
  arrays: readonly Gathered[],
  kept: readonly number[],
  { entries, shared }: Plan,
  mode: ReadMode,
): NDArray {
  const components = arrays.flatMap(({ axis, indices }) =>
    axis === null
      ? []
      : [
          {
            axis: kept.indexOf(axis),
            indices,
            dims: aligned(indices.ndim, 0, shared.length),
            length: operand.shape[kept.indexOf(axis)],
          },
        ],
  );
  const axes = components.map((c) => c.axis);
  const offsetDims: number[] = [];
  let next = 0;
  for (const entry of entries) {
    if (entry.kind === "new") continue;
    if (entry.kind === "range") offsetDims.push(next);
    next += lengthsOf(entry, shared).length;
  }
  return gather(operand, indexVectors(components, shared), {
    offsetDims,
    collapsedSliceDims: [...axes].sort((i, j) => i - j),
    startIndexMap: axes,
    sliceSizes: operand.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
    mode,
  });
}

/**
 * The elements of `x` at the given indices (see `Index` for what they can be): `x.slice(...indices)` as a function.
 * Places outside of `x` give the nearest element. Axes of index arrays stand where the arrays do if these are next to
 * each other, else in front, as in NumPy.
 * @throws AxisError for too many indices, ArgumentError, ShapeError, DtypeError; ConcretizationError for a boolean array
 * whose values are not known.
 * @example
 * np.array([[1, 2], [3, 4]]).slice(1, "::-1"); // [4, 3]
 */
export function index(x: NDArray, indices: readonly Index[]): NDArray {
  if (indices.length === 0) return x;
  return readPlan(x, planIndices("slice", x.aval, readIndices("slice", x.aval, indices)), "clip");
}
