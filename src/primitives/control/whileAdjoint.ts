/**
 * A loop run backwards, as a program: a loop itself, which can be batched, compiled and differentiated like any other.
 *
 * Each step is linear in some of its constants and carries, and how depends on the others, the *state*. Cotangents go through
 * the steps from the last one to the first, so the states are needed in the opposite order from that in which they are made.
 * A stack holds some of them; the others are computed again from the nearest one, on the schedule of revolve.ts.
 */
import { type NDArray, scalar } from "../../core/array.js";
import { aval, tangentAval } from "../../core/aval.js";
import { buildJaxpr, maskKey, memoize } from "../../core/build.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import type { Passes } from "../../core/primitive.js";
import { div, max, min, mul, rem, sub } from "../arithmetic.js";
import { bitwiseAnd, bitwiseOr } from "../bits.js";
import { eq, gt, le, lt } from "../comparison.js";
import { dynamicSlice, dynamicUpdateSlice } from "../dynamic.js";
import { add } from "../elementwise.js";
import { filled, repeat, zeros } from "../filled.js";
import { select } from "../select.js";
import { expandDims, squeeze } from "../shape.js";
import { most } from "./revolve.js";
import {
  count,
  except,
  fixpoint,
  keeping,
  type Mask,
  only,
  pruneBody,
  rewired,
  splitBody,
} from "./whileBody.js";
import type { Loops, WhileParams } from "./whileParams.js";

export interface Adjoint {
  /**
   * Takes the number of steps, the constants and the first carries that are not linear, and cotangents of linear carries as
   * `cotangents` says; gives cotangents of linear constants and carries.
   */
  readonly jaxpr: Jaxpr;
  /** Which carries the steps are linear in. */
  readonly linearCarry: Mask;
  /** For each linear carry whether its cotangent is an operand. */
  readonly cotangents: Mask;
  /** For each linear constant, and each linear carry, whether its cotangent is among the results; it is zero otherwise. */
  readonly constResults: Mask;
  readonly carryResults: Mask;
}

/** One step backwards. */
interface Step {
  /** From constants and the state to what the step needs of them. */
  readonly residuals: Jaxpr;
  /** From these and cotangents of the carry to cotangents of the constants and of the carry before the step. */
  readonly transposed: Jaxpr;
  /** Which of the carries that are not linear are the state, and the body that takes the state to the next. */
  readonly state: Mask;
  readonly advance: Jaxpr;
}

/**
 * @param linear which constants, and which of the carries at the start, are linear.
 * @param given which of all carries have a cotangent that is not known to be zero.
 */
export const adjointOf = memoize(
  (consts: number, slots: number, linear: Mask, given: Mask, _: Loops, __: Passes) =>
    `${consts}/${slots}/${maskKey(linear)}/${maskKey(given)}`,
  (
    body: Jaxpr,
    consts: number,
    slots: number,
    linear: Mask,
    given: Mask,
    loops: Loops,
    passes: Passes,
  ): Adjoint => {
    const { carry: linearCarry, inputs, split, known } = splitBody(body, consts, linear, passes);
    const linearConsts = linear.slice(0, consts);
    const constCount = count(linearConsts);
    const { unknown, residuals } = split;
    const isLinear = unknown.inputs.map((_, i) => i >= residuals);
    const turned = (cotangents: Mask) =>
      passes.transpose(
        unknown,
        isLinear,
        cotangents.map((c) => !c),
        [...only(linearConsts, linearConsts).map(() => false), ...cotangents],
      );
    const cotangents = fixpoint(only(given, linearCarry), (some) =>
      turned(some)
        .zeroOut.slice(constCount)
        .map((zero) => !zero),
    );
    const transposed = turned(cotangents);
    const constResults = transposed.zeroOut.slice(0, constCount).map((zero) => !zero);

    // What a step needs of the state, and so the part of the state that must be there.
    const fixedConsts = consts - constCount;
    const own = split.known.outputs.length - residuals;
    const needed = keeping(
      split.known,
      split.known.outputs.map((_, k) => k >= own),
      passes,
    );
    const read = passes.dce(
      needed,
      needed.outputs.map(() => true),
    ).usedInputs;
    const pruned = pruneBody(known, fixedConsts, read.slice(fixedConsts), passes);
    const step: Step = {
      residuals: rewired(needed, [
        ...needed.inputs.slice(0, fixedConsts),
        ...only(needed.inputs.slice(fixedConsts), pruned.carry),
      ]),
      transposed: transposed.jaxpr,
      state: pruned.carry,
      advance: rewired(pruned.jaxpr, [
        ...known.inputs.slice(0, fixedConsts),
        ...only(known.inputs.slice(fixedConsts), pruned.carry),
      ]),
    };
    const types = body.inAvals;
    const jaxpr = buildJaxpr(
      "transpose",
      [
        aval([], "int32"),
        ...except(types, inputs),
        ...only(only(types.slice(consts), linearCarry), cotangents).map(tangentAval),
      ],
      ([steps, ...rest]) => {
        const fixed = rest.slice(0, fixedConsts);
        const others = rest.slice(fixedConsts, rest.length - count(cotangents));
        const seeds = rest.slice(fixedConsts + others.length);
        const sums = only(only(types, linearConsts), constResults).map((type) => zeros(tangentAval(type)));
        const state = only(others, step.state);
        return state.length === 0
          ? withoutState(loops, slots, step, steps, fixed, [...sums, ...seeds])
          : withStack(loops, slots, step, steps, fixed, state, [...sums, ...seeds]);
      },
    );
    return { jaxpr, linearCarry, cotangents, constResults, carryResults: cotangents };
  },
);

