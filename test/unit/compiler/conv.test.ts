/** The kernels of convGeneralDilated against its `evaluate` rule: sums of single elements, and products of matrices. */
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { concreteArray } from "../../../src/core/array.js";
import { type Shape, sizeOf } from "../../../src/core/aval.js";
import type { DType } from "../../../src/core/dtype.js";
import type { ConvParams } from "../../../src/primitives/conv.js";
import { geometryOf } from "../../../src/primitives/convGeometry.js";
import { convShape } from "../../../src/primitives/convShape.js";
import { isProductWorthIt } from "../../../src/primitives/convTiles.js";
import { place } from "../primitives/convDefinition.js";
import { generator } from "../primitives/windows.js";
import { array, checkEquation, checkExamples, named } from "./lowered.js";

const conv = named("convGeneralDilated");

const rounds = (dtype: DType): number =>
  dtype === "float64" ? 1e-13 : dtype === "float32" ? 2e-5 : dtype === "float16" ? 4e-3 : 0;

/** Params with nothing special but what is given. */
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

function check(lhs: Shape, rhs: Shape, params: ConvParams, dtype: DType = "float32"): void {
  const operands = [array(lhs, dtype, 5), array(rhs, dtype, 6)];
  checkEquation(conv, operands, params, { tolerance: rounds(dtype) });
}

const usesProduct = (lhs: Shape, rhs: Shape, params: ConvParams): boolean =>
  isProductWorthIt(geometryOf(lhs, rhs, convShape(lhs, rhs, params), params));

const nhwc = { lhsSpec: [0, 3, 1, 2], rhsSpec: [3, 2, 0, 1], outSpec: [0, 3, 1, 2] };
const same = [
  [1, 1],
  [1, 1],
] as const;

