/**
 * Values that a program computes whatever its inputs are: indices, masks, matrices that it closes over and what is made of them.
 * They are computed by the `evaluate` rules when somebody asks, and nothing is computed that depends on an input.
 */
import { type ConcreteArray, isReadable, type NDArray } from "../core/array.js";
import { currentDevice, setCurrentDevice } from "../core/device.js";
import { isEffectful } from "../core/effects.js";
import { type Atom, type Eqn, type Jaxpr, Var } from "../core/jaxpr.js";
import { literalArray, withTrace } from "../core/trace.js";
import { partialEvalJaxpr } from "./partialEval.js";

/** Gives a value, or undefined if it is not known. */
export type LazyValue = () => ConcreteArray | undefined;

export const noValue: LazyValue = () => undefined;

/** Operations of an equation that is not worth computing only to learn where zeros are. */
const tooDear = 1e8;

/** A function that computes its result when it is first called. */
export function lazily<T>(compute: () => T): () => T {
  let done: { readonly result: T } | undefined;
  return () => {
    done ??= { result: compute() };
    return done.result;
  };
}

/** The outputs of an equation whose operands are known; undefined if one is not, or it should not be computed here. */
export function evaluateEquation(
  { primitive, params, inputs, outputs }: Eqn,
  operands: readonly { readonly value: LazyValue }[],
): readonly ConcreteArray[] | undefined {
  const types = outputs.map((v) => v.aval);
  const cost = primitive.cost(
    inputs.map((a) => a.aval),
    params,
    types,
  );
  if (cost.operations > tooDear || isEffectful(primitive, params)) return undefined;
  const values: ConcreteArray[] = [];
  for (const operand of operands) {
    const value = operand.value();
    if (value === undefined) return undefined;
    values.push(value);
  }
  return onReference(() => primitive.evaluate(values, params, types));
}

/** Without a device: its arrays might not be readable at once. */
function onReference<T>(body: () => T): T {
  const device = currentDevice();
  setCurrentDevice(undefined);
  try {
    return withTrace(undefined, body);
  } finally {
    setCurrentDevice(device);
  }
}

const valueOfArray = (x: NDArray): ConcreteArray | undefined =>
  isReadable(x) && !x.isDisposed ? x : undefined;

/**
 * For each output of a program its value, if that does not depend on the inputs behind the constants.
 *
 * @param consts values of the first inputs. Tracers and arrays on a GPU are not known.
 */
export function constantOutputs(jaxpr: Jaxpr, consts: readonly NDArray[]): LazyValue[] {
  const { known, unknownOut } = partialEvalJaxpr(
    jaxpr,
    jaxpr.inputs.map((_, i) => i >= consts.length),
  );
  const force = forcing(known, consts);
  let next = 0;
  return unknownOut.map((unknown) => {
    if (unknown) return noValue;
    const a = known.outputs[next++];
    return () => force(a);
  });
}

/** Evaluates a program as far as it is needed for what is asked: in the order of the program, each equation once. */
function forcing(jaxpr: Jaxpr, args: readonly NDArray[]): (a: Atom) => ConcreteArray | undefined {
  const values = new Array<ConcreteArray | undefined>(jaxpr.varCount);
  const done = new Uint8Array(jaxpr.varCount);
  const read = (a: Atom): ConcreteArray | undefined =>
    a instanceof Var ? values[a.id] : valueOfArray(literalArray(a));
  for (const [i, v] of jaxpr.inputs.entries()) {
    values[v.id] = valueOfArray(args[i]);
    done[v.id] = 1;
  }
  return (asked) => {
    if (asked instanceof Var && done[asked.id] === 0) {
      const needed = new Uint8Array(jaxpr.varCount);
      needed[asked.id] = 1;
      const todo: Eqn[] = [];
      for (let i = jaxpr.eqns.length - 1; i >= 0; i--) {
        const eqn = jaxpr.eqns[i];
        if (!eqn.outputs.some((v) => needed[v.id] === 1 && done[v.id] === 0)) continue;
        todo.push(eqn);
        for (const a of eqn.inputs) if (a instanceof Var) needed[a.id] = 1;
      }
      for (const eqn of todo.reverse()) {
        const results = evaluateEquation(
          eqn,
          eqn.inputs.map((a) => ({ value: () => read(a) })),
        );
        for (const [k, v] of eqn.outputs.entries()) {
          values[v.id] = results?.[k];
          done[v.id] = 1;
        }
      }
    }
    return read(asked);
  };
}
