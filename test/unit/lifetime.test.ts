/** Giving memory back: dispose, using, tidy, donation; and what the device counts. */
import {
  ArgumentError,
  DeviceError,
  debug,
  grad,
  ImpureFunctionError,
  jit,
  lax,
  memoryStats,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  tidy,
} from "fluxion";
import { describe, expect, it } from "vitest";
import { deviceHeap, OutOfMemoryError } from "../../src/backends/wasm/memory.js";

/** Large enough to live in the memory of the device. */
const n = 50_000;
const made = (): NDArray => tidy(() => np.ones([n]).mul(2));
const live = (): number => memoryStats("wasm").bytesInUse;
const owned = (): number => memoryStats("wasm").arrays as number;

describe("dispose", () => {
  it("gives memory back at once, and only once", () => {
    const before = live();
    const x = made();
    expect(live()).toBeGreaterThan(before);
    x.dispose();
    x.dispose();
    expect(live()).toBe(before);
    expect(x.isDisposed).toBe(true);
    expect(String(x)).toBe("Array(float32[50000], disposed)");
    expect(() => x.dataSync()).toThrow(DeviceError);
    expect(() => x.add(1)).toThrow("this array (float32[50000]) has been disposed of: its elements are gone");
  });

  it("is refused by await data(), too", async () => {
    const x = made();
    x.dispose();
    await expect(x.data()).rejects.toThrow(DeviceError);
  });

  it("leaves elements that another array shares", () => {
    const before = live();
    const x = made();
    const y = x.reshape(n / 10, 10);
    x.dispose();
    expect(y.slice(0, 0).item()).toBe(2);
    y.dispose();
    expect(live()).toBe(before);
  });

  it("knows outputs of a program that are its inputs, or each other", () => {
    const before = live();
    const x = made();
    const [a, b, c] = jit((z: NDArray) => {
      const twice = z.add(z);
      return [z, twice, twice];
    })(x);
    x.dispose();
    b.dispose();
    expect([a.slice(0).item(), c.slice(0).item()]).toEqual([2, 4]);
    a.dispose();
    c.dispose();
    expect(live()).toBe(before);
  });

  it("of a traced array does nothing", () => {
    const f = (x: NDArray) => {
      const y = x.mul(3);
      y.dispose();
      return np.sum(y);
    };
    expect(grad(jit(f))(np.array([1, 2])).tolist()).toEqual([3, 3]);
  });

  it("is what `using` does", () => {
    const before = live();
    {
      using x = made();
      expect(x.shape).toEqual([n]);
    }
    expect(live()).toBe(before);
  });
});

describe("tidy", () => {
  it("keeps what is returned, in any tree, and frees the rest", () => {
    const before = owned();
    const outside = made();
    const { kept } = tidy(() => {
      const a = outside.add(1);
      const b = a.mul(a);
      return { kept: [b, 3] as const };
    });
    expect(owned()).toBe(before + 2);
    expect(kept[0].slice(0).item()).toBe(9);
    expect(outside.isDisposed).toBe(false);
    outside.dispose();
    kept[0].dispose();
    expect(owned()).toBe(before);
  });

  it("nests: what the inner one keeps is the outer one's", () => {
    const before = owned();
    const total = tidy(() => {
      const inner = tidy(() => made().add(1));
      return np.sum(inner);
    });
    expect(total.item()).toBe(3 * n);
    expect(owned()).toBe(before);
  });

  it("frees also when the function throws a promise at it, and says so", () => {
    const before = owned();
    expect(() => tidy(async () => made())).toThrow(ImpureFunctionError);
    expect(owned()).toBe(before);
  });

  it("leaves what traces hold: the program runs again", () => {
    const f = jit((x: NDArray) => np.sum(lax.sin(x.mul(np.ones([n])))));
    const first = tidy(() => f(np.ones([n]).mul(1)).item());
    expect(tidy(() => f(np.ones([n]).mul(1)).item())).toBe(first);
  });
});

