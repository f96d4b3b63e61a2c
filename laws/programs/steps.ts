/** Whether the steps of a loop keep to where its body is smooth: each as well as the first, at whose values it has grown. */
import type { Draft } from "./builder.js";
import type { ProgramKind } from "./catalogue.js";
import { type Habits, habitsOf, staysInside } from "./domain.js";
import type { Growth } from "./growth.js";
import { type BodyRun, meaningOf, operandsOf, typesOf } from "./run.js";
import { staysWhenJostled } from "./steady.js";

/** Values are fitted to operands with these, which are smooth everywhere. Integers are clamped, too. */
const fitting = /^((mul|add|tanh|sin|reshape|slice|pad|broadcastInDim|reduceSum) |clamp u?int)/;

/** Whether an equation of a later step is as far from its jumps as one of the first. */
function isSteady({ body, values }: BodyRun, kind: ProgramKind, random: () => number): boolean {
  return body.eqns.every((eqn) => {
    const [operands, types] = [operandsOf(eqn, values), typesOf(eqn)];
    const { primitive, params } = eqn;
    const inner = meaningOf(primitive, operands, params, types);
    if (inner !== undefined) return inner.runs.every((r) => isSteady(r, kind, random));
    return staysWhenJostled({ primitive, operands, params, types }, kind, random);
  });
}

/** Whether all steps of a loop are as good as the first. */
export function stepsAreGood({ primitive, operands, params, results }: Draft, growth: Growth): boolean {
  const { kind, random } = growth;
  const meaning = meaningOf(
    primitive,
    operands.map((x) => x.copies),
    params,
    results.map((y) => y.type),
  );
  const firsts = new Map<number, Habits>();
  for (const step of meaning?.runs ?? []) {
    const habits = habitsOf(step.body, step.values);
    const first = firsts.get(step.index);
    if (first === undefined) {
      firsts.set(step.index, habits);
      continue;
    }
    const harmless = [...habits.outside].filter((key) => fitting.test(key));
    const admitted = { ...first, outside: new Set([...first.outside, ...harmless]) };
    if (!staysInside(admitted, habits) || (kind === "smooth" && !isSteady(step, kind, random))) return false;
  }
  return true;
}
