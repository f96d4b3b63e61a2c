/**
 * `jit`: an equation that holds a jaxpr. A transform rewrites the body once per body, transform and activity, and
 * remembers the result; the call is never unfolded only to be differentiated.
 */
import { left, right } from "fp-ts/lib/Either.js";
import type { ConcreteArray, NDArray } from "../core/array.js";
import { type Aval, aval, describeAll, sameType } from "../core/aval.js";
import { memoize } from "../core/build.js";
import { nansAreErrors } from "../core/debugNans.js";
import { deviceFor } from "../core/device.js";
import { effectsOfBodies, hasEffects } from "../core/effects.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/eval.js";
import { type Atom, type Eqn, Jaxpr, Var } from "../core/jaxpr.js";
import { runLifted } from "../core/lifted.js";
import {
  type Cost,
  definePrimitive,
  type Params,
  type PartialEvalResult,
  type PartialEvalRule,
  type Passes,
} from "../core/primitive.js";
import { bind, currentTrace, effectsWait, withTrace } from "../core/trace.js";
import { jvpOfCall, transposeOfCall } from "./callRules.js";
import { showParam } from "./checks.js";

interface CallParams {
  readonly jaxpr: Jaxpr;
  readonly name: string;
  readonly [key: string]: Jaxpr | string;
}

/** Applies a jaxpr as one equation. */
export const bindCall = (jaxpr: Jaxpr, name: string, inputs: readonly NDArray[]): readonly NDArray[] =>
  bind(callPrimitive, inputs, { jaxpr, name });

/** What the call that is being made gives away, until the call takes it. */
let givenAway: readonly boolean[] | undefined;

/**
 * Applies a jaxpr to arrays of which some are given away: the program may use their memory, and afterwards they are disposed
 * of. If the call fails before the program starts they are still there. While a function is traced nothing is given away.
 */
export function bindDonating(
  jaxpr: Jaxpr,
  name: string,
  inputs: readonly NDArray[],
  donated: readonly boolean[],
): readonly NDArray[] {
  if (currentTrace() !== undefined || !donated.includes(true)) return bindCall(jaxpr, name, inputs);
  givenAway = donated;
  try {
    return bindCall(jaxpr, name, inputs);
  } finally {
    givenAway = undefined;
  }
}

function takeGivenAway(): readonly boolean[] | undefined {
  const donated = givenAway;
  givenAway = undefined;
  return donated;
}

export const callPrimitive = definePrimitive({
  name: "jit",
  family: "call",
  summary: "applies a jaxpr, compiled as a unit",
  abstractEval: (inputs, params) => {
    const { jaxpr, name } = params as Params;
    if (!(jaxpr instanceof Jaxpr)) return left(new ArgumentError("jit: the param jaxpr must be a jaxpr"));
    if (typeof name !== "string")
      return left(new ArgumentError(`jit: the param name must be a string, got ${showParam(name)}`));
    const types = jaxpr.inAvals;
    if (types.length !== inputs.length || types.some((t, i) => !sameType(t, inputs[i])))
      return left(new ShapeError(`jit: the jaxpr takes ${describeAll(types)}, got ${describeAll(inputs)}`));
    return right(jaxpr.outAvals);
  },
  evaluate: (inputs, params) => {
    const { jaxpr, name } = params as CallParams;
    const donated = takeGivenAway();
    const device = deviceFor(name, inputs);
    // NaNs are looked for after each equation, and equations whose effects are still to come are left out: then they are run
    // one by one.
    if (device !== undefined && !nansAreErrors() && !(effectsWait() && hasEffects(jaxpr)))
      return runLifted(device, jaxpr, inputs, donated);
    const results = eachItsOwn(
      jaxpr,
      inputs,
      withTrace(undefined, () => evalJaxpr(jaxpr, inputs) as ConcreteArray[]),
    );
    for (const [i, x] of inputs.entries()) if (donated?.[i]) x.dispose();
    return results;
  },
  jvp: (primals, tangents, params, passes) => {
    const { jaxpr, name } = params as CallParams;
    return jvpOfCall(jaxpr, primals, tangents, passes, (pushed, inputs) =>
      bindCall(pushed, derivedName("jvp", name), inputs),
    );
  },
  partialEval: (eqn, unknown, passes, fresh) => splitCall(eqn, unknown, passes, fresh),
  transpose: (cotangents, inputs, params, passes) => {
    const { jaxpr, name } = params as CallParams;
    return transposeOfCall(jaxpr, cotangents, inputs, passes, (transposed, operands) =>
      bindCall(transposed, derivedName("transpose", name), operands),
    );
  },
  batch: (size, inputs, batched, params, passes) => {
    const { jaxpr, name } = params as CallParams;
    const vectorised = passes.batch(jaxpr, size, batched);
    return {
      outputs: bindCall(vectorised.jaxpr, derivedName("vmap", name), inputs),
      batched: vectorised.batchedOut,
    };
  },
  dce: (eqn, used, passes) => {
    const { jaxpr, name } = eqn.params as CallParams;
    const pruned = passes.dce(jaxpr, used);
    return {
      ...eqn,
      params: { jaxpr: pruned.jaxpr, name },
      inputs: eqn.inputs.filter((_, i) => pruned.usedInputs[i]),
      outputs: eqn.outputs.filter((_, k) => used[k]),
    };
  },
  inline: ({ jaxpr }) => jaxpr as Jaxpr,
  cost: (_, params) => jaxprCost((params as CallParams).jaxpr),
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    // Bodies are jaxprs; the laws draw them as programs of their own instead of from a fixed list.
    examples: () => [{ avals: [aval([2], "float64")], params: { jaxpr: identityJaxpr(), name: "identity" } }],
  },
});

