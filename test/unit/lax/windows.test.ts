/** Convolutions with names for padding and layout, and reductions over windows, against their definitions. */
import { ArgumentError, DtypeError, grad, lax, type NDArray, numpy as np, ShapeError, vjp } from "fluxion";
import { describe, expect, it } from "vitest";
import { checkDerivatives, drawn } from "../derivatives.js";
import { generator } from "../examples.js";
import { expectClose, expectError, f64, i32 } from "../values.js";

const random = generator(11);

describe("padding by name", () => {
  const kernel = f64([[[1, 1]]]);
  const x = f64([[[1, 2, 3, 4, 5]]]);

  it.each([
    ["VALID", 1, [3, 5, 7, 9]],
    ["SAME", 1, [3, 5, 7, 9, 5]],
    ["SAME_LOWER", 1, [1, 3, 5, 7, 9]],
    ["VALID", 2, [3, 7]],
    ["SAME", 2, [3, 7, 5]],
    ["SAME_LOWER", 2, [1, 5, 9]],
    ["SAME", 5, [3]],
  ] as const)("%s with stride %i", (padding, stride, wanted) => {
    expect(lax.conv(x, kernel, [stride], padding).tolist()).toEqual([[wanted]]);
    const options = { windowStrides: [stride], padding };
    expect(lax.convGeneralDilated(x, kernel, options).tolist()).toEqual([[wanted]]);
  });

  it("counts the reach of a dilated kernel", () => {
    const y = lax.convGeneralDilated(x, kernel, { padding: "SAME", rhsDilation: [3] });
    expect(y.tolist()).toEqual([[[3, 5, 7, 3, 4]]]);
  });

  it("refuses other names, and names for a dilated image", () => {
    expectError(
      () => lax.conv(x, kernel, [1], "FULL" as never),
      ArgumentError,
      "argument",
      "lax.conv",
      '"FULL"',
    );
    expectError(
      () => lax.convGeneralDilated(x, kernel, { padding: "SAME", lhsDilation: [2] }),
      ArgumentError,
      "argument",
      "lax.convTranspose",
    );
  });
});

describe("layouts by letters", () => {
  const image = drawn([2, 3, 5, 6], random);
  const kernel = drawn([4, 3, 2, 3], random);
  const wanted = lax.convGeneralDilated(image, kernel, { windowStrides: [1, 2], padding: "SAME" });

  it.each([
    ["NHWC", "HWIO", "NHWC"],
    ["NCHW", "OIHW", "NHWC"],
    ["CWNH", "WOHI", "HNCW"],
  ] as const)("%s, %s, %s is the default with its axes moved", (lhs, rhs, out) => {
    const moved = (x: NDArray, from: string, to: string) =>
      lax.transpose(
        x,
        [...to].map((c) => from.indexOf(c)),
      );
    // Spatial axes are in the order of the kernel's letters, and so are strides.
    const spatial = [...rhs].filter((c) => "HW".includes(c));
    const y = lax.convGeneralDilated(moved(image, "NCHW", lhs), moved(kernel, "OIHW", rhs), {
      windowStrides: spatial.map((c) => (c === "H" ? 1 : 2)),
      padding: "SAME",
      dimensionNumbers: [lhs, rhs, out],
    });
    expectClose(moved(y, out, "NCHW"), wanted.tolist());
  });

  it("takes axes as numbers", () => {
    const axes = [0, 1, 2, 3];
    const dimensionNumbers = { lhsSpec: axes, rhsSpec: axes, outSpec: axes };
    const y = lax.convGeneralDilated(image, kernel, {
      windowStrides: [1, 2],
      padding: "SAME",
      dimensionNumbers,
    });
    expectClose(y, wanted.tolist());
  });

  it.each([
    [["NCHW", "OIHW"]],
    [["NCHW", "OIHW", "NCH"]],
    [["NCHW", "OIHW", "NCHH"]],
    [["NCHW", "OIXY", "NCHW"]],
    [["NCHW", "OOHW", "NCHW"]],
  ])("%j is no layout", (layout) => {
    expectError(
      () => lax.convGeneralDilated(image, kernel, { dimensionNumbers: layout as never }),
      ArgumentError,
      "argument",
      "lax.convGeneralDilated",
    );
  });
});

