/**
 * Examples beside those of the records: so large that vectors, tiles, chunks and workgroups are filled and leave a rest.
 * They are for programs, not for rules, which is why the records do not have them.
 */
import { lax } from "fluxion";
import { aval, type Shape } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import type { Example, Params, Primitive } from "../../src/core/primitive.js";

const floats = (...shapes: Shape[]) => shapes.map((shape) => aval(shape, "float64"));

const of = (shapes: readonly Shape[], params: Params, domain?: readonly [number, number]): Example => ({
  avals: floats(...shapes),
  params,
  domain: domain === undefined ? undefined : shapes.map(() => domain),
});

const reductions: readonly (readonly [Shape, readonly number[]])[] = [
  [[1], [0]],
  [[1003], [0]],
  [[37, 259], [0]],
  [[37, 259], [1]],
  [[3, 1, 300], [2]],
  [
    [5, 7, 11],
    [0, 2],
  ],
  [
    [2, 65, 33],
    [0, 1, 2],
  ],
];

const directions = (shapes: readonly Shape[]): Params[] =>
  shapes[0].flatMap((_, axis) => [false, true].map((reverse) => ({ axis, reverse })));

const lines: readonly Shape[] = [[1], [1003], [37, 259], [3, 1, 70]];

/** Factors whose products neither overflow nor vanish. */
const factors = [0.9, 1.1] as const;

const cumulative = (operands: number, domain?: readonly [number, number]): Example[] =>
  lines.flatMap((shape) => {
    const shapes = Array.from({ length: operands }, () => shape);
    return directions(shapes).map((params) => of(shapes, params, domain));
  });

const products = (x: Shape, y: Shape, contracting: readonly Shape[], batch: readonly Shape[] = [[], []]) =>
  of([x, y], { contracting, batch, preferredElementType: "float64" });

const convolution = (lhs: Shape, rhs: Shape, given: Params = {}): Example => {
  const axes = lhs.map((_, a) => a);
  const ones = axes.slice(2).map(() => 1);
  return of([lhs, rhs], {
    windowStrides: ones,
    padding: ones.map(() => [1, 1]),
    lhsDilation: ones,
    rhsDilation: ones,
    dimensionNumbers: { lhsSpec: axes, rhsSpec: axes, outSpec: axes },
    featureGroupCount: 1,
    batchGroupCount: 1,
    ...given,
  });
};

const places = (shape: Shape) => aval(shape, "int32");

/** Rows of a matrix, of which many are asked for several times. */
const rows = { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 7] };
const gathers = ["clip", "fill"].map(
  (mode): Example => ({
    avals: [...floats([50, 7]), places([203, 1])],
    params: { ...rows, operandBatchingDims: [], startIndicesBatchingDims: [], mode, fillValue: null },
    domain: [
      [-2, 2],
      [-5, 55],
    ],
  }),
);

const scatters = (domain: readonly [number, number]): Example[] =>
  ["clip", "drop"].map((mode) => ({
    avals: [...floats([50, 7]), places([203, 1]), ...floats([203, 7])],
    params: {
      updateWindowDims: [1],
      insertedWindowDims: [0],
      scatterDimsToOperandDims: [0],
      operandBatchingDims: [],
      scatterIndicesBatchingDims: [],
      mode,
    },
    domain: [domain, [-5, 55], domain],
  }));

const sorted = (shape: Shape, dimension: number, operands = 1): Example =>
  of(
    Array.from({ length: operands }, () => shape),
    { dimension, numKeys: 1, isStable: true },
  );

