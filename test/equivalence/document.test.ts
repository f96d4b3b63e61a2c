/** docs/numerics.md says what was measured and what is promised, of all primitives that there are. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isFloat } from "../../src/core/dtype.js";
import { primitives } from "../../src/core/primitive.js";
import { allowed, boundOf, bounds, type DeviceUnderTest } from "./bounds.js";
import { documentFile, render } from "./document.js";
import { sums } from "./large.js";
import { readMeasurements } from "./measurements.js";

describe("docs/numerics.md", () => {
  const measured = readMeasurements();

  it("is what `npm run numerics` makes of the bounds and the measurements", () => {
    expect(measured, "there are no measurements: run npm run numerics").toBeDefined();
    if (measured === undefined) return;
    expect(readFileSync(documentFile, "utf8"), "run npm run numerics").toBe(render(measured));
  });

  it("has a row for every primitive that is rounded, on every device", () => {
    const rounded = primitives().filter((p) => boundOf(p).kind === "within");
    for (const device of ["wasm", "webgpu"] as const) {
      const rows = measured?.[device].primitives ?? {};
      expect(Object.keys(rows)).toEqual(rounded.map((p) => p.name));
      for (const name of Object.keys(rows)) expect(Object.keys(rows[name])).toContain("float32");
    }
  });

  it("measures nothing that is more than is promised", () => {
    for (const device of ["wasm", "webgpu"] as const satisfies readonly DeviceUnderTest[]) {
      for (const [name, errors] of Object.entries(measured?.[device].primitives ?? {}))
        for (const [dtype, error] of Object.entries(errors))
          expect(error, `${name} of ${dtype} on ${device}`).toBeLessThanOrEqual(
            // Measurements are rounded up to two digits.
            allowed(bounds[name], dtype as "float32", device) + 0.01,
          );
      for (const [name, { bound }] of Object.entries(sums))
        expect(measured?.[device].sums[name], name).toBeLessThan(bound[device]);
    }
  });
});

describe("bounds", () => {
  it("are given for every primitive, and for nothing else", () => {
    const named = primitives().map((p) => p.name);
    expect(Object.keys(bounds).filter((name) => !named.includes(name))).toEqual([]);
    expect(() => primitives().map(boundOf)).not.toThrow();
  });

  it("leave no room to integers", () => {
    for (const bound of Object.values(bounds))
      for (const dtype of ["int32", "uint32", "uint8", "bool"] as const) {
        expect(isFloat(dtype)).toBe(false);
        expect(allowed(bound, dtype, "webgpu")).toBe(0);
      }
  });
});
