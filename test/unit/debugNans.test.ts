/** The mode in which NaN is an error. */
import { debugNans, grad, jit, NanError, type NDArray, numpy as np } from "fluxion";
import { afterEach, expect, it } from "vitest";

afterEach(() => debugNans(false));

const root = (x: NDArray) => np.sum(np.sqrt(x));

it("does nothing while it is off", () => {
  expect(np.log(np.array([-1])).item()).toBeNaN();
});

it.each([
  [
    "eagerly",
    () => np.log(np.array([1, -1])),
    "log gave NaN (element 1 of float32[2]) for operands float32[2]",
  ],
  ["under jit", () => jit((x: NDArray) => np.log(x).add(1))(np.array([1, -1])), "log gave NaN (element 1"],
  ["in a derivative", () => grad(root)(np.array([-4])), "sqrt gave NaN"],
  ["in a nested jit", () => jit((x: NDArray) => jit(root)(x))(np.array([-4])), "sqrt gave NaN"],
])("names the operation %s", (_, run, text) => {
  debugNans(true);
  expect(run).toThrow(NanError);
  expect(run).toThrow(text);
  debugNans(false);
  expect(run).not.toThrow();
});

it("names the line of user code, also of an equation inside jit", () => {
  debugNans(true);
  expect(() => jit((x: NDArray) => np.log(x))(np.array([-1]))).toThrow(/called at .*debugNans\.test\.ts:\d+/);
});

it("lets integers and infinities pass", () => {
  debugNans(true);
  expect(np.divide(np.array([1]), np.array([0])).item()).toBe(Number.POSITIVE_INFINITY);
  expect(np.add(np.array([1], { dtype: "int32" }), 1).item()).toBe(2);
});
