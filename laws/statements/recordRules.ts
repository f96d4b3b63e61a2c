/** Laws of the rules in a primitive's record: each keeps to what it promises whichever operands take part. */
import {
  aval,
  batchJaxpr,
  checkJaxpr,
  evalJaxpr,
  jvpJaxpr,
  type NDArray,
  numpy as np,
  partialEvalJaxpr,
  tangentAval,
  transposeJaxpr,
} from "fluxion";
import { isSmooth, type PrimitiveCase } from "../cases.js";
import { carriesTangent, close, numbers, roundoffOf, toleranceOf } from "../close.js";
import { arrayOf } from "../corners.js";
import { isExact } from "../exact.js";
import { abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { direction, generator } from "../point.js";
import { programOf } from "./recordTypes.js";
import { sameTypes } from "./types.js";

type Row = readonly NDArray[];
type Mask = readonly boolean[];

const showMask = (mask: Mask): string => `operands ${mask.flatMap((b, i) => (b ? [i] : [])).join(", ")}`;

/** All ways to choose some of the operands that are able; of many each, all but one, and all. */
function choices(able: Mask): Mask[] {
  const places = able.flatMap((a, i) => (a ? [i] : []));
  if (places.length === 0) return [];
  const mask = (chosen: readonly number[]): Mask => able.map((_, i) => chosen.includes(i));
  if (places.length <= 3)
    return Array.from({ length: 2 ** places.length - 1 }, (_, bits) =>
      mask(places.filter((__, k) => ((bits + 1) >> k) & 1)),
    );
  return [
    ...places.map((i) => mask([i])),
    ...places.map((i) => mask(places.filter((k) => k !== i))),
    mask(places),
  ];
}

const only = <T>(items: readonly T[], mask: Mask): T[] => items.filter((_, i) => mask[i]);

// ---------------------------------------------------------------------------------------------------------------------
// Batching
// ---------------------------------------------------------------------------------------------------------------------

const stack = (xs: Row): NDArray => np.stack([...xs]);

/** A batch of no rows of the type of x. */
const nothing = ({ shape, dtype, weakType }: NDArray): NDArray =>
  arrayOf([], aval([0, ...shape], dtype, weakType));

const batching = law<PrimitiveCase>({
  name: "the batch rule is a loop",
  subject: "primitive",
  statement: "batch(f, mask) (stack xᵢ) = stack f(xᵢ), for every mask, in batches of 3, 1 and 0",
  source: "Frostig, Johnson & Leary, Compiling machine learning programs via high-level tracing, 2018",
  check: (given) => {
    const { primitive, inputs, rows } = given;
    if (inputs.length === 0) return abstains("it has no operand to batch over");
    const jaxpr = programOf(given);
    const run = (size: number, mask: Mask): Verdict => {
      const batch = [inputs, ...rows]
        .slice(0, size)
        .map((row) => inputs.map((x, i) => (mask[i] ? row[i] : x)));
      const operands = inputs.map((x, i) =>
        !mask[i] ? x : size === 0 ? nothing(x) : stack(batch.map((row) => row[i])),
      );
      const { jaxpr: vectorised, batchedOut } = batchJaxpr(jaxpr, size, mask);
      const where = `a batch of ${size} over ${showMask(mask)}`;
      const checked = checkJaxpr(vectorised);
      if (checked._tag === "Left")
        return fails(
          { name: "batch(f)", value: checked.left.message },
          { name: "wanted", value: "a program" },
          where,
        );
      const outputs = evalJaxpr(vectorised, ...operands);
      const plain = evalJaxpr(jaxpr, ...inputs);
      const names = ["batch(f, mask)", "a loop"] as const;
      const label = (k: number): string => `${where}, output ${k}`;
      // What the rule says does not depend on the batch is compared with every row.
      const spread = outputs.map((y, k) =>
        batchedOut[k] ? y : size === 0 ? nothing(y) : stack(batch.map(() => y)),
      );
      const wanted =
        size === 0
          ? plain.map(nothing)
          : plain.map((_, k) => stack(batch.map((row) => evalJaxpr(jaxpr, ...row)[k])));
      return every(
        () => sameTypes(spread, wanted, names, where),
        () => close(spread, wanted, { names, label, tolerance: isExact(primitive) ? 0 : reordered(wanted) }),
      );
    };
    const masks = choices(inputs.map(() => true));
    return every(
      ...masks.map((mask) => () => run(3, mask)),
      ...[masks[0], masks[masks.length - 1]].flatMap((mask) => [() => run(1, mask), () => run(0, mask)]),
    );
  },
});

/** The same operations in another order: rounding, and no more. */
const reordered = (arrays: Row): number => 2 ** 13 * roundoffOf(arrays);

// ---------------------------------------------------------------------------------------------------------------------
// Derivatives
// ---------------------------------------------------------------------------------------------------------------------

/** A tangent for each operand that can have one, zeros for those that are not chosen. */
function tangentsFor({ inputs, seed }: PrimitiveCase, mask: Mask): NDArray[] {
  const random = generator(seed ^ 0x7a3c);
  return inputs.flatMap((x, i) => {
    if (!carriesTangent(x)) return [];
    const t = direction(x.aval, random);
    return [mask[i] ? t : np.zeros([...x.shape], { dtype: x.dtype })];
  });
}

/** Outputs and tangents of all outputs that can have one, zeros where the rule says zero. */
function pushed(given: PrimitiveCase, active: Mask, tangents: Row): { outputs: Row; tangents: Row } {
  const jaxpr = programOf(given);
  const { jaxpr: both, activeOut } = jvpJaxpr(jaxpr, active);
  const results = evalJaxpr(both, ...given.inputs, ...tangents);
  const outputs = results.slice(0, jaxpr.outputs.length);
  let next = outputs.length;
  return {
    outputs,
    tangents: outputs.flatMap((y, k) => {
      const t = activeOut[k] ? results[next++] : undefined;
      if (!carriesTangent(y)) return t === undefined ? [] : [t];
      return [t ?? np.zeros([...y.shape], { dtype: y.dtype })];
    }),
  };
}

const zeros = law<PrimitiveCase>({
  name: "a symbolic zero is a zero",
  subject: "primitive",
  statement: "J(x) (v, no tangent) = J(x) (v, 0), for every choice of operands; the value is f(x)",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: (given) => {
    if (!isSmooth(given)) return abstains("it has no derivative");
    const able = given.inputs.map(carriesTangent);
    const values = evalJaxpr(programOf(given), ...given.inputs);
    return every(
      ...choices(able).map((mask) => (): Verdict => {
        const all = tangentsFor(given, mask);
        const some = all.filter((_, k) => only(mask, able)[k]);
        const symbolic = pushed(given, mask, some);
        const where = showMask(mask);
        return every(
          () =>
            close(symbolic.outputs, values, {
              names: ["value of jvp", "f(x)"],
              label: (k) => `${where}, output ${k}`,
              tolerance: isExact(given.primitive) ? 0 : undefined,
            }),
          () =>
            close(symbolic.tangents, pushed(given, able, all).tangents, {
              names: ["J(x) (v, no tangent)", "J(x) (v, 0)"],
              label: (k) => `${where}, tangent ${k}`,
            }),
        );
      }),
    );
  },
});

/** ⟨x, y⟩ and the sum of the magnitudes of its terms, which rounding is relative to. */
function inner(xs: Row, ys: Row): readonly [number, number] {
  let [sum, magnitude] = [0, 0];
  for (const [k, x] of xs.entries()) {
    const other = numbers(ys[k]);
    for (const [i, a] of numbers(x).entries()) {
      sum += a * other[i];
      magnitude += Math.abs(a * other[i]);
    }
  }
  return [sum, magnitude];
}

const reverse = law<PrimitiveCase>({
  name: "reverse mode is there and is the transpose",
  subject: "primitive",
  statement:
    "⟨J v, u⟩ = ⟨v, Jᵀ u⟩, for every choice of operands and of outputs; if J is diagonal, Jᵀ u = J u",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 3",
  check: (given) => {
    if (!isSmooth(given)) return abstains("it has no derivative");
    const { inputs, seed } = given;
    const jaxpr = programOf(given);
    const [n, m] = [jaxpr.inputs.length, jaxpr.outputs.length];
    return every(
      ...choices(inputs.map(carriesTangent)).map((mask) => (): Verdict => {
        const both = jvpJaxpr(jaxpr, mask).jaxpr;
        const parts = partialEvalJaxpr(
          both,
          both.inputs.map((_, i) => i >= n),
          both.outputs.map((_, i) => i >= m),
        );
        const { known, unknown, residuals } = parts;
        if (unknown.outputs.length === 0) return holds;
        const kept = evalJaxpr(known, ...inputs).slice(known.outputs.length - residuals);
        const random = generator(seed ^ 0x11d5);
        const vs = only(inputs, mask).map((x) => direction(x.aval, random));
        const us = unknown.outAvals.map((type) => direction(type, random));
        const images = evalJaxpr(unknown, ...kept, ...vs);
        const linear = unknown.inputs.map((_, i) => i >= residuals);
        // The Jacobian of an operation on single elements is diagonal: its own transpose, to the last bits.
        const isDiagonal = given.primitive.family === "elementwise" && inputs.length === 1;
        const symmetric = (pulled: Row): Verdict => {
          if (!isDiagonal || us.length !== 1 || us[0].dtype !== vs[0].dtype || pulled.length !== 1)
            return holds;
          const pushed = evalJaxpr(unknown, ...kept, ...us);
          const tolerance = isExact(given.primitive) ? 0 : reordered(pushed);
          return close(pulled, pushed, { names: ["Jᵀ u", "J u, of a diagonal J"], tolerance });
        };
        // All outputs, then each by itself: the cotangents of the others are symbolic zeros.
        const chosen = [
          us.map(() => true),
          ...(us.length > 1 ? us.map((_, k) => us.map((__, i) => i === k)) : []),
        ];
        return every(
          ...chosen.map((some) => (): Verdict => {
            const transposed = transposeJaxpr(
              unknown,
              linear,
              some.map((s) => !s),
            );
            const results = evalJaxpr(transposed.jaxpr, ...kept, ...only(us, some));
            const pulledFor = vs.filter((_, i) => !transposed.zeroOut[i]);
            const where = `${showMask(mask)}, outputs ${showMask(some).slice("operands ".length)}`;
            const [left, size] = inner(only(images, some), only(us, some));
            const [right, other] = inner(pulledFor, results);
            const tolerance = toleranceOf([...vs, ...us]) * Math.max(1, size, other);
            return every(
              () => sameTypes(results, pulledFor, ["type of Jᵀ u", "type of v"], where),
              () => symmetric(results),
              () =>
                Math.abs(left - right) <= tolerance || (Number.isNaN(left) && Number.isNaN(right))
                  ? holds
                  : fails(
                      { name: "⟨J v, u⟩", value: String(left) },
                      { name: "⟨v, Jᵀ u⟩", value: String(right) },
                      where,
                    ),
            );
          }),
        );
      }),
    );
  },
});

const constant = law<PrimitiveCase>({
  name: "what has no derivative has none",
  subject: "primitive",
  statement:
    "not differentiable ⇒ J v = 0, and the value is f(x); a result that is no float has a trivial tangent",
  source: "Griewank & Walther, Evaluating Derivatives, ch. 14",
  check: (given) => {
    const { primitive, inputs } = given;
    const able = inputs.map(carriesTangent);
    if (!able.includes(true)) return abstains("no operand can have a tangent");
    const jaxpr = programOf(given);
    const { activeOut } = jvpJaxpr(jaxpr, able);
    const moving = jaxpr.outAvals.findIndex(
      (type, k) => activeOut[k] && tangentAval(type).dtype === "float0",
    );
    if (moving >= 0)
      return fails(
        { name: `tangent of output ${moving}`, value: "an array" },
        { name: "wanted", value: "a trivial one" },
      );
    if (primitive.laws.differentiable) return holds;
    const values = evalJaxpr(jaxpr, ...inputs);
    return every(
      ...choices(able).map((mask) => (): Verdict => {
        const chosen = tangentsFor(given, mask).filter((_, k) => only(mask, able)[k]);
        const { outputs, tangents } = pushed(given, mask, chosen);
        const zero = tangents.map((t) => np.zeros([...t.shape], { dtype: t.dtype }));
        return every(
          () =>
            close(outputs, values, {
              names: ["value of jvp", "f(x)"],
              label: (k) => `${showMask(mask)}, output ${k}`,
              tolerance: isExact(primitive) ? 0 : undefined,
            }),
          () => close(tangents, zero, { names: ["J v", "0"], tolerance: 0 }),
        );
      }),
    );
  },
});

export const primitiveLaws: readonly Law<PrimitiveCase>[] = [batching, zeros, reverse, constant];
