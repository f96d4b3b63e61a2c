/** `customVjp`: functions with a backward pass of their own. */
import { NDArray } from "../core/array.js";
import { type Aval, tangentAval } from "../core/aval.js";
import { maskKey } from "../core/build.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { Jaxpr } from "../core/jaxpr.js";
import type { TransposeResult } from "../core/primitive.js";
import { flatten, type TreeDef, unflatten } from "../core/tree.js";
import { isZero, type Tangent } from "../core/zero.js";
import type { Backward } from "../primitives/customLinear.js";
import { bindCustomVjp, type Pullback, type VjpOfFunction } from "../primitives/customVjp.js";
import { instantiate } from "../primitives/filled.js";
import {
  activeArguments,
  argTypes,
  argumentsOf,
  CustomCalls,
  nondiffOf,
  type Signature,
} from "./customCall.js";
import { readPair, readResult, readRuleTangents, traceRule, zeroLeaf } from "./customTrace.js";
import type { BackwardPass, CustomOptions, ForwardPass, Positions, RuleOptions } from "./customTypes.js";
import { dceJaxpr } from "./dce.js";
import { type AnyFunction, requireFunction, requireOptions } from "./functions.js";
import type { ArrayTree, Fn } from "./types.js";

/** A function with a backward pass of its own. */
export interface CustomVjp<F extends Fn, N extends Positions = readonly []> {
  (...args: Parameters<F>): ArrayTree<ReturnType<F>>;

  /**
   * Says how cotangents are pulled back through the function.
   *
   * @param forward gets the arguments; returns the result and what the backward pass needs of them, a tree of arrays and of
   *   anything else.
   * @param backward gets the arguments at `nondiffArgnums`, what the forward pass has kept, and a cotangent of the result;
   *   returns a list with a cotangent for each other argument. null stands for zero, for a whole subtree too; where an argument
   *   is no float it is not looked at. It need not be linear in the cotangent, but forward mode goes only through one that is.
   * @param options `symbolicZeros`: the forward pass gets `{ value, perturbed }` for each array, and the backward pass `Zero`
   *   for cotangents that are known to be zero.
   * @returns the function itself.
   */
  defVjp<R>(
    forward: ForwardPass<F, R>,
    backward: BackwardPass<F, R, N>,
    options?: RuleOptions,
  ): CustomVjp<F, N>;
}

interface Rule {
  readonly forward: AnyFunction;
  readonly backward: AnyFunction;
  readonly symbolicZeros: boolean;
}

/**
 * Gives a function a backward pass. Reverse mode then runs it in place of what it would derive, and forward mode its
 * transpose; without derivatives the function runs as it is.
 *
 * @param f a pure function of trees of arrays.
 * @param options `nondiffArgnums`.
 * @throws ArgumentError when it is called without a rule; TreeMismatchError, ShapeError or DtypeError (when a derivative is
 *   taken) if what the passes return does not fit the function, NotDifferentiableError in forward mode if the backward pass is
 *   not linear in the cotangent.
 * @example
 * // The identity, with gradients that are cut off at ±1.
 * const clipGradient = customVjp((x) => x).defVjp(
 *   (x) => [x, null],
 *   (_, ct) => [np.clip(ct, -1, 1)],
 * );
 * grad((x) => clipGradient(x).mul(5))(2); // 1
 */
export function customVjp<F extends Fn, const N extends Positions = readonly []>(
  f: F,
  options?: CustomOptions<N>,
): CustomVjp<F, N> {
  requireOptions(options, ["nondiffArgnums"], "customVjp");
  let rule: Rule | undefined;
  const calls = new CustomCalls({
    what: "customVjp",
    f,
    nondiffArgnums: options?.nondiffArgnums,
    makeRule: (signature) => traced(signature, rule as Rule),
    bind: bindCustomVjp,
  });
  const custom = (...args: unknown[]): unknown => {
    if (rule === undefined)
      throw new ArgumentError(`customVjp(${calls.name}) was called without a rule; give it one with defVjp`);
    return calls.call(args);
  };
  const defVjp = (forward: AnyFunction, backward: AnyFunction, ruleOptions: RuleOptions = {}): unknown => {
    requireFunction(forward, "defVjp");
    requireFunction(backward, "defVjp");
    requireOptions(ruleOptions, ["symbolicZeros"], "defVjp");
    rule = { forward, backward, symbolicZeros: ruleOptions.symbolicZeros === true };
    calls.forget();
    return custom;
  };
  Object.defineProperty(custom, "name", { value: calls.name });
  return Object.assign(custom, { defVjp }) as unknown as CustomVjp<F, N>;
}

