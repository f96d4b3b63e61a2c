/** Trying a law on a value, whatever its rules do. */
import { ConcretizationError } from "fluxion";
import { abstains, fails, type Law, type Verdict } from "../law.js";

/** What the side of an equation is called that could not be computed. */
export const thrown = "throws";

/** Reads what was thrown as the failure of the law. */
const failureOf = (error: unknown): Verdict => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return fails({ name: thrown, value: text }, { name: "wanted", value: "an answer" });
};

/** The verdict of a law; what is thrown on the way is a failure. */
export const attempt = <T>(law: Law<T>, value: T): Verdict => attemptOn(law, () => value);

/** The same, where to make the value may throw as well. */
export function attemptOn<T>(law: Law<T>, make: () => T): Verdict {
  try {
    return law.check(make());
  } catch (error) {
    return failureOf(error);
  }
}

const asksForValues = (verdict: Verdict): boolean =>
  verdict.kind === "fails" &&
  [verdict.left, verdict.right].some(({ value }) => value.includes(ConcretizationError.name));

/**
 * For functions of users: one that looks at values on the way (`if (x.item() > 0)`) is a fine function with derivatives,
 * but cannot be compiled or batched, so that laws which do so say nothing about it.
 */
export function attemptOnValues<T>(law: Law<T>, value: T): Verdict {
  const verdict = attempt(law, value);
  return asksForValues(verdict)
    ? abstains("the function asks for values, which a traced program does not have")
    : verdict;
}
