/** Laws of the numbers that a primitive's record gives: by `evaluate`, by its lowered form, and where nothing is computed. */

import {
  type Aval,
  aval,
  bind,
  type ConcreteArray,
  jit,
  Literal,
  type NDArray,
  type Params,
  type Primitive,
  Var,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import type { PrimitiveCase } from "../cases.js";
import { close, numbers, roundoffOf } from "../close.js";
import { arrayOf, cornersOf, cycledFrom, drawnFrom, orderless } from "../corners.js";
import { abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { generator } from "../point.js";
import { hasDevice, onDevice } from "./compiling.js";
import { twinOf } from "./recordTypes.js";
import { sameTypes, showType } from "./types.js";

const ieee = "IEEE 754-2019, sections 6.1 to 6.3 (infinities, NaNs and the sign bit)";

const isFloat = ({ dtype }: Aval): boolean => dtype.startsWith("float") && dtype !== "float0";

/** Bit for bit, NaN being one value. */
function sameElements(
  left: readonly NDArray[],
  right: readonly NDArray[],
  names: readonly [string, string],
  where: string,
): Verdict {
  for (const [k, x] of left.entries()) {
    const [xs, ys] = [numbers(x), numbers(right[k])];
    const at = xs.length === ys.length ? xs.findIndex((a, i) => !Object.is(a, ys[i])) : 0;
    if (at >= 0 && xs.length + ys.length > 0)
      return fails(
        { name: names[0], value: show(xs[at]) },
        { name: names[1], value: show(ys[at]) },
        `${where}, output ${k}, element ${at}`,
      );
  }
  return holds;
}

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

const showAll = (xs: readonly NDArray[]): string =>
  xs.map((x) => `${showType(x)} ${numbers(x).map(show)}`).join("; ");

/** The results by the `evaluate` rule; nothing where the type rule refuses the operands. */
function evaluated(
  primitive: Primitive,
  operands: readonly ConcreteArray[],
  params: Params,
): readonly ConcreteArray[] | undefined {
  const types = primitive.abstractEval(
    operands.map((x) => x.aval),
    params,
  );
  return isLeft(types) ? undefined : primitive.evaluate(operands, params, types.right);
}

/**
 * Corners for operands that are numbers, in order from some place on, or in random order; operands that are places in arrays
 * stay as they were drawn.
 */
function cornered({ primitive, inputs }: PrimitiveCase, order: number | (() => number)): ConcreteArray[] {
  const pointwise = primitive.family === "elementwise" || primitive.family === "random";
  return inputs.map((x, i) => {
    if (!pointwise && !isFloat(x.aval)) return x as ConcreteArray;
    const list = pointwise ? cornersOf(x.dtype) : orderless;
    // The second operand goes at another pace, so that other pairs meet.
    return typeof order === "number"
      ? cycledFrom(list, x.aval, order * (i + 1))
      : drawnFrom(list, x.aval, order);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Nothing is computed
// ---------------------------------------------------------------------------------------------------------------------

/** Params in which an operation may change nothing: one of them replaced by a neutral value of its kind. */
function neutralParams(params: Params, operands: readonly Aval[]): Params[] {
  const found: Params[] = [params];
  const [first] = operands;
  for (const [key, value] of Object.entries(params)) {
    const put = (...values: readonly Params[string][]): void => {
      for (const v of values) found.push({ ...params, [key]: v });
    };
    if (typeof value === "number") put(0, 1, -1);
    else if (typeof value === "boolean") put(!value);
    else if (Array.isArray(value)) {
      const order = value.map((_, i) => i);
      put(
        [],
        order,
        order.map(() => 0),
        order.map(() => 1),
      );
      if (first !== undefined) {
        put(
          [...first.shape],
          first.shape.map((_, i) => i),
          first.shape.map(() => 0),
          first.shape.map(() => 1),
        );
        put(first.shape.map(() => [0, 0, 0]));
      }
    } else if (typeof value === "string" && first !== undefined) put(first.dtype);
  }
  return found;
}

/** Operands of which one is the scalar `value`, as a literal of a program. */
interface Choice {
  readonly types: readonly Aval[];
  readonly literal: number | undefined;
  readonly value: number;
}

function choicesOf(own: readonly Aval[]): Choice[] {
  const found: Choice[] = [{ types: own, literal: undefined, value: 0 }];
  const weak = own.map((t) => (t.dtype === "bool" ? t : aval(t.shape, t.dtype, true)));
  found.push({ types: weak, literal: undefined, value: 0 });
  for (const [i, type] of own.entries())
    for (const isWeak of type.dtype === "bool" ? [false] : [false, true])
      for (const others of [own, weak])
        for (const value of isFloat(type) ? [0, -0, 1, -1, 2, Infinity, Number.NaN] : [0, 1])
          found.push({
            types: others.map((t, k) => (k === i ? aval([], t.dtype, isWeak) : t)),
            literal: i,
            value,
          });
  return found;
}

const simplifies = law<PrimitiveCase>({
  name: "simplification is exact",
  subject: "primitive",
  statement: "simplify(p, x) = i ⇒ p(x) is xᵢ bit for bit and in type, NaN, ±∞ and -0 included",
  source: ieee,
  check: ({ primitive, example, inputs, seed }) => {
    const { simplify } = primitive;
    if (simplify === undefined) return abstains("it is never simplified");
    const own = inputs.map((x) => x.aval);
    const first = Math.abs(seed);
    const tries: (() => Verdict)[] = [];
    const choices = choicesOf(own);
    // Literals count where operands alone decide; where params do, two choices of types are enough.
    for (const [n, params] of neutralParams(example.params, own).entries())
      for (const { types, literal, value } of n === 0 ? choices : choices.slice(0, 2)) {
        const result = typesOf(primitive, types, params);
        if (result === undefined) continue;
        const atoms = types.map((t, i) => (i === literal ? new Literal(value, t) : new Var(i, t)));
        const i = simplify(atoms, params);
        if (i === undefined) continue;
        const where = `${primitive.name} of ${types.map(showType).join(", ")}${
          literal === undefined ? "" : `, operand ${literal} being ${show(value)}`
        }, params ${JSON.stringify(params)}`;
        const names = ["p(x)", `x${i}`] as const;
        tries.push(() => {
          if (result.length !== 1 || types[i] === undefined)
            return fails(
              { name: "simplify(p, x)", value: String(i) },
              { name: "wanted", value: "an operand" },
              where,
            );
          return every(
            () => sameTypes(result, [types[i]], names, where),
            // The corners in turn, the most telling first; then those from some place on that the seed gives.
            ...[0, 1, 2, 3, 4 + first].map((start) => () => {
              const operands = types.map((t, k) =>
                k === literal ? arrayOf([value], t) : cycledFrom(cornersOf(t.dtype), t, start),
              );
              const outputs = primitive.evaluate(operands, params, result);
              return sameElements(outputs, [operands[i]], names, `${where} at ${showAll(operands)}`);
            }),
          );
        });
      }
    return every(...tries);
  },
});

/** Output types; nothing where the rule refuses, or stumbles over params that were not made for it. */
function typesOf(primitive: Primitive, types: readonly Aval[], params: Params): readonly Aval[] | undefined {
  try {
    const result = primitive.abstractEval(types, params);
    return isLeft(result) ? undefined : result.right;
  } catch {
    return undefined;
  }
}

const commutes = law<PrimitiveCase>({
  name: "commutative means commutative",
  subject: "primitive",
  statement: "commutative(p) ⇒ p(x, y) = p(y, x), bit for bit and in type",
  source: ieee,
  check: (given) => {
    const { primitive, example, inputs, seed } = given;
    if (!primitive.commutative) return abstains("it does not claim to be commutative");
    const random = generator(seed ^ 0x66e1);
    const [x] = inputs;
    const { length } = x === undefined || inputs.length !== 2 ? [] : cornersOf(x.dtype);
    // Every corner beside every other one.
    const pairs = Array.from({ length }, (_, k) =>
      inputs.map((operand, i) => cycledFrom(cornersOf(operand.dtype), operand.aval, i === 0 ? 0 : k)),
    );
    const draws = [inputs as readonly ConcreteArray[], ...pairs, cornered(given, random)];
    // As if one operand were a weak literal: the result may not depend on where it stands.
    const mixed = inputs.map((x, i) =>
      arrayOf(numbers(x), aval(x.shape, x.dtype, i === 0 && x.dtype !== "bool")),
    );
    const names = ["p(x, y)", "p(y, x)"] as const;
    return every(
      ...[...draws, mixed].map((operands) => (): Verdict => {
        const forwards = evaluated(primitive, operands, example.params);
        const backwards = evaluated(primitive, [...operands].reverse(), example.params);
        const where = `operands ${showAll(operands)}`;
        if (forwards === undefined || backwards === undefined)
          return forwards === backwards
            ? abstains("the operands have no result")
            : fails(
                { name: "p(x, y)", value: showOr(forwards) },
                { name: "p(y, x)", value: showOr(backwards) },
                where,
              );
        return every(
          () => sameTypes(forwards, backwards, names, where),
          () => sameElements(forwards, backwards, names, where),
        );
      }),
    );
  },
});

const showOr = (xs: readonly NDArray[] | undefined): string => (xs === undefined ? "refused" : showAll(xs));

// ---------------------------------------------------------------------------------------------------------------------
// The lowered form, and other formats
// ---------------------------------------------------------------------------------------------------------------------

/** So many units in the last place a compiled function may be off. */
const units = 64;

/** NaN, infinities and signs of zeros exactly; other numbers within some units of their last place, or of the largest. */
function near(
  actual: readonly NDArray[],
  wanted: readonly NDArray[],
  names: readonly [string, string],
  where: string,
  pointwise: boolean,
): Verdict {
  for (const [k, x] of actual.entries()) {
    const [xs, ys] = [numbers(x), numbers(wanted[k])];
    const u = roundoffOf([x]);
    const largest = ys.reduce((m, y) => (Number.isFinite(y) ? Math.max(m, Math.abs(y)) : m), 0);
    for (let i = 0; i < Math.max(xs.length, ys.length); i++) {
      const [a, b] = [xs[i], ys[i]];
      if (Object.is(a, b)) continue;
      const tolerance = 2 * units * u * (pointwise ? Math.abs(b) : largest) + tiny(x);
      const isZero = a === 0 && b === 0;
      if (Number.isFinite(b) && !isZero && u > 0 && Math.abs(a - b) <= tolerance) continue;
      if (isZero && !pointwise) continue;
      return fails(
        { name: names[0], value: show(a) },
        { name: names[1], value: show(b) },
        `${where}, output ${k}, element ${i}`,
      );
    }
  }
  return holds;
}

/** Some of the smallest subnormal numbers. */
const tiny = ({ dtype }: NDArray): number =>
  8 *
  (dtype === "float64" ? 2 ** -1074 : dtype === "float32" ? 2 ** -149 : dtype === "float16" ? 2 ** -24 : 0);

const isEffectful = ({ effectful }: Primitive, params: Params): boolean =>
  typeof effectful === "function" ? effectful(params) : effectful === true;

const lowered = law<PrimitiveCase>({
  name: "the lowered form keeps corner values",
  subject: "primitive",
  statement: "lower(p)(x) = evaluate(p)(x), NaN, ±∞, -0 and subnormal numbers included",
  source: ieee,
  check: (given) => {
    const { primitive, example, seed } = given;
    if (primitive.lower === undefined) return abstains("it has no lower rule");
    if (isEffectful(primitive, example.params)) return abstains("it has effects");
    if (!hasDevice("wasm")) return abstains("this host has no WebAssembly with vectors");
    const pointwise = primitive.family === "elementwise" || primitive.family === "random";
    const own = { avals: given.inputs.map((x) => x.aval), params: example.params };
    // Compiling takes its time: beside the own format another one, which the seed chooses.
    const others = (["float64", "float32", "float16"] as const)
      .map((to) => twinOf(given, to))
      .filter((twin) => twin?.avals.some((t, i) => t.dtype !== own.avals[i].dtype));
    const twin = others[Math.abs(seed) % Math.max(1, others.length)];
    const variants = twin === undefined ? [own] : [own, twin];
    return every(
      ...variants.map(({ avals, params }) => (): Verdict => {
        const random = generator(seed ^ 0x3f07);
        const inputs = given.inputs.map((x, i) => arrayOf(numbers(x), avals[i]));
        const run = jit((...xs: NDArray[]) => bind(primitive, xs, params));
        return every(
          ...[inputs, ...[0, 1, random].map((order) => cornered({ ...given, inputs }, order))].map(
            (operands) => (): Verdict => {
              const wanted = evaluated(primitive, operands, params);
              if (wanted === undefined) return holds;
              const actual = onDevice("wasm", () => run(...operands)) as readonly NDArray[];
              const names = ["lower(p)(x)", "evaluate(p)(x)"] as const;
              const where = `operands ${showAll(operands)}`;
              return every(
                () => sameTypes(actual, wanted, names, where),
                () => near(actual, wanted, names, where, pointwise),
              );
            },
          ),
        );
      }),
    );
  },
});

const formats = law<PrimitiveCase>({
  name: "float formats agree",
  subject: "primitive",
  statement: "evaluate(p) in float32 and float16 = evaluate(p) in float64, to the precision of the format",
  source: "Higham, Accuracy and Stability of Numerical Algorithms, ch. 2",
  check: (given) => {
    const { primitive } = given;
    const wide = twinOf(given, "float64");
    if (wide === undefined) return abstains("it has no twin of another float dtype");
    return every(
      ...(["float32", "float16"] as const).map((to) => (): Verdict => {
        const narrow = twinOf(given, to);
        if (narrow === undefined) return abstains("it has no twin of another float dtype");
        // The same numbers for both: such as the narrow format can hold.
        const operands = given.inputs.map((x, i) => arrayOf(numbers(x), narrow.avals[i]));
        const same = operands.map((x, i) => arrayOf(numbers(x), wide.avals[i]));
        const results = evaluated(primitive, operands, narrow.params);
        const exact = evaluated(primitive, same, wide.params);
        if (results === undefined || exact === undefined) return abstains(`it does not take ${to}`);
        const rounded = exact.map((y, k) => arrayOf(numbers(y), results[k].aval));
        return close(results, rounded, {
          names: [`p in ${to}`, "p in float64, rounded"],
          tolerance: 16 * roundoffOf(operands),
        });
      }),
    );
  },
});

export const primitiveLaws: readonly Law<PrimitiveCase>[] = [simplifies, commutes, lowered, formats];
