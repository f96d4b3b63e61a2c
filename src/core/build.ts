/** Making jaxprs by running functions on tracers. */
import type { NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import { InternalError } from "./errors.js";
import type { ClosedJaxpr, Jaxpr } from "./jaxpr.js";
import { whileTracing } from "./lifetime.js";
import { activeProfile, timed } from "./profiler.js";
import { Trace, type TraceOptions, type Tracer, withTrace } from "./trace.js";

/** The result of tracing, and the outer tracers that it saw. */
export interface Traced {
  readonly closed: ClosedJaxpr;
  readonly outer: ReadonlySet<Tracer>;
}

/** Traces `body` on inputs of the given types; `values` are what the inputs stand for, where known. */
export function traceToJaxpr(
  options: TraceOptions,
  avals: readonly Aval[],
  body: (inputs: readonly Tracer[]) => readonly NDArray[],
  values?: readonly NDArray[],
): Traced {
  const trace = new Trace(options);
  // Passes are measured as such.
  const profile = options.simplify === true ? undefined : activeProfile();
  profile?.begin("trace", options.name);
  try {
    return whileTracing(() =>
      withTrace(trace, () => {
        const inputs = avals.map((type, i) => trace.input(type, values?.[i]));
        const closed = trace.finish(body(inputs));
        return { closed, outer: trace.outer };
      }),
    );
  } finally {
    profile?.end();
    trace.close();
  }
}

/** Builds the jaxpr of a pass: equal equations are merged, and it may close over nothing. */
export function buildJaxpr(
  name: string,
  avals: readonly Aval[],
  body: (inputs: readonly Tracer[]) => readonly NDArray[],
): Jaxpr {
  const { closed } = traceToJaxpr({ name, simplify: true }, avals, body);
  if (closed.consts.length > 0)
    throw new InternalError(
      `${name}: a rule used an array constant (${closed.consts.map(String).join(", ")}); rules make arrays with iota and broadcast`,
    );
  return closed.jaxpr;
}

let memoized = 0;

/**
 * Remembers results of a function of a jaxpr and a key, with the jaxpr itself.
 *
 * @param pass what profiles call it, for a pass over jaxprs.
 */
export function memoize<A extends readonly unknown[], R>(
  key: (...args: A) => string,
  compute: (jaxpr: Jaxpr, ...args: A) => R,
  pass?: string,
): (jaxpr: Jaxpr, ...args: A) => R {
  const name = `${memoized++}:`;
  // Apart from what follows, which is called for every program that runs: there nothing is to be captured.
  const run: typeof compute =
    pass === undefined
      ? compute
      : (jaxpr, ...args) => timed("transform", pass, () => compute(jaxpr, ...args));
  return (jaxpr, ...args) => {
    jaxpr.memo ??= new Map();
    const k = name + key(...args);
    let found = jaxpr.memo.get(k) as R | undefined;
    if (found === undefined) {
      found = run(jaxpr, ...args);
      jaxpr.memo.set(k, found);
    }
    return found;
  };
}

/** A list of flags as a cache key. */
export const maskKey = (mask: readonly boolean[]): string => mask.map((b) => (b ? "1" : "0")).join("");

/** Several lists of flags as a cache key; the last may be left out. */
export const masksKey = (...masks: readonly (readonly boolean[] | undefined)[]): string =>
  masks.map((mask) => (mask?.includes(true) ? maskKey(mask) : "")).join("/");
