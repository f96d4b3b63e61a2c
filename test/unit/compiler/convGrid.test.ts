/** Convolutions on the GPU as products whose tiles a workgroup, or a thread, brings from the image: against `evaluate`. */
import { describe, expect, it } from "vitest";
import { compile, webgpuOptions } from "../../../src/compiler/compile.js";
import { runProgram } from "../../../src/compiler/interpret.js";
import { kernelsOf } from "../../../src/compiler/program.js";
import { concreteArray } from "../../../src/core/array.js";
import type { Shape } from "../../../src/core/aval.js";
import type { DType, TypedArray } from "../../../src/core/dtype.js";
import { type ProductTile, plainTiling, type Tiling } from "../../../src/core/ir/tiling.js";
import { jit, lax, type NDArray, nn, ShapeDtype } from "../../../src/index.js";
import type { ConvParams } from "../../../src/primitives/conv.js";
import { makeJaxpr } from "../../../src/transforms/makeJaxpr.js";
import { equation } from "./lowerEquation.js";
import { array, named } from "./lowered.js";

const conv = named("convGeneralDilated");

const wide: ProductTile = { threads: [4, 2], sums: [4, 8], depth: 8, ahead: false };
const tall: ProductTile = { threads: [2, 4], sums: [8, 4], depth: 16, ahead: true };
const tilingOf = (tile: ProductTile): Tiling => ({ ...plainTiling, products: [{ from: 1, tile }] });

function plain(spatial: number, given: Partial<ConvParams> = {}): ConvParams {
  const axes = Array.from({ length: spatial + 2 }, (_, a) => a);
  const ones = new Array<number>(spatial).fill(1);
  return {
    windowStrides: ones,
    padding: ones.map(() => [0, 0]),
    lhsDilation: ones,
    rhsDilation: ones,
    dimensionNumbers: { lhsSpec: axes, rhsSpec: axes, outSpec: axes },
    featureGroupCount: 1,
    batchGroupCount: 1,
    ...given,
  };
}

type Change = (values: TypedArray) => void;

/** Compares with `evaluate`; gives the kernels' names and how much memory of a workgroup they use. */
function check(
  [lhs, rhs, params]: readonly [Shape, Shape, ConvParams],
  tiling: Tiling,
  { dtype = "float32", change }: { readonly dtype?: DType; readonly change?: readonly [Change, Change] } = {},
): readonly { readonly name: string; readonly panels: number }[] {
  const operands = [array(lhs, dtype, 5), array(rhs, dtype, 6)].map(({ values }, i) => {
    const own = values.slice();
    change?.[i](own);
    return concreteArray(own, i === 0 ? lhs : rhs, dtype);
  });
  const jaxpr = equation(
    conv,
    operands.map((x) => x.aval),
    params,
  );
  const [wanted] = conv.evaluate(operands, params, jaxpr.outAvals);
  const program = compile(jaxpr, { ...webgpuOptions, tiling });
  const [got] = runProgram(
    program,
    operands.map((x) => x.values),
  );
  // An accumulator takes 256 products of numbers below 4.
  const tolerance = dtype === "float16" ? 4e-3 : dtype === "float32" ? 6e-5 : 0;
  expect(got.length).toBe(wanted.values.length);
  for (let i = 0; i < got.length; i++) {
    if (Object.is(got[i], wanted.values[i])) continue;
    const error = Math.abs(got[i] - wanted.values[i]) / Math.max(1, Math.abs(wanted.values[i]));
    expect(error <= tolerance, `element ${i} is ${got[i]}, not ${wanted.values[i]}`).toBe(true);
  }
  return kernelsOf(program).map(({ name, scratch }) => ({ name, panels: scratch.length }));
}

const nhwc = { lhsSpec: [0, 3, 1, 2], rhsSpec: [3, 2, 0, 1], outSpec: [0, 3, 1, 2] };
/** Features of the image side by side, and of the result not, and the window in a third order. */
const mixed = { lhsSpec: [0, 3, 1, 2], rhsSpec: [0, 3, 1, 2], outSpec: [1, 0, 2, 3] };
const same = [
  [1, 1],
  [1, 1],
] as const;
const tiles = [{ name: "conv", panels: 2 }];

