/**
 * Tracing: running a function on tracers to record what it does as a jaxpr.
 *
 * The *context* decides what an operation does, not its operands: while a trace is current every operation is recorded
 * in it; otherwise it is evaluated at once. A tracer of an outer trace that an inner function closes over enters the
 * inner jaxpr as a constant. That is all there is to nesting, and why perturbations of different levels cannot mix.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { ConcreteArray, isReadable, NDArray, scalar } from "./array.js";
import { type Aval, bytesOf, describe } from "./aval.js";
import { nansAreErrors, refuseNans } from "./debugNans.js";
import { type Device, deviceFor } from "./device.js";
import { isEffectful } from "./effects.js";
import { ConcretizationError, LeakedTracerError } from "./errors.js";
import { type Atom, ClosedJaxpr, type Eqn, Jaxpr, Literal, subJaxprs, Var } from "./jaxpr.js";
import { numberKey, paramsKey } from "./params.js";
import type { Params, Primitive } from "./primitive.js";
import { activeProfile, type Profiler } from "./profiler.js";
import { captureSource, describeSource, type Source } from "./source.js";

export interface TraceOptions {
  /** What is being traced, for messages: `jit(loss)`. */
  readonly name: string;
  /** Whether values may be asked for: true under grad and jvp, false under jit and vmap. */
  readonly valuesOnDemand?: boolean;
  /** Merge equal equations and drop operations that change nothing (used by the passes, not for user code). */
  readonly simplify?: boolean;
  /**
   * What to record of where user code was: the line of each operation, or only the line at which the tracing began
   * (capturing a stack costs more than all else that is done for an operation, which eager gradients would feel). `deep`:
   * the line of each operation, however much of the library lies between.
   */
  readonly sources?: "each" | "call" | "deep";
  /** Where in user code the tracing began, if that is known already. */
  readonly calledAt?: Source;
}

let current: Trace | undefined;
/** While a jaxpr is run again under a trace: what it records is the library's own and may be merged and simplified. */
let derived = false;
/** While a value is computed because it was asked for: the program that is being recorded is still to run. */
let previewing = false;

/** Whether effects are not to happen now, because they will when the program that is being recorded runs. @internal */
export const effectsWait = (): boolean => previewing;
/** While a pass rebuilds a jaxpr, new equations keep the source of the equation they come from. */
let inheritedSource: Source | undefined;

export const currentTrace = (): Trace | undefined => current;

/** Runs `body` with another trace (or none) as the context. */
export function withTrace<R>(trace: Trace | undefined, body: () => R): R {
  const before = current;
  const wasDerived = derived;
  current = trace;
  derived = false;
  try {
    return body();
  } finally {
    current = before;
    derived = wasDerived;
  }
}

/** Marks what `body` records as derived from a jaxpr, not written by the user. */
export function deriving<R>(body: () => R): R {
  const before = derived;
  derived = true;
  try {
    return body();
  } finally {
    derived = before;
  }
}

/** Sets the source that new equations of a pass inherit, within `inheritingSources`. */
export function inheritSource(source: Source | undefined): void {
  inheritedSource = source;
}

/** Runs `body`, which sets sources to inherit; afterwards, errors included, the one before is in force again. */
export function inheritingSources<R>(body: () => R): R {
  const before = inheritedSource;
  inheritedSource = undefined;
  try {
    return body();
  } finally {
    inheritedSource = before;
  }
}

/** Applies a primitive: records it in the current trace, or evaluates it if there is none. */
export function bind(primitive: Primitive, inputs: readonly NDArray[], params: Params): readonly NDArray[] {
  return current === undefined
    ? evaluateNow(primitive, inputs, params)
    : current.record(primitive, inputs, params);
}

function evaluateNow(primitive: Primitive, inputs: readonly NDArray[], params: Params): readonly NDArray[] {
  for (const x of inputs) if (x instanceof Tracer) throw leaked(x);
  const outputs = primitive.abstractEval(
    inputs.map((x) => x.aval),
    params,
  );
  if (isLeft(outputs)) throw outputs.left;
  return evaluateAs(primitive, inputs as readonly ConcreteArray[], params, outputs.right);
}

