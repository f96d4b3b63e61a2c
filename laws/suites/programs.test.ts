/** Random programs: that they are what they claim to be, that they shrink, and that they can be pasted. */
import fc from "fast-check";
import * as fluxion from "fluxion";
import { checkJaxpr, findPrimitive, isZero, numpy as np, type Primitive, Var } from "fluxion";
import ts from "typescript";
import { describe, expect, it, vi } from "vitest";
import { forgetPrograms } from "../../src/core/recurring.js";
import { program } from "../arbitraries/program.js";
import { bodiesOf, equationsOf } from "../bodies.js";
import { attempt } from "../check/attempt.js";
import { close, numbers } from "../close.js";
import { holders } from "../deep/trial.js";
import type { ProgramKind } from "../programs/catalogue.js";
import { copiesOf, isConstant, isFloatType } from "../programs/copies.js";
import { randomProgram } from "../programs/generate.js";
import { Program } from "../programs/program.js";
import { runsOf } from "../programs/run.js";
import { minimised, shrunkPrograms } from "../programs/shrink.js";
import { splitProgram } from "../programs/split.js";
import { firstDifferences } from "../statements/values.js";

const kinds: readonly ProgramKind[] = ["smooth", "any"];

const sample = (kind: ProgramKind, count: number, from = 0): Program[] =>
  Array.from({ length: count }, (_, i) => randomProgram(from + i, { kind }));

const isWellTyped = (p: Program): boolean => checkJaxpr(p.jaxpr)._tag === "Right";

const bits = (p: Program): string =>
  p
    .f(...p.inputs)
    .map(numbers)
    .join(";");

describe.each(kinds)("%s programs", (kind) => {
  it("are well typed and compute what their types say", () => {
    for (const p of sample(kind, 120)) {
      const checked = checkJaxpr(p.jaxpr);
      expect(checked._tag, `${p}\n${checked._tag === "Left" ? checked.left.message : ""}`).toBe("Right");
      const outputs = p.f(...p.inputs);
      expect(outputs.map((y) => [y.shape, y.dtype])).toEqual(p.jaxpr.outAvals.map((a) => [a.shape, a.dtype]));
    }
  });

  it("follow from their seed", () => {
    for (const seed of [0, 1, -77, 2 ** 31]) {
      expect(String(randomProgram(seed, { kind }))).toBe(String(randomProgram(seed, { kind })));
      expect(String(randomProgram(seed, { kind }))).not.toBe(String(randomProgram(seed + 1, { kind })));
    }
  });

  it("have finite values of moderate size, at the neighbours of the inputs too", () => {
    for (const p of sample(kind, 120)) {
      for (const a of p.jaxpr.outputs.filter((v) => isFloatType(v.aval.dtype)))
        for (const x of a instanceof Var ? p.values()[a.id] : [])
          for (const e of numbers(x)) expect(Math.abs(e), String(p)).toBeLessThan(1e4);
    }
  });

  it("reach every primitive that has examples for them", () => {
    const seen = new Set<string>();
    for (const p of sample(kind, 1500, 10_000))
      for (const { eqn } of equationsOf(p.jaxpr)) seen.add(eqn.primitive.name);
    const unseen = fluxion.primitives().filter(({ name }) => !seen.has(name));
    // It prints: that has to be asked for.
    expect(unseen.map(({ name }) => name)).toEqual(["debugCallback"]);
  });

  it("have calls in calls, scalars, empty arrays and variables that are used twice", () => {
    const found = { nested: 0, scalars: 0, empty: 0, twice: 0 };
    for (const p of sample(kind, 300)) {
      const eqns = equationsOf(p.jaxpr);
      if (eqns.some(({ depth }) => depth === 2)) found.nested++;
      if (p.inputs.some((x) => x.ndim === 0)) found.scalars++;
      if (eqns.some(({ eqn }) => eqn.outputs.some((v) => v.aval.shape.includes(0)))) found.empty++;
      const uses = p.jaxpr.eqns.flatMap(({ inputs }) => inputs.filter((a) => a instanceof Var));
      if (new Set(uses).size < uses.length) found.twice++;
    }
    for (const [what, count] of Object.entries(found)) expect(count, what).toBeGreaterThan(10);
  });

  it("have branches, loops and calls of all kinds, in each other too", () => {
    const seen = new Map(holders.map((name) => [name, [0, 0, 0]]));
    for (const p of sample(kind, 500))
      for (const { eqn, depth } of equationsOf(p.jaxpr)) {
        const counts = seen.get(eqn.primitive.name);
        if (counts !== undefined && depth < 3) counts[depth]++;
      }
    for (const [name, [none, one, two]] of seen) {
      expect(none, name).toBeGreaterThan(25);
      expect(one, `${name} in another`).toBeGreaterThan(12);
      expect(two, `${name} in two others`).toBeGreaterThan(2);
    }
  });

  it("have loops of no step and of several, both ways, and take all branches", () => {
    const seen = new Set<string>();
    for (const p of sample(kind, 400)) {
      const values = p.values();
      for (const eqn of p.jaxpr.eqns) {
        const { name } = eqn.primitive;
        const { reverse, unroll, slots } = eqn.params;
        if (name === "scan")
          seen.add(`scan ${runsOf(eqn, values).length} ${reverse}`).add(`unroll ${unroll}`);
        // The condition is asked once more than there are steps.
        if (name === "while") seen.add(`while ${(runsOf(eqn, values).length - 1) / 2}`).add(`slots ${slots}`);
        if (name === "cond") seen.add(`branch ${bodiesOf(eqn.params).indexOf(runsOf(eqn, values)[0].body)}`);
      }
    }
    const scans = [1, 2, 3].flatMap((n) => [`scan ${n} true`, `scan ${n} false`]);
    const rest = ["while 0", "while 1", "while 2", "while 3", "slots 1", "slots 2", "slots 3"];
    const wanted = [
      "scan 0 false",
      ...scans,
      "unroll 1",
      "unroll 2",
      ...rest,
      "branch 0",
      "branch 1",
      "branch 2",
    ];
    expect(wanted.filter((what) => !seen.has(what))).toEqual([]);
  });

  it("mean what they do step by step", () => {
    for (const p of sample(kind, 150, 3000)) {
      const values = p.values();
      const names = ["the program", "its equations one by one"] as const;
      const verdict = close(
        p.f(...p.inputs),
        p.jaxpr.outputs.map((a) => copiesOf(a, values)[0]),
        { names },
      );
      expect(verdict, String(p)).toEqual({ kind: "holds" });
    }
  });

  it("have as many steps as they are told", () => {
    const equations = (maxSteps: number, minSteps: number): number =>
      Array.from({ length: 150 }, (_, seed) => randomProgram(seed, { kind, minSteps, maxSteps })).reduce(
        (sum, p) => sum + p.size,
        0,
      );
    expect(equations(1, 1)).toBeLessThan(equations(6, 6) / 1.5);
    expect(equations(6, 6)).toBeLessThan(equations(18, 18) / 1.5);
  });
});

