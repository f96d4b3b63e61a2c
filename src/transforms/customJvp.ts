/** `customJvp`: functions with a tangent rule of their own. */
import type { NDArray } from "../core/array.js";
import { tangentAval } from "../core/aval.js";
import { maskKey } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { flatten, unflatten } from "../core/tree.js";
import { isZero, type Tangent, Zero } from "../core/zero.js";
import { bindCustomJvp, type JvpOfFunction } from "../primitives/customJvp.js";
import { add } from "../primitives/elementwise.js";
import { instantiate } from "../primitives/filled.js";
import { activeArguments, argTypes, CustomCalls, nondiffOf, type Signature } from "./customCall.js";
import { readPair, readResult, readRuleTangents, traceRule, zeroLeaf } from "./customTrace.js";
import type { CustomOptions, JvpParts, JvpRule, Positions, RuleOptions } from "./customTypes.js";
import { type AnyFunction, requireFunction, requireOptions } from "./functions.js";
import type { ArrayTree, Fn } from "./types.js";

/** A function with a tangent rule of its own. */
export interface CustomJvp<F extends Fn, N extends Positions = readonly []> {
  (...args: Parameters<F>): ArrayTree<ReturnType<F>>;

  /**
   * Says how tangents go through the function.
   *
   * @param rule gets the arguments at `nondiffArgnums`, then a list of the other arguments and a list of their tangents;
   *   returns the result and its tangent. It must be linear in the tangents if reverse mode is to go through it. It is
   *   traced when a derivative is first asked for, once for each choice of arguments with tangents, and may use the function
   *   itself.
   * @param options `symbolicZeros`: tangents that are known to be zero are given as `Zero`.
   * @returns the function itself.
   */
  defJvp(rule: JvpRule<F, N>, options?: RuleOptions): CustomJvp<F, N>;

  /**
   * Says the same argument by argument: the tangent of the result is the sum of the parts.
   *
   * @param parts for each argument a function from its tangent, the result and all arguments to what it adds to the tangent
   *   of the result; null for an argument without influence.
   * @returns the function itself.
   */
  defJvps(...parts: JvpParts<F>): CustomJvp<F, N>;
}

interface Rule {
  readonly run: AnyFunction;
  readonly symbolicZeros: boolean;
}

/**
 * Gives a function a tangent rule. The rule is the derivative from then on, in both modes (reverse mode transposes it) and at
 * every order, under every other transform; without derivatives the function runs as it is.
 *
 * @param f a pure function of trees of arrays.
 * @param rule see `defJvp`, by which it can also be given later.
 * @param options `nondiffArgnums`.
 * @throws ArgumentError when it is called without a rule; TreeMismatchError, ShapeError or DtypeError (when a derivative is
 *   taken) if what the rule returns does not fit the function, NotDifferentiableError in reverse mode if it is not linear in
 *   the tangents.
 * @example
 * // log(1 + eˣ), whose derivative is 1 - 1 / (1 + eˣ) and no quotient of infinities.
 * const log1pexp = customJvp((x) => np.log1p(np.exp(x)));
 * log1pexp.defJvp(([x], [t]) => [log1pexp(x), np.subtract(1, np.divide(1, np.add(1, np.exp(x)))).mul(t)]);
 * grad(log1pexp)(100); // 1
 */
export function customJvp<F extends Fn, const N extends Positions = readonly []>(
  f: F,
  rule: JvpRule<F, N>,
  options?: CustomOptions<N>,
): CustomJvp<F, N>;
export function customJvp<F extends Fn, const N extends Positions = readonly []>(
  f: F,
  options?: CustomOptions<N>,
): CustomJvp<F, N>;
export function customJvp(f: Fn, ...rest: readonly unknown[]): unknown {
  const given = typeof rest[0] === "function" ? (rest[0] as AnyFunction) : undefined;
  const options = (given === undefined ? rest[0] : rest[1]) as CustomOptions<Positions> | undefined;
  requireOptions(options, ["nondiffArgnums"], "customJvp");
  let rule: Rule | undefined;
  const calls = new CustomCalls({
    what: "customJvp",
    f,
    nondiffArgnums: options?.nondiffArgnums,
    makeRule: (signature) => traced(signature, rule as Rule),
    bind: bindCustomJvp,
  });
  const custom = (...args: unknown[]): unknown => {
    if (rule === undefined)
      throw new ArgumentError(`customJvp(${calls.name}) was called without a rule; give it one with defJvp`);
    return calls.call(args);
  };
  const defJvp = (run: AnyFunction, ruleOptions: RuleOptions = {}): unknown => {
    requireFunction(run, "defJvp");
    requireOptions(ruleOptions, ["symbolicZeros"], "defJvp");
    rule = { run, symbolicZeros: ruleOptions.symbolicZeros === true };
    calls.forget();
    return custom;
  };
  const defJvps = (...parts: readonly (AnyFunction | null)[]): unknown => {
    if ((options?.nondiffArgnums ?? []).length > 0)
      throw new ArgumentError("defJvps gives a part for each argument; with nondiffArgnums use defJvp");
    for (const part of parts) if (part !== null) requireFunction(part, "defJvps");
    return defJvp(summing(calls.name, custom, parts), { symbolicZeros: true });
  };
  Object.defineProperty(custom, "name", { value: calls.name });
  Object.assign(custom, { defJvp, defJvps });
  return given === undefined ? custom : defJvp(given);
}

