/**
 * Matchers for vitest: `import "fluxion/laws/vitest"` in a test or a setup file adds them to `expect`.
 *
 * @packageDocumentation
 */
import type { Primitive } from "fluxion";
import { expect } from "vitest";
import { type CheckOptions, tryLawsOf } from "./check/checkLaws.js";
import type { AnyFunction } from "./check/functions.js";
import { type PrimitiveOptions, tryPrimitive } from "./check/lawsFor.js";

/** What the package adds to `expect`. */
export interface LawMatchers<R = unknown> {
  /**
   * Of a function, with `{ inputs }`: `checkLaws` throws nothing. Of a primitive's record: `checkPrimitive` throws nothing.
   * The failure of the test is the message of the `LawViolation`.
   */
  toSatisfyLaws(options?: CheckOptions | PrimitiveOptions): R;
}

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares it so, and declarations of one interface must agree
  interface Matchers<T = any> extends LawMatchers<T> {}
}

/** Whether it is a record that `definePrimitive` gave. */
const isPrimitive = (x: unknown): x is Primitive =>
  typeof x === "object" && x !== null && "laws" in x && "abstractEval" in x;

expect.extend({
  toSatisfyLaws(received: unknown, options?: CheckOptions | PrimitiveOptions) {
    const { violation } = isPrimitive(received)
      ? tryPrimitive(received, options as PrimitiveOptions | undefined)
      : tryLawsOf(received as AnyFunction, options as CheckOptions);
    return {
      pass: violation === undefined,
      message: () => violation?.message ?? "expected a law not to hold, but all that were tried hold",
    };
  },
});
