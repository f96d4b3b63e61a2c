/**
 * When to store the states of a loop that is run backwards, if there is room for a few of them only.
 *
 * The binomial schedule of Griewank & Walther, Algorithm 799: revolve, ACM TOMS 26 (2000): with s states stored at a time,
 * β(s, r) = (s + r choose s) steps can be run backwards if each of them is repeated at most r times, and no schedule can do
 * more. Here the schedule is computed step by step, from how many steps there are and how much room is left; the program that
 * loops run (whileAdjoint.ts) makes the same decisions as the functions here.
 */

/** More than this is not told apart: products stay inside of int32. */
export const most = 2 ** 30;

/**
 * How many steps to go on from a stored state before the next one is stored, of `length` steps (2 or more) that are to be run
 * backwards, with `slots` states (2 or more), that one included.
 *
 * With r as small as β(s, r) allows: after m steps there must be room in the s - 1 other states for the rest, so
 * length - m ≤ β(s - 1, r), and m ≤ β(s, r - 1) because the first m steps are repeated once now. Of these m the least that is
 * also β(s, r - 2) or more makes the number of repeated steps as small as it can be.
 */
export function advanceOf(length: number, slots: number): number {
  let r = 1;
  let [twoBefore, before, now] = [0, 1, slots + 1];
  while (now < Math.min(length, most)) {
    r += 1;
    // β(s, r) = β(s, r - 1)·(s + r) / r, exactly.
    const whole = Math.trunc(now / r);
    const next =
      whole > Math.trunc(most / (slots + r))
        ? most
        : whole * (slots + r) + Math.trunc(((now % r) * (slots + r)) / r);
    [twoBefore, before, now] = [before, now, next];
  }
  return Math.min(Math.max(twoBefore, length - (now - before), 1), length - 1);
}

/** What it takes to run a loop backwards. */
export interface Schedule {
  /** Steps that are repeated so that the state of an earlier one is there again. */
  readonly repeated: number;
  /** The most states that are stored at a time, the first one included. */
  readonly stored: number;
}

/**
 * Runs the schedule without a loop.
 *
 * @param steps how many the loop has.
 * @param slots how many states may be stored.
 */
export function scheduleOf(steps: number, slots: number): Schedule {
  const stack = [0];
  let [repeated, stored] = [0, 1];
  for (let end = steps; end > 0; end--) {
    for (;;) {
      const at = stack[stack.length - 1];
      const target = targetOf(at, end, slots - stack.length);
      repeated += target - at;
      if (target === end - 1) break;
      stack.push(target);
      stored = Math.max(stored, stack.length);
    }
    if (stack[stack.length - 1] === end - 1) stack.pop();
  }
  return { repeated, stored };
}

/** Up to which step to go on from the stored state at step `at`, if step `end` - 1 is the next to be run backwards. */
export function targetOf(at: number, end: number, free: number): number {
  const length = end - at;
  return length <= 1 || free === 0 ? end - 1 : at + advanceOf(length, free + 1);
}
