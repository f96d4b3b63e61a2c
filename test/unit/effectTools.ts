/** What `debug.print` prints, and programs with prints in them: for the tests of effects. */
import { checkJaxpr, equalJaxprs, hashJaxpr, type Jaxpr, parseJaxpr, printJaxpr } from "fluxion";
import { isRight, right } from "fp-ts/lib/Either.js";
import { afterEach, beforeEach, expect, vi } from "vitest";

let printed: string[] = [];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void printed.push(line as string));
});
afterEach(() => void vi.restoreAllMocks());

/** What has been printed since this was last asked. */
export function lines(): string[] {
  const since = printed;
  printed = [];
  return since;
}

/** What is printed can be read back, and is the same program. */
export function expectRoundTrip(jaxpr: Jaxpr): void {
  expect(checkJaxpr(jaxpr)).toEqual(right(jaxpr));
  const parsed = parseJaxpr(printJaxpr(jaxpr));
  if (!isRight(parsed)) throw parsed.left;
  expect(equalJaxprs(parsed.right.jaxpr, jaxpr)).toBe(true);
  expect(hashJaxpr(parsed.right.jaxpr)).toBe(hashJaxpr(jaxpr));
}