/** A forward pass as a program, and what it keeps. */
interface ForwardProgram {
  /** Gives the outputs, then residuals. */
  readonly jaxpr: Jaxpr;
  readonly types: readonly Aval[];
  /** The tree that the backward pass gets: residuals, and what stands between them. */
  readonly rebuild: (residuals: readonly NDArray[]) => unknown;
}

/** A backward pass as a program: takes residuals and cotangents; gives a cotangent for each argument that is not zero. */
interface BackwardProgram {
  readonly jaxpr: Jaxpr;
  /** Of the arguments. */
  readonly zero: readonly boolean[];
}

/** A rule of the user's as one of the equation. */
function traced(signature: Signature, rule: Rule): VjpOfFunction {
  const { name, jaxpr, captured } = signature;
  const known = new Map<string, Pullback>();
  const forwards = new Map<string, ForwardProgram>();
  const backwards = new WeakMap<ForwardProgram, BackwardProgram>();
  const none = jaxpr.outputs.map(() => false);
  const pull = (active: readonly boolean[]): Pullback => {
    // Only one that asks can tell which arguments have tangents.
    const asked = rule.symbolicZeros ? active : active.map(() => true);
    const forward = forwards.get(maskKey(asked)) ?? traceForward(signature, rule, asked);
    forwards.set(maskKey(asked), forward);
    const inFront = new Array<boolean>(captured).fill(false);
    if (!rule.symbolicZeros) {
      const backward = backwards.get(forward) ?? traceBackward(signature, rule, forward, none);
      backwards.set(forward, backward);
      return narrowed(forward, backward, active, inFront);
    }
    const types = argTypes(signature);
    const linear = active.map((a, i) => a && isFloat(types[i].dtype));
    return {
      forward: forward.jaxpr,
      residuals: forward.types.length,
      linear: [...inFront, ...linear],
      backward: withZeros(signature, rule, forward, linear),
      special: backwardGiven(signature, rule, forward, linear),
    };
  };
  return {
    name,
    pull: (all) => {
      const active = activeArguments(signature, all);
      const found = known.get(maskKey(active)) ?? pull(active);
      known.set(maskKey(active), found);
      return found;
    },
  };
}

/** The passes without what only inactive arguments need. */
function narrowed(
  forward: ForwardProgram,
  { jaxpr, zero }: BackwardProgram,
  active: readonly boolean[],
  inFront: readonly boolean[],
): Pullback {
  const wanted = active.filter((_, i) => !zero[i]);
  const pruned = dceJaxpr(jaxpr, wanted);
  const used = forward.types.map((_, i) => pruned.usedInputs[i]);
  const count = forward.jaxpr.outputs.length - used.length;
  const { inputs, eqns, outputs, varCount } = forward.jaxpr;
  const kept = outputs.filter((_, k) => k < count || used[k - count]);
  return {
    forward: new Jaxpr(inputs, eqns, kept, varCount),
    residuals: kept.length - count,
    linear: [...inFront, ...active.map((a, i) => a && !zero[i])],
    backward: new Jaxpr(
      jaxpr.inputs.filter((_, i) => i >= used.length || used[i]),
      pruned.jaxpr.eqns,
      pruned.jaxpr.outputs,
      varCountOf(pruned.jaxpr, jaxpr),
    ),
  };
}

const varCountOf = (...jaxprs: readonly Jaxpr[]): number => Math.max(...jaxprs.map((j) => j.varCount));

/** An array of an argument as a forward pass with symbolic zeros gets it. */
export interface Perturbable {
  readonly value: NDArray;
  /** Whether a derivative with respect to it is being taken. */
  readonly perturbed: boolean;
}

function traceForward(signature: Signature, rule: Rule, active: readonly boolean[]): ForwardProgram {
  const { name, jaxpr, captured, outTree } = signature;
  const label = `the forward pass of ${name}`;
  let kept: { readonly leaves: readonly unknown[]; readonly treedef: TreeDef } | undefined;
  const program = traceRule(label, jaxpr.inAvals, (inputs) => {
    const own = inputs.slice(captured);
    const leaves = rule.symbolicZeros
      ? own.map((value, i): Perturbable => new Marked(value, active[i] && isFloat(value.dtype)))
      : own;
    const returned = rule.forward(...argumentsOf(signature, leaves));
    const [result, residuals] = readPair(returned, label, "[result, residuals]");
    const outputs = readResult(result, outTree, jaxpr.outAvals, label);
    kept = flatten(residuals as object);
    return [...outputs, ...kept.leaves.filter((leaf): leaf is NDArray => leaf instanceof NDArray)];
  });
  const { leaves, treedef } = kept as NonNullable<typeof kept>;
  return {
    jaxpr: program,
    types: program.outAvals.slice(jaxpr.outputs.length),
    rebuild: (residuals) => {
      let next = 0;
      return unflatten(
        treedef,
        leaves.map((leaf) => (leaf instanceof NDArray ? residuals[next++] : leaf)),
      );
    },
  };
}

