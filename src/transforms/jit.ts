/**
 * `jit`: traces a function once for each type of its arguments and turns every call into one equation that holds the
 * jaxpr. Transforms of the call rewrite that jaxpr; devices compile it.
 */
import { ConcreteArray, NDArray } from "../core/array.js";
import { showAval } from "../core/aval.js";
import { deviceFor } from "../core/device.js";
import { ArgumentError } from "../core/errors.js";
import { activeProfile } from "../core/profiler.js";
import { captureSource } from "../core/source.js";
import { currentTrace } from "../core/trace.js";
import { unflatten } from "../core/tree.js";
import { bindDonated, donatedInputs } from "./donation.js";
import { JitExplanation } from "./explain.js";
import {
  leafName,
  nameOf,
  requireFunction,
  requireOptions,
  type TracedFunction,
  toArray,
  traceFunction,
} from "./functions.js";
import { Lowered, type ReadCall } from "./lowered.js";
import { type AbstractArgs, abstractCall } from "./makeJaxpr.js";
import { argumentNames, reasonFor, type Signature, type TraceRecord } from "./traces.js";
import type { Argnums, ArrayTree, Fn } from "./types.js";

export interface JitOptions<F extends Fn = Fn> {
  /**
   * Arguments that are compile-time constants: the function is traced anew for each value. They may be strings, numbers,
   * booleans, null, or objects and functions (compared by identity).
   */
  readonly staticArgnums?: Argnums<F>;
  /**
   * Arguments whose arrays are given away. The program computes results of the same size in their memory, as far as it can,
   * and what is left is freed; using them afterwards is a `DeviceError`. An array that is in the call twice is refused. If
   * the call fails before the program starts (for want of memory, say) they are still there. Under another transform
   * nothing is given away.
   */
  readonly donateArgnums?: Argnums<F>;
}

/** A jitted function has the signature of the original, with arrays for numbers in its result. */
export interface Jitted<F extends Fn> {
  (...args: Parameters<F>): ArrayTree<ReturnType<F>>;

  /**
   * The program for arguments of these types, to look at or to compile before it is needed. Nothing is computed.
   *
   * @param args arguments of the function; arrays and numbers may be given as `ShapeDtype`s.
   * @throws what tracing the function throws; MissingRuleError or DtypeError if the device cannot run it.
   * @example
   * const lowered = jit((x) => x.sin().mul(2)).lower(new ShapeDtype([3]));
   * String(lowered.jaxpr);
   * // { lambda ; a:f32[3]. let
   * //     b:f32[3] = sin a
   * //     c:f32[3] = mul b 2.0
   * //   in (c,) }
   */
  lower(...args: AbstractArgs<F>): Lowered<F>;

  /**
   * Why the function was traced as often as it was, and for each trace why its program is not one kernel. The last 256
   * traces are remembered.
   *
   * @example
   * const double = jit((x) => x.mul(2));
   * double(np.ones([3]));
   * double(np.ones([4]));
   * double.explain().traces[1].changes[0];
   * // { kind: "type", where: "argument 0", before: "float32[3]", now: "float32[4]" }
   */
  explain(): JitExplanation;
}

const objectIds = new WeakMap<object, number>();
const symbolIds = new Map<symbol, number>();
let nextId = 0;

/** A number for this very object or symbol. */
function identity<K>(
  ids: { get(key: K): number | undefined; set(key: K, id: number): unknown },
  key: K,
): string {
  let id = ids.get(key);
  if (id === undefined) {
    id = nextId++;
    ids.set(key, id);
  }
  return `#${id}`;
}

/** A key for a static argument: primitives by value, objects, functions and symbols by identity. */
function staticKey(value: unknown): string {
  if (value instanceof NDArray)
    throw new ArgumentError(
      "jit: a static argument cannot be an array; arrays are traced, so leave it out of staticArgnums",
    );
  if ((typeof value === "object" && value !== null) || typeof value === "function")
    return identity<object>(objectIds, value);
  if (typeof value === "symbol") return identity(symbolIds, value);
  // Quoted, so that no text can look like the end of one argument and the beginning of the next.
  if (typeof value === "string") return JSON.stringify(value);
  return `${typeof value}:${Object.is(value, -0) ? "-0" : String(value)}`;
}

/** A trace that closed over tracers of an outer function is good only while that function is being traced. */
const stillValid = (traced: TracedFunction): boolean => [...traced.outer].every((t) => t.owner.live);

/**
 * Makes a function run as one compiled program.
 *
 * @param f a pure function of trees of arrays. It is called once for each combination of argument structure, shapes,
 *   dtypes and weak types, and of static arguments; afterwards the recorded program runs.
 * @param options `staticArgnums`, `donateArgnums`.
 * @throws ConcretizationError (when called) if `f` asks for the value of an array it is given.
 * @example
 * const step = jit((w, g) => w.sub(g.mul(0.1)));
 * step(np.array([1, 2]), np.array([1, 1])); // [0.9, 1.9]
 */
