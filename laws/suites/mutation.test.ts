/**
 * The laws notice wrong rules. A fixed sample of primitives is tried here; `npm run laws:mutate` tries all of them and writes
 * docs/mutations.md, which is held to the registry.
 */
import { readFileSync } from "node:fs";
import { findPrimitive, jvp, type NDArray, numpy as np, type Primitive, primitives } from "fluxion";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Mutant, type RuleName, ruleNames, seeded } from "../mutation/fault.js";
import { Court } from "../mutation/kill.js";
import { mutantsOf } from "../mutation/mutants.js";
import { documentFile, readResults, render } from "../mutation/report.js";
import { rate, total } from "../mutation/results.js";
import { functionLaws, primitiveLaws } from "../statements/index.js";

// What primitives print when they are applied to examples is not for the report.
beforeEach(() => void vi.spyOn(console, "log").mockImplementation(() => {}));

const primitive = (name: string): Primitive => {
  const found = findPrimitive(name);
  if (found === undefined) throw new Error(`there is no primitive ${name}`);
  return found;
};

const faults = (name: string, rule: RuleName, limit = 2): readonly Mutant[] =>
  mutantsOf(primitive(name), rule, { limit, seed: 5 }).mutants;

describe("seeding faults", () => {
  const x = np.array([0.5, 1, 1.5], { dtype: "float64" });
  const derivative = (): unknown =>
    jvp((z: NDArray) => np.sin(z), [x], [np.ones([3], { dtype: "float64" })])[1].tolist();

  it("changes what the rule computes, and takes the fault out again", () => {
    const before = { ...primitive("sin") };
    const sound = derivative();
    const sign = faults("sin", "jvp", 1000).find(
      (m) => m.what.includes("float64[3]") && m.what.includes("cos, with the other sign"),
    );
    expect(sign).toBeDefined();
    if (sign === undefined) return;
    const wrong = seeded(sign, derivative) as number[];
    expect(wrong).toEqual((sound as number[]).map((t) => -t));
    expect(derivative()).toEqual(sound);
    expect({ ...primitive("sin") }).toEqual(before);
  });

  it("takes it out when something throws", () => {
    const { abstractEval } = primitive("sin");
    const [fault] = faults("sin", "abstractEval");
    expect(() =>
      seeded(fault, () => {
        expect(primitive("sin").abstractEval).not.toBe(abstractEval);
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(primitive("sin").abstractEval).toBe(abstractEval);
  });

  it("makes the same faults for the same seed, each once", () => {
    for (const rule of ruleNames) {
      const ids = faults("mul", rule, 5).map((m) => m.id);
      expect(faults("mul", rule, 5).map((m) => m.id)).toEqual(ids);
      expect(new Set(ids).size, rule).toBe(ids.length);
      expect(ids.length, rule).toBeGreaterThan(4);
    }
  });

  it("knows what changes no number", () => {
    const court = new Court(primitive("sin"), { functionLaws: [], primitiveLaws: [] });
    const [fault] = faults("sin", "jvp");
    expect(court.judge(fault).kind).toBe("survived");
    const none: Mutant = { ...fault, install: () => () => {}, same: () => "nothing was changed" };
    expect(court.judge(none)).toEqual({ kind: "same", reason: "nothing was changed" });
  });
});

describe("the laws notice faults", () => {
  const sample: readonly (readonly [string, RuleName])[] = [
    ["sin", "jvp"],
    ["atan2", "jvp"],
    ["mul", "transpose"],
    ["reduceSum", "transpose"],
    ["cumsum", "transpose"],
    ["add", "batch"],
    ["reduceMax", "batch"],
    ["concatenate", "batch"],
    ["transpose", "abstractEval"],
    ["max", "abstractEval"],
    ["exp", "lower"],
    ["reduceProd", "lower"],
    ["slice", "lower"],
    ["cumsum", "lower"],
    ["select", "dependence"],
    ["gather", "dependence"],
    ["convGeneralDilated", "dependence"],
  ];

  it.each(sample)("in %s, %s", (name, rule) => {
    const court = new Court(primitive(name), { functionLaws, primitiveLaws });
    const mutants = faults(name, rule);
    const outcomes = mutants.map((m) => ({ what: m.what, ...court.judge(m) }));
    const killed = outcomes.filter(({ kind }) => kind === "killed").length;
    const missed = outcomes.filter(({ kind }) => kind === "survived").map(({ what }) => what);
    // Kernels are held to some units in the last place: what changes fewer is not noticed.
    const least = rule === "lower" ? 0.9 : 1;
    expect(killed).toBeGreaterThan(1);
    expect(killed / (killed + missed.length), missed.join("; ")).toBeGreaterThanOrEqual(least);
    expect([...court.unsound]).toEqual([]);
  });
});

describe("docs/mutations.md", () => {
  const results = readResults();

  it("is what the results of `npm run laws:mutate` make", () => {
    expect(readFileSync(documentFile, "utf8"), "run npm run laws:mutate").toBe(render(results));
  });

  it("tells of every rule of every primitive", () => {
    expect(Object.keys(results.primitives).sort(), "run npm run laws:mutate").toEqual(
      primitives()
        .map((p) => p.name)
        .sort(),
    );
    for (const p of primitives())
      expect(Object.keys(results.primitives[p.name]).sort(), p.name).toEqual(
        ruleNames.filter((rule) => p[rule] !== undefined).sort(),
      );
  });

  it("tells of all laws, and of none that fails without a fault", () => {
    const names = [...functionLaws, ...primitiveLaws].map((law) => law.name);
    expect(Object.keys(results.laws)).toEqual(expect.arrayContaining(names));
    expect(results.unsound).toEqual([]);
  });

  it("finds that at least 99 % of the faults are noticed", () => {
    for (const rule of ruleNames) {
      const tally = total(Object.values(results.primitives).map((rules) => rules[rule]));
      expect(tally.seeded, rule).toBeGreaterThan(500);
      expect(tally.killed + tally.same + tally.rounding + tally.survived, rule).toBe(tally.seeded);
    }
    const all = total(Object.values(results.primitives).flatMap((rules) => Object.values(rules)));
    expect(rate(all)).toBeGreaterThanOrEqual(0.99);
    expect(all.same + all.rounding + all.survived).toBe(results.survivors.length);
    // Each of them has its reason, measured or derived.
    for (const { what, reason } of results.survivors) expect(reason, what).toMatch(/\bdraws\b|operands/);
  });
});
