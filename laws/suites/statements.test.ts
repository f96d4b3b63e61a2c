/** What each law of derivatives is for: the wrong rules it finds. */
import { numpy as np } from "fluxion";
import { describe, expect, it } from "vitest";
import type { Pair } from "../cases.js";
import type { Fails, Law, Verdict } from "../law.js";
import { makePoint, type Point } from "../point.js";
import * as category from "../statements/category.js";
import * as duality from "../statements/duality.js";
import * as jacobian from "../statements/jacobian.js";
import * as linearity from "../statements/linearity.js";
import * as second from "../statements/second.js";
import * as values from "../statements/values.js";
import { goodLinear, type Wrong, type WrongLinear, wrongLinear, wrongRules } from "./wrongRules.js";

const laws: readonly Law<Point>[] = [
  ...values.functionLaws,
  ...linearity.functionLaws,
  ...duality.functionLaws,
  ...jacobian.functionLaws,
  ...second.functionLaws,
  ...category.functionLaws,
];

const [fd, fd2] = ["jvp agrees with finite differences", "jvp of jvp agrees with finite differences"];
const asymmetric = [
  "the Hessian is symmetric",
  "second derivatives in four orders of modes",
  "mixed partial derivatives commute",
  "hvp is the gradient of the slope",
];

/** Which laws find which mistake, and no others do. */
const table: Readonly<Record<keyof typeof wrongRules, readonly string[]>> = {
  "a sign": [fd, fd2],
  "a factor of 1.01": [fd, fd2],
  "a term left out": [fd, fd2, ...asymmetric],
  "an input ignored": [fd, fd2, ...asymmetric],
  "a field that is no gradient": [fd, fd2, ...asymmetric],
  "a slope taken for constant": [fd2],
  "a slope that depends on how often it is asked": [
    fd,
    fd2,
    "jvp is linear in the tangent",
    "sum rule",
    "multiples",
    "product rule",
    "quotient rule",
    "duality",
    "linearize is jvp",
    "the transpose of linearize is vjp",
    "grad is vjp",
    "jacfwd is jacrev",
    "columns of the Jacobian",
    "rows of the Jacobian",
    "second derivatives in four orders of modes",
    "mixed partial derivatives commute",
    "hvp is the gradient of the slope",
    "no perturbation confusion",
    "identity",
    "associativity",
    "products",
    "chain rule, forward",
    "chain rule, reverse",
  ],
  "a tangent squared": [
    fd,
    fd2,
    "jvp is linear in the tangent",
    "vjp is linear in the cotangent",
    "sum rule",
    "multiples",
    "product rule",
    "quotient rule",
    "constants",
    "duality",
    "the transpose of linearize is vjp",
    "grad is vjp",
    "jacfwd is jacrev",
    "rows of the Jacobian",
    ...asymmetric,
    "no perturbation confusion",
    "identity",
    "associativity",
    "products",
    "chain rule, reverse",
  ],
  "a tangent with a constant": [
    fd,
    fd2,
    "jvp is linear in the tangent",
    "constants",
    "duality",
    "jacfwd is jacrev",
    "the Hessian is symmetric",
    "second derivatives in four orders of modes",
  ],
  "a value changed by the tangent rule": [
    fd,
    "product rule",
    "quotient rule",
    "constants",
    "linearize is jvp",
    "the transpose of linearize is vjp",
    "no perturbation confusion",
    "identity",
    "products",
    "chain rule, forward",
    "chain rule, reverse",
  ],
  "a transpose with a factor": ["duality", "jacfwd is jacrev", "second derivatives in four orders of modes"],
  "a transpose with a constant": [
    "vjp is linear in the cotangent",
    "multiples",
    "duality",
    "jacfwd is jacrev",
    "second derivatives in four orders of modes",
    "no perturbation confusion",
    "products",
  ],
  "a transpose that is not linear": [
    "vjp is linear in the cotangent",
    "multiples",
    "duality",
    "second derivatives in four orders of modes",
    "no perturbation confusion",
  ],
  "batches turned by a row": ["jacfwd is jacrev", "columns of the Jacobian", "rows of the Jacobian"],
  "mul: a term left out": [fd, "product rule", ...asymmetric, "no perturbation confusion"],
  "add: a term left out": [
    fd,
    fd2,
    "sum rule",
    "grad is vjp",
    "second derivatives in four orders of modes",
    "mixed partial derivatives commute",
    "hvp is the gradient of the slope",
    "no perturbation confusion",
  ],
  "add: the second cotangent lost": [
    "sum rule",
    "product rule",
    "quotient rule",
    "duality",
    "grad is vjp",
    "jacfwd is jacrev",
    "the Hessian is symmetric",
    "second derivatives in four orders of modes",
    "hvp is the gradient of the slope",
    "no perturbation confusion",
  ],
  "div: a sign": [fd, fd2, "quotient rule"],
  "select: the other branch's tangent": [fd, "constants", "no perturbation confusion"],
  "stopGradient: lets tangents through": ["constants"],
};

