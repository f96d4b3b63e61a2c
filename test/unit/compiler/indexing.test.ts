/** The kernels of gather, scatter and dynamic slices against their `evaluate` rules. */
import { describe, it } from "vitest";
import { concreteArray } from "../../../src/core/array.js";
import { aval, type Shape } from "../../../src/core/aval.js";
import { buildJaxpr } from "../../../src/core/build.js";
import type { DType } from "../../../src/core/dtype.js";
import { neg } from "../../../src/primitives/arithmetic.js";
import { concatenate } from "../../../src/primitives/concatenate.js";
import { dynamicSlice, dynamicUpdateSlice } from "../../../src/primitives/dynamic.js";
import { add } from "../../../src/primitives/elementwise.js";
import { gather, scatterAdd } from "../../../src/primitives/gather.js";
import type { AxisNumbers } from "../../../src/primitives/indexed.js";
import { scatter } from "../../../src/primitives/scatter.js";
import { reshape } from "../../../src/primitives/shape.js";
import { pad } from "../../../src/primitives/slicing.js";
import { drawWindows, generator } from "../primitives/windows.js";
import { array, checkEquation, checkExamples, checkProgram, named, wildIndices } from "./lowered.js";

const indexTypes = ["int32", "uint32", "uint8"] as const;
const scatters = ["scatter", "scatterAdd", "scatterMul", "scatterMin", "scatterMax"];

/** Kernels add and multiply in float32, and round to float16 once: sums of a few float16 are exact until then. */
const rounds = (name: string) => (dtype: DType) => {
  if (name === "scatterMul" && dtype === "float16") return 1e-3;
  return (name === "scatterAdd" || name === "scatterMul") && dtype === "float32" ? 1e-6 : 0;
};

describe.each(["gather", "dynamicSlice", "dynamicUpdateSlice", ...scatters])("%s", (name) => {
  it("computes its examples in every dtype", () => checkExamples(named(name), rounds(name)));
});

const scatterParamsOf = (n: AxisNumbers, mode: string) => ({
  updateWindowDims: n.window,
  insertedWindowDims: n.dropped,
  scatterDimsToOperandDims: n.start,
  operandBatchingDims: n.operandBatching,
  scatterIndicesBatchingDims: n.indicesBatching,
  mode,
});

const gatherParamsOf = (n: AxisNumbers, sliceSizes: Shape, mode: string, fillValue: number | null) => ({
  offsetDims: n.window,
  collapsedSliceDims: n.dropped,
  startIndexMap: n.start,
  operandBatchingDims: n.operandBatching,
  startIndicesBatchingDims: n.indicesBatching,
  sliceSizes,
  mode,
  fillValue,
});

describe("windows of all kinds", () => {
  it("gathered", () => {
    const random = generator(3);
    for (let round = 0; round < 150; round++) {
      const { operand, indices, starts, numbers, sliceSizes, mode } = drawWindows(random, "fill");
      const fill = mode === "fill" && round % 2 === 0 ? 5 : null;
      const inputs = [array(operand, "float32", round), concreteArray(starts, indices, "int32")];
      checkEquation(named("gather"), inputs, gatherParamsOf(numbers, sliceSizes, mode, fill));
    }
  });

  it.each(scatters)("given to %s", (name) => {
    const random = generator(name.length);
    const dtypes = ["float32", "int32", "uint8", "float16", "float64", "uint32"] as const;
    for (let round = 0; round < 150; round++) {
      const { operand, indices, starts, windowed, numbers, mode } = drawWindows(random, "drop");
      const dtype = dtypes[round % dtypes.length];
      const inputs = [
        array(operand, dtype, round),
        concreteArray(starts, indices, "int32"),
        array(windowed, dtype, round + 1),
      ];
      const tolerance = rounds(name)(dtype);
      checkEquation(named(name), inputs, scatterParamsOf(numbers, mode), { tolerance });
    }
  });
});

describe("indices far outside", () => {
  const elements = { window: [], dropped: [0], start: [0], operandBatching: [], indicesBatching: [] };
  const windows = { ...elements, window: [1], dropped: [] };

  it.each(indexTypes)("of gather, %s", (dtype) => {
    for (const mode of ["clip", "fill", "promiseInBounds"]) {
      const indices = wildIndices([40, 1], dtype, 6, mode.length);
      checkEquation(named("gather"), [array([6]), indices], gatherParamsOf(elements, [1], mode, null));
      checkEquation(named("gather"), [array([6]), indices], gatherParamsOf(windows, [4], mode, null));
      checkEquation(named("gather"), [array([1]), indices], gatherParamsOf(elements, [1], mode, null));
    }
  });

  it.each(indexTypes)("of scatters, %s", (dtype) => {
    for (const name of scatters)
      for (const mode of ["clip", "drop", "promiseInBounds"]) {
        const indices = wildIndices([30, 1], dtype, 6, mode.length);
        const params = scatterParamsOf(elements, mode);
        checkEquation(named(name), [array([6], "int32"), indices, array([30], "int32", 2)], params);
        const wide = [array([6], "int32"), indices, array([30, 4], "int32", 2)];
        checkEquation(named(name), wide, scatterParamsOf(windows, mode));
        const one = [array([6], "int32"), wildIndices([1], dtype, 6, 4), array([4], "int32", 2)];
        checkEquation(named(name), one, scatterParamsOf({ ...windows, window: [0] }, mode));
      }
  });

  it.each(indexTypes)("of dynamic slices, %s", (dtype) => {
    for (let seed = 0; seed < 20; seed++) {
      const starts = [wildIndices([], dtype, 6, seed), wildIndices([], dtype, 5, seed + 50)];
      checkEquation(named("dynamicSlice"), [array([6, 5]), ...starts], { sizes: [4, 3] });
      checkEquation(named("dynamicUpdateSlice"), [array([6, 5]), array([4, 5]), ...starts], {});
    }
  });

  it("gather fills with what stands out, or what is asked for", () => {
    const indices = wildIndices([40, 1], "int32", 6, 1);
    for (const dtype of ["float32", "float16", "int32", "uint32", "uint8", "bool"] as const)
      for (const fill of [null, 0, 1, 2.7, -7, 300])
        checkEquation(
          named("gather"),
          [array([6], dtype), indices],
          gatherParamsOf(elements, [1], "fill", fill),
        );
  });
});