describe("convGeneralDilated", () => {
  it("computes its examples", () => checkExamples(conv, rounds));

  it.each(["float32", "float64", "float16", "int32", "uint32", "uint8"] as const)(
    "products of %s, with and without padding, in both usual orders of axes",
    (dtype) => {
      for (const padding of [undefined, same]) {
        const given = padding === undefined ? {} : { padding };
        const channelsFirst = [[2, 3, 9, 8], [7, 3, 3, 3], plain(2, given)] as const;
        const channelsLast = [
          [2, 9, 8, 3],
          [3, 3, 3, 7],
          plain(2, { ...given, dimensionNumbers: nhwc }),
        ] as const;
        for (const [lhs, rhs, params] of [channelsFirst, channelsLast]) {
          expect(usesProduct(lhs, rhs, params)).toBe(true);
          check(lhs, rhs, params, dtype);
        }
      }
    },
  );

  it("strides, dilations, cut-off edges, groups", () => {
    const cases: readonly (readonly [Shape, Shape, ConvParams])[] = [
      [[1, 4, 17, 15], [9, 4, 3, 3], plain(2, { windowStrides: [2, 3], padding: same })],
      [[1, 4, 17, 15], [9, 4, 3, 2], plain(2, { rhsDilation: [2, 3] })],
      [[2, 4, 6, 7], [9, 4, 3, 3], plain(2, { lhsDilation: [2, 3], padding: same })],
      [
        [1, 4, 17, 15],
        [9, 4, 3, 3],
        plain(2, {
          padding: [
            [-2, -1],
            [-1, 3],
          ],
        }),
      ],
      [
        [1, 17, 15, 4],
        [3, 3, 4, 9],
        plain(2, {
          dimensionNumbers: nhwc,
          padding: [
            [-2, -1],
            [-1, -3],
          ],
        }),
      ],
      [[2, 6, 12, 12], [8, 3, 3, 3], plain(2, { featureGroupCount: 2 })],
      [[2, 12, 12, 6], [3, 3, 3, 8], plain(2, { featureGroupCount: 2, dimensionNumbers: nhwc })],
      [[2, 8, 14, 14], [8, 1, 3, 3], plain(2, { featureGroupCount: 8, padding: same })],
      [[4, 3, 12, 12], [8, 3, 3, 3], plain(2, { batchGroupCount: 2 })],
      [[4, 12, 12, 3], [3, 3, 3, 8], plain(2, { batchGroupCount: 4, dimensionNumbers: nhwc })],
      [[3, 30], [50, 30], plain(0)],
      [[2, 5, 200], [6, 5, 7], plain(1, { padding: [[3, 3]] })],
      [[1, 2, 6, 7, 8], [5, 2, 2, 3, 2], plain(3)],
      [[2, 400, 3], [4, 400, 3], plain(1)],
      [[2, 1, 20, 20], [5, 1, 5, 5], plain(2)],
      // All of the image at once: one place.
      [[1, 3, 12, 11], [13, 3, 12, 11], plain(2)],
      [[2, 11, 12, 12], [1, 11, 3, 3], plain(2, { padding: same })],
    ];
    for (const [lhs, rhs, params] of cases) {
      expect(usesProduct(lhs, rhs, params)).toBe(true);
      check(lhs, rhs, params);
    }
  });

  it("whatever the params", () => {
    const random = generator(11);
    let products = 0;
    let checked = 0;
    while (checked < 100) {
      const spatial = random(3);
      const draw = (from: number, to: number): number[] =>
        Array.from({ length: spatial }, () => from + random(to - from + 1));
      const order = (): number[] => {
        const rest = Array.from({ length: spatial + 2 }, (_, a) => a);
        return rest.map(() => 0).map(() => rest.splice(random(rest.length), 1)[0]);
      };
      const dimensionNumbers = { lhsSpec: order(), rhsSpec: order(), outSpec: order() };
      const [featureGroupCount, batchGroupCount] = [
        [1, 1],
        [1, 1],
        [2, 1],
        [1, 2],
      ][random(4)];
      const [batch, inputs, outputs] = [random(6), random(7), random(10)];
      const lhs = place(dimensionNumbers.lhsSpec, [
        batch * batchGroupCount,
        inputs * featureGroupCount,
        ...draw(0, 16),
      ]);
      const rhs = place(dimensionNumbers.rhsSpec, [
        outputs * featureGroupCount * batchGroupCount,
        inputs,
        ...draw(1, 4),
      ]);
      const params: ConvParams = {
        windowStrides: draw(1, 3),
        padding: draw(-2, 3).map((low) => [low, random(6) - 2]),
        lhsDilation: draw(1, 3),
        rhsDilation: draw(1, 3),
        dimensionNumbers,
        featureGroupCount,
        batchGroupCount,
      };
      const operands = [array(lhs).aval, array(rhs).aval];
      if (isLeft(conv.abstractEval(operands, params))) continue;
      check(lhs, rhs, params);
      checked++;
      if (sizeOf(convShape(lhs, rhs, params)) > 0 && usesProduct(lhs, rhs, params)) products++;
    }
    expect(products).toBeGreaterThan(8);
  });

  it("what is not there is not multiplied, not even by an infinity", () => {
    for (const x of [Number.POSITIVE_INFINITY, Number.NaN])
      for (const params of [plain(2, { padding: same }), plain(2, { lhsDilation: [2, 1], padding: same })]) {
        const window = array([6, 3, 3, 3]);
        const values = window.values.slice();
        values[0] = x;
        values[40] = -x;
        const operands = [array([1, 3, 8, 8]), concreteArray(values, window.shape, "float32")];
        checkEquation(conv, operands, params, { tolerance: rounds("float32") });
      }
    const image = array([1, 3, 8, 8]);
    const values = image.values.slice();
    values[70] = Number.POSITIVE_INFINITY;
    const operands = [concreteArray(values, image.shape, "float32"), array([6, 3, 3, 3])];
    checkEquation(conv, operands, plain(2, { padding: same }), { tolerance: rounds("float32") });
  });
});
