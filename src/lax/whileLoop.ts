/** `whileLoop`: a loop that goes on as long as a condition holds. */
import { NDArray } from "../core/array.js";
import { type Aval, bytesOf, describe, showAval } from "../core/aval.js";
import { ArgumentError, DtypeError, ShapeError } from "../core/errors.js";
import { internJaxpr } from "../core/intern.js";
import { Jaxpr } from "../core/jaxpr.js";
import type { ArrayLike } from "../core/methods.js";
import { flatten, type TreeDef, unflatten } from "../core/tree.js";
import { convertElementType } from "../primitives/cast.js";
import { isCount, showParam } from "../primitives/checks.js";
import { bindWhile } from "../primitives/control/while.js";
import { type Body, traceBody, typeMismatch } from "../transforms/bodies.js";
import { type AnyFunction, flattenArrays, requireFunction } from "../transforms/functions.js";
import type { ArrayTree } from "../transforms/types.js";
import { optionsOf } from "./arguments.js";
import { commonType, type NextCarry, withCarryTypes } from "./scanLoop.js";

/** How much reverse mode may store: so many states of the loop at a time, or so many bytes of them. */
export type WhileCheckpoint = { readonly slots: number } | { readonly budgetBytes: number };

export interface WhileLoopOptions {
  /**
   * Bounds what reverse mode stores. Default: 32 states. A budget in bytes is for one example: under `vmap` there are as many
   * times more as the batch has examples.
   */
  readonly checkpoint?: WhileCheckpoint;
}

const defaultSlots = 32;
/** A budget pays for no more states: 8 million steps then take two repetitions at most, and memory is set aside in advance. */
const mostSlots = 4096;

/**
 * A loop that goes on as long as a condition holds:
 *
 *     let carry = init;
 *     while (cond(carry)) carry = body(carry);
 *
 * Both functions are traced once, and may close over arrays. Forward mode carries tangents along, and reverse mode runs the
 * steps again from the last to the first. It stores a bounded number of states on the way, `slots`, and computes the others
 * again from the nearest one, so that a loop of any length can be differentiated. How often a step is repeated grows slowly
 * with their number n: r times at most if n ≤ (slots + r)! / (slots! r!), by the binomial schedule, which is the best there is
 * (Griewank and Walther, Algorithm 799: revolve, ACM TOMS 26, 2000).
 *
 * | slots | r = 1 |   r = 2 |      r = 3 |       r = 4 |
 * | ----: | ----: | ------: | ---------: | ----------: |
 * |     8 |     9 |      45 |        165 |         495 |
 * |    32 |    33 |     561 |      6,545 |      58,905 |
 * |   128 |   129 |   8,385 |    366,145 |  12,082,785 |
 *
 * The condition has no derivative: the number of steps does not change when inputs move a little. Under `vmap` the loop runs
 * until all examples are done. Those that are keep their values, and nothing is computed from them any more, so that what
 * another step would make of them (NaN, an infinite derivative) is nowhere to be seen. With `debug.print` or other effects
 * inside, the examples run one after the other.
 *
 * @param cond takes the carry; gives a boolean, or a bool array of shape ().
 * @param body takes the carry; gives the next one, of the same structure, shapes and dtypes.
 * @param init the first carry: a tree of arrays and numbers. Numbers, and other weak-typed values, take the dtype that `body`
 *   gives for them.
 * @param options `checkpoint`.
 * @returns the last carry: the first one for which `cond` does not hold.
 * @throws DtypeError or ShapeError if `cond` gives no bool scalar; TreeMismatchError, ShapeError or DtypeError if `body` changes
 *   the structure or the types of the carry; ArgumentError for a wrong option, or a budget that is too small for one state.
 * @example
 * const root = (a) => lax.whileLoop(
 *   (x) => x.mul(x).sub(a).abs().greater(1e-6),
 *   (x) => x.add(a.div(x)).div(2),
 *   a,
 * );
 * root(np.array(2)); // 1.4142135
 * grad(root)(np.array(2)); // 0.35355338: 1 / (2·√2)
 */
export function whileLoop<C>(
  cond: (carry: ArrayTree<C>) => ArrayLike,
  body: (carry: ArrayTree<C>) => NoInfer<NextCarry<C>>,
  init: C,
  options?: WhileLoopOptions,
): ArrayTree<C> {
  requireFunction(cond, `${name} (for the condition)`);
  requireFunction(body, `${name} (for the body)`);
  const { checkpoint } = optionsOf<WhileLoopOptions>("whileLoop", options, ["checkpoint"]);
  const start = flattenArrays(init, `the init of ${name}`);
  const { treedef } = start;
  const { carry, step } = traceStep(body, start.arrays, treedef);
  const types = carry.map((x) => x.aval);
  const asked = traceBody(`the condition of ${name}`, cond, types, flatten([init] as unknown).treedef);
  requirePredicate(asked);

  // What the body hands on as it is is a constant: then it is neither stored nor has it a cotangent for each step.
  const count = step.consts.length;
  const isFixed = step.jaxpr.outputs.map((a, k) => a === step.jaxpr.inputs[count + k]);
  const fixed = carry.filter((_, k) => isFixed[k]);
  const moving = carry.filter((_, k) => !isFixed[k]);
  const results = bindWhile(
    {
      cond: withFixed(asked.jaxpr, asked.consts.length, isFixed, false),
      body: withFixed(step.jaxpr, count, isFixed, true),
      condConsts: asked.consts.length + fixed.length,
      bodyConsts: count + fixed.length,
      slots: slotsOf(
        checkpoint,
        moving.map((x) => x.aval),
      ),
    },
    [...asked.consts, ...fixed, ...step.consts, ...fixed, ...moving],
  );
  let [nextFixed, next] = [0, 0];
  return unflatten(
    treedef,
    isFixed.map((f) => (f ? fixed[nextFixed++] : results[next++])),
  );
}