/** Results that can be disposed of without inputs, constants or one another; `types` are those of the equation's outputs. */
export function eachItsOwn(
  { outputs, outAvals }: Jaxpr,
  inputs: readonly ConcreteArray[],
  results: readonly ConcreteArray[],
  types: readonly Aval[] = outAvals,
): ConcreteArray[] {
  const taken = new Set(inputs);
  return results.map((y, k) => {
    // The body is typed by itself: an operand that is weak is not so inside.
    const retyped = y.weakType !== types[k].weakType;
    if (retyped || taken.has(y) || !(outputs[k] instanceof Var)) return y.alias(types[k]);
    taken.add(y);
    return y;
  });
}

const derivedName = (transform: string, name: string): string => `${transform}(${name})`;

/** Splits an equation that calls a jaxpr, of any primitive with the params of this one, in two. */
export function splitCall(
  eqn: Eqn,
  unknown: readonly boolean[],
  passes: Passes,
  fresh: (type: Aval) => Var,
): ReturnType<PartialEvalRule> {
  const { jaxpr, name } = eqn.params as CallParams;
  const split = splitBody(passes.partialEval(jaxpr, unknown));
  const known = eqn.inputs.filter((_, i) => !unknown[i]);
  const outputs = eqn.outputs.filter((_, k) => !split.unknownOut[k]);
  const made: Var[] = [];
  const residuals = split.residuals.map((r): Atom => {
    if (r.from !== "fresh") return (r.from === "input" ? known : outputs)[r.index];
    const v = fresh(r.aval);
    made.push(v);
    return v;
  });
  return {
    known: [{ ...eqn, params: { jaxpr: split.known, name }, inputs: known, outputs: [...outputs, ...made] }],
    unknown: [
      {
        ...eqn,
        params: { jaxpr: split.unknown, name },
        inputs: [...residuals, ...eqn.inputs.filter((_, i) => unknown[i])],
        outputs: eqn.outputs.filter((_, k) => split.unknownOut[k]),
      },
    ],
  };
}

/** A residual that the known part makes for the unknown part alone, or one that is at hand: its input, or its output. */
type Residual =
  | { readonly from: "fresh"; readonly aval: Aval }
  | { readonly from: "input" | "output"; readonly index: number };

interface SplitBody {
  readonly known: Jaxpr;
  readonly unknown: Jaxpr;
  readonly unknownOut: readonly boolean[];
  readonly residuals: readonly Residual[];
}

const splits = new WeakMap<PartialEvalResult, SplitBody>();

/** Drops residuals that the caller has at hand: inputs of the known part, and its outputs. */
function splitBody(split: PartialEvalResult): SplitBody {
  const done = splits.get(split);
  if (done !== undefined) return done;
  const { known, unknown, unknownOut } = split;
  const own = known.outputs.length - split.residuals;
  const fresh: Atom[] = [];
  const residuals = known.outputs.slice(own).map((r): Residual => {
    const input = known.inputs.indexOf(r as Var);
    if (input >= 0) return { from: "input", index: input };
    const output = known.outputs.slice(0, own).indexOf(r);
    if (output >= 0) return { from: "output", index: output };
    fresh.push(r);
    return { from: "fresh", aval: r.aval };
  });
  const trimmed = new Jaxpr(
    known.inputs,
    known.eqns,
    [...known.outputs.slice(0, own), ...fresh],
    known.varCount,
  );
  const result = { known: trimmed, unknown, unknownOut, residuals };
  splits.set(split, result);
  return result;
}

/** The work of all equations of a jaxpr. */
export const jaxprCost: (jaxpr: Jaxpr) => Cost = memoize(
  () => "",
  (jaxpr: Jaxpr): Cost => {
    const total = { operations: 0, multiplications: 0, transcendentals: 0 };
    for (const { primitive, inputs, params, outputs } of jaxpr.eqns) {
      const cost = primitive.cost(
        inputs.map((a) => a.aval),
        params,
        outputs.map((v) => v.aval),
      );
      total.operations += cost.operations;
      total.multiplications += cost.multiplications;
      total.transcendentals += cost.transcendentals;
    }
    return total;
  },
);

function identityJaxpr(): Jaxpr {
  const x = new Var(0, aval([2], "float64"));
  return new Jaxpr([x], [], [x], 1);
}
