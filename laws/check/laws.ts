/** All laws by name, for whoever wants one of them. */
import type { LinearCase, Pair, PrimitiveCase } from "../cases.js";
import type { ValueLaw } from "../given.js";
import type { Law } from "../law.js";
import type { Point } from "../point.js";
import { functionLaws, linearLaws, pairLaws, primitiveLaws, valueLaws } from "../statements/index.js";

const byName = <T>(laws: readonly Law<T>[]): ReadonlyMap<string, Law<T>> =>
  new Map(laws.map((law) => [law.name, law]));

/** The laws, by what they are about and by name. */
export const laws: {
  readonly function: ReadonlyMap<string, Law<Point>>;
  readonly pair: ReadonlyMap<string, Law<Pair>>;
  readonly linear: ReadonlyMap<string, Law<LinearCase>>;
  readonly primitive: ReadonlyMap<string, Law<PrimitiveCase>>;
  /** With the arbitrary that each is tried on. */
  readonly value: ReadonlyMap<string, ValueLaw>;
} = {
  function: byName(functionLaws),
  pair: byName(pairLaws),
  linear: byName(linearLaws),
  primitive: byName(primitiveLaws),
  value: new Map(valueLaws.map((value) => [value.law.name, value])),
};