const name = "lax.whileLoop";

/** Traces the body, and gives the carry the types that it keeps: a weak one gives way to what the body makes of it. */
function traceStep(
  body: AnyFunction,
  init: readonly NDArray[],
  treedef: TreeDef,
): { readonly carry: readonly NDArray[]; readonly step: Body } {
  const label = `the body of ${name}`;
  const argument = flatten([unflatten(treedef, init)] as unknown).treedef;
  let carry = init;
  for (;;) {
    const types = carry.map((x) => x.aval);
    const step = traceBody(label, body, types, argument);
    const given = step.jaxpr.outAvals;
    const wanted = types.map((type, i) => (given[i] === undefined ? undefined : commonType(type, given[i])));
    const error = typeMismatch(
      `${name}: the carry must keep its structure and types`,
      { what: "the carry that goes in", treedef, avals: types },
      {
        what: "the one that comes out",
        treedef: step.outTree,
        avals: given.map((type, i) => (wanted[i] === undefined ? type : types[i])),
      },
    );
    if (error !== undefined) throw error;
    const agreed = wanted as readonly Aval[];
    if (agreed.every((type, i) => showAval(type) === showAval(types[i])))
      return { carry, step: { ...step, jaxpr: withCarryTypes(step.jaxpr, types) } };
    carry = carry.map((x, i) => convertElementType(x, agreed[i].dtype, agreed[i].weakType));
  }
}

function requirePredicate({ jaxpr, outTree }: Body): void {
  const needs = `${name}: the condition must give a boolean or a bool array of shape ()`;
  if (outTree.numNodes !== 1 || jaxpr.outputs.length !== 1)
    throw new ArgumentError(`${needs}, got a tree: ${outTree}`);
  const [type] = jaxpr.outAvals;
  if (type.dtype !== "bool")
    throw new DtypeError(`${needs}, got ${describe(type)}; compare it (x.notEqual(0))`);
  if (type.shape.length > 0)
    throw new ShapeError(
      `${needs}, got ${describe(type)}; say whether all or any of them are to hold (np.all, np.any)`,
    );
}

/** The jaxpr with carries that do not change behind its constants, and without these outputs if it gives the carry. */
function withFixed(jaxpr: Jaxpr, consts: number, isFixed: readonly boolean[], givesCarry: boolean): Jaxpr {
  if (!isFixed.includes(true)) return jaxpr;
  const { inputs, eqns, outputs, varCount } = jaxpr;
  const carry = inputs.slice(consts);
  const reordered = [
    ...inputs.slice(0, consts),
    ...carry.filter((_, k) => isFixed[k]),
    ...carry.filter((_, k) => !isFixed[k]),
  ];
  const results = givesCarry ? outputs.filter((_, k) => !isFixed[k]) : outputs;
  return internJaxpr(new Jaxpr(reordered, eqns, results, varCount));
}

/** Reads the option: how many states may be stored at a time. */
function slotsOf(option: unknown, carry: readonly Aval[]): number {
  if (option === undefined) return defaultSlots;
  const { slots, budgetBytes, ...others } = (option ?? {}) as { slots?: unknown; budgetBytes?: unknown };
  if (
    typeof option !== "object" ||
    option instanceof NDArray ||
    (slots === undefined) === (budgetBytes === undefined) ||
    Object.keys(others).length > 0 ||
    !isCount(slots ?? budgetBytes)
  )
    throw new ArgumentError(
      `${name}: checkpoint must be { slots } or { budgetBytes }, a whole number, got ${describeOption(option)}`,
    );
  if (isCount(slots)) {
    if (slots === 0)
      throw new ArgumentError(`${name}: reverse mode has to store one state at least, got 0 slots`);
    return slots;
  }
  // With each state stands the number of its step.
  const bytes = carry.reduce((sum, type) => sum + bytesOf(type), 4);
  const budget = budgetBytes as number;
  if (budget < bytes)
    throw new ArgumentError(
      `${name}: a budget of ${budget} bytes is too small: one state of the loop, the number of its step included, takes ${bytes} bytes`,
    );
  return Math.min(Math.floor(budget / bytes), mostSlots);
}

function describeOption(option: unknown): string {
  if (typeof option !== "object" || option === null || option instanceof NDArray) return showParam(option);
  const fields = Object.entries(option).map(([key, value]) => `${key}: ${showParam(value)}`);
  return `{ ${fields.join(", ")} }`;
}
