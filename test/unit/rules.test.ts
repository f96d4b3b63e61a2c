/**
 * Every rule of every registered primitive, on the examples its record gives: abstract evaluation against evaluation,
 * tangents against finite differences, reverse mode against forward mode, batching against a loop. The registry decides
 * what is tested; `FLUXION_ONLY=sin,cos` narrows it.
 */
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { type ConcreteArray, concreteArray, type NDArray } from "../../src/core/array.js";
import { type Aval, sizeOf } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import { evalJaxpr } from "../../src/core/eval.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { type Example, type Primitive, primitives } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";
import "../../src/primitives/index.js";
import { batchJaxpr } from "../../src/transforms/batch.js";
import { jvpJaxpr } from "../../src/transforms/jvp.js";
import { partialEvalJaxpr } from "../../src/transforms/partialEval.js";
import { transposeJaxpr } from "../../src/transforms/transpose.js";

const only = process.env.FLUXION_ONLY?.split(",");
const chosen = primitives().filter((p) => only === undefined || only.includes(p.name));

/** A small generator of numbers in [0, 1), the same in every run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function draw(
  { shape, dtype }: Aval,
  random: () => number,
  [lo, hi]: readonly [number, number],
  distinct: boolean,
) {
  const n = sizeOf(shape);
  const whole = (x: number) => (dtype === "bool" ? (x > (lo + hi) / 2 ? 1 : 0) : Math.round(x));
  let values = Array.from({ length: n }, () => lo + (hi - lo) * random());
  if (distinct && isFloat(dtype)) {
    // A shuffled grid: neighbours are at least a step apart.
    const order = values.map((v, i) => [v, i] as const).sort((a, b) => a[0] - b[0]);
    values = new Array<number>(n);
    for (const [rank, [, i]] of order.entries()) values[i] = lo + ((hi - lo) * (rank + 0.5)) / n;
  }
  return concreteArray(isFloat(dtype) ? values : values.map(whole), shape, dtype);
}

const interval = (example: Example, i: number, dtype: DType): readonly [number, number] =>
  example.domain?.[i] ?? (dtype === "bool" ? [0, 1] : isFloat(dtype) ? [-2, 2] : [0, 3]);

const drawAll = (example: Example, random: () => number): ConcreteArray[] =>
  example.avals.map((a, i) => draw(a, random, interval(example, i, a.dtype), example.distinct ?? false));

const numbers = (x: NDArray): number[] => [...x.dataSync()];

function expectClose(
  actual: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(wanted.length);
  for (const [i, w] of wanted.entries()) {
    const a = actual[i];
    if (Object.is(a, w) || a === w) continue;
    expect(Math.abs(a - w), `${what}: element ${i}: ${a} against ${w}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(w)),
    );
  }
}

const asJaxpr = (primitive: Primitive, example: Example): Jaxpr =>
  buildJaxpr(primitive.name, example.avals, (xs) => bind(primitive, xs, example.params));

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

  describe.each(
    primitive.laws.examples.map((e, i) => [i, `${e.avals.map((a) => `${a.dtype}[${a.shape}]`)}`, e] as const),
  )("example %i: %s", (index, __, example) => {
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
