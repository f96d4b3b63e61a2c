/** Records of primitives with something wrong in them, for as long as a test takes. */
import { findPrimitive, type Primitive, type PrimitiveRecord } from "fluxion";
import { forgetPrograms } from "../../src/core/recurring.js";

/** Gives a registered primitive other rules while `run` runs. No program is remembered that was made by the others. */
export function patched<R>(
  name: string,
  wrong: (right: Primitive) => Partial<PrimitiveRecord>,
  run: (primitive: Primitive) => R,
): R {
  const primitive = findPrimitive(name);
  if (primitive === undefined) throw new Error(`there is no primitive ${name}`);
  const right = { ...primitive };
  // A rule that was not there has to go again.
  const patch = wrong(right);
  Object.assign(primitive, patch);
  forgetPrograms();
  try {
    return run(primitive);
  } finally {
    for (const key of Object.keys(patch)) delete (primitive as unknown as Record<string, unknown>)[key];
    Object.assign(primitive, right);
    forgetPrograms();
  }
}
