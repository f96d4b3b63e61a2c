/** Arrays on a GPU, whose elements nobody can read now, where the library looks at elements if it can. */
import { debug, grad, hvp, jit, jvp, type NDArray, numpy as np, random } from "fluxion";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { currentDevice, expectRemoteArrays, setCurrentDevice } from "../../src/core/device.js";
import { openTestDevice } from "./swiftshader.js";

const before = currentDevice();
let gpu: GpuDevice;
let device: WebgpuDevice;

beforeAll(async () => {
  gpu = await openTestDevice();
  expectRemoteArrays();
  device = new WebgpuDevice(gpu);
  setCurrentDevice(device);
});
afterAll(() => {
  setCurrentDevice(before);
  return gpu.destroy();
});

const put = (x: NDArray): NDArray => device.put(x.concrete());

/** Checks that f gives on the GPU what it gives on the CPU. */
async function expectSame(f: (...xs: NDArray[]) => NDArray, ...xs: NDArray[]): Promise<void> {
  setCurrentDevice(before);
  const wanted = f(...xs);
  setCurrentDevice(device);
  const got = f(...xs.map(put));
  expect([got.dtype, got.shape]).toEqual([wanted.dtype, wanted.shape]);
  expect([...(await got.data())]).toEqual([...wanted.dataSync()]);
}

const ints = (...values: number[]): NDArray => np.array(values, "int32");
const table = np.array([
  [10, 20, 30],
  [40, 50, 60],
]);

describe("indices that are computed", () => {
  test.each<[string, (x: NDArray, i: NDArray) => NDArray]>([
    ["take", (x, i) => np.take(x, i, 1)],
    ["takeAlongAxis", (x, i) => np.takeAlongAxis(x, np.reshape(i, [1, 3]), 1)],
    ["slice", (x, i) => x.slice(0, i)],
    ["slice at one place", (x, i) => x.slice(i.slice(0), i.slice(2))],
    ["roll", (x, i) => np.roll(x, i.slice(2), 1)],
    ["insert", (x, i) => np.insert(x, i, 7, 1)],
    ["delete", (x, i) => np.delete(x, i.slice(1), { axis: 1, assumeUniqueIndices: true })],
  ])("%s", (_, f) => expectSame(f, table, ints(-1, 0, 1)));

  test("bins, whichever way they go", async () => {
    const x = np.array([0.5, 1.5, 2.5]);
    await expectSame((edges) => np.digitize(x, edges), np.array([0, 1, 2]));
    await expectSame((edges) => np.digitize(x, edges), np.array([2, 1, 0]));
  });

  test("random rows", async () => {
    await expectSame((x) => random.permutation(random.key(3), x), table);
    await expectSame((x) => random.choice(random.key(3), x, { shape: [4] }), table);
    await expectSame((p) => random.choice(random.key(3), table, { shape: [4], p }), np.array([0.25, 0.75]));
  });
});

test("arrays in lists are stacked", () =>
  expectSame((x, y) => np.array([[x, y] as never, [3, x] as never]), np.array(1), np.array(2)));

test("scalars that a jitted function closes over are arguments of its program", async () => {
  const scale = put(np.array(3));
  const f = jit((x: NDArray) => np.sum(x.mul(scale)));
  expect([...(await grad(f)(put(np.array([1, 2]))).data())]).toEqual([3, 3]);
});

/** The tangent of so many integers. */
const nothing = (n: number): NDArray => jvp(np.logicalNot, [np.ones([n], "bool")], [0])[1];

describe("integers have tangents without elements", () => {
  const f = jit((x: NDArray, n: NDArray) => np.sum(x.mul(x).mul(n)));
  test("which programs take", async () => {
    const x = put(np.array([1, 2]));
    const product = hvp(f, [x, put(ints(2, 3))], [put(np.array([1, 1])), put(nothing(2))]);
    expect([...(await (product as unknown as NDArray[])[0].data())]).toEqual([4, 6]);
  });

  test("and give, with effects too", async () => {
    const lines = vi.spyOn(console, "log").mockImplementation(() => {});
    const g = jit((n: NDArray, dn: NDArray) =>
      jvp(
        (m: NDArray) => {
          debug.print("m = {}", m);
          return m.add(1);
        },
        [n],
        [dn],
      ),
    );
    const [y, dy] = g(put(ints(1, 2)), nothing(2));
    expect([...(await y.data())]).toEqual([2, 3]);
    expect([dy.dtype, dy.shape]).toEqual(["float0", [2]]);
    expect(lines.mock.calls).toEqual([["m = [1, 2]"]]);
    lines.mockRestore();
  });
});

test("kernels that do the same are compiled once", async () => {
  const products = 20;
  const average = jit((w: NDArray, x: NDArray) => {
    let y = x;
    for (let i = 0; i < products; i++) y = np.matmul(w, y);
    return y;
  });
  const [w, x] = [np.full([8, 8], 1 / 8), np.reshape(np.arange(64, { dtype: "float32" }), [8, 8])];
  const compiled = gpu.shaders;
  expect(average.lower(w, x).kernels.length).toBeGreaterThanOrEqual(products);
  const y = await average(put(w), put(x)).data();
  expect(gpu.shaders - compiled).toBeLessThan(6);
  // All rows are the mean of the rows after the first product, and remain so.
  expect([...y.slice(0, 3)]).toEqual([28, 29, 30]);
});
