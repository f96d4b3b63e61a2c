/** Whether an equation is far from its jumps: what does not move continuously must not move at all around the inputs. */
import type { Aval, ConcreteArray, Params, Primitive } from "fluxion";
import { moved } from "./builder.js";
import type { ProgramKind } from "./catalogue.js";
import { arrayOf, type Copies, constant, isConstant, isFloatType } from "./copies.js";
import { evaluateCopies } from "./run.js";

/** An equation with the values of its operands. */
export interface Application {
  readonly primitive: Primitive;
  readonly operands: readonly Copies[];
  readonly params: Params;
  /** Of the results. */
  readonly types: readonly Aval[];
}

/** Numbers that differ by no more than rounding made the same: another device may well find them to be. */
function snapped(x: ConcreteArray): ConcreteArray {
  const grid = 2 ** -({ float64: 30, float32: 16 }[x.dtype as string] ?? 8);
  return arrayOf(
    Array.from(x.values, (e) => Math.round(e / grid) * grid),
    x.aval,
  );
}

/** Which results may only jump: those that are no floats, and in a smooth program what is said to have no derivative. */
export const stepwise = (
  { laws }: Primitive,
  types: readonly Aval[],
  kind: ProgramKind,
): readonly boolean[] =>
  types.map(({ dtype }) => !isFloatType(dtype) || (kind === "smooth" && !laws.differentiable));

/** Whether results that may only jump stay, when each operand moves by itself and loses its last digits. */
export function staysWhenJostled(
  { primitive, operands, params, types }: Application,
  kind: ProgramKind,
  random: () => number,
): boolean {
  const jumps = stepwise(primitive, types, kind);
  if (!jumps.includes(true) || operands.every((x) => !isFloatType(x[0].dtype))) return true;
  const alone = ([at]: Copies): Copies => {
    if (!isFloatType(at.dtype)) return constant(at);
    const by = at.dtype === "float16" ? 2e-2 : 4e-3;
    return [at, moved(at, by, random), snapped(at)];
  };
  const again = evaluateCopies(primitive, operands.map(alone), params, types);
  return again.every((y, i) => !jumps[i] || isConstant(y));
}