describe.each([
  ["wide", wide],
  ["tall, loading ahead", tall],
] as const)("by tiles that are %s", (_, tile) => {
  const cases: Record<string, readonly [Shape, Shape, ConvParams]> = {
    "a window": [[2, 4, 23, 22], [12, 4, 3, 3], plain(2)],
    "a window of another order": [[2, 23, 22, 4], [3, 3, 4, 12], plain(2, { dimensionNumbers: nhwc })],
    "mixed orders": [[2, 23, 22, 4], [11, 3, 3, 4], plain(2, { dimensionNumbers: mixed, padding: same })],
    "odd lengths, padding": [[2, 3, 21, 23], [11, 3, 3, 3], plain(2, { padding: same })],
    "odd lengths, padding, another order": [
      [2, 21, 23, 3],
      [3, 3, 3, 11],
      plain(2, { dimensionNumbers: nhwc, padding: same }),
    ],
    strides: [[2, 4, 47, 70], [9, 4, 3, 3], plain(2, { windowStrides: [2, 3], padding: same })],
    "a dilated window": [[1, 4, 37, 35], [9, 4, 3, 2], plain(2, { rhsDilation: [2, 3] })],
    "a dilated image": [[1, 4, 16, 17], [9, 4, 3, 3], plain(2, { lhsDilation: [2, 3], padding: same })],
    "edges cut off": [
      [2, 4, 26, 27],
      [9, 4, 3, 3],
      plain(2, {
        padding: [
          [-2, 1],
          [1, -3],
        ],
      }),
    ],
    groups: [[2, 6, 21, 20], [22, 3, 3, 3], plain(2, { featureGroupCount: 2, padding: same })],
    "groups of another order": [
      [2, 21, 20, 6],
      [3, 3, 3, 24],
      plain(2, { featureGroupCount: 2, dimensionNumbers: nhwc }),
    ],
    "groups of the batch": [[6, 3, 18, 20], [20, 3, 3, 3], plain(2, { batchGroupCount: 2 })],
    "one axis, more terms than are added at once": [
      [2, 200, 500],
      [12, 200, 3],
      plain(1, { padding: [[1, 1]] }),
    ],
    "three axes": [[2, 3, 9, 10, 11], [13, 3, 2, 3, 2], plain(3)],
    "no axes": [[300, 17], [40, 17], plain(0)],
  };

  it.each(Object.keys(cases))("%s", (name) => {
    expect(check(cases[name], tilingOf(tile))).toEqual(tiles);
  });

  it.each(["float16", "int32", "uint32", "uint8"] as const)("%s", (dtype) => {
    expect(check(cases["odd lengths, padding"], tilingOf(tile), { dtype })).toEqual(tiles);
  });

  it("what is not finite in the window meets only what is there", () => {
    const wild = (values: TypedArray): void => {
      values[0] = Number.POSITIVE_INFINITY;
      values[30] = Number.NaN;
    };
    for (const name of [
      "odd lengths, padding",
      "odd lengths, padding, another order",
      "a dilated image",
      "a window",
    ])
      expect(check(cases[name], tilingOf(tile), { change: [() => {}, wild] })).toEqual(tiles);
    const wildImage = (values: TypedArray): void => {
      values[100] = Number.NEGATIVE_INFINITY;
      values[7] = Number.NaN;
    };
    check(cases["odd lengths, padding"], tilingOf(tile), { change: [wildImage, wild] });
  });

  it("with what follows in the same kernel", () => {
    const f = (x: NDArray, w: NDArray, b: NDArray): NDArray =>
      nn.relu(lax.convGeneralDilated(x, w, { windowStrides: [1, 1], padding: same }).add(b));
    const shapes = [
      [2, 3, 21, 23],
      [11, 3, 3, 3],
      [11, 1, 1],
    ];
    const { jaxpr } = makeJaxpr(f)(
      ...(shapes.map((s) => new ShapeDtype(s)) as unknown as [NDArray, NDArray, NDArray]),
    );
    const program = compile(jaxpr, { ...webgpuOptions, tiling: tilingOf(tile) });
    expect(kernelsOf(program)).toHaveLength(1);
    const values = shapes.map((s, i) => array(s, "float32", i + 1));
    const wanted = jit(f)(...(values as unknown as [NDArray, NDArray, NDArray])).dataSync();
    const [got] = runProgram(
      program,
      values.map((v) => v.values),
    );
    for (let i = 0; i < got.length; i++) expect(Math.abs(got[i] - wanted[i])).toBeLessThan(2e-5 * 10);
  });
});

it("by tiles of single threads, where there are enough of them", () => {
  const large = [[4, 3, 46, 45], [9, 3, 3, 3], plain(2, { padding: same })] as const;
  expect(check(large, plainTiling)).toEqual([{ name: "conv", panels: 0 }]);
  const last = [[4, 46, 45, 3], [3, 3, 3, 9], plain(2, { padding: same, dimensionNumbers: nhwc })] as const;
  expect(check(last, plainTiling)).toEqual([{ name: "conv", panels: 0 }]);
});

it("few features, and few results, are added up one by one", () => {
  for (const given of [
    [[2, 8, 34, 34], [8, 1, 3, 3], plain(2, { featureGroupCount: 8, padding: same })],
    [[1, 3, 9, 8], [7, 3, 3, 3], plain(2)],
  ] as const)
    expect(check(given, tilingOf(wide))).toEqual([{ name: "conv", panels: 0 }]);
});
