/** Hosts without WebAssembly, and such as do not let a page compile any, compute with the `evaluate` rules. */
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function deviceWith(wasm: unknown): Promise<{ device: string; sum: unknown }> {
  vi.resetModules();
  vi.stubGlobal("WebAssembly", wasm);
  const { defaultDevice, jit, numpy: np } = await import("../../../src/index.js");
  const total = jit((x: Parameters<typeof np.sum>[0]) => np.sum(x));
  return { device: defaultDevice(), sum: total(np.ones([3000])).item() };
}

it.each([
  ["is not there", undefined],
  [
    "may not be compiled (a content-security policy)",
    {
      ...WebAssembly,
      Module: class {
        constructor() {
          throw new Error("refused to compile");
        }
      },
    },
  ],
])("WebAssembly %s", async (_, wasm) => {
  expect(await deviceWith(wasm)).toEqual({ device: "reference", sum: 3000 });
});

it("is used where it is", async () => {
  expect(await deviceWith(WebAssembly)).toEqual({ device: "wasm", sum: 3000 });
});