/** One step backwards: the sums of cotangents of constants, and the cotangents of the carry. */
function stepBack(
  { transposed }: Step,
  residuals: readonly NDArray[],
  cotangents: readonly NDArray[],
): NDArray[] {
  // How many of the cotangents are those of the carry follows from what the transposed body takes.
  const sums = cotangents.length - (transposed.inputs.length - residuals.length);
  const results = evalJaxpr(transposed, [...residuals, ...cotangents.slice(sums)]);
  return results.map((ct, i) => (i < sums ? add(cotangents[i], ct) : ct));
}

/** Steps that are all the same: their coefficients do not depend on what the loop has computed. */
function withoutState(
  loops: Loops,
  slots: number,
  step: Step,
  steps: NDArray,
  consts: readonly NDArray[],
  cotangents: readonly NDArray[],
): readonly NDArray[] {
  const residuals = evalJaxpr(step.residuals, consts);
  const types = [...residuals, ...cotangents].map((x) => x.aval);
  const body = buildJaxpr("transpose", types, (inputs) =>
    stepBack(step, inputs.slice(0, residuals.length), inputs.slice(residuals.length)),
  );
  return loops.iterate({ body, consts: residuals.length, slots }, [steps, ...residuals, ...cotangents]);
}

const int = aval([], "int32");

/** Puts an entry into a stack. */
const put = (stack: NDArray, at: NDArray, x: NDArray): NDArray =>
  dynamicUpdateSlice(stack, expandDims(x, [0]), [at, ...x.shape.map(() => scalar(0, "int32"))]);

const entry = (stack: NDArray, at: NDArray): NDArray =>
  squeeze(
    dynamicSlice(
      stack,
      [at, ...stack.shape.slice(1).map(() => scalar(0, "int32"))],
      [1, ...stack.shape.slice(1)],
    ),
    [0],
  );

/** Steps that depend on the state. */
function withStack(
  loops: Loops,
  slots: number,
  step: Step,
  steps: NDArray,
  consts: readonly NDArray[],
  first: readonly NDArray[],
  cotangents: readonly NDArray[],
): readonly NDArray[] {
  const width = first.length;
  const stacks = first.map((x) => repeat(x, slots));
  const places = filled([slots], scalar(0, "int32"));
  const types = [
    ...consts.map((x) => x.aval),
    int,
    int,
    places.aval,
    ...[...stacks, ...cotangents].map((x) => x.aval),
  ];
  const body = buildJaxpr("transpose", types, (inputs) => {
    const fixed = inputs.slice(0, consts.length);
    const [end, top, ...rest] = inputs.slice(consts.length);
    const stored = pushStates(loops, slots, step, fixed, end, top, rest[0], rest.slice(1, width + 1));
    const last = sub(end, 1);
    const state = advance(loops, slots, step, fixed, sub(last, stored.at), stored.state);
    const residuals = evalJaxpr(step.residuals, [...fixed, ...state]);
    const results = stepBack(step, residuals, rest.slice(width + 1));
    const isDone = eq(entry(stored.places, stored.top), last);
    return [
      last,
      select(isDone, sub(stored.top, 1), stored.top),
      stored.places,
      ...stored.stacks,
      ...results,
    ];
  });
  const results = loops.iterate({ body, consts: consts.length, slots }, [
    steps,
    ...consts,
    steps,
    scalar(0, "int32"),
    places,
    ...stacks,
    ...cotangents,
  ]);
  return results.slice(3 + width);
}

