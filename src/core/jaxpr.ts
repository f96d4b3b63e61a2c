/**
 * The language: a jaxpr is a function in A-normal form. Its inputs are variables, each equation applies one primitive
 * to variables and scalar literals and names the results, and the outputs are variables or literals. It is immutable
 * data: every transform makes a new one.
 */

import type { NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import type { Params, Primitive } from "./primitive.js";
import { printClosed, printJaxpr } from "./print.js";
import type { Source } from "./source.js";

/** A variable. `id` is unique within its jaxpr and small, so that environments can be plain arrays. */
export class Var {
  constructor(
    readonly id: number,
    readonly aval: Aval,
  ) {}
}

/** A scalar that stands in an equation. Booleans are 0 and 1. */
export class Literal {
  /** The literal as an array, once it has been asked for. @internal */
  array: NDArray | undefined = undefined;

  constructor(
    readonly value: number,
    readonly aval: Aval,
  ) {}
}

export type Atom = Var | Literal;

export interface Eqn {
  readonly primitive: Primitive;
  readonly inputs: readonly Atom[];
  readonly params: Params;
  readonly outputs: readonly Var[];
  /** Where in user code the operation was called. */
  readonly source: Source | undefined;
}

export class Jaxpr {
  /**
   * Results of passes over this very jaxpr, by pass and arguments. They are kept here and not in a WeakMap, which would
   * cost the garbage collector more than the passes themselves: most jaxprs of eager code live for microseconds.
   * @internal
   */
  memo: Map<string, unknown> | undefined = undefined;

  constructor(
    readonly inputs: readonly Var[],
    readonly eqns: readonly Eqn[],
    readonly outputs: readonly Atom[],
    /** One more than the largest variable id. */
    readonly varCount: number,
  ) {}

  get inAvals(): readonly Aval[] {
    return this.inputs.map((v) => v.aval);
  }

  get outAvals(): readonly Aval[] {
    return this.outputs.map((a) => a.aval);
  }

  /** The program as text; `parseJaxpr` reads it back. */
  toString(): string {
    return printJaxpr(this);
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** A jaxpr together with the values of its first `consts.length` inputs: arrays and outer tracers it closes over. */
export class ClosedJaxpr {
  constructor(
    readonly jaxpr: Jaxpr,
    readonly consts: readonly NDArray[],
  ) {}

  /** Abstract values of the inputs that are still open. */
  get inAvals(): readonly Aval[] {
    return this.jaxpr.inAvals.slice(this.consts.length);
  }

  get outAvals(): readonly Aval[] {
    return this.jaxpr.outAvals;
  }

  /** The program as text, the constants named before the semicolon. */
  toString(): string {
    return printClosed(this);
  }

  /** What `console.log` prints in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** All jaxprs that an equation's params hold (bodies of calls, branches, loops). */
export function subJaxprs(params: Params): Jaxpr[] {
  const found: Jaxpr[] = [];
  for (const value of Object.values(params)) {
    if (value instanceof Jaxpr) found.push(value);
    else if (Array.isArray(value)) for (const v of value) if (v instanceof Jaxpr) found.push(v);
  }
  return found;
}

/** Equations of a jaxpr and of all jaxprs inside it. */
export function countEqns(jaxpr: Jaxpr): number {
  let n = 0;
  const todo = [jaxpr];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    n += next.eqns.length;
    for (const eqn of next.eqns) todo.push(...subJaxprs(eqn.params));
  }
  return n;
}
