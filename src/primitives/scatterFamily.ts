/**
 * What the scatter operations have in common: everything but how an element of the operand and one of the updates
 * combine, and what the derivative of that is.
 */
import { left, right } from "fp-ts/lib/Either.js";
import { ConcreteArray, type NDArray } from "../core/array.js";
import { type Aval, aval, describe, describeAll, type Shape, sizeOf } from "../core/aval.js";
import { allocate, isFloat, isInteger, settle, type TypedArray } from "../core/dtype.js";
import { DtypeError, ShapeError } from "../core/errors.js";
import {
  definePrimitive,
  type Example,
  type JvpRule,
  type Params,
  type Primitive,
  type TransposeRule,
} from "../core/primitive.js";
import { bind } from "../core/trace.js";
import { typeRule } from "./checks.js";
import type { Op } from "./elementwise.js";
import type { Domain } from "./elementwiseSpec.js";
import { repeat } from "./filled.js";
import {
  type AxisNumbers,
  countingAxes,
  modeError,
  type NumberNames,
  numbersError,
  placeWindows,
  windowAxes,
  withBatchedBoth,
  withBatchedWindows,
} from "./indexed.js";
import { keptBy, scatteredFrom } from "./indexedDependence.js";
import { lowerScatter, type Merging } from "./scatterLower.js";

/** What becomes of windows that do not lie inside the operand: moved inside, left out, or not expected at all. */
export type ScatterMode = "clip" | "drop" | "promiseInBounds";

/** Which axis means what in a scatter. */
export interface ScatterOptions {
  /** Axes of the updates that the windows have; increasing. */
  readonly updateWindowDims: readonly number[];
  /** Axes of the operand along which windows have length 1 and which the updates lack; increasing. */
  readonly insertedWindowDims: readonly number[];
  /** For each component of an index vector the axis of the operand that it is a place on. */
  readonly scatterDimsToOperandDims: readonly number[];
  /** Axes of the operand that go through in step with axes of the indices; increasing. Default: none. */
  readonly operandBatchingDims?: readonly number[];
  /** The axes of the indices that they go with. Default: none. */
  readonly scatterIndicesBatchingDims?: readonly number[];
  /** Default: "drop". */
  readonly mode?: ScatterMode;
}

/** ScatterOptions in full, as the primitives take them. */
export interface ScatterParams extends Required<ScatterOptions> {
  readonly [key: string]: readonly number[] | string;
}

const names: NumberNames = {
  window: "updateWindowDims",
  dropped: "insertedWindowDims",
  start: "scatterDimsToOperandDims",
  operandBatching: "operandBatchingDims",
  indicesBatching: "scatterIndicesBatchingDims",
  windowed: "the updates",
};

export const scatterNumbers = (p: Params): AxisNumbers => {
  const params = p as ScatterParams;
  return {
    window: params.updateWindowDims,
    dropped: params.insertedWindowDims,
    start: params.scatterDimsToOperandDims,
    operandBatching: params.operandBatchingDims,
    indicesBatching: params.scatterIndicesBatchingDims,
  };
};

export const scatterParams = (n: AxisNumbers, mode: ScatterMode): ScatterParams => ({
  updateWindowDims: n.window,
  insertedWindowDims: n.dropped,
  scatterDimsToOperandDims: n.start,
  operandBatchingDims: n.operandBatching,
  scatterIndicesBatchingDims: n.indicesBatching,
  mode,
});

/** How an element of the operand and one of the updates become one. */
export interface Combination {
  readonly name: string;
  readonly summary: string;
  readonly domain: Domain;
  /** `combine`, as it is compiled. */
  readonly merging: Merging;
  /** For floats, in double precision. */
  readonly combine: (old: number, update: number) => number;
  /** For integers, where it differs. */
  readonly combineIntegers?: (old: number, update: number) => number;
  /** Operations and multiplications for one element of the updates. */
  readonly operations: number;
  readonly multiplications: number;
  readonly jvp: JvpRule;
  readonly transpose?: TransposeRule;
  /** For the operand, the indices and the updates; the shared examples use it for floats. */
  readonly domains?: Example["domain"];
  readonly distinct?: boolean;
}

/** A scatter operation, bound to its primitive. */
export type ScatterOp = Op<
  (x: NDArray, indices: NDArray, updates: NDArray, options: ScatterOptions) => NDArray
>;

