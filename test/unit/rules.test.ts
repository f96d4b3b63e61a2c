/**
 * Every rule of every registered primitive, on the examples its record gives: abstract evaluation against evaluation,
 * tangents against finite differences, reverse mode against forward mode, batching against a loop. The registry decides
 * what is tested; `FLUXION_ONLY=sin,cos` narrows it.
 */
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { type ConcreteArray, concreteArray, type NDArray } from "../../src/core/array.js";
import { sizeOf } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import { evalJaxpr } from "../../src/core/eval.js";
import { bind } from "../../src/core/trace.js";
import { batchJaxpr } from "../../src/transforms/batch.js";
import { jvpJaxpr } from "../../src/transforms/jvp.js";
import { partialEvalJaxpr } from "../../src/transforms/partialEval.js";
import { transposeJaxpr } from "../../src/transforms/transpose.js";
import { asJaxpr, chosen, draw, drawAll, expectClose, generator, labelled, numbers } from "./examples.js";

/** Central differences with Richardson extrapolation: error O(h⁴) plus rounding. */
function finiteDifference(
  f: (xs: ConcreteArray[]) => number[],
  xs: readonly ConcreteArray[],
  ts: readonly (ConcreteArray | undefined)[],
) {
  const at = (h: number) =>
    f(
      xs.map((x, i) => {
        const t = ts[i];
        return t === undefined
          ? x
          : concreteArray(
              numbers(x).map((v, k) => v + h * t.values[k]),
              x.shape,
              x.dtype,
            );
      }),
    );
  const central = (h: number): number[] => {
    const lower = at(-h);
    return at(h).map((v, k) => (v - lower[k]) / (2 * h));
  };
  const h = 1e-3;
  const fine = central(h / 2);
  return central(h).map((coarse, k) => (4 * fine[k] - coarse) / 3);
}