describe("smooth programs", () => {
  it("compute in float64, and what is no float does not change nearby", () => {
    for (const p of sample("smooth", 300)) {
      for (const copies of p.values()) {
        const { dtype } = copies[0];
        if (isFloatType(dtype)) expect(dtype, String(p)).toBe("float64");
        else expect(isConstant(copies), String(p)).toBe(true);
      }
    }
  });

  it("mostly have something to differentiate", () => {
    const smooth = sample("smooth", 300).filter((p) => {
      const values = p.values();
      return p.jaxpr.outputs.some(
        (a) => a instanceof Var && isFloatType(a.aval.dtype) && !isConstant(values[a.id]),
      );
    });
    expect(smooth.length).toBeGreaterThan(240);
  });

  it("have derivatives that finite differences can see", () => {
    const verdicts = sample("smooth", 100, 500).map((p) => attempt(firstDifferences, p.toPoint()));
    expect(verdicts.filter(({ kind }) => kind === "fails")).toEqual([]);
    expect(verdicts.filter(({ kind }) => kind === "holds").length).toBeGreaterThan(80);
  });
});

describe("effects", () => {
  it("take part where they are asked for", () => {
    const names = Array.from({ length: 400 }, (_, seed) => randomProgram(seed, { effects: true })).flatMap(
      (p) => equationsOf(p.jaxpr).map(({ eqn }) => eqn.primitive.name),
    );
    expect(names).toContain("debugCallback");
  });
});