describe("scatters that meet", () => {
  const elements = scatterParamsOf(
    { window: [], dropped: [0], start: [0], operandBatching: [], indicesBatching: [] },
    "drop",
  );
  const rows = { ...elements, updateWindowDims: [1] };
  const indices = (n: number, seed: number) => wildIndices([n, 1], "int32", 7, seed);

  it.each(scatters)("%s of many updates to few places", (name) => {
    for (const dtype of ["float32", "float16", "int32", "uint8", "bool"] as const) {
      if (dtype === "bool" && (name === "scatterAdd" || name === "scatterMul")) continue;
      const tolerance = rounds(name)(dtype);
      const inputs = [array([7], dtype), indices(100, 1), array([100], dtype, 2)];
      checkEquation(named(name), inputs, elements, { tolerance });
      const wide = [array([7, 5], dtype), indices(100, 2), array([100, 5], dtype, 2)];
      checkEquation(named(name), wide, rows, { tolerance });
    }
  });

  it("the last window stays where windows lie across the updates", () => {
    const across = scatterParamsOf(
      { window: [0], dropped: [], start: [0], operandBatching: [], indicesBatching: [] },
      "clip",
    );
    checkEquation(
      named("scatter"),
      [array([9]), wildIndices([50, 1], "int32", 9, 3), array([4, 50])],
      across,
    );
  });

  it("NaN and signed zeros", () => {
    const x = concreteArray([0, -0, NaN, 1, Infinity, -0, 0], [7], "float32");
    const updates = concreteArray([NaN, 0, -0, 1, -0, 0, -Infinity, NaN], [8], "float32");
    const at = concreteArray([3, 1, 0, 2, 5, 6, 4, 4], [8, 1], "int32");
    for (const name of scatters) checkEquation(named(name), [x, at, updates], elements);
  });
});

describe("fused", () => {
  const elements = { collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1], offsetDims: [] };

  it("gathers of padded and gathered arrays read nothing out of bounds", () => {
    const jaxpr = buildJaxpr("fused", [aval([6], "float32"), aval([8, 1], "int32")], ([x, i]) => {
      const wide = concatenate([pad(x, 1, [[2, 1, 1]]), x], 0);
      const first = gather(wide, add(i, 3), { ...elements, mode: "fill" });
      return [neg(gather(reshape(first, [8]), i, { ...elements, mode: "fill", fillValue: 4 }))];
    });
    for (let seed = 0; seed < 10; seed++)
      checkProgram(jaxpr, [array([6]), wildIndices([8, 1], "int32", 8, seed)]);
  });

  it("updates and indices of scatters are computed in place", () => {
    const options = { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };
    for (const op of [scatter, scatterAdd]) {
      const types = [aval([5, 3], "float32"), aval([8, 1], "int32"), aval([24], "float32")];
      const jaxpr = buildJaxpr("fused", types, ([x, i, u]) => [
        neg(op(neg(x), add(i, -1), reshape(neg(u), [8, 3]), options)),
      ]);
      for (let seed = 0; seed < 10; seed++)
        checkProgram(
          jaxpr,
          [array([5, 3]), wildIndices([8, 1], "int32", 6, seed), array([24], "float32", 5)],
          { tolerance: 1e-6 },
        );
    }
  });

  it("dynamic slices of updated slices", () => {
    const types = [aval([6, 4], "float32"), aval([2, 2], "float32"), aval([], "int32"), aval([], "int32")];
    const jaxpr = buildJaxpr("fused", types, ([x, u, i, j]) => [
      dynamicSlice(dynamicUpdateSlice(neg(x), neg(u), [i, j]), [j, i], [3, 2]),
    ]);
    for (let seed = 0; seed < 10; seed++) {
      const starts = [wildIndices([], "int32", 6, seed), wildIndices([], "int32", 4, seed + 9)];
      checkProgram(jaxpr, [array([6, 4]), array([2, 2]), ...starts]);
    }
  });
});
