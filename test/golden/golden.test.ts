/** Calls of every library against the answers of real JAX, one test a case. */
import { FluxionError, NDArray, numpy as np, random } from "fluxion";
import { describe, expect, it } from "vitest";
import { runDerivative } from "./derivatives.js";
import { differences, readFamily, run, title } from "./load.js";
import { constants, dtypes, functions } from "./t1-names.js";

const families = ["promotion", "random", "numpy", "numpyMore", "lax", "nn", "special", "grads"].map(
  (name) => [name, readFamily(name)] as const,
);

for (const [name, { jax, cases }] of families) {
  describe(`${name} (JAX ${jax})`, () => {
    cases.forEach((c, i) => {
      it(`${i}: ${title(c)}`, () => {
        if (c.throws) return expect(() => run(c)).toThrow(FluxionError);
        const actual = c.kind === undefined ? run(c) : runDerivative(c);
        expect(differences(actual, c.out, c)).toEqual([]);
      });
    });
  });
}

describe("the golden cases", () => {
  const covered = new Set(
    families.flatMap(([, { cases }]) => cases.filter((c) => c.lib === "numpy").map((c) => c.fn)),
  );

  it.each(functions)("np.%s exists and has a case", (path) => {
    const value = path.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], np);
    expect(typeof value).toBe("function");
    expect(covered.has(path)).toBe(true);
  });

  it("covers the 155 names", () => {
    expect(new Set(functions).size + Object.keys(constants).length + 1).toBe(155);
  });

  it("finds the constants and the dtypes", () => {
    const exported = np as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(constants)) expect(exported[key]).toEqual(value);
    for (const dtype of dtypes) expect(exported[dtype]).toBe(dtype);
    expect(exported.bool_ ?? exported.bool).toBe("bool");
  });

  it("would notice a wrong value, dtype, shape, weak type or sign of zero", () => {
    const c = { lib: "numpy", fn: "sin", args: [], out: null };
    const out = { $: "float32", shape: [2], data: [1, "-0"], weak: false } as const;
    const x = np.array([1, -0], { dtype: "float32" });
    expect(x).toBeInstanceOf(NDArray);
    expect(differences(x, out, { ...c, signedZero: true })).toEqual([]);
    expect(differences(np.array([1, 0], { dtype: "float32" }), out, { ...c, signedZero: true })).toHaveLength(
      1,
    );
    expect(differences(np.array([1.00001, 0], { dtype: "float32" }), out, c)).toHaveLength(1);
    expect(differences(np.array([1, Number.NaN], { dtype: "float32" }), out, c)).toHaveLength(1);
    expect(differences(np.array([1, 0], { dtype: "int32" }), out, c)).toHaveLength(1);
    expect(differences(np.reshape(x, [1, 2]), out, c)).toHaveLength(1);
    expect(differences(x, { ...out, weak: true }, c)).toHaveLength(1);
    expect(differences(1, out, c)).toHaveLength(1);
  });
});

describe("laws of the random bits", () => {
  const key = random.key(1701);

  it("foldIn(k, i) is split(k, n)[i]", () => {
    const keys = random.split(key, 6).tolist() as number[][];
    keys.forEach((words, i) => {
      expect(random.foldIn(key, i).tolist()).toEqual(words);
    });
  });

  it("a shorter draw is a prefix of a longer one", () => {
    const long = random.bits(key, [9]).tolist() as number[];
    expect(random.bits(key, [4]).tolist()).toEqual(long.slice(0, 4));
  });
});