describe("donation", () => {
  const step = jit((w: NDArray, g: NDArray) => w.sub(g), { donateArgnums: 0 });

  it("frees the donated argument, and nothing else", () => {
    const before = owned();
    const [w, g] = [made(), made()];
    const next = step(w, g);
    expect([w.isDisposed, g.isDisposed, next.slice(0).item()]).toEqual([true, false, 0]);
    g.dispose();
    next.dispose();
    expect(owned()).toBe(before);
  });

  it("frees nothing when the call fails", () => {
    const w = made();
    expect(() => step(w, np.ones([3]))).toThrow();
    expect(w.isDisposed).toBe(false);
  });

  it("keeps an argument that is a result", () => {
    const w = made();
    const same = jit((x: NDArray) => x, { donateArgnums: 0 })(w);
    expect(same.slice(0).item()).toBe(2);
  });

  it("does nothing under another transform", () => {
    const w = np.ones([3]);
    expect(grad((x: NDArray) => np.sum(step(x, np.ones([3]))))(w).tolist()).toEqual([1, 1, 1]);
    expect(w.isDisposed).toBe(false);
  });

  it("refuses positions that are none, or of static arguments", () => {
    const wrong = jit((x: NDArray) => x, { donateArgnums: 1 as never });
    expect(() => wrong(np.ones([2]))).toThrow("argnums 1 is not a position");
    const both = jit((x: NDArray, _mode: string) => x, { donateArgnums: [0, 1], staticArgnums: 1 });
    expect(() => both(np.ones([2]), "a")).toThrow(
      "argument 1 is static, so there are no arrays in it to donate",
    );
  });

  it("computes in the memory of the argument", () => {
    const [w, g] = [made(), made()];
    const { buffer, byteOffset } = w.concrete().values;
    const next = step(w, g);
    expect(next.concrete().values.buffer).toBe(buffer);
    expect(next.concrete().values.byteOffset).toBe(byteOffset);
    expect([...next.dataSync().slice(0, 3)]).toEqual([0, 0, 0]);
  });

  it("leaves alone what another array shares", () => {
    const w = made();
    const rows = w.reshape(n / 10, 10);
    const next = step(w, np.ones([n]));
    expect([w.isDisposed, rows.slice(7, 3).item(), next.slice(0).item()]).toEqual([true, 2, 1]);
    // It was the last one that shared.
    const { byteOffset } = rows.concrete().values;
    const last = jit((x: NDArray) => x.add(1), { donateArgnums: 0 })(rows);
    expect(last.concrete().values.byteOffset).toBe(byteOffset);
  });

  it.each([
    ["twice", { donateArgnums: [0, 1] }, /argument 0\.w and argument 1, and both are donated/],
    ["and not", { donateArgnums: [1] }, /argument 0\.w and argument 1, and one of them is donated/],
  ] as const)("refuses an array that is donated %s in one call", (_, options, message) => {
    const f = jit((p: { w: NDArray }, x: NDArray) => p.w.add(x), options as never);
    const w = made();
    expect(() => f({ w }, w)).toThrow(ArgumentError);
    expect(() => f({ w }, w)).toThrow(message);
    expect(w.slice(0).item()).toBe(2);
    expect(f({ w: made() }, w).slice(0).item()).toBe(4);
  });

  it("refuses a constant of the function", () => {
    const w = made();
    const f = jit((x: NDArray) => x.add(w), { donateArgnums: 0 });
    expect(() => f(w)).toThrow(
      "the same array is a constant of the function and argument 0, and one of them",
    );
    expect(w.isDisposed).toBe(false);
  });

  it("leaves everything as it was if there is no room", () => {
    const heap = deviceHeap();
    const { malloc } = heap;
    const [w, g] = [made(), made()];
    const large = jit((x: NDArray, y: NDArray) => [x.sub(y), np.sort(x.mul(y))], { donateArgnums: [0, 1] });
    heap.malloc = (bytes) => {
      throw new OutOfMemoryError("full", bytes);
    };
    try {
      expect(() => large(w, g)).toThrow(OutOfMemoryError);
    } finally {
      heap.malloc = malloc;
    }
    expect([w.slice(0).item(), g.slice(n - 1).item()]).toEqual([2, 2]);
  });

  it("is done once the program has started, also if it fails then", () => {
    const before = owned();
    const f = jit(
      (x: NDArray) => {
        const y = x.mul(3);
        debug.callback(() => {
          throw new RangeError("stop");
        }, y.slice(0));
        return y.add(1);
      },
      { donateArgnums: 0 },
    );
    const w = made();
    expect(() => f(w)).toThrow("stop");
    expect(w.isDisposed).toBe(true);
    expect(owned()).toBe(before);
  });

  it("is what compiled programs do, too", () => {
    const w = made();
    const compiled = step.lower(w, w).compile();
    expect(w.isDisposed).toBe(false);
    expect(() => compiled(w, w)).toThrow(/the same array is argument 0 and argument 1/);
    expect(
      compiled(w, np.ones([n]))
        .slice(0)
        .item(),
    ).toBe(1);
    expect(w.isDisposed).toBe(true);
  });

  it("frees what is given away where operations run one by one", () => {
    setDefaultDevice("reference");
    try {
      const w = np.ones([4]).mul(2);
      expect(step(w, np.ones([4])).tolist()).toEqual([1, 1, 1, 1]);
      expect(w.isDisposed).toBe(true);
    } finally {
      setDefaultDevice("wasm");
    }
  });
});

it("a loop that never awaits holds memory within the budget", () => {
  let x = np.zeros([2 ** 16]);
  for (let i = 0; i < 3000; i++) x = x.add(1);
  expect(x.slice(0).item()).toBe(3000);
});
