/** The factor on an edge is the derivative of its operation, whatever primitive that is: there is no table of formulas to be wrong. */
import { describe, expect, it } from "vitest";
import { localDerivative } from "../../../src/analysis/graph/local.js";
import { nameVariables } from "../../../src/analysis/graph/names.js";
import { programOf } from "../../../src/analysis/graph/program.js";
import type { NDArray } from "../../../src/core/array.js";
import { buildJaxpr } from "../../../src/core/build.js";
import { isFloat } from "../../../src/core/dtype.js";
import { evalJaxpr } from "../../../src/core/eval.js";
import { bind } from "../../../src/core/trace.js";
import { jvpJaxpr } from "../../../src/transforms/jvp.js";
import { chosen, draw, drawAll, expectClose, generator, numbers } from "../examples.js";

const dotOf = (x: NDArray, y: NDArray): number => {
  const [a, b] = [numbers(x), numbers(y)];
  return a.reduce((sum, v, i) => sum + v * b[i], 0);
};

const differentiable = chosen.filter((p) => p.laws.differentiable && p.laws.examples.length > 0);

describe.each(differentiable.map((p) => [p.name, p] as const))("%s", (_, primitive) => {
  it("an edge pushes as jvp does, and pulls as the transpose of that", () => {
    for (const [number, example] of primitive.laws.examples.slice(0, 3).entries()) {
      const random = generator(17 + number);
      const jaxpr = buildJaxpr("test", example.avals, (xs) => bind(primitive, xs, example.params));
      const program = programOf(jaxpr, 0, { depth: 0, customBodies: false, loops: false });
      nameVariables(program, []);
      const [op] = program.operations;
      if (op === undefined) continue;
      const values = drawAll(example, random);
      for (const [i, type] of example.avals.entries()) {
        if (!isFloat(type.dtype)) continue;
        const tangent = draw(type, random, [-1, 1], false);
        const pushed = jvpJaxpr(
          jaxpr,
          example.avals.map((__, k) => k === i),
        );
        const found = evalJaxpr(pushed.jaxpr, [...values, tangent]).slice(jaxpr.outputs.length);
        for (const [k, out] of jaxpr.outputs.entries()) {
          const derivative = localDerivative(op, i, k);
          const wanted = pushed.activeOut[k] ? found.shift() : undefined;
          expect(derivative === undefined).toBe(wanted === undefined || !isFloat(out.aval.dtype));
          if (derivative === undefined || wanted === undefined) continue;
          const got = derivative.push(values, tangent);
          expectClose(numbers(got), numbers(wanted), 1e-5, `output ${k} by operand ${i}`);
          expect(derivative.formula).not.toBe("");
          const cotangent = draw(out.aval, random, [-1, 1], false);
          const pulled = derivative.pull(values, cotangent);
          const [left, right] = [dotOf(got, cotangent), pulled === undefined ? 0 : dotOf(tangent, pulled)];
          const scale = 1 + Math.abs(left) + numbers(got).reduce((sum, v) => sum + Math.abs(v), 0);
          expect(Math.abs(left - right) / scale).toBeLessThan(1e-4);
        }
      }
    }
  });
});