/** Evaluates a primitive whose type rule gives these outputs. */
export function evaluateAs(
  primitive: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  outputs: readonly Aval[],
): readonly NDArray[] {
  if (previewing && isOwnEffect(primitive, params)) return previewEffect(primitive, outputs);
  const device = deviceFor(primitive.name, inputs);
  const profile = activeProfile();
  const results =
    profile === undefined
      ? apply(device, primitive, inputs, params, outputs)
      : measure(profile, device, primitive, inputs, params, outputs);
  if (nansAreErrors()) refuseNans(primitive.name, inputs, results, inheritedSource);
  return results;
}

const apply = (
  device: Device | undefined,
  primitive: Primitive,
  arrays: readonly ConcreteArray[],
  params: Params,
  outputs: readonly Aval[],
): readonly ConcreteArray[] =>
  device === undefined
    ? primitive.evaluate(arrays, params, outputs)
    : device.apply(primitive, arrays, params, outputs);

/** Applies a primitive while a profile is being taken. */
function measure(
  profile: Profiler,
  device: Device | undefined,
  primitive: Primitive,
  arrays: readonly ConcreteArray[],
  params: Params,
  outputs: readonly Aval[],
): readonly ConcreteArray[] {
  const body = () => apply(device, primitive, arrays, params, outputs);
  const isCall = primitive.family === "call" && typeof params.name === "string";
  if (isCall) return profile.during("dispatch", `${primitive.name}(${params.name})`, body);
  return profile.during("operation", primitive.name, () => {
    const results = body();
    const inputs = arrays.map((x) => x.aval);
    const sum = (types: readonly Aval[]): number => types.reduce((n, type) => n + bytesOf(type), 0);
    profile.count(sum(inputs), sum(outputs), primitive.cost(inputs, params, outputs).operations);
    return results;
  });
}

/** Calls are run to preview a value: their effects are those of the equations inside. */
const isOwnEffect = (primitive: Primitive, params: Params): boolean =>
  isEffectful(primitive, params) && subJaxprs(params).length === 0;

/** What an effect gives to a value that is asked for: the effect itself happens once, when the program runs. */
function previewEffect(primitive: Primitive, outputs: readonly Aval[]): readonly NDArray[] {
  if (outputs.length === 0) return [];
  throw new ConcretizationError(
    `a value was asked for that depends on the result of ${primitive.name}, which has effects: they happen when the whole function has been traced`,
  );
}

const preview = <R>(body: () => R): R => {
  const before = previewing;
  previewing = true;
  try {
    return body();
  } finally {
    previewing = before;
  }
};

const leaked = (t: Tracer): LeakedTracerError =>
  new LeakedTracerError(
    `a traced array (${describe(t.aval)}) of ${t.owner.name} was used after that function had been traced${origin(t)}. ` +
      "Return it from the function instead of storing it outside",
  );

const origin = (t: Tracer): string => {
  const made = describeSource(t.source);
  if (made !== undefined) return `; it was made at ${made}`;
  // A transform that another one called is too far from user code: then it counts where that one was called.
  for (let trace: Trace | undefined = t.owner; trace !== undefined; trace = trace.parent) {
    const called = describeSource(trace.calledAt);
    if (called !== undefined) return `; ${t.owner.name} was called at ${called}`;
  }
  return "";
};

/** Stands for an array while a function is traced. */
export class Tracer extends NDArray {
  constructor(
    readonly owner: Trace,
    readonly variable: Var,
    readonly source: Source | undefined,
  ) {
    super(variable.aval);
  }

  override concrete(what = "its value"): ConcreteArray {
    return this.owner.valueOf(this, what);
  }

  override toString(): string {
    return `Tracer(${describe(this.aval)} in ${this.owner.name})`;
  }
}

// Frames of the library between user code and the place of capture, and a few more.
const framesOfOperation = 7;
const framesOfDeepOperation = 30;
const framesOfCall = 12;

