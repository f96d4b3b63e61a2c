/** Points of a primitive's examples at which faults are looked for: all float operands vary, or only some of them. */
import { bind, type Example, type NDArray, type Primitive } from "fluxion";
import { isFloat } from "../../src/core/dtype.js";
import { drawOperands, type PrimitiveCase, primitiveCase } from "../cases.js";
import { generator, makePoint, type Point } from "../point.js";

/** Which operands of an example can vary smoothly. */
export const floatOperands = ({ avals }: Example): readonly boolean[] => avals.map((a) => isFloat(a.dtype));

/** All of them together, then each alone. */
export function activeMasks(example: Example): readonly (readonly boolean[])[] {
  const floats = floatOperands(example);
  const count = floats.filter(Boolean).length;
  if (count === 0) return [];
  if (count === 1) return [floats];
  return [floats, ...floats.flatMap((isOne, i) => (isOne ? [floats.map((_, k) => k === i)] : []))];
}

/** The function of the active operands alone; the others keep the values of the point. */
export function pointOf(
  primitive: Primitive,
  example: Example,
  active: readonly boolean[],
  seed: number,
): Point {
  const random = generator(seed);
  const given = drawOperands(example, random);
  const chosen = (all: readonly NDArray[]): NDArray[] => all.filter((_, i) => active[i]);
  const f = (...xs: readonly NDArray[]): readonly NDArray[] => {
    let next = 0;
    return bind(
      primitive,
      given.map((x, i) => (active[i] ? xs[next++] : x)),
      example.params,
    );
  };
  return makePoint(f, chosen(given), seed, [
    chosen(drawOperands(example, random)),
    chosen(drawOperands(example, random)),
  ]);
}

/** The function of all operands, with the case that the record's own laws look at. */
export function caseOf(
  primitive: Primitive,
  example: Example,
  seed: number,
): { of: PrimitiveCase; point: Point } {
  const of = primitiveCase(primitive, example, seed);
  return { of, point: makePoint((...xs) => bind(primitive, xs, example.params), of.inputs, seed, of.rows) };
}

/** Whether an example has anything that a fault could change. */
export function hasElements(primitive: Primitive, example: Example): boolean {
  const outputs = primitive.abstractEval(example.avals, example.params);
  return outputs._tag === "Right" && outputs.right.some(({ shape }) => !shape.includes(0));
}
