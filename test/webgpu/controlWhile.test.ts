/** Loops of unknown length on a GPU: it looks for their end now and then, and what comes after them waits. */
import { grad, hessian, jit, jvp, lax, type NDArray, numpy as np, vmap } from "fluxion";
import { describe, expect, test } from "vitest";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import { DeviceLostError, OutOfMemoryError } from "../../src/backends/webgpu/errors.js";
import { setCurrentDevice } from "../../src/core/device.js";
import { expectSame as expectSameOn, useTestGpu } from "./same.js";
import { openTestDevice } from "./swiftshader.js";

const opened = useTestGpu();
const expectSame = (f: () => unknown): Promise<number[][]> => expectSameOn(opened().device, f);
const { cond, scan, whileLoop, foriLoop } = lax;

/** So many steps with two carries: one that stays in its place, and one that does not. */
const steps = (n: NDArray, x: NDArray): readonly [NDArray, NDArray, NDArray] =>
  whileLoop(
    ([i]: readonly [NDArray, NDArray, NDArray]) => i.less(n),
    ([i, a, b]: readonly [NDArray, NDArray, NDArray]) => [i.add(1), b, np.flip(a).mul(0.5).add(b)] as const,
    [np.array(0, "int32"), x, x.mul(2)] as const,
  );

const int = (n: number): NDArray => np.array(n, "int32");

describe("whileLoop", () => {
  test("of 0, 1, 7 and 100 steps, and few looks at the predicate", async () => {
    const x = (): NDArray => np.sin(np.arange(5).astype("float32"));
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 100]) {
      const { waits } = opened().gpu;
      const [[count]] = await expectSame(() => steps(int(n), x()));
      expect(count).toBe(n);
      expect(opened().gpu.waits - waits).toBe(n < 4 ? 1 : n < 12 ? 2 : 5);
      await expectSame(() => jit(steps)(int(n), x()));
    }
  });

  const root = (a: NDArray): NDArray =>
    whileLoop(
      (x: NDArray) => np.abs(x.mul(x).sub(a)).greater(1e-4),
      (x: NDArray) => x.add(a.div(x)).div(2),
      a.add(1).div(2),
    );

  test("Newton's square root, its derivatives in both modes, and batched", async () => {
    for (const a of [0.25, 1, 2, 9, 200]) {
      const [[value]] = await expectSame(() => jit(root)(np.array(a)));
      expect(value).toBeCloseTo(Math.sqrt(a), 3);
      const [[slope]] = await expectSame(() => grad(root)(np.array(a)));
      expect(slope).toBeCloseTo(0.5 / Math.sqrt(a), 3);
      await expectSame(() => jit(grad(root))(np.array(a)));
      await expectSame(() => jvp(root, [np.array(a, "float32")], [np.array(1, "float32")]));
    }
    await expectSame(() => jvp(grad(root), [np.array(2, "float32")], [np.array(1, "float32")]));
    const all = (): NDArray => np.array([0.25, 1, 2, 9, 200]);
    await expectSame(() => jit(vmap(root))(all()));
    await expectSame(() => jit(vmap(grad(root)))(all()));
  });

  test("inside a scan, around one, inside another, in a branch, and around one", async () => {
    const grow = (x: NDArray, limit: NDArray): NDArray =>
      whileLoop(
        (x: NDArray) => np.sum(x).less(limit),
        (x: NDArray) => x.mul(1.5).add(0.1),
        x,
      );
    const inScan = (x: NDArray): unknown =>
      scan((c: NDArray, l: NDArray) => [grow(c, l), c], x, np.array([1, 0, 7, 8, 30]));
    const aroundScan = (x: NDArray): NDArray =>
      whileLoop(
        (x: NDArray) => np.sum(x).less(50),
        (x: NDArray) =>
          scan((c: NDArray, e: NDArray) => [c.mul(1.2).add(e), null], x, np.array([0.1, 0.2, 0.3]))[0],
        x,
      );
    const inside = (x: NDArray): NDArray =>
      whileLoop(
        (x: NDArray) => np.sum(x).less(50),
        (x: NDArray) => grow(x, np.sum(x).add(5)).sub(0.25),
        x,
      );
    const inBranch = (x: NDArray): NDArray =>
      cond(
        np.sum(x).greater(1),
        (x: NDArray) => grow(x, np.array(9)),
        (x: NDArray) => x.neg(),
        x,
      );
    const aroundBranch = (x: NDArray): NDArray =>
      whileLoop(
        (x: NDArray) => np.max(x).less(40),
        (x: NDArray) =>
          cond(
            np.sum(x).greater(4),
            (x: NDArray) => x.mul(1.5),
            (x: NDArray) => np.flip(x).add(1),
            x,
          ),
        x,
      );
    const x = (): NDArray => np.array([0.3, 0.1, 0.4]);
    for (const f of [inScan, aroundScan, inside, inBranch, aroundBranch] as ((x: NDArray) => unknown)[]) {
      await expectSame(() => jit(f)(x()));
      await expectSame(() => jit(f)(x().add(1)));
      await expectSame(() => jvp(f as typeof inside, [x()], [np.ones([3])]));
      if (f !== inScan) await expectSame(() => jit(grad((x: NDArray) => np.sum(f(x) as NDArray)))(x()));
    }
  });

  test("foriLoop: with bounds that are known nothing is waited for", async () => {
    const { gpu } = opened();
    const f = (n: number | NDArray, x: NDArray): NDArray =>
      foriLoop(0, n, (i, c: NDArray) => c.mul(0.9).add(i), x);
    const { waits } = gpu;
    const [known] = await expectSame(() => jit((x: NDArray) => f(20, x))(np.ones([3])));
    expect(gpu.waits).toBe(waits);
    const [unknown] = await expectSame(() => jit(f)(int(20), np.ones([3])));
    expect(gpu.waits - waits).toBe(3);
    expect(unknown).toEqual(known);
    await expectSame(() =>
      jit(hessian((x: NDArray) => np.sum(np.square(f(5, np.sin(x))))))(np.array([0.2, 0.7])),
    );
  });
});

