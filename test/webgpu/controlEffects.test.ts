/** Prints and callbacks inside branches and loops: they happen after the program, in the order in which they stand. */
import { DeviceError, debug, grad, jit, lax, type NDArray, numpy as np, ShapeDtype, vmap } from "fluxion";
import { describe, expect, test } from "vitest";
import { setCurrentDevice } from "../../src/core/device.js";
import { useTestGpu } from "./same.js";

const opened = useTestGpu();
const { cond, scan, switchCase, whileLoop } = lax;

/** What callbacks see of a function on the GPU, and by the records. */
async function seenBoth(f: (see: (...xs: NDArray[]) => void) => unknown): Promise<unknown[]> {
  const run = async (): Promise<unknown[]> => {
    const seen: unknown[] = [];
    f((...xs) => debug.callback((...ys: NDArray[]) => void seen.push(ys.map((y) => y.tolist())), ...xs));
    await opened().gpu.blockUntilReady();
    return seen;
  };
  setCurrentDevice(opened().device);
  const got = await run();
  setCurrentDevice(undefined);
  expect(got).toEqual(await run());
  return got;
}

describe("effects", () => {
  test("in a scan, forwards and backwards: carries, entries, constants and literals", async () => {
    for (const reverse of [false, true]) {
      const seen = await seenBoth((see) =>
        jit((w: NDArray, xs: NDArray) =>
          scan(
            (c: NDArray, x: NDArray) => {
              see(c, x);
              const next = c.add(np.sum(x.mul(w)));
              see(next, w, np.array(7, "int32"));
              return [next, null];
            },
            np.array(0, "float32"),
            xs,
            { reverse },
          ),
        )(np.array([1, 2]), np.arange(6).astype("float32").reshape(3, 2)),
      );
      expect(seen).toHaveLength(6);
      expect(seen[0]).toEqual(reverse ? [0, [4, 5]] : [0, [0, 1]]);
      expect(seen[1]).toEqual(reverse ? [14, [1, 2], 7] : [2, [1, 2], 7]);
    }
  });

  test("in branches: only those of the branch that runs", async () => {
    for (const i of [-1, 0, 1, 2, 5]) {
      const seen = await seenBoth((see) =>
        jit((i: NDArray, x: NDArray) => {
          see(x);
          return switchCase(
            i,
            [
              (x: NDArray) => {
                see(x.add(1), i);
                return np.sum(x);
              },
              (x: NDArray) => np.max(x),
              (x: NDArray) => {
                see(np.sum(x));
                see(x.mul(2));
                return np.min(x);
              },
            ],
            x,
          );
        })(np.array(i, "int32"), np.array([3, 5])),
      );
      expect(seen.length).toBe(i < 1 ? 2 : i === 1 ? 1 : 3);
    }
  });

  test("inside each other, under vmap and in gradients, once", async () => {
    const f =
      (see: (...xs: NDArray[]) => void) =>
      (x: NDArray): NDArray =>
        np.sum(
          scan(
            (c: NDArray, rows: NDArray) => {
              const [last] = scan(
                (d: NDArray, e: NDArray) => [
                  cond(
                    d.greater(0),
                    (d: NDArray, e: NDArray) => {
                      see(d, e);
                      return np.sin(d).add(e);
                    },
                    (d: NDArray, e: NDArray) => {
                      see(e);
                      return d.mul(0.5).add(e.mul(e));
                    },
                    d,
                    e,
                  ),
                  null,
                ],
                c,
                rows,
                { reverse: true },
              );
              see(last);
              return [last, last];
            },
            x,
            np.sin(np.arange(6).astype("float32")).reshape(2, 3),
          )[1],
        );
    const rounded = (seen: unknown[]): unknown =>
      JSON.parse(JSON.stringify(seen), (_, v) => (typeof v === "number" ? Number(v.toFixed(4)) : v));
    const both = async (g: (see: (...xs: NDArray[]) => void) => unknown): Promise<void> => {
      const results: unknown[] = [];
      for (const device of [opened().device, undefined]) {
        setCurrentDevice(device);
        const seen: unknown[] = [];
        g((...xs) => debug.callback((...ys: NDArray[]) => void seen.push(ys.map((y) => y.tolist())), ...xs));
        await opened().gpu.blockUntilReady();
        expect(seen).toHaveLength(8);
        results.push(rounded(seen));
      }
      setCurrentDevice(undefined);
      expect(results[0]).toEqual(results[1]);
    };
    await both((see) => jit(f(see))(np.array(-0.3)));
    await both((see) => jit(grad(f(see)))(np.array(0.4)));
  });

  test("of a scan under vmap, for each example", async () => {
    const seen = await seenBoth((see) =>
      jit(
        vmap(
          (x: NDArray) =>
            scan(
              (c: NDArray) => {
                see(c);
                return [c.add(1), null];
              },
              x,
              null,
              { length: 2 },
            )[0],
        ),
      )(np.array([10, 20])),
    );
    expect(seen).toHaveLength(4);
  });

  test("stand in the lowered program, and leave the rest as it is", () => {
    setCurrentDevice(opened().device);
    const lowered = jit((xs: NDArray) =>
      scan(
        (c: NDArray, x: NDArray) => {
          debug.print("c = {}", c);
          return [c.add(x), null];
        },
        0,
        xs,
      ),
    ).lower(new ShapeDtype([4]));
    setCurrentDevice(undefined);
    expect(lowered.steps.at(-1)?.name).toBe("debugCallback");
    expect(lowered.steps.filter(({ kind }) => kind === "control")).toHaveLength(1);
  });

  test("in a loop of unknown length are refused, with a way out", () => {
    setCurrentDevice(opened().device);
    const f = jit((x: NDArray) =>
      whileLoop(
        (x: NDArray) => x.less(3),
        (x: NDArray) => {
          debug.print("x = {}", x);
          return x.add(1);
        },
        x,
      ),
    );
    expect(() => f(np.array(0))).toThrow(DeviceError);
    expect(() => f(np.array(0))).toThrow(/unknown length.*device "wasm"/);
    setCurrentDevice(undefined);
  });
});
