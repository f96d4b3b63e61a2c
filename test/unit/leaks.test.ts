/** `checkLeaks`: arrays that a function leaves behind on a device. */
import {
  ArgumentError,
  checkLeaks,
  grad,
  jit,
  MemoryLeakError,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  tidy,
} from "fluxion";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCollect } from "../../src/backends/collect.js";
import { errorOf } from "./values.js";

const n = 50_000;
const bytes = 4 * n;
const made = (): NDArray => np.ones([n]).mul(2);
let held: NDArray[] = [];

beforeAll(() => setDefaultDevice("wasm"));
afterAll(() => {
  for (const x of held) x.dispose();
});

const leaksOf = (f: () => unknown, collect: boolean | undefined): MemoryLeakError => {
  const error = errorOf(() => checkLeaks(f, { collect }));
  expect(error).toBeInstanceOf(MemoryLeakError);
  return error as MemoryLeakError;
};

describe.runIf(findCollect() !== undefined)("with a collection first", () => {
  it("lets garbage pass, and what is returned", () => {
    const { total, kept } = checkLeaks(() => {
      const x = made();
      const kept = x.mul(x);
      return { total: np.sum(kept), kept: [kept, { n: 3 }] as const };
    });
    expect([total.item(), kept[0].slice(1).item()]).toEqual([4 * n, 4]);
    expect(checkLeaks(() => made().slice(0).item())).toBe(2);
    expect(checkLeaks(() => {})).toBeUndefined();
  });

  it("names what can still be reached, with the lines where it was made", () => {
    held = [];
    const f = (): void => {
      held.push(
        made(),
        np
          .arange(n)
          .reshape(n / 2, 2)
          .add(1),
      );
      np.ones([n]).add(1);
    };
    const error = leaksOf(f, undefined);
    expect(error.code).toBe("memory-leak");
    expect(error.held).toEqual([
      {
        device: "wasm",
        type: `float32[${n}]`,
        bytes,
        source: expect.stringMatching(/leaks\.test\.ts:\d+:\d+$/),
      },
      {
        device: "wasm",
        type: `int32[${n / 2},2]`,
        bytes,
        source: expect.stringMatching(/leaks\.test\.ts:\d+:\d+$/),
      },
    ]);
    expect(error.message).toMatch(
      /^checkLeaks: 2 arrays of 400000 bytes are held that the function made and did not return:\n {2}float32\[50000\] on wasm, made at .*leaks\.test\.ts:\d+:\d+\n {2}int32\[25000,2\] on wasm/,
    );
  });

  it("says once what was made many times", () => {
    const error = leaksOf(() => {
      for (let i = 0; i < 3; i++) held.push(made());
    }, undefined);
    expect(error.held).toHaveLength(3);
    expect(error.message).toMatch(
      /: 3 arrays of 600000 bytes are held .*\n {2}3 times float32\[50000\] on wasm, made at [^\n]*$/,
    );
  });

  it("follows elements to arrays that share them, and to results that have taken their memory", () => {
    expect(
      leaksOf(() => {
        const x = made();
        held.push(x.reshape(n / 10, 10));
        x.dispose();
      }, undefined).held.map((h) => h.bytes),
    ).toEqual([bytes]);
    const step = jit((w: NDArray) => w.add(1), { donateArgnums: 0 });
    const kept = checkLeaks(() => step(step(made())));
    expect(kept.slice(0).item()).toBe(4);
    expect(leaksOf(() => void held.push(step(step(made()))), undefined).held).toHaveLength(1);
  });

  it("lets programs keep their constants", () => {
    const f = jit((x: NDArray) => np.sum(x.mul(np.ones([n]).add(1))));
    checkLeaks(() => f(made()).item());
    checkLeaks(() =>
      grad((x: NDArray) => np.sum(x.mul(x)))(made())
        .slice(0)
        .item(),
    );
  });

  it("waits for asynchronous functions", async () => {
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
    const x = await checkLeaks(async () => {
      made();
      await wait();
      return made();
    });
    expect(x.slice(0).item()).toBe(2);
    const leak = checkLeaks(async () => {
      await wait();
      held.push(made());
    });
    await expect(leak).rejects.toThrow(/1 array of 200000 bytes is held/);
    await expect(
      checkLeaks(async () => {
        await wait();
        throw new RangeError("own");
      }),
    ).rejects.toThrow("own");
  });

  it("nests, and throws what the function throws", () => {
    const f = (): void => void checkLeaks(() => void held.push(made()));
    expect(() => checkLeaks(f)).toThrow(MemoryLeakError);
    // The array that the inner one found is the outer one's, too.
    const outer = leaksOf(() => {
      expect(f).toThrow(MemoryLeakError);
    }, undefined);
    expect(outer.held).toHaveLength(1);
    expect(() =>
      checkLeaks(() => {
        throw new RangeError("own");
      }),
    ).toThrow("own");
  });
});

describe("without a collection", () => {
  it("wants everything disposed of", () => {
    const error = leaksOf(() => np.sum(made()).item(), false);
    expect(error.held.map((h) => h.type)).toContain(`float32[${n}]`);
    const total = checkLeaks(() => tidy(() => np.sum(made()).item()), { collect: false });
    expect(total).toBe(2 * n);
    const y = checkLeaks(() => tidy(() => made().add(1)), { collect: false });
    expect(y.slice(0).item()).toBe(3);
  });
});

it("refuses what is no function, and to collect where nobody can", () => {
  expect(() => checkLeaks(3 as never)).toThrow(ArgumentError);
  if (findCollect() === undefined)
    expect(() => checkLeaks(() => {}, { collect: true })).toThrow(ArgumentError);
});

it("records nothing when it is over", () => {
  checkLeaks(() => {});
  const limit = Error.stackTraceLimit;
  let captured = 0;
  Object.defineProperty(Error, "stackTraceLimit", {
    configurable: true,
    get: () => limit,
    set: () => captured++,
  });
  try {
    held.push(made());
    expect(captured).toBe(0);
    checkLeaks(() => tidy(() => made().slice(0).item()), { collect: false });
    expect(captured).toBeGreaterThan(0);
  } finally {
    Object.defineProperty(Error, "stackTraceLimit", { configurable: true, writable: true, value: limit });
  }
});
