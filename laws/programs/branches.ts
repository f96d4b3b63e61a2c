/** Draws branches: two or three bodies of the same type, one of which is taken. */
import { Var } from "fluxion";
import { named } from "./adapt.js";
import type { Known } from "./builder.js";
import type { Growth } from "./growth.js";
import { Body, chosenInteger, moderate, type Plan, some, strong } from "./structure.js";

/** One or two results for all branches to give, of the types that come from the first. */
function firstResults(body: Body): readonly Known[] {
  const { random } = body.growth;
  const results = new Set<Known>();
  for (let k = random() < 0.4 ? 2 : 1; k > 0; k--) {
    const x = body.result();
    if (x !== undefined) results.add(x);
  }
  return [...results].map((x) => strong(body.builder, x));
}

/** Adds a cond whose index does not move; false where nothing came of it. */
export function drawCond(growth: Growth, plan: Plan): boolean {
  const { random, builder } = growth;
  const results = builder.attempt(() => {
    const count = random() < 0.65 ? 2 : 3;
    // Now and then the number of no branch, which stands for the nearest.
    const out = random() < 0.1 ? 1 : 0;
    const index = chosenInteger(growth, -out, count - 1 + out);
    const operands = some(growth, 3);
    const bodies = Array.from({ length: count }, () => new Body(plan, growth, operands));
    for (const body of bodies) body.grow();
    const wanted = firstResults(bodies[0]);
    if (wanted.length === 0) return undefined;
    const outputs = bodies.map((body, k) =>
      (k === 0 ? wanted : wanted.map((x) => body.resultOf(x.type))).map((x) => x.atom),
    );
    const extras = bodies.map((body, k) => body.extras(outputs[k]));
    const added = extras.flatMap((vars, k) => vars.map((v) => builder.variable(bodies[k].valueOf(v))));
    // A branch does not use what is only for another.
    const branches = bodies.map((body, k) => {
      const own = extras.flatMap((vars, j) => vars.map((v) => (j === k ? v : new Var(v.id, v.aval))));
      return body.toJaxpr([...body.formals.map((x) => x.atom), ...own], outputs[k]);
    });
    const draft = moderate(growth, named("cond"), [index, ...operands, ...added], { branches });
    return draft && builder.add(draft);
  });
  for (const y of results ?? []) growth.keep(y);
  return results !== undefined;
}