describe("what comes after a loop", () => {
  test("waits in order: programs, uploads, reads, and memory that was given back", async () => {
    const { gpu, device } = opened();
    setCurrentDevice(device);
    const f = jit((n: NDArray, x: NDArray) => steps(n, x)[1]);
    const n = 1000;
    const put = (value: number): NDArray => device.put(np.full([n], value).concrete());
    const x = put(1);
    const y = f(int(100), x);
    x.dispose();
    // These get memory that the loop is still to use.
    const others = Array.from({ length: 8 }, (_, i) => put(i).add(1));
    const early = others[3].data();
    for (const z of others) z.dispose();
    const again = f(int(9), y);
    y.dispose();
    const late = put(5).mul(2);
    const values = [await early, await again.data(), await late.data()].map((v) => v[7]);
    setCurrentDevice(undefined);
    const wanted = steps(int(9), steps(int(100), np.full([n], 1))[1])[1].dataSync()[7];
    expect(values[0]).toBe(4);
    expect(values[1] / wanted).toBeCloseTo(1, 4);
    expect(values[2]).toBe(10);
    await gpu.blockUntilReady();
  });

  test("a donated argument is overwritten only when the loop has come to it", async () => {
    const { device } = opened();
    setCurrentDevice(device);
    const slow = jit((n: NDArray, x: NDArray) => steps(n, x)[2]);
    const next = jit((x: NDArray, y: NDArray) => x.add(y), { donateArgnums: 0 });
    const x = device.put(np.ones([64]).concrete());
    const y = slow(int(20), x);
    const z = next(x, y);
    expect(x.isDisposed).toBe(true);
    const [a, b] = [await y.data(), await z.data()];
    expect([...b]).toEqual([...a].map((v) => Math.fround(v + 1)));
  });

  test("memory does not grow with the steps, nor with loops one after the other", async () => {
    const { gpu, device } = opened();
    setCurrentDevice(device);
    const f = jit((n: NDArray, x: NDArray) => steps(n, x)[1].mul(1e-3));
    const run = async (n: number): Promise<number> => {
      let x: NDArray = np.ones([1000]);
      for (let i = 0; i < 20; i++) {
        const y = f(int(n), x);
        x.dispose();
        x = y;
      }
      await x.data();
      x.dispose();
      const { used, free } = gpu.memory;
      return used + free;
    };
    const first = await run(3);
    expect(await run(60)).toBeLessThan(first + 8192);
  });
});