describe("convTranspose", () => {
  const layout = ["NHC", "HIO", "NHC"] as const;

  it.each([
    [1, 1, "VALID"],
    [2, 3, "VALID"],
    [3, 2, "VALID"],
    [2, 4, "SAME"],
    [3, 3, "SAME"],
    [1, 2, "SAME"],
  ] as const)(
    "with stride %i, window %i, %s is the transpose of the convolution",
    (stride, window, padding) => {
      // The image that a convolution with this stride and padding shrinks to 4 places.
      const length = padding === "SAME" ? 4 * stride : 3 * stride + Math.max(window, stride);
      const kernel = drawn([window, 2, 3], random);
      const small = drawn([1, 4, 3], random);
      const options = { windowStrides: [stride], padding, dimensionNumbers: layout };
      const convolve = (x: NDArray) => lax.convGeneralDilated(x, kernel, options);
      const image = np.zeros([1, length, 2], { dtype: "float64" });
      expect(convolve(image).shape).toEqual([1, 4, 3]);
      const wanted = vjp(convolve, image)[1](small)[0];
      const actual = lax.convTranspose(small, kernel, [stride], padding, { transposeKernel: true });
      expectClose(actual, wanted.tolist());
    },
  );

  it("has derivatives, and refuses what does not fit", () => {
    const kernel = drawn([2, 1, 2], random);
    checkDerivatives((x) => lax.sin(lax.convTranspose(x, kernel, [2], "SAME")), drawn([1, 3, 1], random));
    const x = drawn([1, 3, 1], random);
    expectError(
      () => lax.convTranspose(x, kernel, [2], "SAME_LOWER"),
      ArgumentError,
      "argument",
      '"SAME_LOWER"',
    );
    expectError(() => lax.convTranspose(x, f64([1]), [2], "SAME"), ShapeError, "shape", "lax.convTranspose");
  });
});

/** The reduction over windows by its definition, for one axis. */
function windows(
  x: readonly number[],
  combine: (a: number, b: number) => number,
  start: number,
  { window = 1, stride = 1, low = 0, high = 0, base = 1, dilation = 1 },
): number[] {
  const spread = x.flatMap((v, i) =>
    i === 0 ? [v] : [...new Array<undefined>(base - 1).fill(undefined), v],
  );
  const at = (i: number): number | undefined => spread[i - low];
  const places = spread.length + low + high - (window - 1) * dilation - 1;
  const result: number[] = [];
  for (let first = 0; first <= places; first += stride) {
    let total = start;
    for (let k = 0; k < window; k++) {
      const v = at(first + k * dilation);
      if (v !== undefined) total = combine(total, v);
    }
    result.push(total);
  }
  return result;
}

