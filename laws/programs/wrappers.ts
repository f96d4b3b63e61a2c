/**
 * Equations that hold jaxprs, as a way to write part of a program: a run of equations becomes the body of one. A primitive
 * that holds jaxprs takes part in random programs by a line in this table.
 */
import { findPrimitive, Jaxpr, type Params, type Primitive } from "fluxion";

export interface Wrapper {
  /** The name of the primitive. */
  readonly primitive: string;
  /** The params with which the primitive, applied to the inputs of the body, means the body. */
  readonly params: (body: Jaxpr, name: string) => Params;
  /** The body, where the equation means the same as its body does. */
  readonly body: (params: Params) => Jaxpr | undefined;
}

/** All wrappers. */
export const wrappers: readonly Wrapper[] = [
  {
    primitive: "jit",
    params: (jaxpr, name) => ({ jaxpr, name }),
    body: ({ jaxpr }) => (jaxpr instanceof Jaxpr ? jaxpr : undefined),
  },
];

const byName = new Map(wrappers.map((w) => [w.primitive, w]));

/** The body that an equation is the same as; undefined for an equation that is none of the wrappers. */
export const inlinedBody = ({ name }: Primitive, params: Params): Jaxpr | undefined =>
  byName.get(name)?.body(params);

/** The primitive of a wrapper. */
export function primitiveOf({ primitive }: Wrapper): Primitive {
  const found = findPrimitive(primitive);
  if (found === undefined) throw new Error(`there is no primitive "${primitive}"`);
  return found;
}