export function scatterOp(spec: Combination): ScatterOp {
  const primitive = scatterPrimitive(spec);
  const op = (x: NDArray, indices: NDArray, updates: NDArray, options: ScatterOptions): NDArray => {
    const { operandBatchingDims = [], scatterIndicesBatchingDims = [], mode = "drop" } = options;
    const numbers = scatterNumbers({ ...options, operandBatchingDims, scatterIndicesBatchingDims });
    return bind(primitive, [x, indices, updates], scatterParams(numbers, mode))[0];
  };
  return Object.assign(op, { primitive });
}

function scatterPrimitive(spec: Combination): Primitive {
  const primitive = definePrimitive({
    name: spec.name,
    family: "indexing",
    summary: spec.summary,
    abstractEval: typeRule(spec.name, 3, (inputs, params) => scatterType(spec, inputs, params)),
    evaluate: (inputs, params, [out]) => [
      new ConcreteArray(scatterValues(spec, inputs, params as ScatterParams), out),
    ],
    jvp: spec.jvp,
    transpose: spec.transpose,
    batch: (size, [x, indices, updates], [bx, bi, bu], params) => {
      const numbers = scatterNumbers(params);
      const inBatch = bi ? withBatchedBoth(numbers) : withBatchedWindows(numbers);
      const operands = [bx ? x : repeat(x, size), indices, bu ? updates : repeat(updates, size)];
      return {
        outputs: bind(primitive, operands, scatterParams(inBatch, (params as ScatterParams).mode)),
        batched: [true],
      };
    },
    dependence: ([x, indices, updates], params) => {
      const place = [
        x.aval.shape,
        indices,
        updates.aval.shape,
        scatterNumbers(params),
        params.mode !== "drop",
      ] as const;
      return [[spec.merging === "set" ? keptBy(...place) : "same", "none", scatteredFrom(...place)]];
    },
    lower: lowerScatter(spec.merging, scatterNumbers, ({ mode }) => mode !== "drop"),
    cost: ([, , updates]) => {
      const n = sizeOf(updates.shape);
      return {
        operations: n * spec.operations,
        multiplications: n * spec.multiplications,
        transcendentals: 0,
      };
    },
    laws: { differentiable: true, examples: () => scatterExamples(spec) },
  });
  return primitive;
}

function scatterType(spec: Combination, [x, indices, updates]: readonly Aval[], params: Params) {
  const { name } = spec;
  if (x.dtype !== updates.dtype)
    return left(
      new DtypeError(
        `${name} needs updates of the operand's dtype, got ${describe(updates)} for ${describe(x)}`,
      ),
    );
  const accepted = spec.domain === "any" ? x.dtype !== "float0" : isFloat(x.dtype) || isInteger(x.dtype);
  if (!accepted)
    return left(new DtypeError(`${name} is not defined for ${x.dtype} (operand ${describe(x)})`));
  const error =
    modeError(name, params.mode, "drop") ?? numbersError(name, names, x, indices, scatterNumbers(params));
  if (error !== undefined) return left(error);
  const numbers = scatterNumbers(params);
  const counts = indices.shape.slice(0, -1);
  const counting = countingAxes(updates.shape.length, numbers);
  const windows = windowAxes(x.shape.length, numbers);
  const fits =
    updates.shape.length === counts.length + numbers.window.length &&
    counting.every((a, i) => updates.shape[a] === counts[i]) &&
    windows.every((a, i) => a === undefined || updates.shape[a] <= x.shape[i]);
  if (!fits)
    return left(
      new ShapeError(
        `${name}: updates ${describe(updates)} need the axes of the indices but the last and, at [${numbers.window.join(",")}], windows that fit into the operand; operands ${describeAll([x, indices])}`,
      ),
    );
  return right([aval(x.shape, x.dtype, x.weakType && updates.weakType)]);
}

function scatterValues(
  spec: Combination,
  [x, indices, updates]: readonly ConcreteArray[],
  params: ScatterParams,
) {
  const clip = params.mode !== "drop";
  const place = placeWindows(x.shape, indices, updates.shape, scatterNumbers(params), clip);
  const { inOperand, inWindowed, operandSteps, windowedSteps } = place;
  const { dtype } = x;
  // Sums and products of narrow floats are rounded once, at the end.
  const narrow = isFloat(dtype) && dtype !== "float64";
  const result: TypedArray = narrow ? Float64Array.from(x.values) : x.values.slice();
  const combine = isFloat(dtype) ? spec.combine : (spec.combineIntegers ?? spec.combine);
  const from = updates.values;
  for (let w = 0; w < inOperand.length; w++) {
    const to = inOperand[w];
    if (to < 0) continue;
    const source = inWindowed[w];
    for (let i = 0; i < operandSteps.length; i++) {
      const at = to + operandSteps[i];
      result[at] = combine(result[at], from[source + windowedSteps[i]]);
    }
  }
  if (!narrow) return result;
  const values = allocate(dtype, result.length);
  values.set(result);
  return settle(dtype, values);
}