/** A rule that adds up parts. */
const summing =
  (name: string, custom: AnyFunction, parts: readonly (AnyFunction | null)[]) =>
  (primals: readonly unknown[], tangents: readonly unknown[]): readonly [unknown, unknown] => {
    if (parts.length !== primals.length)
      throw new ArgumentError(
        `defJvps of ${name} was given ${parts.length} parts for ${primals.length} arguments; give one for each, null for none`,
      );
    const result = custom(...primals);
    const { leaves, treedef } = flatten(result as object);
    const types = (leaves as NDArray[]).map((y) => tangentAval(y.aval));
    let total: Tangent[] = types.map((type) => new Zero(type));
    for (const [i, part] of parts.entries()) {
      const { leaves: own, treedef: ownTree } = flatten(tangents[i] as object);
      if (part === null || own.every(isZero)) continue;
      const tangent = unflatten(
        ownTree,
        (own as Tangent[]).map((t) => (isZero(t) ? zeroLeaf(t.aval, false) : t)),
      );
      const words = {
        what: `part ${i} of the jvp rule of ${name}`,
        ofWhat: "the function's result",
        nullIsZero: false,
      };
      const more = readRuleTangents(part(tangent, result, ...primals), treedef, types, words);
      total = total.map((t, k) => (isZero(t) ? more[k] : isZero(more[k]) ? t : add(t, more[k] as NDArray)));
    }
    return [result, unflatten(treedef, total)];
  };

/** A rule of the user's as one of the equation. */
function traced(signature: Signature, { run, symbolicZeros }: Rule): JvpOfFunction {
  const { name, jaxpr, captured, inTree, outTree } = signature;
  const label = `the jvp rule of ${name}`;
  const words = {
    what: `the tangent that ${label} gives`,
    ofWhat: "the function's result",
    nullIsZero: false,
  };
  const known = new Map<string, ReturnType<JvpOfFunction["push"]>>();
  const trace = (active: readonly boolean[]): ReturnType<JvpOfFunction["push"]> => {
    const types = argTypes(signature);
    const avals = [...jaxpr.inAvals, ...types.filter((_, i) => active[i]).map(tangentAval)];
    let activeOut: boolean[] = [];
    const pushed = traceRule(label, avals, (inputs) => {
      const own = inputs.slice(captured, jaxpr.inputs.length);
      let next = jaxpr.inputs.length;
      const tangents = types.map((type, i) => (active[i] ? inputs[next++] : zeroLeaf(type, symbolicZeros)));
      const returned = run(...nondiffOf(signature), unflatten(inTree, own), unflatten(inTree, tangents));
      const [result, tangent] = readPair(returned, label, "[result, tangent of the result]");
      const outputs = readResult(result, outTree, jaxpr.outAvals, label);
      const moved = readRuleTangents(tangent, outTree, jaxpr.outAvals, words);
      activeOut = moved.map((t) => !isZero(t) && isFloat(t.dtype));
      return [...outputs, ...moved.filter((_, k) => activeOut[k]).map(instantiate)];
    });
    return { jaxpr: pushed, activeOut };
  };
  return {
    name: label,
    push: (all) => {
      const active = activeArguments(signature, all);
      const key = maskKey(active);
      const found = known.get(key) ?? trace(active);
      known.set(key, found);
      return found;
    },
  };
}