const noTracers: ReadonlySet<Tracer> = new Set();

export class Trace {
  readonly name: string;
  readonly parent: Trace | undefined;
  /** Where in user code the tracing began. */
  readonly calledAt: Source | undefined;
  private alive = true;
  private readonly inputs: Var[] = [];
  private readonly constVars: Var[] = [];
  private readonly constValues: NDArray[] = [];
  // Sets and maps are made when they are needed: most traces of eager code are of a few operations.
  private outerTracers: Set<Tracer> | undefined;
  private constOf: Map<NDArray, Var> | undefined;
  private eqns: Eqn[] = [];
  private varCount = 0;
  private merged: Map<string, readonly NDArray[]> | undefined;
  private readonly options: TraceOptions;
  // For values on demand, by variable id: what is known, and the equation that makes it.
  private known: (NDArray | undefined)[] = [];
  private producers: (Eqn | undefined)[] = [];

  constructor(options: TraceOptions) {
    this.options = options;
    this.name = options.name;
    this.parent = current;
    const { sources, calledAt } = options;
    this.calledAt = calledAt ?? (sources === undefined ? undefined : captureSource(framesOfCall));
  }

  /** Tracers of outer traces that this trace took as constants or asked for their value. */
  get outer(): ReadonlySet<Tracer> {
    return this.outerTracers ?? noTracers;
  }

  private noteOuter(x: Tracer): void {
    this.outerTracers ??= new Set();
    this.outerTracers.add(x);
  }

  get live(): boolean {
    return this.alive;
  }

  /** What it records of where user code was. */
  get sources(): TraceOptions["sources"] {
    return this.options.sources;
  }

  /** A new input. `value` is what it stands for, where values may be asked for. */
  input(type: Aval, value?: NDArray): Tracer {
    const variable = this.variable(type);
    this.inputs.push(variable);
    if (this.options.valuesOnDemand) this.known[variable.id] = value;
    return new Tracer(this, variable, undefined);
  }

  private variable(type: Aval): Var {
    return new Var(this.varCount++, type);
  }

  /** The atom that stands for an array in this trace: its variable, a literal, or a constant. */
  private atom(x: NDArray): Atom {
    if (x instanceof Tracer) {
      if (x.owner === this) return x.variable;
      if (!x.owner.alive) throw leaked(x);
      this.noteOuter(x);
    } else if (x.aval.shape.length === 0 && x.aval.dtype !== "float0" && isReadable(x)) {
      const literal = new Literal(x.values[0], x.aval);
      literal.array = x;
      return literal;
    }
    this.constOf ??= new Map();
    let variable = this.constOf.get(x);
    if (variable === undefined) {
      variable = this.variable(x.aval);
      this.constOf.set(x, variable);
      this.constVars.push(variable);
      this.constValues.push(x);
      this.known[variable.id] = x;
    }
    return variable;
  }

  record(primitive: Primitive, inputs: readonly NDArray[], params: Params): readonly NDArray[] {
    const atoms = new Array<Atom>(inputs.length);
    const avals = new Array<Aval>(inputs.length);
    for (let i = 0; i < inputs.length; i++) {
      atoms[i] = this.atom(inputs[i]);
      avals[i] = inputs[i].aval;
    }
    const simplify = (derived || this.options.simplify === true) && !isEffectful(primitive, params);
    let key = "";
    if (simplify) {
      const same = primitive.simplify?.(atoms, params);
      if (same !== undefined) return [inputs[same]];
      key = eqnKey(primitive, atoms, params);
      const found = this.merged?.get(key);
      if (found !== undefined) return found;
    }
    const types = primitive.abstractEval(avals, params);
    if (isLeft(types)) throw types.left;
    // Scalar arithmetic on literals is done at once; the bytes of a scalar are an array.
    const isScalar = types.right.every(({ shape }) => shape.length === 0);
    if (
      simplify &&
      isScalar &&
      primitive.family === "elementwise" &&
      atoms.every((a) => a instanceof Literal)
    )
      return primitive.evaluate(inputs as readonly ConcreteArray[], params, types.right);
    const { sources } = this.options;
    const own = (sources === "each" || sources === "deep") && !derived;
    const frames = sources === "deep" ? framesOfDeepOperation : framesOfOperation;
    const source = own ? captureSource(frames) : inheritedSource;
    const variables = types.right.map((type) => this.variable(type));
    const eqn: Eqn = { primitive, inputs: atoms, params, outputs: variables, source };
    this.eqns.push(eqn);
    for (const v of variables) this.producers[v.id] = eqn;
    const tracers = variables.map((v) => new Tracer(this, v, source));
    if (simplify) {
      this.merged ??= new Map();
      this.merged.set(key, tracers);
    }
    return tracers;
  }