describe("a device that is destroyed while a loop runs", () => {
  test("reads that wait fail, nothing hangs, and nothing is left waiting", async () => {
    const own = await openTestDevice();
    setCurrentDevice(new WebgpuDevice(own));
    const forever = jit((x: NDArray) =>
      whileLoop(
        (x: NDArray) => x.greater(-1),
        (x: NDArray) => x.add(1),
        x,
      ),
    );
    const y = forever(np.array(0));
    const reads = [y.data(), y.add(1).data(), own.blockUntilReady()].map((p) => p.catch((e: unknown) => e));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await own.destroy();
    for (const error of await Promise.all(reads)) expect(error).toBeInstanceOf(DeviceLostError);
    expect(() => y.add(1)).toThrow(DeviceLostError);
    setCurrentDevice(undefined);
  });

  test("also if it is lost by itself", async () => {
    const own = await openTestDevice();
    setCurrentDevice(new WebgpuDevice(own));
    const forever = jit((x: NDArray) =>
      whileLoop(
        (x: NDArray) => x.greater(-1),
        (x: NDArray) => x.add(1),
        x,
      ),
    );
    const y = forever(np.array(0));
    const reads = [y.data(), y.add(1).data(), own.blockUntilReady()].map((p) => p.catch((e: unknown) => e));
    await new Promise((resolve) => setTimeout(resolve, 20));
    (own as unknown as { device: GPUDevice }).device.destroy();
    for (const error of await Promise.all(reads)) expect(error).toBeInstanceOf(DeviceLostError);
    expect(own.isLost).toBe(true);
    setCurrentDevice(undefined);
  });
});

test("a loop whose commands the GPU refuses is given up, and others go on", async () => {
  const own = await openTestDevice();
  const device = new WebgpuDevice(own);
  setCurrentDevice(device);
  const spoiled = device.put(np.ones([8]).concrete());
  const forever = jit((x: NDArray, w: NDArray) =>
    whileLoop(
      (x: NDArray) => np.sum(x).greater(-1),
      (x: NDArray) => x.add(w),
      x,
    ),
  );
  const y = forever(np.zeros([8]), spoiled);
  const { owner } = spoiled.remote as unknown as { owner: { chunk: { buffer: GPUBuffer } } };
  owner.chunk.buffer.destroy();
  const z = steps(int(20), np.ones([3]))[0];
  await expect(y.data()).rejects.toThrow(/destroyed/);
  expect([...(await z.data())]).toEqual([20]);
  setCurrentDevice(undefined);
  await own.destroy();
});

test("memory that a loop is still to use is not freed while it waits", async () => {
  const own = await openTestDevice({ memoryBudget: 3 * 2 ** 20, collect: null });
  const device = new WebgpuDevice(own);
  setCurrentDevice(device);
  const f = jit((n: NDArray, x: NDArray) => steps(n, x)[1]);
  const put = (n: number, value: number): NDArray => device.put(np.full([n], value).concrete());
  const n = 50_000;
  const x = put(n, 1);
  const first = f(int(30), x);
  const spare = first.add(1);
  const y = f(int(30), first);
  for (const z of [x, first, spare]) z.dispose();
  // Of other sizes: what is spare would be freed for them.
  const kept: NDArray[] = [];
  const refused = (): void => {
    for (let i = 0; i < 40; i++) kept.push(put(30_000 + 2_000 * i, i));
  };
  expect(refused).toThrow(OutOfMemoryError);
  for (const z of kept) z.dispose();
  const got = (await y.data())[7];
  // Now it can be freed.
  const large = put(600_000, 3);
  expect((await large.data())[599_999]).toBe(3);
  setCurrentDevice(undefined);
  await own.destroy();
  const wanted = steps(int(30), steps(int(30), np.full([n], 1))[1])[1].dataSync()[7];
  expect(got / wanted).toBeCloseTo(1, 4);
});