describe("including", () => {
  it("applies the primitives that are named", () => {
    let count = 0;
    for (let seed = 0; seed < 80; seed++) {
      const p = randomProgram(seed, { minSteps: 12, including: ["cumsum", "sin"] });
      const names = equationsOf(p.jaxpr).map(({ eqn }) => eqn.primitive.name);
      if (names.includes("cumsum") && names.includes("sin")) count++;
    }
    // What is applied may turn out not to be needed for the outputs.
    expect(count).toBeGreaterThan(24);
  });

  it.each(holders)("%s, with a body of its own", (name) => {
    const programs = Array.from({ length: 40 }, (_, seed) =>
      randomProgram(seed, { minSteps: 6, maxSteps: 8, including: [name] }),
    );
    const holding = programs.filter((p) =>
      equationsOf(p.jaxpr).some(({ eqn }) => eqn.primitive.name === name),
    );
    expect(holding.length).toBeGreaterThan(15);
  });
});

describe("splitting", () => {
  it("gives two functions that compose to the program", () => {
    let pairs = 0;
    for (const [i, p] of sample("smooth", 120).entries()) {
      const pair = splitProgram(p, i, i);
      if (pair === undefined) continue;
      pairs++;
      const whole = p.f(...p.inputs).filter((y) => isFloatType(y.dtype));
      const { f, g, xs, v, u } = pair;
      const verdict = close(g(...f(...xs)), whole, { names: ["g(f(x))", "the program"] });
      expect(verdict, String(p)).toEqual({ kind: "holds" });
      expect(v.map((t) => t.shape)).toEqual(xs.map((x) => x.shape));
      expect(u.map((t) => t.shape)).toEqual(whole.map((y) => y.shape));
    }
    expect(pairs).toBeGreaterThan(80);
  });
});

describe("shrinking", () => {
  it.each(kinds)("gives well-typed %s programs that run", (kind) => {
    let candidates = 0;
    for (const p of sample(kind, 15, 40))
      for (const smaller of shrunkPrograms(p)) {
        candidates++;
        expect(isWellTyped(smaller), `${p}\n${smaller}`).toBe(true);
        expect(() => smaller.f(...smaller.inputs), String(smaller)).not.toThrow();
        for (const copies of smaller.values())
          if (kind === "smooth" && !isFloatType(copies[0].dtype)) expect(isConstant(copies)).toBe(true);
      }
    expect(candidates).toBeGreaterThan(300);
  });

  it("computes in each part what the whole computes there", () => {
    for (const p of sample("smooth", 40, 90)) {
      const known = new Set(p.values().flatMap(([x]) => [numbers(x).join()]));
      const [first] = shrunkPrograms(p);
      if (first === undefined || p.jaxpr.eqns.length < 2) continue;
      for (const [y] of first.values()) expect(known.has(numbers(y).join()), `${p}\n${first}`).toBe(true);
    }
  });

  it("comes to an end", () => {
    const p = randomProgram(12, { minSteps: 10, maxSteps: 12 });
    let tries = 0;
    const smallest = minimised(p, () => ++tries > 0, { tries: 10_000 });
    expect(tries).toBeLessThan(10_000);
    expect(smallest.jaxpr.outputs.length).toBeLessThanOrEqual(1);
  });

  it("finds the equation that a property is about", () => {
    const uses = (p: Program, name: string) =>
      equationsOf(p.jaxpr).some(({ eqn }) => eqn.primitive.name === name);
    const failure = fc.check(
      fc.property(program({ minSteps: 8, including: ["cumprod"] }), (p) => !uses(p, "cumprod")),
      { seed: 5 },
    );
    expect(failure.failed).toBe(true);
    const [smallest] = failure.counterexample as [Program];
    expect(smallest.jaxpr.eqns.map((eqn) => eqn.primitive.name)).toEqual(["cumprod"]);
    expect(fc.stringify(smallest)).toContain("cumprod[axis=");
  });

  it("looks into bodies, and takes the layers off that do not matter", () => {
    const hasInside = (p: Program, inner: string, depth: number): boolean =>
      equationsOf(p.jaxpr).some(({ eqn, depth: at }) => eqn.primitive.name === inner && at >= depth);
    for (const depth of [0, 1, 2]) {
      let found: Program | undefined;
      for (let seed = 0; found === undefined; seed++) {
        const p = randomProgram(seed, { minSteps: 12, maxSteps: 16 });
        if (p.size > 30 && hasInside(p, "tanh", depth)) found = p;
      }
      const smallest = minimised(found, (p) => hasInside(p, "tanh", depth), { tries: 3000 });
      // As many layers as it takes, and a loop's own counting.
      expect(smallest.size, String(smallest)).toBeLessThanOrEqual(1 + 3 * depth);
    }
  });

  /** The primitive with another tangent rule: each tangent half as large again. */
  function withWrongTangents<R>(name: string, body: () => R): R {
    const primitive = findPrimitive(name) as { -readonly [K in keyof Primitive]: Primitive[K] };
    const { jvp } = primitive;
    primitive.jvp = (...args) => {
      const { outputs, tangents } = jvp(...args);
      const wrong = tangents.map((t) =>
        isZero(t) || !isFloatType(t.dtype) ? t : np.multiply(t, np.array(1.5, { dtype: t.dtype })),
      );
      return { outputs, tangents: wrong };
    };
    forgetPrograms();
    try {
      return body();
    } finally {
      primitive.jvp = jvp;
      forgetPrograms();
    }
  }

  const faulty = [
    ...["sin", "exp", "tanh", "logistic", "sqrt", "square", "atan2", "mul", "div", "select", "reduceMax"],
    ...holders.filter((name) => name !== "jit"),
    ...["reduceSum", "cumsum", "cumprod", "dotGeneral", "gather", "transpose", "pad", "concatenate", "det"],
  ];

  it("brings programs of 20 and more equations with a wrong rule to at most 3 in the median", () => {
    const fails = (p: Program): boolean => attempt(firstDifferences, p.toPoint()).kind === "fails";
    const sizes = faulty.map((name) =>
      withWrongTangents(name, () => {
        for (let seed = 0; seed < 2000; seed++) {
          const p = randomProgram(seed, { minSteps: 20, maxSteps: 30, including: [name] });
          if (p.size < 20 || !fails(p)) continue;
          const smallest = minimised(p, fails, { tries: 300 });
          expect(fails(smallest)).toBe(true);
          const names = equationsOf(smallest.jaxpr).map(({ eqn }) => eqn.primitive.name);
          expect(names, String(smallest)).toContain(name);
          return smallest.size;
        }
        throw new Error(`no program shows the fault in ${name}`);
      }),
    );
    sizes.sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(3);
    expect(sizes.at(-1)).toBeLessThanOrEqual(5);
  });
});

