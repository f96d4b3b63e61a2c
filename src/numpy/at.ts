/** Updates at indices: `x.at(...).add(...)`. Static boxes are sliced and written back, other places are scattered to. */
import type { NDArray } from "../core/array.js";
import { sameShape } from "../core/aval.js";
import { type DType, integerRange, isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import type { Index, IndexedUpdate } from "../core/methods.js";
import { add, div, max, min, mul, neg, sub } from "../primitives/arithmetic.js";
import { broadcastInDim } from "../primitives/broadcast.js";
import { convertElementType } from "../primitives/cast.js";
import { showParam } from "../primitives/checks.js";
import { dynamicUpdateSlice } from "../primitives/dynamic.js";
import { scatter, scatterAdd, scatterMax, scatterMin, scatterMul } from "../primitives/scatter.js";
import type { ScatterOptions } from "../primitives/scatterFamily.js";
import { select } from "../primitives/select.js";
import { reshape } from "../primitives/shape.js";
import { rev, slice } from "../primitives/slicing.js";
import { plainOptions } from "./axes.js";
import { full, integers } from "./constants.js";
import { onlyMask, type Part, type Range, readIndices } from "./indexParts.js";
import {
  aligned,
  ascending,
  type Component,
  indexVectors,
  lengthsOf,
  type Plan,
  planIndices,
} from "./indexPlan.js";
import { type ReadMode, readPlan } from "./indexRead.js";
import { type ArrayLike, stretch } from "./operands.js";
import { power } from "./power.js";
import { counting } from "./rearrange.js";
import { checkFits, fitting } from "./values.js";

/** How an update combines with what is there. */
interface Update {
  /** Old elements and values (of the same shape or scalar); `given` is what the user wrote. */
  readonly combine: (old: NDArray, values: NDArray, given: ArrayLike) => NDArray;
  readonly scatter: (x: NDArray, indices: NDArray, updates: NDArray, options: ScatterOptions) => NDArray;
  /** The value that changes nothing; undefined if there is none. */
  readonly neutral?: (dtype: DType) => number;
}

const ones = (x: NDArray): NDArray => full(x.shape, 1, x.dtype, x.weakType);
const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0]);
const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : integerRange(dtype)[1]);

const updates = {
  set: { combine: (_, values) => values, scatter },
  // Adding 0 would turn -0 into 0.
  add: { combine: add, scatter: scatterAdd, neutral: () => -0 },
  sub: { combine: sub, scatter: (x, i, v, o) => scatterAdd(x, i, neg(v), o), neutral: () => 0 },
  mul: { combine: mul, scatter: scatterMul, neutral: () => 1 },
  min: { combine: min, scatter: scatterMin, neutral: highest },
  max: { combine: max, scatter: scatterMax, neutral: lowest },
  // Values for one place multiply before they divide, or are an exponent.
  div: { combine: div, scatter: (x, i, v, o) => div(x, scatterMul(ones(x), i, v, o)), neutral: () => 1 },
  pow: {
    combine: (old, values, given) => power(old, typeof given === "number" ? given : values),
    scatter: (x, i, v, o) => power(x, scatterMul(ones(x), i, v, o)),
    neutral: () => 1,
  },
} satisfies Record<string, Update>;

/** The scalar value where the mask is true: no index is needed, so the mask may be traced. */
function updateMasked(x: NDArray, mask: NDArray, value: NDArray, update: Update): NDArray {
  const whole = broadcastInDim(mask, x.shape, counting(mask.ndim));
  if (update.neutral === undefined) return select(whole, value, x);
  const values = select(whole, value, update.neutral(x.dtype));
  return update.combine(x, values, values);
}

const isOutside = (part: Part, x: NDArray): boolean =>
  part.kind === "point" && (part.place < 0 || part.place >= x.shape[part.axis]);

/** Values that have the axes of the result of indexing, with new axes dropped and reversed ranges turned around. */
function inOperandOrder(values: NDArray, { entries, shape, shared }: Plan): NDArray {
  const own = entries.filter((e) => e.kind !== "new");
  const plain = reshape(
    stretch(values, shape),
    own.flatMap((e) => lengthsOf(e, shared)),
  );
  const reversed: number[] = [];
  let next = 0;
  for (const entry of own) {
    if (entry.kind === "range" && ascending(entry).reversed) reversed.push(next);
    next += lengthsOf(entry, shared).length;
  }
  return reversed.length === 0 ? plain : rev(plain, reversed);
}

/** An update of a box: ranges without gaps and single places. */
function updateBox(x: NDArray, plan: Plan, values: NDArray, given: ArrayLike, update: Update): NDArray {
  if (plan.parts.some((part) => isOutside(part, x))) return x;
  const start = x.shape.map(() => 0);
  const limit = [...x.shape];
  for (const part of plan.parts) {
    if (part.kind === "range")
      [start[part.axis], limit[part.axis]] = [ascending(part).start, ascending(part).limit];
    else if (part.kind === "point") [start[part.axis], limit[part.axis]] = [part.place, part.place + 1];
  }
  const sizes = limit.map((n, i) => n - start[i]);
  const whole = sameShape(sizes, x.shape);
  const isSet = update.neutral === undefined;
  const isScalar = values.ndim === 0;
  const own = () => reshape(inOperandOrder(values, plan), sizes);
  const filled = !isScalar ? own() : isSet ? stretch(values, sizes) : values;
  const box = update.combine(whole || isSet ? x : slice(x, start, limit), filled, given);
  return whole ? box : dynamicUpdateSlice(x, box, start);
}

