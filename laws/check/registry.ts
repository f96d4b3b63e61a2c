/** All registered primitives at once: to register one with a wrong rule is enough to make it fail. */
import { type Primitive, primitives } from "fluxion";
import { type PrimitiveOptions, tryPrimitive } from "./lawsFor.js";
import type { LawsReport } from "./report.js";
import type { LawViolation } from "./violation.js";

/** How the laws of one primitive fared. */
export interface PrimitiveOutcome {
  readonly primitive: Primitive;
  readonly report: LawsReport;
  /** Of the most telling law that does not hold. */
  readonly violation: LawViolation | undefined;
}

export interface RegistryOptions extends PrimitiveOptions {
  /** Only the primitives with these names. Default: all that are registered when it is called. */
  readonly only?: readonly string[];
}

/**
 * Tries the laws on every registered primitive, those of users included. A test that ranges over what this gives need not
 * be written again for a new primitive.
 *
 * @returns one outcome for each primitive, made when it is asked for.
 * @example
 * for (const { primitive, violation } of checkRegistry({ only: ["mul", "sin"] }))
 *   console.log(primitive.name, violation?.law.name ?? "holds");
 * // mul holds
 * // sin holds
 */
export function* checkRegistry({ only, ...options }: RegistryOptions = {}): Generator<PrimitiveOutcome> {
  for (const primitive of primitives())
    if (only === undefined || only.includes(primitive.name))
      yield { primitive, ...tryPrimitive(primitive, options) };
}
