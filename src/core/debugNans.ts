/** The mode in which the first NaN is an error: for finding where one comes from. */
import type { ConcreteArray } from "./array.js";
import { describe } from "./aval.js";
import { isFloat } from "./dtype.js";
import { NanError } from "./errors.js";
import { captureSource, describeSource, type Source } from "./source.js";

let enabled = false;

/**
 * Turns the mode on or off. While it is on, every operation whose float result contains NaN throws a `NanError` that names
 * the operation, its operands and the line of user code. Functions under `jit` are run equation by equation then, and
 * much slower. On a GPU, where nothing waits, the error is thrown by the next call that does: a read, or `blockUntilReady`.
 *
 * @example
 * debugNans(true);
 * try {
 *   np.log(np.array([-1]));
 * } catch (e) {
 *   e.code; // "nan"
 * } finally {
 *   debugNans(false);
 * }
 */
export function debugNans(on: boolean): void {
  enabled = on;
}

export const nansAreErrors = (): boolean => enabled;

/**
 * Throws `NanError` if a result contains NaN. Results that JavaScript cannot read at once are looked at where they are: the
 * error is thrown when somebody waits for their device.
 */
export function refuseNans(
  name: string,
  inputs: readonly ConcreteArray[],
  outputs: readonly ConcreteArray[],
  source: Source | undefined,
): void {
  const errorAt = (out: ConcreteArray, at: number, where: Source | undefined): NanError => {
    const given = inputs.map((x) => describe(x.aval)).join(", ");
    const made = describeSource(where);
    return new NanError(
      `${name} gave NaN (element ${at} of ${describe(out.aval)}) for operands ${given}${made === undefined ? "" : `; it was called at ${made}`}`,
    );
  };
  for (const out of outputs) {
    if (!isFloat(out.dtype)) continue;
    if (out.remote !== undefined) {
      const where = source ?? captureSource(40);
      out.remote.checkNans((at) => errorAt(out, at, where));
      continue;
    }
    const at = out.values.findIndex((x) => Number.isNaN(x));
    if (at >= 0) throw errorAt(out, at, source);
  }
}
