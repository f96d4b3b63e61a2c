/** `checkLaws`, `lawsFor` and the matchers: what they find in wrong rules, how they say it, and what they leave alone. */

import { readFileSync, writeFileSync } from "node:fs";
import {
  binary,
  bind,
  definePrimitive,
  findPrimitive,
  lax,
  type NDArray,
  nn,
  numpy as np,
  type Primitive,
  type PrimitiveRecord,
  unary,
} from "fluxion";
import {
  type AnyFunction,
  type CheckOptions,
  checkLaws,
  checkPrimitive,
  checkRegistry,
  LawViolation,
  laws,
  lawsFor,
} from "fluxion/laws";
import { describe, expect, it } from "vitest";
import { tryLawsOf } from "../check/checkLaws.js";
import { orderedLaws, topicOf } from "../check/order.js";
import { lawTable } from "../check/table.js";
import { functionLaws, linearLaws, pairLaws, primitiveLaws } from "../statements/index.js";
import "../vitest.js";

const known = (name: string): Primitive => {
  const found = findPrimitive(name);
  if (found === undefined) throw new Error(`no primitive ${name}`);
  return found;
};

const seed = 1873;
const differences = "jvp agrees with finite differences";

/** The violation of a function whose rule is wrong. */
function violationOf(f: AnyFunction, options: CheckOptions): LawViolation {
  const { violation } = tryLawsOf(f, { seed, ...options });
  if (violation === undefined) throw new Error("all laws hold");
  return violation;
}

const asRecord = (violation: LawViolation): Record<string, unknown> =>
  Object.fromEntries(violation.at.map(({ name, array }) => [name, array.tolist()]));

/** x sin x, with the tangent that is given. */
const wavy = (name: string, tangent: (t: NDArray, x: NDArray) => NDArray) =>
  unary(name, { summary: "x sin x", domain: "float", evaluate: (x) => x * Math.sin(x), tangent });

const factor = wavy("test_factor", (t, x) => t.mul(np.sin(x).add(x.mul(np.cos(x)))).mul(1.5));
const missingTerm = wavy("test_missing_term", (t, x) => t.mul(np.sin(x)));
/** x² y, whose rule forgets that y moves too. */
const ignoredInput = binary("test_ignored_input", {
  summary: "x² y",
  domain: "float",
  evaluate: (x, y) => x * x * y,
  tangent: { x: (t, x, y) => t.mul(x).mul(y).mul(2) },
});

