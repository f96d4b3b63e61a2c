/**
 * Every pass on every example of every primitive: its result is well typed, and a call under `jit` means what the plain
 * application means, whatever transforms are applied to it.
 */
import { describe, expect, it } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { tangentAval } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { checked } from "../../src/core/check.js";
import { isFloat } from "../../src/core/dtype.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import type { PartialEvalResult } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";
import { zeroFor } from "../../src/core/zero.js";
import { bindCall } from "../../src/primitives/call.js";
import { instantiate, repeat } from "../../src/primitives/filled.js";
import { batchJaxpr } from "../../src/transforms/batch.js";
import { dceJaxpr } from "../../src/transforms/dce.js";
import { jvp } from "../../src/transforms/forward.js";
import { jit } from "../../src/transforms/jit.js";
import { jvpJaxpr } from "../../src/transforms/jvp.js";
import { vjp } from "../../src/transforms/linearize.js";
import { partialEvalJaxpr } from "../../src/transforms/partialEval.js";
import { transposeJaxpr } from "../../src/transforms/transpose.js";
import type { Fn } from "../../src/transforms/types.js";
import { vmap } from "../../src/transforms/vmap.js";
import { asJaxpr, chosen, draw, drawAll, expectClose, generator, labelled, numbers } from "./examples.js";

const all = (xs: readonly unknown[]): boolean[] => xs.map(() => true);
const none = (xs: readonly unknown[]): boolean[] => xs.map(() => false);

/** All inputs, and each by itself. */
const masks = (xs: readonly unknown[]): boolean[][] => [
  ...(xs.length > 1 ? [all(xs)] : []),
  ...xs.map((_, i) => xs.map((__, k) => k === i)),
];

function checkSplit(split: PartialEvalResult, jaxpr: Jaxpr, unknown: readonly boolean[]): void {
  checked(split.known);
  checked(split.unknown);
  const knownOuts = split.unknownOut.filter((u) => !u).length;
  expect(split.known.inputs.length).toBe(unknown.filter((u) => !u).length);
  expect(split.known.outputs.length).toBe(knownOuts + split.residuals);
  expect(split.unknown.inputs.length).toBe(split.residuals + unknown.filter((u) => u).length);
  expect(split.unknown.outputs.length).toBe(jaxpr.outputs.length - knownOuts);
  // Residuals are what the known part hands over: no more and no others.
  expect(split.known.outAvals.slice(knownOuts)).toEqual(split.unknown.inAvals.slice(0, split.residuals));
}

/** Applies every pass in every way that the inputs allow, and checks the types of the programs that come out. */
function checkPasses(jaxpr: Jaxpr, differentiable: boolean): void {
  checked(jaxpr);
  for (const mask of masks(jaxpr.inputs)) {
    checkSplit(partialEvalJaxpr(jaxpr, mask), jaxpr, mask);
    checked(batchJaxpr(jaxpr, 2, mask).jaxpr);
    checked(batchJaxpr(jaxpr, 0, mask, all(jaxpr.outputs)).jaxpr);
  }
  for (const mask of masks(jaxpr.outputs)) checked(dceJaxpr(jaxpr, mask).jaxpr);
  checked(dceJaxpr(jaxpr, none(jaxpr.outputs)).jaxpr);

  for (const mask of masks(jaxpr.inputs)) {
    if (mask.some((active, i) => active && !isFloat(jaxpr.inAvals[i].dtype))) continue;
    const { jaxpr: pushed, activeOut } = jvpJaxpr(jaxpr, mask);
    checked(pushed);
    const tangents = activeOut.filter((a) => a).length;
    expect(pushed.inputs.length).toBe(jaxpr.inputs.length + mask.filter((a) => a).length);
    expect(pushed.outAvals).toEqual([
      ...jaxpr.outAvals,
      ...jaxpr.outAvals.filter((_, i) => activeOut[i]).map(tangentAval),
    ]);
    if (!differentiable || tangents === 0) continue;

    const unknown = pushed.inputs.map((_, i) => i >= jaxpr.inputs.length);
    const force = pushed.outputs.map((_, i) => i >= jaxpr.outputs.length);
    const split = partialEvalJaxpr(pushed, unknown, force);
    checkSplit(split, pushed, unknown);
    const linear = split.unknown.inputs.map((_, i) => i >= split.residuals);
    for (const zero of [none(split.unknown.outputs), all(split.unknown.outputs)]) {
      const transposed = transposeJaxpr(split.unknown, linear, zero);
      checked(transposed.jaxpr);
      const wanted = split.unknown.inAvals.filter((_, i) => linear[i]);
      expect(transposed.jaxpr.outAvals.map(({ shape, dtype }) => [shape, dtype])).toEqual(
        wanted.filter((_, i) => !transposed.zeroOut[i]).map(({ shape, dtype }) => [shape, dtype]),
      );
    }
    // Second order: the results of passes are programs like any other.
    const backward = transposeJaxpr(split.unknown, linear, none(split.unknown.outputs)).jaxpr;
    checked(batchJaxpr(backward, 2, all(backward.inputs)).jaxpr);
    checked(jvpJaxpr(backward, all(backward.inputs)).jaxpr);
    checked(
      jvpJaxpr(
        pushed,
        pushed.inAvals.map((a) => isFloat(a.dtype)),
      ).jaxpr,
    );
    checked(batchJaxpr(split.unknown, 2, all(split.unknown.inputs)).jaxpr);
  }
}

