/** Making jaxprs by running functions on tracers. */
import type { NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import { InternalError } from "./errors.js";
import type { ClosedJaxpr, Jaxpr } from "./jaxpr.js";
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
  try {
    return withTrace(trace, () => {
      const inputs = avals.map((type, i) => trace.input(type, values?.[i]));
      const closed = trace.finish(body(inputs));
      return { closed, outer: trace.outer };
    });
  } finally {
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

/** Remembers results of a function of a jaxpr and a key, by the jaxpr's identity. */
export function memoize<A extends readonly unknown[], R>(
  key: (...args: A) => string,
  compute: (jaxpr: Jaxpr, ...args: A) => R,
): (jaxpr: Jaxpr, ...args: A) => R {
  const results = new WeakMap<Jaxpr, Map<string, R>>();
  return (jaxpr, ...args) => {
    let table = results.get(jaxpr);
    if (table === undefined) {
      table = new Map();
      results.set(jaxpr, table);
    }
    const k = key(...args);
    let found = table.get(k);
    if (found === undefined) {
      found = compute(jaxpr, ...args);
      table.set(k, found);
    }
    return found;
  };
}

/** A list of flags as a cache key. */
export const maskKey = (mask: readonly boolean[]): string => mask.map((b) => (b ? "1" : "0")).join("");
