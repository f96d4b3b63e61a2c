/** The jaxprs that equations hold, whichever primitive they are of. */
import { type Eqn, Jaxpr, type Params } from "fluxion";

/** The bodies of an equation, in the order of its params. */
export const bodiesOf = (params: Params): readonly Jaxpr[] =>
  Object.values(params).flatMap((value) =>
    value instanceof Jaxpr
      ? [value]
      : Array.isArray(value)
        ? value.filter((part): part is Jaxpr => part instanceof Jaxpr)
        : [],
  );

/** The params with other bodies, in the same order. */
export function withBodies(params: Params, bodies: readonly Jaxpr[]): Params {
  let next = 0;
  const replaced = { ...params } as { [key: string]: Params[string] };
  for (const [key, value] of Object.entries(params))
    if (value instanceof Jaxpr) replaced[key] = bodies[next++];
    else if (Array.isArray(value))
      replaced[key] = value.map((part) => (part instanceof Jaxpr ? bodies[next++] : part));
  return replaced;
}

/** Whether an equation does something beside computing its results. */
export const isEffectful = ({
  primitive: { effectful },
  params,
}: Pick<Eqn, "primitive" | "params">): boolean =>
  typeof effectful === "function" ? effectful(params) : effectful === true;

export interface Placed {
  readonly eqn: Eqn;
  /** How many bodies it stands in. */
  readonly depth: number;
}

/** All equations of a jaxpr, each followed by those of its bodies. */
export const equationsOf = (jaxpr: Jaxpr, depth = 0): readonly Placed[] =>
  jaxpr.eqns.flatMap((eqn) => [
    { eqn, depth },
    ...bodiesOf(eqn.params).flatMap((body) => equationsOf(body, depth + 1)),
  ]);
