/** All faults of a rule of a primitive: the same ones for the same seed. */
import type { Primitive } from "fluxion";
import { generator } from "../point.js";
import { dependenceMutants } from "./dependenceMutants.js";
import type { Mutants, RuleName } from "./fault.js";
import { lowerMutants } from "./lowerMutants.js";
import { ruleMutants } from "./ruleMutants.js";
import { typeMutants } from "./typeMutants.js";

export interface MutantOptions {
  /** Of one place (one kind of operands) at most so many faults are tried, chosen at random. */
  readonly limit: number;
  readonly seed: number;
}

/** Adds the letters of a name to a seed (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/). */
function seedFor(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash;
}

export function mutantsOf(primitive: Primitive, rule: RuleName, { limit, seed }: MutantOptions): Mutants {
  const random = generator(seedFor(seed, `${primitive.name}/${rule}`));
  switch (rule) {
    case "abstractEval":
      return typeMutants(primitive, limit, random);
    case "dependence":
      return dependenceMutants(primitive, limit, random);
    case "lower":
      return lowerMutants(primitive, limit, random);
    default:
      return ruleMutants(primitive, rule, limit, random);
  }
}