  /** Evaluates the part of the recorded program that a tracer depends on. */
  valueOf(tracer: Tracer, what: string): ConcreteArray {
    if (!this.alive) throw leaked(tracer);
    // A value asked for inside an inner jit shapes what that jit records: it has to know.
    for (let t = current; t !== undefined && t !== this; t = t.parent) t.noteOuter(tracer);
    return withTrace(undefined, () => {
      const todo: Var[] = [tracer.variable];
      for (let v = todo.at(-1); v !== undefined; v = todo.at(-1)) {
        const known = this.known[v.id];
        if (known !== undefined) {
          if (known instanceof Tracer) this.known[v.id] = known.concrete(what);
          todo.pop();
          continue;
        }
        const eqn = this.producers[v.id];
        if (eqn === undefined) throw this.unknown(tracer, what);
        const missing = eqn.inputs.filter(
          (a): a is Var => a instanceof Var && !(this.known[a.id] instanceof ConcreteArray),
        );
        if (missing.length > 0) {
          todo.push(...missing);
          continue;
        }
        const inputs = eqn.inputs.map((a) =>
          a instanceof Var ? (this.known[a.id] as ConcreteArray) : literalArray(a),
        );
        const outputs = preview(() => evaluateNow(eqn.primitive, inputs, eqn.params));
        for (const [i, out] of eqn.outputs.entries()) this.known[out.id] = outputs[i];
      }
      return this.known[tracer.variable.id] as ConcreteArray;
    });
  }

  private unknown(tracer: Tracer, what: string): ConcretizationError {
    return new ConcretizationError(
      `${what} needs the value of a traced array (${describe(tracer.aval)}), but inside ${this.name} only its shape and dtype are known${origin(tracer)}. ` +
        "For a choice between arrays use np.where, for a branch lax.cond, for an argument that is not an array jit's staticArgnums",
    );
  }

  /** Ends the trace: no tracer of it may be used any more. */
  finish(outputs: readonly NDArray[]): ClosedJaxpr {
    const atoms = outputs.map((x) => this.atom(x));
    const jaxpr = new Jaxpr([...this.constVars, ...this.inputs], this.eqns, atoms, this.varCount);
    return new ClosedJaxpr(jaxpr, this.constValues);
  }

  close(): void {
    this.alive = false;
    this.known = [];
    this.producers = [];
    this.merged = undefined;
  }
}

const atomKey = (a: Atom): string =>
  a instanceof Var ? String(a.id) : `L${numberKey(a.value)}${a.aval.weakType ? "~" : ""}${a.aval.dtype}`;

function eqnKey(primitive: Primitive, atoms: readonly Atom[], params: Params): string {
  const keys = atoms.map(atomKey);
  if (primitive.commutative) keys.sort();
  return `${primitive.id}:${keys.join(",")}:${paramsKey(params)}`;
}

/** The concrete scalar that a literal stands for. */
export function literalArray(literal: Literal): ConcreteArray {
  // Whoever got it as a result, or gave it, may have disposed of it.
  if (literal.array === undefined || literal.array.isDisposed)
    literal.array = scalar(literal.value, literal.aval.dtype, literal.aval.weakType);
  return literal.array as ConcreteArray;
}