/** A compiled program rounds each float32 to float32, where `evaluate` computes in double precision. */
const roundings: Partial<Record<string, number>> = { float32: 1e-6, float16: 4e-3 };

function expectSame(actual: unknown, wanted: unknown, what: string): void {
  const [a, w] = [actual, wanted] as [NDArray[], NDArray[]];
  expect(a.map((x) => [x.shape, x.dtype])).toEqual(w.map((x) => [x.shape, x.dtype]));
  for (const [k, x] of w.entries())
    expectClose(numbers(a[k]), numbers(x), roundings[x.dtype] ?? 1e-12, `${what}, part ${k}`);
}

describe.each(chosen.map((p) => [p.name, p] as const))("%s", (_, primitive) => {
  describe.each(labelled(primitive))("example %i: %s", (index, __, example) => {
    const { differentiable } = primitive.laws;

    it("every pass gives well typed programs", () =>
      checkPasses(asJaxpr(primitive, example), differentiable));

    it("every pass gives well typed programs of a call", () => {
      const body = asJaxpr(primitive, example);
      checkPasses(
        buildJaxpr("call", example.avals, (xs) => bindCall(body, primitive.name, xs)),
        differentiable,
      );
    });

    it("a jitted application is the plain one, and so are its jvp, vjp and vmap", () => {
      const random = generator(1000 + index);
      const xs = drawAll(example, random);
      const plain: Fn = (...args: NDArray[]) => [...bind(primitive, args, example.params)];
      const jitted = jit(plain) as Fn;
      const ys = plain(...xs) as NDArray[];
      expectSame(jitted(...xs), ys, "value");
      if (xs.length > 0) {
        const rows = xs.map((x) => repeat(x, 2));
        expectSame(vmap(jitted)(...rows), vmap(plain)(...rows), "vmap of jit");
        expectSame(jit(vmap(plain) as Fn)(...rows), vmap(plain)(...rows), "jit of vmap");
      }
      if (!differentiable) return;
      const direction = (x: NDArray) =>
        isFloat(x.dtype) ? draw(x.aval, random, [-1, 1], false) : instantiate(zeroFor(x.aval));
      const [ts, us] = [xs.map(direction), ys.map(direction)];
      const pushed = jvp(plain, xs, ts);
      for (const [name, f] of [
        ["jvp of jit", (...args: unknown[]) => jvp(jitted, args.slice(0, xs.length), args.slice(xs.length))],
        [
          "jit of jvp",
          jit((...args: unknown[]) => jvp(plain, args.slice(0, xs.length), args.slice(xs.length))),
        ],
      ] as const) {
        const [values, tangents] = f(...xs, ...ts) as [NDArray[], NDArray[]];
        expectSame(values, pushed[0], `${name}, value`);
        expectSame(tangents, pushed[1], `${name}, tangent`);
      }
      const pulled = vjp(plain, ...xs)[1](us);
      expectSame(vjp(jitted, ...xs)[1](us), pulled, "vjp of jit");
      expectSame(jit((...args: NDArray[]) => vjp(plain, ...args)[1](us))(...xs), pulled, "jit of vjp");
    });
  });
});