export function jit<F extends Fn>(f: F, options: JitOptions<F> = {}): Jitted<F> {
  requireFunction(f, "jit");
  requireOptions(options, ["staticArgnums", "donateArgnums"], "jit");
  const name = nameOf(f);
  const label = `jit(${name})`;
  const cache = new Map<string, TracedFunction>();
  let count = 0;
  const records: TraceRecord[] = [];

  /** The program for a call, and the call taken apart. */
  const trace = (args: readonly unknown[]) => {
    const call = abstractCall(f, args, label, options);
    const { avals, treedef, fixed } = call;
    let key = treedef.key;
    for (const type of avals) key += `;${showAval(type)}`;
    for (const i of fixed) key += `|${i}=${staticKey(args[i])}`;
    let traced = cache.get(key);
    if (traced === undefined || !stillValid(traced)) {
      const before = traced;
      traced = traceFunction({ name: label }, avals, call.call, undefined);
      cache.set(key, traced);
      const outer = before && namesOfDead(before);
      const statics = staticsOf(args, fixed);
      records.push({ number: ++count, key, outer, treedef, avals, statics, source: captureSource(12) });
      if (records.length > remembered) records.shift();
    }
    return { key, traced, call };
  };

  const jitted = (...args: unknown[]) => {
    // In a trace the call is recorded, not run.
    const profile = currentTrace() === undefined ? activeProfile() : undefined;
    profile?.begin("dispatch", label);
    try {
      const { traced, call } = trace(args);
      const { closed, outTree } = traced;
      const inputs = call.leaves.map((leaf, i) =>
        toArray(leaf, () => leafName(`the arguments of ${label}`, call.treedef, i)),
      );
      const all = [...closed.consts, ...inputs];
      const { jaxpr } = closed;
      const donated = donatedInputs(options.donateArgnums ?? [], args, call.fixed, all.length, label);
      const namesOf = () => argumentNames({ ...call, statics: staticsOf(args, call.fixed) });
      return unflatten(outTree, bindDonated({ label, name, jaxpr, donated, namesOf }, all));
    } finally {
      profile?.end();
    }
  };

  const read = (args: readonly unknown[]): ReadCall => {
    const { avals, leaves, treedef, fixed } = abstractCall(f, args, label, options);
    return { avals, leaves, treedef, statics: staticsOf(args, fixed) };
  };

  const lowerTraced = (
    traced: TracedFunction,
    signature: Signature,
    leaves: readonly unknown[],
    donated: readonly boolean[],
  ): Lowered<F> => {
    const arrays = [...traced.closed.consts, ...leaves].filter((x) => x instanceof ConcreteArray);
    return new Lowered({ label, name, traced, signature, donated, read, device: deviceFor(label, arrays) });
  };

  const lower = (...args: unknown[]): Lowered<F> => {
    const { traced, call } = trace(args);
    const count = traced.closed.jaxpr.inputs.length;
    const donated = donatedInputs(options.donateArgnums ?? [], args, call.fixed, count, label);
    return lowerTraced(traced, { ...call, statics: staticsOf(args, call.fixed) }, call.leaves, donated);
  };

  const explain = (): JitExplanation =>
    new JitExplanation(
      label,
      count,
      records.map((record, i) => ({
        ...reasonFor(records.slice(0, i), record),
        fusion() {
          const traced = cache.get(record.key);
          const last = records.findLast(({ key }) => key === record.key);
          return traced === undefined || last !== record
            ? undefined
            : lowerTraced(traced, record, [], []).explain();
        },
      })),
    );

  Object.defineProperty(jitted, "name", { value: name });
  return Object.assign(jitted, { lower, explain }) as unknown as Jitted<F>;
}

/** So many times of tracing are remembered for explanations. */
const remembered = 256;

/** The functions whose traced arrays a program had closed over, and which have been traced to their end. */
const namesOfDead = ({ outer }: TracedFunction): string[] => [
  ...new Set([...outer].filter((t) => !t.owner.live).map((t) => t.owner.name)),
];

const staticsOf = (args: readonly unknown[], fixed: ReadonlySet<number>): Signature["statics"] =>
  new Map([...fixed].map((i) => [i, { key: staticKey(args[i]), text: showStatic(args[i]) }]));

/** A static argument as it shows in explanations. */
function showStatic(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name || "without a name"}`;
  if (typeof value === "object" && value !== null)
    return `an object of class ${value.constructor?.name ?? "Object"}`;
  return Object.is(value, -0) ? "-0" : String(value);
}
