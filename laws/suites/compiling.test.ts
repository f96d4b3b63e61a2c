/** The laws of types, of compilation and of passes: they hold on good functions, and each finds something that is wrong. */

import type { Primitive, PrimitiveRecord } from "fluxion";
import { aval, bind, definePrimitive, findPrimitive, lax, type NDArray, numpy as np, unary } from "fluxion";
import { right } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import * as ir from "../../src/core/ir/ops.js";
import type { ArrayFunction, Law } from "../law.js";
import { makePoint, type Point } from "../point.js";
import * as compiling from "../statements/compiling.js";
import * as passes from "../statements/passes.js";
import * as types from "../statements/types.js";
import { between, pointOf, specimens } from "./functions.js";
import { patched } from "./patched.js";

const all = [...types.functionLaws, ...compiling.functionLaws, ...passes.functionLaws];

const lawNamed = (name: string): Law<Point> => {
  const found = all.find((law) => law.name === name);
  if (found === undefined) throw new Error(`there is no law "${name}"`);
  return found;
};

describe.each(Object.entries(specimens))("%s", (_, specimen) => {
  it.each(all.map((law) => [law.name, law] as const))("%s", (__, law) => {
    for (const seed of [1, 2]) expect(law.check(pointOf(specimen, seed))).not.toHaveProperty("kind", "fails");
  });
});

it("laws have names of their own", () => {
  expect(new Set(all.map((law) => law.name)).size).toBe(all.length);
});

it("no law changes the default device, whatever happens in it", () => {
  const throwing: ArrayFunction = () => {
    throw new RangeError("the function's own");
  };
  const before = compiling.onDevice("reference", () => "inside");
  expect(before).toBe("inside");
  expect(() => compiling.onDevice("reference", () => throwing())).toThrow(RangeError);
  expect(lawNamed("devices agree").check(pointOf(specimens.elementwise, 1)).kind).toBe("holds");
});

const point = (f: (...xs: NDArray[]) => readonly NDArray[], seed = 1): Point =>
  makePoint(f as ArrayFunction, [between([3], 1), between([3], 2)], seed);

/** What a law says, an error being a failure. */
const outcome = (name: string, make: () => Point): string => {
  try {
    return lawNamed(name).check(make()).kind;
  } catch {
    return "fails";
  }
};

const wrongLower = unary("lawsTwiceLoweredAsThrice", {
  summary: "2x, compiled as 3x",
  domain: "float",
  evaluate: (x) => 2 * x,
  tangent: (t) => np.multiply(2, t),
  lower: (x) => ir.add(x, ir.add(x, x)),
});

describe("each law finds something wrong: a function that is not one", () => {
  it.each(["tracing is repeatable", "jit is idempotent", "lowering is deterministic"])("%s", (name) => {
    let calls = 0;
    expect(outcome(name, () => point((x) => [np.multiply(x, 2)]))).toBe("holds");
    expect(outcome(name, () => point((x) => [np.multiply(x, ++calls)]))).toBe("fails");
  });
});

describe("each law finds something wrong: a lower rule", () => {
  it.each([
    "jit is the identity on meaning",
    "jit trades places with jvp",
    "devices agree",
    "kernels keep meaning",
  ])("%s", (name) => {
    expect(outcome(name, () => point((x, y) => [np.multiply(np.sin(x), y)]))).toBe("holds");
    expect(outcome(name, () => point((x, y) => [np.multiply(wrongLower(x), y)]))).toBe("fails");
  });
});

describe("each law finds something wrong: a rule of a record", () => {
  const sine = () => point((x, y) => [np.multiply(np.sin(x), y)]);
  const sorting = (seed: number) => point((x, y) => [...lax.sort([x, y], { numKeys: 1 })], seed);
  type Wrong = (right: Primitive) => Partial<PrimitiveRecord>;

  /** A type rule that changes its mind. */
  const fickle: Wrong = ({ abstractEval }) => {
    let calls = 0;
    return {
      abstractEval: (avals, params) => {
        const weak = ++calls % 2 === 0;
        const result = abstractEval(avals, params);
        return result._tag === "Left" ? result : right(result.right.map((t) => aval(t.shape, t.dtype, weak)));
      },
    };
  };

  const table: readonly (readonly [string, string, string, Wrong, (seed: number) => Point])[] = [
    [
      "types are predicted",
      "evaluate gives another type",
      "sin",
      ({ evaluate }) => ({
        evaluate: (...args) => evaluate(...args).map((y) => np.reshape(y, [1, -1]) as typeof y),
      }),
      sine,
    ],
    ["programs are well typed", "abstractEval changes its mind", "sin", fickle, sine],
    ["parsing undoes printing", "abstractEval changes its mind", "sin", fickle, sine],
    [
      "jit trades places with grad",
      "jvp of calls halves the tangents",
      "jit",
      ({ jvp }) => ({
        jvp: (...args) => {
          const { outputs, tangents } = jvp(...args);
          return { outputs, tangents: tangents.map((t) => np.multiply(t as NDArray, 0.5)) };
        },
      }),
      sine,
    ],
    [
      "dead code elimination keeps meaning",
      "dce takes the wrong operands away",
      "sort",
      () => ({
        dce: (eqn, used) => ({
          ...eqn,
          inputs: eqn.inputs.slice(0, 1),
          outputs: eqn.outputs.filter((_, k) => used[k]),
        }),
      }),
      sorting,
    ],
    [
      "unfolding and merging keep meaning",
      "simplify says that sin x is x",
      "sin",
      () => ({ simplify: () => 0 }),
      sine,
    ],
    [
      "partial evaluation splits and joins",
      "partialEval forgets the residuals",
      "mul",
      () => ({
        partialEval: (eqn, unknown) => ({
          known: [],
          unknown: [{ ...eqn, inputs: eqn.inputs.filter((_, i) => unknown[i]) }],
        }),
      }),
      sine,
    ],
  ];

  it.each(table)("%s: %s", (name, _, primitive, wrong, make) => {
    const seeds = [1, 2, 3, 4, 5, 6];
    expect(seeds.map((seed) => outcome(name, () => make(seed)))).toEqual(seeds.map(() => "holds"));
    const found = seeds.map((seed) => {
      const p = make(seed);
      return patched(primitive, wrong, () => outcome(name, () => p));
    });
    expect(found).toContain("fails");
    expect(outcome(name, () => make(1))).toBe("holds");
  });

  it("hashing respects equality: params that are no data", () => {
    const name = "hashing respects equality";
    const own = definePrimitive({ ...(findPrimitive("sin") as Primitive), name: "lawsSineWithParams" });
    const noisy = {
      get noise(): number {
        return Math.random();
      },
    };
    expect(outcome(name, () => point((x) => [...bind(own, [x], { noise: 1 })]))).toBe("holds");
    expect(outcome(name, () => point((x) => [...bind(own, [x], noisy)]))).toBe("fails");
  });
});