describe("three wrong rules", () => {
  const x = np.array([
    [0.3, -1.2, 0.7],
    [1.1, 0.4, -0.6],
  ]);

  it.each([
    ["a factor", (a: NDArray) => factor(a).sum(), [x]],
    ["a missing term", (a: NDArray) => missingTerm(a).mul(2), [x]],
    ["an input that is ignored", (a: NDArray, b: NDArray) => ignoredInput(a, b), [x, x.add(2)]],
    [
      "a factor deep in a model of a tree of parameters",
      ({ w, b }: { w: NDArray; b: NDArray }, a: NDArray) => ({ y: factor(nn.relu(a.matmul(w).add(b))) }),
      [{ w: x.T, b: np.array([0.5, -0.25]) }, x],
    ],
  ] as const)("%s: the law is named, and at most 3 numbers are left", (_, f, inputs) => {
    const violation = violationOf(f as AnyFunction, { inputs });
    expect(violation.law.name).toBe(differences);
    expect(violation.numbers).toBeLessThanOrEqual(3);
    expect(violation.message).toContain("finite difference");
    // The seed and the path lead to the same counterexample.
    const again = violationOf(f as AnyFunction, { inputs, ...violation.replay });
    expect(asRecord(again)).toEqual(asRecord(violation));
    expect(again.replay).toEqual(violation.replay);
  });

  it.each(Array.from({ length: 4 }, (_, i) => i * 7919))("with seed %i as well", (other) => {
    for (const [f, inputs] of [
      [(a: NDArray) => factor(a).sum(), [x]],
      [missingTerm, [x]],
      [ignoredInput, [x, x.add(2)]],
    ] as const) {
      const violation = violationOf(f as AnyFunction, { inputs, seed: other });
      expect([violation.law.name, violation.numbers <= 3]).toEqual([differences, true]);
    }
  });

  it("shrinks shapes where the function takes smaller ones, and leaves them where not", () => {
    const free = violationOf(missingTerm, { inputs: [np.ones([4, 5])] });
    expect(free.at.map(({ array }) => array.shape)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    const held = violationOf((a: NDArray) => missingTerm(a).reshape(20), {
      inputs: [np.ones([4, 5])],
    });
    expect(held.at[0].array.shape).toEqual([4, 5]);
    expect(held.numbers).toBeLessThanOrEqual(3);
  });

  it("shrinks a large array in bounded time", () => {
    const start = performance.now();
    const violation = violationOf((a: NDArray) => missingTerm(a).mul(np.ones([3000])), {
      inputs: [np.ones([3000])],
      runs: 1,
      laws: [differences],
    });
    expect(violation.law.name).toBe(differences);
    expect(performance.now() - start).toBeLessThan(8000);
  });
});

describe("the law that is named", () => {
  /** x ↦ -x, with changes of its rules. */
  const negation = (name: string, change: Partial<PrimitiveRecord>): ((x: NDArray) => NDArray) => {
    const primitive: Primitive = definePrimitive({
      ...known("neg"),
      name,
      jvp: ([x], [t]) => ({
        outputs: bind(primitive, [x], {}),
        tangents: bind(primitive, [t as NDArray], {}),
      }),
      transpose: ([ct]) => bind(primitive, [ct as NDArray], {}),
      batch: (_size, xs, batched) => ({ outputs: bind(primitive, xs, {}), batched }),
      ...change,
    });
    return (x) => bind(primitive, [x], {})[0];
  };
  const x = np.array([0.5, 2, -1]);

  it.each([
    ["a transpose with the wrong sign", negation("test_transpose", { transpose: ([ct]) => [ct] }), "duality"],
    [
      "a batch rule that mixes rows",
      negation("test_batch", {
        batch: (_size, [a], batched) => ({ outputs: [np.negative(np.flip(a, { axis: 0 }))], batched }),
      }),
      "vmap is map",
    ],
  ])("for %s", (_, f, name) => {
    const violation = violationOf(f, { inputs: [x] });
    expect(violation.law.name).toBe(name);
    expect(violation.numbers).toBeLessThanOrEqual(4);
  });

  it("is about a missing rule where one is missing", () => {
    const violation = violationOf(negation("test_no_transpose", { transpose: undefined }), { inputs: [x] });
    expect(violation.law.name).toBe("duality");
    expect(violation.message).toMatch(/throws MissingRuleError: .*test_no_transpose/);
  });
});

describe("functions whose laws hold", () => {
  const x = np.array([
    [0.3, -1.2, 0.7],
    [1.1, 0.4, -0.6],
  ]);
  it.each<[string, AnyFunction, readonly unknown[]]>([
    ["sin", np.sin, [x]],
    ["a number", (a: NDArray) => np.exp(a).mul(a), [0.5]],
    ["a softmax", (a: NDArray) => nn.softmax(a), [x]],
    ["a product of two", (a: NDArray, b: NDArray) => a.matmul(b.T), [x, x.add(1)]],
    [
      "trees in and out",
      ({ w }: { w: NDArray[] }) => [{ a: np.tanh(w[0]) }, w[1].mul(w[0])],
      [{ w: [x, x] }],
    ],
    [
      "an integer that chooses",
      (a: NDArray, i: NDArray) => np.take(a, i, { axis: 1 }),
      [x, np.array([0, 2], "int32")],
    ],
    ["a boolean that chooses", (a: NDArray, p: NDArray) => np.where(p, a, a.mul(a)), [x, x.greater(0)]],
    ["one that only takes float32", (a: NDArray) => lax.mul(a, np.ones([2, 3], "float32")), [x]],
    ["a constant", () => np.ones([2]), []],
    ["no float in it", (i: NDArray) => i.add(1), [np.array([1, 2], "int32")]],
    ["a kink at the example", (a: NDArray) => nn.relu(a), [np.array([0, 1, -1])]],
    ["a sum of nothing", (a: NDArray) => a.sum(), [np.zeros([0, 3])]],
  ])("%s", async (_, f, inputs) => {
    const report = await checkLaws(f, { inputs, seed, runs: 4 });
    expect(report.laws.length).toBeGreaterThan(30);
    for (const { tried } of report.laws) expect(tried).toBeGreaterThan(0);
  });

  it("are tried in earnest: of a smooth function no derivative is left undecided", async () => {
    const report = await checkLaws((a: NDArray) => np.sin(a).mul(a).sum(), {
      inputs: [np.array([0.3, 1])],
      seed,
    });
    const { abstained } = report.laws.find(({ name }) => name === differences) ?? { abstained: -1 };
    expect(abstained).toBe(0);
    expect(String(report)).toContain(`${differences} `);
    expect(String(report)).toContain(`seed ${seed}`);
  });

  it("include one that looks at values: what it cannot be asked is left out, its derivative is not", async () => {
    const peeping: AnyFunction = (a: NDArray) => (Number(a.sum().item()) > 0 ? np.sin(a) : np.cos(a));
    const report = await checkLaws(peeping, { inputs: [np.array([0.3, 1])], seed, runs: 3 });
    const by = new Map(report.laws.map((law) => [law.name, law]));
    expect(by.get(differences)?.abstained).toBe(0);
    expect(by.get("jit is the identity on meaning")?.abstained).toBe(1);
    const wrong: AnyFunction = (a: NDArray) => (Number(a.sum().item()) > 0 ? missingTerm(a) : a);
    expect(violationOf(wrong, { inputs: [np.array([0.3, 1])] }).law.name).toBe(differences);
  });
});

describe("options", () => {
  it("draws from the domain, and shrinks inside it", async () => {
    let least = Number.POSITIVE_INFINITY;
    const guarded: AnyFunction = (a: NDArray) => {
      if ("values" in a) least = Math.min(least, ...a.dataSync());
      return np.log(a);
    };
    await checkLaws(guarded, {
      inputs: [np.array([1.5, 2])],
      domain: [1, 3],
      seed,
      runs: 5,
      laws: ["duality"],
    });
    expect(least).toBeGreaterThanOrEqual(0.99);
    const violation = violationOf((a: NDArray) => missingTerm(a), { inputs: [2.5], domain: [1.25, 3] });
    expect(asRecord(violation)).toEqual({ x: 2, v: 1 });
  });

  it("batch: false leaves out the laws of vmap", async () => {
    const report = await checkLaws(np.sin, { inputs: [1], batch: false, runs: 1, seed });
    expect(report.laws.some(({ name }) => name.startsWith("vmap"))).toBe(false);
  });

  it("laws chooses by name or value, also laws of the user's own", async () => {
    const { duality } = { duality: laws.function.get("duality") };
    if (duality === undefined) throw new Error("there is a law of that name");
    const never = { ...duality, name: "never", check: () => ({ kind: "abstains", reason: "no" }) as const };
    const report = await checkLaws(np.sin, {
      inputs: [1],
      laws: [duality, differences, never],
      runs: 2,
      seed,
    });
    expect(report.laws.map(({ name, abstained }) => [name, abstained])).toEqual([
      [differences, 0],
      ["duality", 0],
      ["never", 2],
    ]);
  });

  it("precision: given keeps float32", async () => {
    const seen = new Set<string>();
    const spy: AnyFunction = (a: NDArray) => {
      seen.add(a.dtype);
      return np.sin(a);
    };
    await checkLaws(spy, { inputs: [np.array([1, 2])], precision: "given", seed, runs: 2 });
    expect([...seen]).toEqual(["float32"]);
    await checkLaws(spy, { inputs: [np.array([1, 2])], seed, runs: 2 });
    expect(seen.has("float64")).toBe(true);
  });

  it("what is no option is refused", async () => {
    const refuses = async (f: unknown, options: unknown, message: RegExp) =>
      expect(checkLaws(f as AnyFunction, options as CheckOptions)).rejects.toThrow(message);
    await refuses(np.sin, { inputs: [1], run: 2 }, /there is no option "run"; the options are inputs, seed/);
    await refuses(np.sin, { inputs: 1 }, /needs \{ inputs: \[\.\.\.\] \}/);
    await refuses(np.sin, { inputs: [1], runs: 0 }, /runs must be a positive integer, got 0/);
    await refuses(np.sin, { inputs: [1], path: "1" }, /a path is one with a seed/);
    await refuses(np.sin, { inputs: [1], domain: [2, 1] }, /domain must be \[lo, hi\]/);
    await refuses(np.sin, { inputs: [1], laws: ["chain"] }, /there is no law "chain"; the laws are types/);
    await refuses("sin", { inputs: [1] }, /takes a function, got string/);
    await refuses(np.sin, { inputs: ["1"] }, /the input at \[0\] is a string/);
    await refuses(async () => np.ones([1]), { inputs: [] }, /takes synchronous functions/);
    await refuses(
      np.sin,
      { inputs: [1], seed: 3, path: "0", laws: ["duality"] },
      /does not fail at seed 3, path 0/,
    );
  });
});

describe("a violation", () => {
  const violation = violationOf(missingTerm, { inputs: [np.array([0.3, 0.7])] });

  it("says which law, where, both sides, how to see it again, and what the other laws say", () => {
    const lines = violation.message.split("\n");
    expect(lines[0]).toBe(differences);
    expect(lines[1]).toMatch(
      /^ {2}at x = \[1\], v = \[1\] \(shrunk from \d+ values; seed 1873, path 0[\d:]*\)$/,
    );
    expect(lines[2]).toMatch(/^ {2}jvp 0\.84147\d* {8}finite difference 1\.381773\d* ± \de-\d+$/);
    expect(violation.message).toMatch(/other laws? fails? too: |The other \d+ laws hold\./);
    expect(violation.message).toContain(`The law: ${violation.law.statement} (${violation.law.source})`);
    expect(violation.snippet).toContain('inputs: [np.array([1], { dtype: "float64" })]');
    expect(violation.snippet).toContain(`seed: 1873, path: "${violation.replay.path}"`);
    expect(violation).toMatchObject({ name: "LawViolation", code: "law", numbers: 2 });
  });

  it("has a snippet that fails again", async () => {
    const [call] = violation.snippet.split("\n").filter((line) => line.startsWith("await checkLaws"));
    const run = new Function(
      "checkLaws",
      "f",
      "np",
      `return ${call.replace("await ", "").replace(/checkLaws\(\w*,/, "checkLaws(f,")}`,
    );
    await expect(run(checkLaws, missingTerm, np)).rejects.toThrow(differences);
  });

  it("is what the promise is rejected with", async () => {
    await expect(checkLaws(missingTerm, { inputs: [1], seed })).rejects.toBeInstanceOf(LawViolation);
  });
});

describe("primitives", () => {
  it("lawsFor gives laws to try one by one", () => {
    const good = lawsFor(known("sin"));
    expect(good.length).toBeGreaterThan(40);
    for (const { name, check } of good) expect(check()).toMatchObject({ name });
    const wrong = lawsFor(missingTerm.primitive).filter(({ check }) => {
      try {
        check();
        return false;
      } catch (error) {
        return error instanceof LawViolation;
      }
    });
    expect(wrong.map(({ name }) => name)).toContain(differences);
  });

  it("checkPrimitive names primitive, example and law, and its path leads back", () => {
    const first = thrownBy(() => checkPrimitive(missingTerm.primitive));
    expect(first.message).toMatch(
      /^jvp agrees with finite differences, for the primitive test_missing_term at its example \d+/,
    );
    expect(first.numbers).toBeLessThanOrEqual(3);
    const again = thrownBy(() => checkPrimitive(missingTerm.primitive, first.replay));
    expect(asRecord(again)).toEqual(asRecord(first));
  });

  it("a primitive that cannot be applied says so", () => {
    const broken = unary("test_throws", {
      summary: "throws",
      domain: "float",
      evaluate: () => {
        throw new RangeError("not today");
      },
      tangent: (t) => t,
    });
    const violation = thrownBy(() => checkPrimitive(broken.primitive));
    expect(violation.law.name).toBe("the primitive applies to its examples");
    expect(violation.message).toContain("RangeError: not today");
  });

  it("one that is registered with a wrong rule fails with the registry", () => {
    const names = ["exp", "test_factor", "test_ignored_input", "tanh"];
    const outcomes = [...checkRegistry({ only: names })];
    const failed = outcomes.filter(({ violation }) => violation !== undefined);
    expect(outcomes.map(({ primitive }) => primitive.name).sort()).toEqual([...names].sort());
    expect(failed.map(({ primitive }) => primitive.name).sort()).toEqual([
      "test_factor",
      "test_ignored_input",
    ]);
    for (const { violation } of failed) expect(violation?.law.name).toBe(differences);
  });

  it("what is no law and what has no examples is refused", () => {
    expect(() => lawsFor(known("sin"), { laws: ["chain"] })).toThrow(/there is no law "chain"/);
    const mute = { ...known("sin"), laws: { differentiable: true, examples: [] } };
    expect(() => checkPrimitive(mute)).toThrow(/the record of "sin" has no examples/);
  });
});

describe("matchers", () => {
  it("pass and fail as checkLaws does", () => {
    expect(np.sin).toSatisfyLaws({ inputs: [0.5], runs: 2, seed });
    expect(missingTerm).not.toSatisfyLaws({ inputs: [0.5], seed });
    expect(known("cos")).toSatisfyLaws();
    expect(() => expect(missingTerm).toSatisfyLaws({ inputs: [0.5], seed })).toThrow(differences);
    expect(() => expect(missingTerm.primitive).toSatisfyLaws()).toThrow(
      /for the primitive test_missing_term/,
    );
    expect(() => expect(np.sin).not.toSatisfyLaws({ inputs: [0.5], runs: 1, seed })).toThrow(
      /all that were tried hold/,
    );
  });
});

describe("the guide", () => {
  it("lists the laws that there are; UPDATE_DOCS=1 writes them into it", () => {
    const file = new URL("../../docs/laws.md", import.meta.url);
    const page = readFileSync(file, "utf8");
    const [begin, end] = ["<!-- laws: begin -->\n", "<!-- laws: end -->"];
    const between = page.slice(page.indexOf(begin) + begin.length, page.indexOf(end));
    const table = `\n${lawTable()}\n\n`;
    if (process.env.UPDATE_DOCS)
      writeFileSync(
        file,
        page.replace(begin + between + end, () => begin + table + end),
      );
    else expect(between).toBe(table);
  });

  it("and no two of them have one name", () => {
    const names = [...orderedLaws, ...primitiveLaws, ...linearLaws].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { statement, source } of [...orderedLaws, ...primitiveLaws, ...linearLaws, ...pairLaws]) {
      expect(statement).not.toMatch(/\n|^$/);
      expect(source).not.toBe("");
    }
  });

  it("every law of functions has a place in the order of reports", () => {
    expect(orderedLaws).toEqual(expect.arrayContaining([...functionLaws]));
    expect(new Set(orderedLaws).size).toBe(orderedLaws.length);
    for (const law of orderedLaws) expect(topicOf(law), law.name).toBeDefined();
  });
});

function thrownBy(run: () => unknown): LawViolation {
  try {
    run();
  } catch (error) {
    if (error instanceof LawViolation) return error;
    throw error;
  }
  throw new Error("all laws hold");
}