const byName: Readonly<Record<string, readonly Example[]>> = {
  broadcastInDim: [
    of([[259]], { shape: [37, 259], dims: [1] }),
    of([[37]], { shape: [37, 259], dims: [0] }),
    of([[1, 259]], { shape: [5, 37, 259], dims: [1, 2] }),
  ],
  reshape: [of([[37, 259]], { shape: [7, 37, 37] }), of([[6, 35]], { shape: [5, 3, 14] })],
  transpose: [
    of([[37, 259]], { permutation: [1, 0] }),
    of([[5, 7, 11, 3]], { permutation: [2, 0, 3, 1] }),
    of([[130, 67]], { permutation: [1, 0] }),
  ],
  iota: ["int32", "float32", "uint8", "float16"].map((dtype) =>
    of([], { dtype, shape: [37, 259], dimension: 1 }),
  ),
  slice: [
    of([[1003]], { start: [5], limit: [1001], strides: [3] }),
    of([[37, 259]], { start: [1, 7], limit: [36, 250], strides: [2, 5] }),
  ],
  pad: [
    {
      avals: floats([37, 259], []),
      params: {
        config: [
          [2, -1, 1],
          [-3, 5, 0],
        ] as never,
      },
    },
    { avals: floats([1003], []), params: { config: [[-7, 3, 2]] as never } },
  ],
  rev: [of([[1003]], { axes: [0] }), of([[37, 259]], { axes: [0, 1] })],
  concatenate: [
    of(
      [
        [37, 5],
        [37, 259],
        [37, 1],
        [37, 0],
      ],
      { axis: 1 },
    ),
    of(
      Array.from({ length: 20 }, (_, i) => [i, 3]),
      { axis: 0 },
    ),
  ],
  argmax: [[1], [1003], [37, 259]].flatMap((shape) =>
    shape.map((_, axis) => of([shape], { axis, indexDtype: "int32" })),
  ),
  argmin: [[1], [1003], [37, 259]].flatMap((shape) =>
    shape.map((_, axis) => of([shape], { axis, indexDtype: "uint32" })),
  ),
  reduceProd: reductions.slice(0, 6).map(([shape, axes]) => of([shape], { axes }, factors)),
  cumprod: cumulative(1, factors),
  linearRecurrence: cumulative(2, [-1, 1]),
  dotGeneral: [
    products([33, 65], [65, 17], [[1], [0]]),
    products([66, 67], [67, 69], [[1], [0]]),
    products([67, 66], [69, 67], [[0], [1]]),
    products([1, 1003], [1003, 1], [[1], [0]]),
    products([5, 1003], [1003], [[1], [0]]),
    products([1003], [1003], [[0], [0]]),
    products([3, 9, 20], [3, 20, 7], [[2], [1]], [[0], [0]]),
    products([9, 1], [1, 259], [[1], [0]]),
  ],
  convGeneralDilated: [
    convolution([2, 3, 17, 19], [5, 3, 3, 3]),
    convolution([2, 3, 17, 19], [5, 3, 3, 3], { windowStrides: [2, 3], rhsDilation: [2, 1] }),
    convolution([1, 8, 12, 12], [16, 8, 3, 3]),
    convolution([1, 8, 12, 12], [16, 2, 3, 3], { featureGroupCount: 4, lhsDilation: [2, 2] }),
    convolution([1, 6, 300], [6, 1, 5], { featureGroupCount: 6 }),
    convolution([4, 3, 9, 9], [6, 3, 2, 2], { batchGroupCount: 2 }),
  ],
  gather: gathers,
  scatter: scatters([-2, 2]),
  scatterAdd: scatters([-2, 2]),
  scatterMul: scatters(factors),
  scatterMin: scatters([-2, 2]),
  scatterMax: scatters([-2, 2]),
  dynamicSlice: [
    { avals: [...floats([37, 259]), places([]), places([])], params: { sizes: [5, 100] } },
    { avals: [...floats([1003]), places([])], params: { sizes: [1001] } },
  ],
  dynamicUpdateSlice: [
    { avals: [...floats([37, 259], [5, 100]), places([]), places([])], params: {} },
    { avals: [...floats([1003], [1001]), places([])], params: {} },
  ],
  sort: [
    sorted([1003], 0),
    sorted([5, 301], 1),
    sorted([301, 5], 0),
    sorted([1003], 0, 2),
    sorted([2, 4097], 1),
  ],
  topK: [of([[1003]], { k: 10 }), of([[37, 259]], { k: 7 }), of([[300]], { k: 300 })],
  det: [of([[4, 5, 5]], {}), of([[301, 3, 3]], {}), of([[2, 8, 8]], {})],
  cofactor: [of([[4, 5, 5]], {}), of([[301, 3, 3]], {}), of([[2, 8, 8]], {})],
};

/** A call of something that is exact, in a dtype that every device has. */
const call = (): Example => {
  const avals = [aval([37, 5], "float32")];
  return {
    avals,
    params: { jaxpr: buildJaxpr("turn", avals, ([x]) => [lax.neg(lax.rev(x, [0]))]), name: "turn" },
  };
};

/** Examples that primitives of a family share. */
const byFamily: Readonly<Record<string, readonly Example[]>> = {
  reduction: reductions.map(([shape, axes]) => of([shape], { axes })),
  cumulative: cumulative(1),
};

/** One element, and axes enough for index arithmetic, with the params of the first example. */
function elementwise({ laws, family }: Primitive): Example[] {
  const example = laws.examples.find((e) => e.avals.length > 0 && e.avals[0].shape.length === 1);
  if (family !== "elementwise" || example === undefined) return [];
  return [[1], [1, 1, 1], [5, 7, 3]].map((shape) => ({
    ...example,
    avals: example.avals.map((a) => aval(shape, a.dtype)),
  }));
}

export const larger = (primitive: Primitive): readonly Example[] =>
  primitive.name === "jit"
    ? [call()]
    : (byName[primitive.name] ?? byFamily[primitive.family] ?? elementwise(primitive));