// ---------------------------------------------------------------------------------------------------------------------
// Examples
// ---------------------------------------------------------------------------------------------------------------------

interface Layout {
  readonly operand: Shape;
  readonly indices: Shape;
  readonly updates: Shape;
  readonly params: ScatterParams;
}

const layout = (
  operand: Shape,
  indices: Shape,
  updates: Shape,
  options: Partial<ScatterOptions> & { readonly mode: ScatterMode },
): Layout => ({
  operand,
  indices,
  updates,
  params: {
    updateWindowDims: [],
    insertedWindowDims: [],
    scatterDimsToOperandDims: [],
    operandBatchingDims: [],
    scatterIndicesBatchingDims: [],
    ...options,
  },
});

const elements = { insertedWindowDims: [0], scatterDimsToOperandDims: [0] } as const;
const rows = { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] } as const;

/** Single elements, rows, windows that move, batching axes, two components, nothing at all. Indices may repeat. */
const layouts: readonly Layout[] = [
  layout([4], [3, 1], [3], { ...elements, mode: "drop" }),
  layout([3], [4, 1], [4], { ...elements, mode: "drop" }),
  layout([3], [2, 1], [2], { ...elements, mode: "clip" }),
  layout([4], [3, 1], [3], { ...elements, mode: "promiseInBounds" }),
  layout([3], [1], [], { ...elements, mode: "drop" }),
  layout([3, 2], [2, 1], [2, 2], { ...rows, mode: "drop" }),
  layout([4], [2, 1], [2, 2], { updateWindowDims: [1], scatterDimsToOperandDims: [0], mode: "drop" }),
  layout([4], [2, 1], [2, 2], { updateWindowDims: [1], scatterDimsToOperandDims: [0], mode: "clip" }),
  layout([4, 2], [2, 1], [2, 2, 2], {
    updateWindowDims: [0, 2],
    scatterDimsToOperandDims: [0],
    mode: "drop",
  }),
  layout([3, 3], [2, 2], [2], {
    insertedWindowDims: [0, 1],
    scatterDimsToOperandDims: [1, 0],
    mode: "drop",
  }),
  layout([2, 4], [2, 3, 1], [2, 3], {
    insertedWindowDims: [1],
    scatterDimsToOperandDims: [1],
    operandBatchingDims: [0],
    scatterIndicesBatchingDims: [0],
    mode: "drop",
  }),
  layout([4, 2], [2, 1], [2], {
    insertedWindowDims: [0],
    scatterDimsToOperandDims: [0],
    operandBatchingDims: [1],
    scatterIndicesBatchingDims: [0],
    mode: "clip",
  }),
  layout([], [2, 0], [2], { mode: "drop" }),
  layout([0], [2, 1], [2], { ...elements, mode: "drop" }),
  layout([3], [0, 1], [0], { ...elements, mode: "drop" }),
];

function scatterExamples({ domain, domains, distinct }: Combination): Example[] {
  const example = (
    { operand, indices, updates, params }: Layout,
    dtype: Aval["dtype"],
    index: Aval["dtype"],
  ) => ({
    avals: [aval(operand, dtype), aval(indices, index), aval(updates, dtype)],
    params,
  });
  const inside = [
    [-2, 2],
    [0, 3],
    [-2, 2],
  ] as const;
  const [xs, , us] = domains ?? inside;
  const floats = layouts.map((l) => ({
    ...example(l, "float64", "int32"),
    // Beyond the ends too, unless the mode promises that this does not happen.
    domain: [xs, l.params.mode === "promiseInBounds" ? inside[1] : ([-1, 4] as const), us],
    distinct,
  }));
  const others = [
    example(layouts[0], "int32", "uint8"),
    example(layouts[5], "uint8", "uint32"),
    { ...example(layouts[1], "float32", "int32"), domain: [xs, [-1, 4] as const, us], distinct },
    ...(domain === "any" ? [example(layouts[0], "bool", "int32")] : []),
  ];
  // Index vectors of several components seldom meet by themselves.
  const meeting = layouts
    .filter(({ indices }) => indices.length === 2 && indices[1] > 1)
    .map((l) => ({ ...example(l, "float64", "int32"), domain: [xs, [0, 1] as const, us], distinct }));
  return [...floats, ...others, ...meeting];
}