describe("reduceWindow", () => {
  const values = [3, -1, 4, 1, -5, 9, 2, 6, -5, 3, 5];
  const cases: Readonly<Record<string, number>>[] = [
    { window: 2, stride: 2 },
    { window: 3 },
    { window: 3, stride: 2, low: 2, high: 1 },
    { window: 2, stride: 3, low: -1, high: -2 },
    { window: 3, dilation: 2 },
    { window: 2, base: 3 },
    { window: 3, stride: 2, low: 1, base: 2, dilation: 3 },
    { window: 12 },
    { window: 1, stride: 4 },
  ];
  const computations = [
    ["add", lax.add, (a: number, b: number) => a + b, 0],
    ["mul", lax.mul, (a: number, b: number) => a * b, 1],
    ["max", lax.max, Math.max, -Infinity],
    ["min", lax.min, Math.min, Infinity],
    ["add, from 2", lax.add, (a: number, b: number) => a + b, 2],
    ["max, from 2.5", lax.max, Math.max, 2.5],
    ["a function", (a: NDArray, b: NDArray) => lax.max(a, b), Math.max, -Infinity],
  ] as const;

  it.each(computations)("%s", (_, computation, combine, start) => {
    for (const c of cases) {
      const { window = 1, stride = 1, low = 0, high = 0, base = 1, dilation = 1 } = c;
      const wanted = windows(values, combine, start, c);
      const options = {
        windowDimensions: [window],
        windowStrides: [stride],
        padding: [[low, high]] as const,
        baseDilation: [base],
        windowDilation: [dilation],
      };
      expect(lax.reduceWindow(f64(values), start, computation, options).tolist()).toEqual(wanted);
      // Along an axis between others, with the other axes left alone.
      const wide = np.stack([f64(values), f64(values.map((v) => -v))], 1).reshape(1, values.length, 2);
      const two = {
        windowDimensions: [1, window, 1],
        windowStrides: [1, stride, 1],
        padding: [
          [0, 0],
          [low, high],
          [0, 0],
        ] as const,
        baseDilation: [1, base, 1],
        windowDilation: [1, dilation, 1],
      };
      const other = windows(
        values.map((v) => -v),
        combine,
        start,
        c,
      );
      const columns = lax.reduceWindow(wide, start, computation, two);
      expect(columns.tolist()).toEqual([wanted.map((v, i) => [v, other[i]])]);
    }
  });

  it("takes integers from their own smallest number", () => {
    const options = { windowDimensions: [3], padding: "SAME" } as const;
    expect(lax.reduceWindow(i32([3, -7, 5]), -(2 ** 31), lax.max, options).tolist()).toEqual([3, 5, 5]);
    expect(lax.reduceWindow(i32([-3, -7, -5]), -(2 ** 31), lax.max, options).tolist()).toEqual([-3, -3, -5]);
  });

  it("gives the derivative of a maximum to the first of those that tie, in rows first", () => {
    const x = f64([
      [1, 2, 2],
      [2, 2, 1],
    ]);
    const pool = (z: NDArray) =>
      np.sum(lax.reduceWindow(z, -Infinity, lax.max, { windowDimensions: [2, 2] }));
    expect(grad(pool)(x).tolist()).toEqual([
      [0, 2, 0],
      [0, 0, 0],
    ]);
  });

  it("passes NaN on", () => {
    const x = f64([1, Number.NaN, 3, 4]);
    const options = { windowDimensions: [2], windowStrides: [2] };
    expect(lax.reduceWindow(x, -Infinity, lax.max, options).tolist()).toEqual([Number.NaN, 4]);
    expect(lax.reduceWindow(x, 0, lax.add, options).tolist()).toEqual([Number.NaN, 7]);
  });

  it.each(["add", "mul", "max", "min"] as const)("lax.%s has derivatives", (name) => {
    const start = { add: 0, mul: 1, max: -Infinity, min: Infinity }[name];
    const options = { windowDimensions: [2, 3], windowStrides: [1, 2], padding: "SAME" } as const;
    checkDerivatives((x) => lax.reduceWindow(lax.sin(x), start, lax[name], options), drawn([3, 4], random));
  });

  it("refuses what does not fit", () => {
    const x = i32([1, 2]);
    const options = { windowDimensions: [2] };
    expectError(() => lax.reduceWindow(x, 0.5, lax.add, options), DtypeError, "dtype", "0.5");
    expectError(() => lax.reduceWindow(x, i32([0]), lax.add, options), ShapeError, "shape", "scalar");
    expectError(() => lax.reduceWindow(x, 0, "add" as never, options), ArgumentError, "argument", "lax.add");
    expectError(
      () => lax.reduceWindow(x, 0, lax.add, { windowDimensions: [2, 2] }),
      ArgumentError,
      "argument",
      "windowDimensions",
      "int32[2]",
    );
    expectError(
      () =>
        lax.reduceWindow(x, 0, lax.add, {
          ...options,
          padding: [
            [0, 0],
            [0, 0],
          ],
        }),
      ArgumentError,
      "argument",
      "padding",
    );
    expectError(
      () => lax.reduceWindow(x, 0, lax.add, { ...options, windowStrides: [0] }),
      ArgumentError,
      "argument",
      "windowStrides",
    );
  });
});
