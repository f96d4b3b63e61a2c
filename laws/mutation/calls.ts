/**
 * Calls of rules as functions of arrays: what a rule makes of one kind of operands (their types, which of them have a
 * tangent, are linear, are batched) is a jaxpr, and a rule with a fault runs another jaxpr in its place.
 */
import {
  type Aval,
  hashJaxpr,
  isZero,
  Jaxpr,
  LinearInput,
  type NDArray,
  type Params,
  type Tangent,
} from "fluxion";
import { showAval } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { evalJaxpr } from "../../src/core/eval.js";
import type { BatchRule, JvpRule, TransposeRule } from "../../src/core/primitive.js";
import type { InputRole } from "./jaxprFaults.js";

/** A call, taken apart. */
interface Call<R> {
  /** What calls have in common that meet the same fault. */
  readonly key: string;
  readonly inputs: readonly NDArray[];
  readonly roles: readonly InputRole[];
  /** The rule on other arrays of the same types: the arrays of its result, and how the result is made of such arrays. */
  readonly run: (arrays: readonly NDArray[]) => {
    readonly arrays: readonly NDArray[];
    readonly assemble: (arrays: readonly NDArray[]) => R;
  };
}

/** How calls of one of the rules are taken apart. */
type Reading<A extends readonly unknown[], R> = (rule: (...args: A) => R, args: A) => Call<R>;

/** Weakness is left out: it is not what a value can be used for. */
const typeKey = (type: Aval): string => showAval({ ...type, weakType: false });

/** Params as a text. Bodies count by their structure: passes make them anew for every fault. */
const paramsText = (params: Params): string =>
  Object.keys(params)
    .sort()
    .map((key) => `${key}=${paramText(params[key])}`)
    .join(";");

function paramText(value: Params[string]): string {
  if (value instanceof Jaxpr) return hashJaxpr(value);
  if (Array.isArray(value)) return `[${value.map(paramText).join(",")}]`;
  return typeof value === "object" && value !== null ? `{${paramsText(value as Params)}}` : String(value);
}

/** The arrays among values, and the values again with other arrays in their places. */
function arraysAmong<T>(values: readonly T[], isArray: (x: T) => boolean) {
  const places = values.flatMap((x, i) => (isArray(x) ? [i] : []));
  return {
    arrays: places.map((i) => values[i] as unknown as NDArray),
    put: (arrays: readonly NDArray[]): T[] => {
      const all = [...values];
      for (const [k, i] of places.entries()) all[i] = arrays[k] as unknown as T;
      return all;
    },
  };
}

const isTangent = (t: Tangent | null | undefined): boolean => t !== null && t !== undefined && !isZero(t);

export const readJvp: Reading<Parameters<JvpRule>, ReturnType<JvpRule>> = (
  rule,
  [primals, tangents, params, passes],
) => {
  const moving = arraysAmong(tangents, isTangent);
  const n = primals.length;
  return {
    key: `${primals.map((x, i) => `${typeKey(x.aval)}${isZero(tangents[i]) ? "" : "'"}`).join(",")};${paramsText(params)}`,
    inputs: [...primals, ...moving.arrays],
    roles: [...primals.map(() => "primal" as const), ...moving.arrays.map(() => "tangent" as const)],
    run: (arrays) => {
      const result = rule(arrays.slice(0, n), moving.put(arrays.slice(n)), params, passes);
      const out = arraysAmong(result.tangents, isTangent);
      const m = result.outputs.length;
      return {
        arrays: [...result.outputs, ...out.arrays],
        assemble: (ys) => ({ outputs: ys.slice(0, m), tangents: out.put(ys.slice(m)) }),
      };
    },
  };
};

export const readTranspose: Reading<Parameters<TransposeRule>, ReturnType<TransposeRule>> = (
  rule,
  [cotangents, inputs, params, passes],
) => {
  const fixed = arraysAmong(inputs, (x) => !(x instanceof LinearInput));
  const seeds = arraysAmong(cotangents, isTangent);
  const n = fixed.arrays.length;
  const shown = [
    ...inputs.map((x) => `${typeKey(x.aval)}${x instanceof LinearInput ? "°" : ""}`),
    ...cotangents.map((t) => `${typeKey(t.aval)}${isZero(t) ? "=0" : ""}`),
  ];
  return {
    key: `${shown.join(",")};${paramsText(params)}`,
    inputs: [...fixed.arrays, ...seeds.arrays],
    roles: [...fixed.arrays.map(() => "primal" as const), ...seeds.arrays.map(() => "tangent" as const)],
    run: (arrays) => {
      const result = rule(seeds.put(arrays.slice(n)), fixed.put(arrays.slice(0, n)), params, passes);
      const out = arraysAmong(
        inputs.map((x, i) => (x instanceof LinearInput ? (result[i] ?? null) : null)),
        isTangent,
      );
      return { arrays: out.arrays, assemble: out.put };
    },
  };
};

export const readBatch: Reading<Parameters<BatchRule>, ReturnType<BatchRule>> = (
  rule,
  [size, inputs, batched, params, passes],
) => {
  const shown = inputs.map((x, i) =>
    batched[i] ? `[]${typeKey({ ...x.aval, shape: x.shape.slice(1) })}` : typeKey(x.aval),
  );
  return {
    key: `${shown.join(",")};${paramsText(params)}`,
    inputs,
    roles: batched.map((b) => (b ? "row" : "primal")),
    run: (arrays) => {
      const result = rule(size, arrays, batched, params, passes);
      return { arrays: result.outputs, assemble: (outputs) => ({ outputs, batched: result.batched }) };
    },
  };
};

/** The jaxpr of a call, and how its results are put together. */
function traced<R>(call: Call<R>): { jaxpr: Jaxpr; assemble: (arrays: readonly NDArray[]) => R } {
  let assemble: ((arrays: readonly NDArray[]) => R) | undefined;
  const jaxpr = buildJaxpr(
    "rule",
    call.inputs.map((x) => x.aval),
    (arrays) => {
      const result = call.run(arrays);
      assemble = result.assemble;
      return result.arrays;
    },
  );
  return { jaxpr, assemble: assemble as (arrays: readonly NDArray[]) => R };
}

/** A call of a rule as it is before anything is changed. */
export interface TracedCall {
  readonly key: string;
  readonly jaxpr: Jaxpr;
  readonly roles: readonly InputRole[];
}

export function traceCall<A extends readonly unknown[], R>(
  read: Reading<A, R>,
  rule: (...args: A) => R,
  args: A,
): TracedCall {
  const call = read(rule, args);
  return { key: call.key, jaxpr: traced(call).jaxpr, roles: call.roles };
}

/** The rule, but that calls with this key run the jaxpr that `change` makes of theirs. */
export function changedRule<A extends readonly unknown[], R>(
  read: Reading<A, R>,
  rule: (...args: A) => R,
  key: string,
  change: (jaxpr: Jaxpr, roles: readonly InputRole[]) => Jaxpr | undefined,
  edit: (result: R) => R = (result) => result,
): (...args: A) => R {
  const known = new Map<string, ReturnType<typeof traced<R>>>();
  return (...args) => {
    const call = read(rule, args);
    if (call.key !== key) return rule(...args);
    const types = call.inputs.map((x) => showAval(x.aval)).join(",");
    let found = known.get(types);
    if (found === undefined) {
      const { jaxpr, assemble } = traced(call);
      found = { jaxpr: change(jaxpr, call.roles) ?? jaxpr, assemble };
      known.set(types, found);
    }
    return edit(found.assemble(evalJaxpr(found.jaxpr, call.inputs)));
  };
}