const isStrided = (part: Part): boolean => part.kind === "range" && ascending(part).step > 1;

/** A scatter: ranges without gaps are windows, everything else is a place of its own. */
function updateScattered(x: NDArray, plan: Plan, values: NDArray, update: Update): NDArray {
  const { parts, entries, shared } = plan;
  const windows: number[] = [];
  const counts: number[] = [];
  const firstOf = new Map<Range | "shared", number>();
  let next = 0;
  for (const entry of entries) {
    if (entry.kind === "new") continue;
    const lengths = lengthsOf(entry, shared);
    if (entry.kind === "range" && !isStrided(entry)) windows.push(next);
    else {
      firstOf.set(entry.kind === "range" ? entry : "shared", counts.length);
      counts.push(...lengths);
    }
    next += lengths.length;
  }
  const component = (part: Part): (Component & { axis: number }) | undefined => {
    if (part.kind === "new" || part.kind === "gap" || part.axis === null) return undefined;
    const { axis } = part;
    const length = x.shape[axis];
    if (part.kind === "gathered") {
      const dims = aligned(part.indices.ndim, firstOf.get("shared") ?? 0, shared.length);
      return { axis, length, indices: part.indices, dims };
    }
    if (part.kind === "point") return { axis, length, indices: integers([part.place], []), dims: [] };
    const { start, step, limit } = ascending(part);
    if (isStrided(part)) {
      const indices = integers(counting(part.count, start, step));
      return { axis, length, indices, dims: [firstOf.get(part) as number] };
    }
    return start === 0 && limit === length
      ? undefined
      : { axis, length, indices: integers([start], []), dims: [] };
  };
  const components = parts.flatMap((part) => component(part) ?? []);
  const windowAxes = new Set(parts.flatMap((p) => (p.kind === "range" && !isStrided(p) ? [p.axis] : [])));
  const options: ScatterOptions = {
    updateWindowDims: windows,
    insertedWindowDims: counting(x.ndim).filter((axis) => !windowAxes.has(axis)),
    scatterDimsToOperandDims: components.map((c) => c.axis),
    mode: "drop",
  };
  return update.scatter(x, indexVectors(components, counts), inOperandOrder(values, plan), options);
}

function apply(x: NDArray, indices: readonly Index[], name: keyof typeof updates, given: ArrayLike): NDArray {
  const update: Update = updates[name];
  const call = `at(...).${name}`;
  const values = fitting(call, x, given);
  const mask = onlyMask(indices);
  if (mask !== undefined && values.ndim === 0 && sameShape(mask.shape, x.shape.slice(0, mask.ndim)))
    return updateMasked(x, mask, values, update);
  const plan = planIndices(call, x.aval, readIndices(call, x.aval, indices));
  checkFits(call, values, plan.shape);
  if (plan.shape.includes(0)) return x;
  const isBox = plan.parts.every((part) => part.kind !== "gathered" && !isStrided(part));
  return isBox ? updateBox(x, plan, values, given, update) : updateScattered(x, plan, values, update);
}

/** Integers are divided as floats. */
const asFloat = (x: NDArray): NDArray => (isFloat(x.dtype) ? x : convertElementType(x, "float32"));

function read(x: NDArray, indices: readonly Index[], mode: ReadMode): NDArray {
  return readPlan(x, planIndices("at", x.aval, readIndices("at", x.aval, indices)), mode);
}

/**
 * The place of an update: `at(x, indices)` is what `x.at(...indices)` gives. Each of its methods makes a new array and
 * leaves `x` as it is. Updates out of range are dropped; values broadcast to the shape that indexing gives and must be
 * of a dtype that `x` can hold. At places that an index array repeats, `add`, `mul`, `min` and the like accumulate, and
 * of the values of `set` the last stays. `get` reads, with `mode` "clip" (default) or "fill" for places out of range.
 * @throws DtypeError, ShapeError, AxisError, ArgumentError
 * @example
 * np.zeros([3]).at([1, 1]).add(2); // [0, 4, 0]
 */
export function at(x: NDArray, indices: readonly Index[]): IndexedUpdate {
  return {
    get: (options = {}) => {
      const { mode = "clip" } = plainOptions("at(...).get", options, ["mode"]);
      if (mode !== "clip" && mode !== "fill")
        throw new ArgumentError(`at(...).get: mode must be "clip" or "fill", got ${showParam(mode)}`);
      return read(x, indices, mode);
    },
    set: (values) => apply(x, indices, "set", values),
    add: (values) => apply(x, indices, "add", values),
    sub: (values) => apply(x, indices, "sub", values),
    mul: (values) => apply(x, indices, "mul", values),
    div: (values) => apply(asFloat(x), indices, "div", values),
    pow: (values) => apply(x, indices, "pow", values),
    min: (values) => apply(x, indices, "min", values),
    max: (values) => apply(x, indices, "max", values),
    apply: (f) => apply(x, indices, "set", f(read(x, indices, "clip"))),
  };
}
