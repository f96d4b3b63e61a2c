/** Giving memory back: dispose, using, tidy, donation; and what the device counts. */
import {
  DeviceError,
  grad,
  ImpureFunctionError,
  jit,
  lax,
  memoryStats,
  type NDArray,
  numpy as np,
  tidy,
} from "fluxion";
import { describe, expect, it } from "vitest";

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

  it("refuses positions that are none", () => {
    const wrong = jit((x: NDArray) => x, { donateArgnums: 1 as never });
    expect(() => wrong(np.ones([2]))).toThrow("argnums 1 is not a position");
  });
});

it("a loop that never awaits holds memory within the budget", () => {
  let x = np.zeros([2 ** 16]);
  for (let i = 0; i < 3000; i++) x = x.add(1);
  expect(x.slice(0).item()).toBe(3000);
});
