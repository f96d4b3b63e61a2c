/** Branches and loops of known length on a GPU, against the plain meaning of their records. */
import { grad, jit, jvp, lax, type NDArray, numpy as np, random, vmap } from "fluxion";
import { describe, expect, test } from "vitest";
import { setCurrentDevice } from "../../src/core/device.js";
import { expectSame as expectSameOn, useTestGpu } from "./same.js";

const opened = useTestGpu();
const expectSame = (f: () => unknown): Promise<number[][]> => expectSameOn(opened().device, f);
const { cond, scan, switchCase } = lax;

describe("scan", () => {
  test("carries, reads entries, and stacks results", async () => {
    const [sum, partial] = await expectSame(() =>
      scan((c: NDArray, x: NDArray) => [c.add(x), c.mul(2)], np.array(0), np.array([1, 2, 3, 4])),
    );
    expect(sum).toEqual([10]);
    expect(partial).toEqual([0, 2, 6, 12]);
  });

  test("backwards, with carries that change places, constants, and rows of every length", async () => {
    for (const n of [1, 2, 3, 4, 5, 7, 64, 65])
      for (const length of [0, 1, 2, 3, 8])
        for (const reverse of [false, true])
          await expectSame(() => {
            const xs = np.sin(np.arange(length * n).astype("float32")).reshape(length, n);
            const w = np.cos(np.arange(n).astype("float32"));
            return scan(
              ([a, b, i]: readonly NDArray[], x: NDArray) => [
                [b, a.mul(w).add(x), i.add(1)],
                { y: a.add(b), x, i, a },
              ],
              [w, np.ones([n]), np.array(0, "int32")],
              xs,
              { reverse },
            );
          });
  }, 300_000);

  test("of every dtype", async () => {
    for (const dtype of ["float16", "int32", "uint32", "uint8"] as const)
      for (const n of [1, 3, 4])
        await expectSame(() =>
          scan(
            (c: NDArray, x: NDArray) => [c.add(x), [c, x]],
            np.ones([n], { dtype }),
            np
              .arange(5 * n)
              .astype(dtype)
              .reshape(5, n),
          ),
        );
    await expectSame(() =>
      scan(
        (c: NDArray, x: NDArray) => [np.logicalXor(c, x), [c, np.logicalNot(x)]],
        np.array([1, 0, 1]).greater(0),
        np.arange(15).reshape(5, 3).greater(6),
      ),
    );
  });

  test("inside a scan: entries of entries", async () => {
    const f = (): unknown => {
      const xs = np.sin(np.arange(2 * 3 * 5).astype("float32")).reshape(2, 3, 5);
      return scan(
        (c: NDArray, rows: NDArray) => {
          const [last, all] = scan(
            (d: NDArray, x: NDArray) => [d.mul(0.5).add(x), d.sub(np.sum(rows))],
            c,
            rows,
            {
              reverse: true,
            },
          );
          return [last.add(1), [all, last, rows]];
        },
        np.ones([5]),
        xs,
      );
    };
    await expectSame(f);
    await expectSame(jit(f));
  });

  const rnn = (w: NDArray, u: NDArray, xs: NDArray): NDArray => {
    const [h, all] = scan(
      (h: NDArray, x: NDArray) => {
        const next = np.tanh(h.matmul(w).add(x.matmul(u)));
        return [next, next];
      },
      np.zeros([2, 6]),
      xs,
    );
    return np.sum(np.square(h)).add(np.sum(np.sin(all)));
  };
  const weights = (): [NDArray, NDArray, NDArray] => {
    const draw = (shape: number[], k: number): NDArray => random.normal(random.key(k), shape).mul(0.4);
    return [draw([6, 6], 1), draw([4, 6], 2), draw([9, 2, 4], 3)];
  };

  test("derivatives of a recurrent network, in both modes and to second order", async () => {
    await expectSame(() => grad(rnn, { argnums: [0, 1, 2] })(...weights()));
    await expectSame(() => jit(grad(rnn, { argnums: [0, 1, 2] }))(...weights()));
    const dots = weights;
    await expectSame(() => jvp(rnn, weights(), dots()));
    await expectSame(() => jvp(grad(rnn), weights(), dots())[1]);
  });

  test("batched, in each operand alone", async () => {
    for (let k = 0; k < 3; k++)
      await expectSame(() => {
        const args = weights();
        args[k] = np.stack([args[k], args[k].mul(2), np.sin(args[k])]);
        return vmap(rnn, { inAxes: args.map((_, i) => (i === k ? 0 : null)) as [0, 0, 0] })(...args);
      });
  });

  test("costs the kernels of its body: entries and carries are not copied, nor are steps counted", async () => {
    const { gpu, device } = opened();
    setCurrentDevice(device);
    const count = (f: (c: NDArray, x: NDArray) => readonly [NDArray, NDArray], shape: number[]): number => {
      const run = jit((c: NDArray, xs: NDArray) => scan(f, c, xs));
      const [c, xs] = [np.ones(shape), np.ones([50, ...shape])];
      run(c, xs);
      const { dispatches } = gpu;
      run(c, xs);
      return gpu.dispatches - dispatches;
    };
    // One copy of the first carry, then a kernel for each step.
    expect(count((c, x) => [c.mul(2).add(x), c.sub(x)], [300])).toBe(51);
    expect(count((c, x) => [np.tanh(c.add(x)), x.mul(c)], [3, 5])).toBe(51);
    // A flipped carry cannot be computed in place: it goes round between two places.
    expect(count((c, x) => [np.flip(c).add(x), c], [300])).toBe(51);
    await gpu.blockUntilReady();
  });

  test("of many steps needs no memory for each, and waits for nothing", async () => {
    const { gpu, device } = opened();
    setCurrentDevice(device);
    const f = jit(
      (x: NDArray) => scan((c: NDArray) => [c.mul(0.999).add(1), null], x, null, { length: 3000 })[0],
    );
    const x = np.zeros([1000]);
    const { used } = gpu.memory;
    const { waits } = gpu;
    const y = f(x);
    expect(gpu.memory.used - used).toBeLessThan(32_000);
    expect((await y.data())[500]).toBeCloseTo((1 - 0.999 ** 3000) / 0.001, 1);
    expect(gpu.waits).toBe(waits);
  });
});

