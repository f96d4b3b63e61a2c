/** The tests that a device must pass to be called equivalent to the `evaluate` rules. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConcreteArray, concreteArray } from "../../src/core/array.js";
import { type Aval, aval } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { type DType, dtypes, isFloat, type TypedArray } from "../../src/core/dtype.js";
import { MissingRuleError } from "../../src/core/errors.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { draw, generator } from "../unit/draw.js";
import { asJaxpr, chosen } from "../unit/examples.js";
import { allowed, boundOf, callsHost, type DeviceUnderTest } from "./bounds.js";
import { cornerArray } from "./corners.js";
import type { Runner } from "./devices.js";
import { largePrograms, relativeError, sums, terms } from "./large.js";
import { measure } from "./measure.js";
import { forgiving, movements, wholeNumbers } from "./operations.js";
import { evaluated, type Operation, programOf, steps } from "./programs.js";
import { widened } from "./reference.js";

interface Options {
  readonly device: DeviceUnderTest;
  open(): Promise<Runner>;
  close?(): Promise<void>;
  /** Random programs of each kind. */
  readonly programs: number;
}

const shapes = [[], [1], [5], [3, 5], [2, 3, 4], [1, 7, 1], [0], [2, 0], [37], [16, 17], [1, 2, 1, 3]];

const anyShapes = fc.array(fc.constantFrom(...shapes), { minLength: 1, maxLength: 2 });

/** The first element that is another one. */
function difference(actual: TypedArray, wanted: TypedArray, isClose: (a: number, w: number) => boolean) {
  if (actual.length !== wanted.length) return `${actual.length} elements, not ${wanted.length}`;
  const at = wanted.findIndex((w, i) => !isClose(actual[i], w));
  return at < 0 ? undefined : `element ${at} is ${actual[at]}, not ${wanted[at]}`;
}

const same = (flushes: boolean, dtype: DType) => (a: number, w: number) =>
  Object.is(a, w) ||
  // A device that may take subnormal numbers for zero may also keep them.
  (flushes && dtype === "float32" && Math.abs(w) < 2 ** -126 && Math.abs(a) < 2 ** -126 && a * w >= 0);

export function equivalenceSuite({ device, open, close, programs }: Options): void {
  let runner: Runner;
  beforeAll(async () => {
    runner = await open();
  });
  afterAll(() => close?.());

  describe(`every primitive, on ${device}`, () => {
    it.each(chosen.map((p) => [p.name, p] as const))("%s", async (_, primitive) => {
      const bound = boundOf(primitive);
      if (bound.kind === "none" || (device === "webgpu" && callsHost(primitive))) {
        const example = primitive.laws.examples[0];
        const avals = example.avals.map((a) => aval(a.shape, "float32"));
        const operands = avals.map((a) => draw(a, generator(1), [-2, 2], false));
        const run = (): unknown => runner.run(asJaxpr(primitive, { ...example, avals }), operands);
        if (device === "wasm") await run();
        else await expect(run).rejects.toThrow(MissingRuleError);
        return;
      }
      const errors = await measure(primitive, runner);
      expect(errors.size).toBeGreaterThan(0);
      // The reference is rounded too, by as much as a float64 can tell.
      for (const [dtype, { error, what }] of errors)
        if (!(error <= allowed(bound, dtype, device) + 1e-6))
          expect.fail(`${error} ULP, where ${allowed(bound, dtype, device)} are allowed: ${what}`);
    });
  });

  /** Checks random programs; `operandsOf` draws their inputs. */
  const check = (
    dtypesOf: readonly DType[],
    operations: Readonly<Record<string, Operation>>,
    operandOf: (type: Aval, random: () => number) => ConcreteArray,
    judge: (
      outputs: readonly TypedArray[],
      jaxpr: Jaxpr,
      inputs: readonly ConcreteArray[],
      again: (dtype: DType) => Jaxpr,
    ) => string | undefined,
  ) => {
    const table = Object.values(operations);
    return fc.assert(
      fc.asyncProperty(
        steps(9),
        anyShapes,
        fc.constantFrom(...dtypesOf.filter((d) => d !== "float64" || runner.float64)),
        fc.nat(),
        async (program, inputShapes, dtype, seed) => {
          const made = (type: DType): Jaxpr =>
            programOf(
              inputShapes.map((shape) => aval(shape, type)),
              program,
              table,
            );
          const jaxpr = made(dtype);
          const random = generator(seed);
          const inputs = inputShapes.map((shape) => operandOf(aval(shape, dtype), random));
          const wrong = judge(await runner.run(jaxpr, inputs), jaxpr, inputs, made);
          if (wrong !== undefined) throw new Error(`${wrong}\n${jaxpr}`);
        },
      ),
      {
        // For a search in the background: more programs, and others.
        seed: Number(process.env.FLUXION_SEED ?? 20),
        numRuns: Number(process.env.FLUXION_PROGRAMS ?? programs),
      },
    );
  };

  const exactly = (outputs: readonly TypedArray[], jaxpr: Jaxpr, inputs: readonly ConcreteArray[]) => {
    const wanted = evaluated(jaxpr, inputs);
    return outputs
      .map((y, k) => difference(y, wanted[k].values, same(runner.flushes, wanted[k].dtype)))
      .find((d) => d !== undefined);
  };

  describe(`random programs, on ${device}`, () => {
    it("views of views: elements come out as they went in", () =>
      check(dtypes, movements, (type, random) => cornerArray(type, random, "any"), exactly));

    it("whole numbers, with everything that is exact for them", () =>
      check(
        dtypes.filter((d) => d !== "bool"),
        wholeNumbers,
        (type, random) => {
          const low = isFloat(type.dtype) || type.dtype === "int32" ? -7 : 0;
          const { values } = draw(type, random, [low, 7], false);
          return concreteArray(values.map(Math.round), type.shape, type.dtype);
        },
        exactly,
      ));

    it("functions of numbers between -1 and 1", () =>
      check(
        ["float32"],
        forgiving,
        (type, random) => draw(type, random, [-1, 1], false),
        (outputs, jaxpr, inputs, again) => {
          const wanted = evaluated(again("float64"), inputs.map(widened));
          // A few units in the last place of 1 for each operation.
          const tolerance = 3e-7 * (1 + jaxpr.eqns.length);
          return outputs
            .map((y, k) => difference(y, wanted[k].values, (a, w) => Math.abs(a - w) <= tolerance))
            .find((d) => d !== undefined);
        },
      ));
  });

  describe(`large programs, on ${device}`, () => {
    it.each(largePrograms.map((p) => [p.name, p] as const))("%s", async (_, { jaxpr, inputs, threads }) => {
      const [program, operands] = [jaxpr(), inputs()];
      const [actual] = await runner.run(program, operands, threads);
      const [wanted] = evaluated(program, operands);
      expect(difference(actual, wanted.values, Object.is)).toBeUndefined();
    });
  });

  describe(`a million float32 terms, on ${device}`, () => {
    for (const [which, make] of Object.entries(terms)) {
      let x: ConcreteArray;
      beforeAll(() => {
        x = concreteArray(make(), [make().length], "float32");
      });
      it.each(Object.entries(sums))(`${which}: %s`, async (_, { add, bound }) => {
        const program = buildJaxpr("sum", [x.aval], ([terms]) => [add(terms)]);
        const [values] = await runner.run(program, [x]);
        expect(relativeError(values, x.values)).toBeLessThan(bound[device]);
      });
    }
  });
}