/** A class, so that it is a leaf of the tree of arguments. */
class Marked implements Perturbable {
  constructor(
    readonly value: NDArray,
    readonly perturbed: boolean,
  ) {}
}

/** Runs a backward pass on tracers: a cotangent for each argument. */
function pulledBack(
  signature: Signature,
  rule: Rule,
  forward: ForwardProgram,
  inputs: readonly NDArray[],
  zeroIn: readonly boolean[],
): Tangent[] {
  const { name, jaxpr, inTree, outTree } = signature;
  const label = `the backward pass of ${name}`;
  const count = forward.types.length;
  let next = count;
  const cotangents = jaxpr.outAvals.map((type, k) =>
    isFloat(type.dtype) && !zeroIn[k] ? inputs[next++] : zeroLeaf(type, rule.symbolicZeros),
  );
  const returned = rule.backward(
    ...nondiffOf(signature),
    forward.rebuild(inputs.slice(0, count)),
    unflatten(outTree, cotangents),
  );
  const { arity } = inTree;
  if (!Array.isArray(returned) || returned.length !== arity)
    throw new ArgumentError(
      `${label} must return a list with a cotangent for each of the ${arity} arguments that are differentiated, got ` +
        (Array.isArray(returned)
          ? `a list of ${returned.length}`
          : returned instanceof NDArray
            ? "an array"
            : String(returned)),
    );
  return readRuleTangents(returned, inTree, argTypes(signature), {
    what: `the cotangents that ${label} gives`,
    ofWhat: "the list of arguments",
    nullIsZero: true,
  });
}

const cotangentTypes = ({ jaxpr }: Signature, zeroIn: readonly boolean[]): Aval[] =>
  jaxpr.outAvals.filter((type, k) => isFloat(type.dtype) && !zeroIn[k]).map(tangentAval);

function traceBackward(
  signature: Signature,
  rule: Rule,
  forward: ForwardProgram,
  zeroIn: readonly boolean[],
): BackwardProgram {
  const avals = [...forward.types, ...cotangentTypes(signature, zeroIn)];
  let zero: boolean[] = [];
  const jaxpr = traceRule(`the backward pass of ${signature.name}`, avals, (inputs) => {
    const cotangents = pulledBack(signature, rule, forward, inputs, zeroIn);
    zero = cotangents.map(isZero);
    return cotangents.filter((ct): ct is NDArray => !isZero(ct));
  });
  return { jaxpr, zero };
}

/** The backward pass for cotangents none of which is known to be zero, with an array for each linear argument. */
const withZeros = (
  signature: Signature,
  rule: Rule,
  forward: ForwardProgram,
  linear: readonly boolean[],
): Jaxpr => {
  const none = signature.jaxpr.outputs.map(() => false);
  const avals = [...forward.types, ...cotangentTypes(signature, none)];
  return traceRule(`the backward pass of ${signature.name}`, avals, (inputs) =>
    pulledBack(signature, rule, forward, inputs, none)
      .filter((_, i) => linear[i])
      .map(instantiate),
  );
};

/** The backward pass for a choice of cotangents that are known to be zero. */
function backwardGiven(
  signature: Signature,
  rule: Rule,
  forward: ForwardProgram,
  linear: readonly boolean[],
): Backward {
  const known = new Map<string, TransposeResult>();
  const { outAvals } = signature.jaxpr;
  const trace = (zeroFloats: readonly boolean[]): TransposeResult => {
    let next = 0;
    const zeroIn = outAvals.map((type) => isFloat(type.dtype) && zeroFloats[next++]);
    const { jaxpr, zero } = traceBackward(signature, rule, forward, zeroIn);
    const wanted = linear.filter((_, i) => !zero[i]);
    const pruned = dceJaxpr(jaxpr, wanted).jaxpr;
    return {
      jaxpr: new Jaxpr(jaxpr.inputs, pruned.eqns, pruned.outputs, varCountOf(pruned, jaxpr)),
      zeroOut: zero.filter((_, i) => linear[i]),
    };
  };
  return {
    given: (zeroFloats) => {
      const key = maskKey(zeroFloats);
      const found = known.get(key) ?? trace(zeroFloats);
      known.set(key, found);
      return found;
    },
  };
}