describe("cond", () => {
  const f = (i: NDArray, x: NDArray): NDArray =>
    switchCase(
      i,
      [
        (x: NDArray) => np.sin(x),
        (x: NDArray) => np.sqrt(np.sum(x)).mul(np.ones([7])),
        (x: NDArray) => x,
        () => np.zeros([7]),
      ],
      x,
    );
  const operand = (): NDArray => np.arange(7).astype("float32").sub(1);
  const index = (i: number): NDArray => np.array(i, "int32");

  test("runs the branch of the number, which is clamped; the others write nothing", async () => {
    // All branches write to the same memory, one after the other: any other than the one of the number would be seen.
    const { gpu } = opened();
    const { waits } = gpu;
    for (const i of [-3, 0, 1, 2, 3, 9]) {
      await expectSame(() => f(index(i), operand()));
      await expectSame(() => jit(f)(index(i), operand()));
    }
    expect(gpu.waits).toBe(waits);
  });

  test("derivatives, where the branch that is not taken has none", async () => {
    const g = (i: NDArray, x: NDArray): NDArray => np.sum(np.square(f(i, x)));
    for (const i of [0, 1, 2, 3]) {
      await expectSame(() => jit(grad(g, { argnums: 1 }))(index(i), operand()));
      await expectSame(() => jvp((x: NDArray) => g(index(i), x), [operand()], [np.ones([7])]));
    }
    const h = (x: NDArray): NDArray =>
      cond(
        np.sum(x).greater(0),
        (x: NDArray) => np.sum(np.sqrt(x)),
        (x: NDArray) => np.sum(x),
        x,
      );
    expect(await expectSame(() => jit(grad(h))(np.array([-4, -9])))).toEqual([[1, 1]]);
    expect(await expectSame(() => jit(grad(h))(np.array([4, 0.25])))).toEqual([[0.25, 1]]);
  });

  test("batched: in the operand one branch runs, in the number each row takes its own", async () => {
    const rows = (): NDArray => np.stack([operand(), operand().mul(2), np.ones([7])]);
    await expectSame(() => jit(vmap(f, { inAxes: [null, 0] }))(index(1), rows()));
    await expectSame(() => jit(vmap(f))(np.array([1, 3, 0], "int32"), rows()));
    await expectSame(() =>
      jit(vmap(grad((i: NDArray, x: NDArray) => np.sum(f(i, x)), { argnums: 1 })))(
        np.array([1, 3, 0], "int32"),
        rows(),
      ),
    );
  });

  test("inside each other, in a scan, and around one", async () => {
    const inner = (x: NDArray, y: NDArray): NDArray =>
      cond(
        np.sum(x).greater(0),
        (x: NDArray, y: NDArray) =>
          cond(
            np.sum(y).less(0),
            (x: NDArray, y: NDArray) => x.sub(y),
            (x: NDArray, y: NDArray) => x.mul(y),
            x,
            y,
          ),
        (x: NDArray, y: NDArray) =>
          scan((c: NDArray, e: NDArray) => [c.add(e), c], x, np.stack([y, y.mul(2), y]))[0],
        x,
        y,
      );
    const xs = (): NDArray => np.sin(np.arange(24).astype("float32").mul(1.7)).reshape(8, 3);
    const loop = (c: NDArray): unknown => scan((c: NDArray, x: NDArray) => [inner(c, x), c], c, xs());
    for (const c of [1, -1, 0.1]) {
      await expectSame(() => jit(loop)(np.full([3], c)));
      await expectSame(() => jit(grad((c: NDArray) => np.sum((loop(c) as NDArray[])[1])))(np.full([3], c)));
    }
  });

  test("with a number that is an entry of an array", async () => {
    await expectSame(() =>
      jit((x: NDArray) =>
        scan((c: NDArray, i: NDArray) => [f(i, c), c], x, np.array([0, 2, 3, 1, 0, 7, -1], "int32")),
      )(operand()),
    );
  });
});
