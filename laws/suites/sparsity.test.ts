/** The laws of sparsity patterns: they hold of random programs, and notice rules that claim too little. */
import { findPrimitive, type NDArray, numpy as np, type Primitive } from "fluxion";
import { describe, expect, it } from "vitest";
import { primitiveCase } from "../cases.js";
import { replaceRule } from "../mutation/fault.js";
import { makePoint } from "../point.js";
import { randomProgram } from "../programs/generate.js";
import { functionLaws, primitiveLaws } from "../statements/sparsity.js";

const [covers] = functionLaws;
const [ruleCovers] = primitiveLaws;

const primitive = (name: string): Primitive => {
  const found = findPrimitive(name);
  if (found === undefined) throw new Error(`there is no primitive ${name}`);
  return found;
};

describe("random programs", () => {
  it.each(["smooth", "any"] as const)("%s: what a pattern leaves out is zero", (kind) => {
    let held = 0;
    for (let seed = 0; seed < 60; seed++) {
      const program = randomProgram(seed, { kind });
      const verdict = covers.check(makePoint(program.f, program.inputs, seed));
      expect(verdict.kind, `${JSON.stringify(verdict)}\n${program}`).not.toBe("fails");
      if (verdict.kind === "holds") held++;
    }
    expect(held).toBeGreaterThan(40);
  });

  it("large ones too, in some columns", () => {
    const x = np.linspace(-1, 1, 2400).reshape([80, 30]);
    const neighbours = (y: NDArray): NDArray[] => [np.sin(np.roll(y, 1, 1)).mul(y)];
    expect(covers.check(makePoint(neighbours as never, [x], 3)).kind).toBe("holds");
  });
});

describe("a rule that claims too little", () => {
  const x = np.array([0.5, -1.5, 2], { dtype: "float64" });

  it("is noticed in a function", () => {
    const point = makePoint((y) => [np.roll(y, 1).mul(y)], [x], 1);
    expect(covers.check(point)).toEqual({ kind: "holds" });
    const restore = replaceRule(primitive("concatenate"), "dependence", (operands, _, [out]) => [
      operands.map(() => new Int32Array(out.shape[0]).fill(-1)),
    ]);
    try {
      expect(covers.check(makePoint((y) => [np.roll(y, 1).mul(y)], [x], 1))).toEqual({
        kind: "fails",
        left: { name: "∂yᵢ/∂xⱼ for i = 1, j = 0", value: "-1.5" },
        right: { name: "what the pattern leaves out", value: "0" },
        where: "output 0 by input 0",
      });
    } finally {
      restore();
    }
  });

  it("is noticed in a record, where operands are known and where they are not", () => {
    const gather = primitive("gather");
    const { dependence } = gather;
    const verdicts = (): string[] =>
      gather.laws.examples.slice(0, 6).map((e) => ruleCovers.check(primitiveCase(gather, e, 5)).kind);
    expect(new Set(verdicts())).toEqual(new Set(["holds"]));
    for (const isKnown of [true, false]) {
      const restore = replaceRule(gather, "dependence", (operands, params, outputs, passes, limit) =>
        (operands[1].value() !== undefined) === isKnown
          ? [["none", "none"]]
          : (dependence?.(operands, params, outputs, passes, limit) ?? [["all", "none"]]),
      );
      try {
        expect(verdicts(), `known: ${isKnown}`).toContain("fails");
      } finally {
        restore();
      }
    }
  });
});

describe("what has no Jacobian", () => {
  it("has no pattern to speak of", () => {
    const empty = np.zeros([0]);
    expect(covers.check(makePoint((y) => [np.sin(y)], [empty], 1)).kind).toBe("abstains");
    const floor = primitive("floor");
    expect(ruleCovers.check(primitiveCase(floor, floor.laws.examples[1], 1)).kind).toBe(
      floor.laws.differentiable ? "holds" : "abstains",
    );
  });
});