describe.each(chosen.map((p) => [p.name, p] as const))("%s", (_, primitive) => {
  it("has examples", () => {
    expect(primitive.laws.examples.length).toBeGreaterThan(0);
  });

  describe.each(labelled(primitive))("example %i: %s", (index, __, example) => {
    const random = generator(index + 1);
    const inputs = drawAll(example, random);
    const run = (xs: readonly NDArray[]) => bind(primitive, xs, example.params);

    it("abstract evaluation predicts the real one", () => {
      const types = primitive.abstractEval(example.avals, example.params);
      expect(isRight(types), JSON.stringify(types)).toBe(true);
      if (!isRight(types)) return;
      const outputs = run(inputs);
      expect(outputs.map((y) => [y.shape, y.dtype])).toEqual(types.right.map((t) => [t.shape, t.dtype]));
      for (const y of outputs) expect((y as ConcreteArray).values.length).toBe(sizeOf(y.shape));
    });

    it("cost is a count", () => {
      const types = run(inputs).map((y) => y.aval);
      const cost = primitive.cost(example.avals, example.params, types);
      for (const n of Object.values(cost)) expect(Number.isFinite(n) && n >= 0).toBe(true);
      expect(cost.multiplications + cost.transcendentals).toBeLessThanOrEqual(cost.operations);
    });

    const batchable = example.avals.length > 0;
    if (batchable)
      it("batching is a loop", () => {
        const size = 3;
        const masks = example.avals.map((_, i) => example.avals.map((__, k) => k === i));
        if (example.avals.length > 1) masks.push(example.avals.map(() => true));
        for (const mask of masks) {
          const rows = Array.from({ length: size }, () => {
            const drawn = drawAll(example, random);
            return drawn.map((x, i) => (mask[i] ? x : inputs[i]));
          });
          const stacked = inputs.map((x, i) =>
            mask[i]
              ? concreteArray(
                  rows.flatMap((row) => numbers(row[i])),
                  [size, ...x.shape],
                  x.dtype,
                )
              : x,
          );
          const batched = batchJaxpr(
            asJaxpr(primitive, example),
            size,
            mask,
            run(inputs).map(() => true),
          );
          const outputs = evalJaxpr(batched.jaxpr, stacked);
          const wanted = rows.map((row) => run(row));
          for (const [k, y] of outputs.entries()) {
            expect(y.shape, `output ${k} batched over ${mask}`).toEqual([size, ...wanted[0][k].shape]);
            expectClose(
              numbers(y),
              wanted.flatMap((w) => numbers(w[k])),
              1e-12,
              `output ${k} batched over ${mask}`,
            );
          }
        }
      });

    const active = example.avals.map((a) => isFloat(a.dtype));
    const differentiable = primitive.laws.differentiable && active.includes(true);
    const isDouble = example.avals.every((a) => !isFloat(a.dtype) || a.dtype === "float64");

    if (differentiable && isDouble)
      it("tangents agree with finite differences", () => {
        const jaxpr = asJaxpr(primitive, example);
        for (const mask of [active, ...active.map((a, i) => active.map((_, k) => a && k === i))]) {
          if (!mask.includes(true)) continue;
          const ts = example.avals.map((a, i) => (mask[i] ? draw(a, random, [-1, 1], false) : undefined));
          const pushed = jvpJaxpr(jaxpr, mask);
          const results = evalJaxpr(pushed.jaxpr, [...inputs, ...ts.filter((t) => t !== undefined)]);
          let next = jaxpr.outputs.length;
          for (const [k, type] of jaxpr.outAvals.entries()) {
            if (!isFloat(type.dtype)) continue;
            const tangent = pushed.activeOut[k]
              ? numbers(results[next])
              : new Array<number>(sizeOf(type.shape)).fill(0);
            if (pushed.activeOut[k]) next++;
            const wanted = finiteDifference((xs) => numbers(run(xs)[k]), inputs, ts);
            expectClose(tangent, wanted, 2e-7, `tangent of output ${k}, active ${mask}`);
          }
        }
      });

    if (differentiable)
      it("reverse mode is the transpose of forward mode", () => {
        const jaxpr = asJaxpr(primitive, example);
        const pushed = jvpJaxpr(jaxpr, active);
        const n = jaxpr.inputs.length;
        const m = jaxpr.outputs.length;
        const split = partialEvalJaxpr(
          pushed.jaxpr,
          pushed.jaxpr.inputs.map((_, i) => i >= n),
          pushed.jaxpr.outputs.map((_, i) => i >= m),
        );
        const residuals = evalJaxpr(split.known, inputs).slice(m);
        const linear = split.unknown.inputs.map((_, i) => i >= residuals.length);
        const ts = example.avals.filter((_, i) => active[i]).map((a) => draw(a, random, [-1, 1], false));
        const us = split.unknown.outAvals.map((a) => draw(a, random, [-1, 1], false));
        const outTangents = evalJaxpr(split.unknown, [...residuals, ...ts]);
        const transposed = transposeJaxpr(
          split.unknown,
          linear,
          us.map(() => false),
        );
        const pulled = evalJaxpr(transposed.jaxpr, [...residuals, ...us]);
        let next = 0;
        const cotangents = ts.map((t, i) => {
          const ct = transposed.zeroOut[i] ? undefined : pulled[next++];
          if (ct !== undefined) expect([ct.shape, ct.dtype]).toEqual([t.shape, t.dtype]);
          return ct;
        });
        const inner = (a: NDArray, b: NDArray) => numbers(a).reduce((s, v, k) => s + v * numbers(b)[k], 0);
        const left = outTangents.reduce((s, y, k) => s + inner(y, us[k]), 0);
        const right = cotangents.reduce((s, ct, k) => s + (ct === undefined ? 0 : inner(ts[k], ct)), 0);
        const tolerance = isDouble ? 1e-10 : 1e-2;
        expectClose([right], [left], tolerance, "⟨v, Jᵀu⟩ against ⟨Jv, u⟩");
      });

    if (differentiable)
      it("batching and differentiating commute", () => {
        const jaxpr = asJaxpr(primitive, example);
        const pushed = jvpJaxpr(jaxpr, active).jaxpr;
        const size = 2;
        const mask = pushed.inputs.map(() => true);
        const batchThenPush = jvpJaxpr(
          batchJaxpr(
            jaxpr,
            size,
            jaxpr.inputs.map(() => true),
            jaxpr.outputs.map(() => true),
          ).jaxpr,
          active,
        ).jaxpr;
        const pushThenBatch = batchJaxpr(
          pushed,
          size,
          mask,
          pushed.outputs.map(() => true),
        ).jaxpr;
        const rows = [drawAll(example, random), drawAll(example, random)];
        const stackedIn = example.avals.map((a, i) =>
          concreteArray(
            rows.flatMap((r) => numbers(r[i])),
            [size, ...a.shape],
            a.dtype,
          ),
        );
        const stackedT = example.avals
          .filter((_, i) => active[i])
          .map((a) => draw({ ...a, shape: [size, ...a.shape] }, random, [-1, 1], false));
        const one = evalJaxpr(batchThenPush, [...stackedIn, ...stackedT]);
        const other = evalJaxpr(pushThenBatch, [...stackedIn, ...stackedT]);
        expect(one.length).toBe(other.length);
        const tolerance = isDouble ? 1e-10 : 1e-2;
        for (const [k, y] of one.entries())
          expectClose(numbers(y), numbers(other[k]), tolerance, `output ${k}`);
      });
  });
});