/** The state after some more steps. */
const advance = (
  loops: Loops,
  slots: number,
  step: Step,
  consts: readonly NDArray[],
  steps: NDArray,
  state: readonly NDArray[],
): readonly NDArray[] =>
  loops.iterate({ body: step.advance, consts: consts.length, slots }, [steps, ...consts, ...state]);

/**
 * Goes on from the last stored state, storing states on the way, until only steps up to the last one are left that are
 * not worth storing.
 */
function pushStates(
  loops: Loops,
  slots: number,
  step: Step,
  consts: readonly NDArray[],
  end: NDArray,
  top: NDArray,
  places: NDArray,
  stacks: readonly NDArray[],
) {
  const at = entry(places, top);
  const state = stacks.map((stack) => entry(stack, top));
  const width = state.length;
  const carry = [at, targetOf(loops, at, end, sub(slots - 1, top)), top, places, ...stacks, ...state];
  const carryTypes = carry.map((x) => x.aval);
  const cond = buildJaxpr("transpose", [int, ...carryTypes], ([ends, _, target]) => [
    lt(target, sub(ends, 1)),
  ]);
  const body = buildJaxpr("transpose", [...consts.map((x) => x.aval), int, ...carryTypes], (inputs) => {
    const fixed = inputs.slice(0, consts.length);
    const [ends, from, target, last, where, ...rest] = inputs.slice(consts.length);
    const next = advance(loops, slots, step, fixed, sub(target, from), rest.slice(width));
    const above = add(last, 1);
    return [
      target,
      targetOf(loops, target, ends, sub(slots - 1, above)),
      above,
      put(where, above, target),
      ...next.map((x, i) => put(rest[i], above, x)),
      ...next,
    ];
  });
  const [from, _, last, where, ...rest] = loops.while(
    { cond, body, condConsts: 1, bodyConsts: consts.length + 1, slots },
    [end, ...consts, end, ...carry],
  );
  return { at: from, top: last, places: where, stacks: rest.slice(0, width), state: rest.slice(width) };
}

/** `targetOf` of revolve.ts, as a program. */
function targetOf(loops: Loops, at: NDArray, end: NDArray, free: NDArray): NDArray {
  const length = sub(end, at);
  const slots = add(free, 1);
  const carry = [scalar(1, "int32"), scalar(0, "int32"), scalar(1, "int32"), add(slots, 1)];
  const [, twoBefore, before, now] = loops.while(search(), [length, slots, slots, ...carry]);
  const onwards = min(max(max(twoBefore, sub(length, sub(now, before))), 1), sub(length, 1));
  const isLast = bitwiseOr(le(length, 1), eq(free, 0));
  return select(isLast, sub(end, 1), add(at, onwards));
}

let searching: WhileParams | undefined;

/** The search for r in `advanceOf`: from r = 1, β(s, -1), β(s, 0) and β(s, 1). With one slot there is nothing to search for. */
function search(): WhileParams {
  if (searching !== undefined) return searching;
  const carry = [int, int, int, int];
  const cond = buildJaxpr("transpose", [int, int, ...carry], ([length, slots, ...rest]) => [
    bitwiseAnd(lt(rest[3], min(length, most)), gt(slots, 1)),
  ]);
  const body = buildJaxpr("transpose", [int, ...carry], ([slots, r, _, before, now]) => {
    const next = add(r, 1);
    const factor = add(slots, next);
    const whole = div(now, next);
    const exact = add(mul(whole, factor), div(mul(rem(now, next), factor), next));
    return [next, before, now, select(gt(whole, div(most, factor)), most, exact)];
  });
  searching = { cond, body, condConsts: 2, bodyConsts: 1, slots: 1 };
  return searching;
}