const linearTable: Readonly<Record<keyof typeof wrongLinear, readonly string[]>> = {
  "a function that is not linear": [
    "a linear function is linear, and its own derivative",
    "a linear function and its transpose",
    "transposition is an involution",
  ],
  "a transpose with a factor": ["a linear function and its transpose", "transposition is an involution"],
  "a transpose with a constant": ["a linear function and its transpose", "transposition keeps multiples"],
  "a transpose with a constant, before zero": [
    "a linear function and its transpose",
    "transposition reverses composition",
    "transposition keeps multiples",
  ],
  "a transpose that is not linear": [
    "a linear function and its transpose",
    "transposition is an involution",
    "transposition keeps multiples",
  ],
  "add: the second cotangent lost": ["transposition is additive"],
};

/** A mistake is found by a law that fails, or that cannot even be tried. */
function finds({ seed }: { readonly seed?: () => () => void }, check: () => Verdict): boolean {
  const mend = seed?.();
  try {
    return check().kind === "fails";
  } catch {
    return true;
  } finally {
    mend?.();
  }
}

/** Something smooth after f. */
const pairOf = ({ f, inputs, v, u }: Point): Pair => ({
  f,
  g: (...ys) => ys.map((y) => np.multiply(y, np.exp(np.multiply(y, 0.25)))),
  xs: inputs,
  v,
  u,
});

const foundBy = (wrong: Wrong): string[] => {
  const point = makePoint(wrong.f, wrong.inputs, 1);
  const pair = pairOf(point);
  return [
    ...laws.filter((l) => finds(wrong, () => l.check(point))),
    ...category.pairLaws.filter((l) => finds(wrong, () => l.check(pair))),
  ].map((l) => l.name);
};

const foundByLinear = (wrong: WrongLinear): string[] =>
  duality.linearLaws.filter((l) => finds(wrong, () => l.check(wrong.value))).map((l) => l.name);

describe("laws find wrong rules", () => {
  it.each(Object.keys(wrongRules))("%s", (name) => {
    expect(new Set(foundBy(wrongRules[name]))).toEqual(new Set(table[name]));
  });

  it("and only those: without the mistakes all hold", () => {
    for (const { f, inputs, seed } of Object.values(wrongRules)) {
      if (seed === undefined || f === wrongRules["a slope that depends on how often it is asked"].f) continue;
      const point = makePoint(f, inputs, 1);
      for (const l of laws) expect(l.check(point), l.name).toEqual({ kind: "holds" });
      for (const l of category.pairLaws) expect(l.check(pairOf(point)), l.name).toEqual({ kind: "holds" });
    }
  });

  it.each([...laws, ...category.pairLaws].map((l) => l.name))("%s finds a mistake", (name) => {
    expect(Object.values(table).some((names) => names.includes(name))).toBe(true);
  });
});

describe("laws of linear functions find wrong transposes", () => {
  it.each(Object.keys(wrongLinear))("%s", (name) => {
    expect(new Set(foundByLinear(wrongLinear[name]))).toEqual(new Set(linearTable[name]));
  });

  it.each(duality.linearLaws.map((l) => [l.name, l] as const))("%s holds and finds a mistake", (name, l) => {
    expect(l.check(goodLinear)).toEqual({ kind: "holds" });
    expect(Object.values(linearTable).some((names) => names.includes(name))).toBe(true);
  });
});

describe("what a failure says", () => {
  const said = (law: Law<Point>, { f, inputs }: Wrong): Fails => {
    const verdict = law.check(makePoint(f, inputs, 1));
    if (verdict.kind !== "fails") throw new Error(`the law ${verdict.kind}`);
    return verdict;
  };

  it("both sides by name, the value with its error, and where", () => {
    const { left, right, where } = said(values.firstDifferences, wrongRules["a sign"]);
    const { f, inputs } = wrongRules["a sign"];
    const { v } = makePoint(f, inputs, 1);
    const [x, t] = [inputs[0].tolist() as number[], v[0].tolist() as number[]];
    expect(where).toBe("output 0, element 0 of 3");
    // f(x) = sin x · (2 + x), of which the first factor has the wrong slope.
    const [own, other] = [Math.cos(x[0]) * (2 + x[0]) * t[0], Math.sin(x[0]) * t[0]];
    expect(left.name).toBe("jvp");
    expect(Number(left.value)).toBeCloseTo(other - own, 12);
    expect(right.name).toBe("finite difference");
    const [, value, error] = /^(-?[\d.]+) ± (\de-\d+)$/.exec(right.value) ?? [];
    expect(Number(value)).toBeCloseTo(other + own, 6);
    expect(Number(error)).toBeLessThan(1e-7);
  });

  it("inner products as numbers", () => {
    const { left, right } = said(duality.duality, wrongRules["a transpose with a factor"]);
    expect([left.name, right.name]).toEqual(["⟨J v, u⟩", "⟨v, Jᵀ u⟩"]);
    expect(Number(right.value) / Number(left.value)).toBeCloseTo(2 / 3, 12);
  });
});
