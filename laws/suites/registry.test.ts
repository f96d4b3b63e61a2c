/**
 * Every registered primitive keeps every law, on the examples that its record gives. The registry decides what is tested;
 * `FLUXION_ONLY=sin,cos` narrows it, and tries all laws on all examples: else those that take long get a sample.
 */
import { primitives } from "fluxion";
import { checkRegistry } from "fluxion/laws";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// What primitives print when they are applied to examples is not for the report.
beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const only = process.env.FLUXION_ONLY?.split(",");
const chosen = primitives().filter(({ name }) => only === undefined || only.includes(name));

describe("the registry", () => {
  it("has primitives with examples", () => {
    expect(chosen.length).toBeGreaterThan(0);
    for (const { name, laws } of chosen) expect(laws.examples.length, name).toBeGreaterThan(0);
  });

  it.each(chosen.map(({ name }) => name))("%s", (name) => {
    const [{ violation, report }] = [
      ...checkRegistry({ only: [name], sample: only === undefined ? 2 : undefined }),
    ];
    expect(violation?.message ?? "").toBe("");
    // At least one law had something to say.
    expect(report.laws.some(({ tried, abstained }) => tried > abstained)).toBe(true);
  });
});