describe("snippets", () => {
  /** Runs a snippet as a module that imports the library under test. */
  function runSnippet(code: string): { inputs: fluxion.NDArray[]; outputs: fluxion.NDArray[] } {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const exports = {} as { inputs: fluxion.NDArray[]; outputs: fluxion.NDArray[] };
    const require = (name: string): unknown => {
      expect(name).toBe("fluxion");
      return fluxion;
    };
    new Function("require", "exports", outputText)(require, exports);
    return exports;
  }

  it.each(kinds)("do what the %s program does", (kind) => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    for (const p of sample(kind, 50, 300)) {
      const code = p.toTypeScript();
      const { inputs, outputs } = runSnippet(code);
      expect(
        inputs.map((x) => x.aval),
        code,
      ).toEqual(p.inputs.map((x) => x.aval));
      expect(
        outputs.map((y) => y.aval),
        code,
      ).toEqual(p.f(...p.inputs).map((y) => y.aval));
      expect(outputs.map(numbers).join(";"), code).toBe(bits(p));
    }
  });

  it("keep weak types, odd numbers and calls", () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const parsed = fluxion.parseJaxpr(`{ lambda ; a:~f64[2] b:bool[] c:f32[0]. let
        d:~f64[2] = jit[jaxpr={ lambda ; a:~f64[2]. let b:~f64[2] = mul a -0.0:~f64[] in (b,) } name="a\`b"] a
        e:bool[2] = isFinite a
        f:~f64[2] = select b d a
      in (f, e, c, inf:f32[]) }`);
    if (parsed._tag === "Left") throw parsed.left;
    const { jaxpr } = parsed.right;
    const weak = fluxion.bind(
      findPrimitive("convertElementType") as Primitive,
      [np.array([Number.NaN, -0], { dtype: "float64" })],
      {
        dtype: "float64",
        weakType: true,
      },
    )[0];
    const inputs = [weak, np.array(true), np.zeros([0])].map((x) => x.concrete());
    const p = new Program(jaxpr, inputs, [inputs, inputs]);
    const { outputs } = runSnippet(p.toTypeScript());
    expect(outputs.map((y) => y.aval)).toEqual(jaxpr.outAvals);
    expect(outputs.map((y) => [...numbers(y)])).toEqual([[Number.NaN, 0], [0, 1], [], [Infinity]]);
  });
});
