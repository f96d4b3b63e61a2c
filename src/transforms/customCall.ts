/**
 * Calling a function that has a derivative of its own: what `customJvp` and `customVjp` share. The function is traced and
 * becomes one equation; what it closes over becomes operands, whose tangents have to be zero because no rule speaks of them.
 */
import type { NDArray } from "../core/array.js";
import { type Aval, describe, showAval } from "../core/aval.js";
import { ArgumentError, NotDifferentiableError } from "../core/errors.js";
import { internJaxpr } from "../core/intern.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { currentTrace, Tracer } from "../core/trace.js";
import { flatten, type TreeDef, unflatten } from "../core/tree.js";
import {
  type AnyFunction,
  asDifferentiable,
  flattenArrays,
  nameOf,
  requireFunction,
  resolveArgnums,
  traceFunction,
} from "./functions.js";

/** Everything about a call that a rule depends on. */
export interface Signature {
  /** `softclip`. */
  readonly name: string;
  /** Takes what the function closes over, then the arguments. */
  readonly jaxpr: Jaxpr;
  /** How many operands the function closes over. */
  readonly captured: number;
  /** Of the list of arguments that are differentiated. */
  readonly inTree: TreeDef;
  readonly outTree: TreeDef;
  /** The other arguments, by position. */
  readonly fixed: ReadonlyMap<number, unknown>;
}

export const argTypes = ({ jaxpr, captured }: Signature): readonly Aval[] => jaxpr.inAvals.slice(captured);

type Placed = Pick<Signature, "inTree" | "fixed">;

/** All arguments, from the leaves of those that are differentiated. */
export function argumentsOf({ inTree, fixed }: Placed, leaves: readonly unknown[]): unknown[] {
  const given = unflatten<unknown[]>(inTree, leaves);
  const all: unknown[] = [];
  let next = 0;
  for (let i = 0; i < given.length + fixed.size; i++) all.push(fixed.has(i) ? fixed.get(i) : given[next++]);
  return all;
}

/** The arguments that are not differentiated, in order: what rules get in front. */
export const nondiffOf = ({ fixed }: Signature): unknown[] =>
  [...fixed.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);

/** Refuses tangents of what the function closes over; gives the activity of its arguments. */
export function activeArguments({ name, jaxpr, captured }: Signature, active: readonly boolean[]): boolean[] {
  const at = active.indexOf(true);
  if (at >= 0 && at < captured)
    throw new NotDifferentiableError(
      `${name} has a derivative of its own, which says nothing about a traced array (${describe(jaxpr.inAvals[at])}) that it closes over and that is being differentiated; ` +
        "pass the array as an argument, or use closureConvert",
    );
  return active.slice(captured);
}

/** So many signatures of calls are remembered with their rules. */
const remembered = 64;

export interface CustomCallOptions<R> {
  /** `customJvp`. */
  readonly what: string;
  readonly f: AnyFunction;
  readonly nondiffArgnums: readonly number[] | undefined;
  /** Throws if the function has no rule yet. */
  readonly makeRule: (signature: Signature) => R;
  readonly bind: (jaxpr: Jaxpr, name: string, rule: R, inputs: readonly NDArray[]) => readonly NDArray[];
}

/** A function whose calls become equations with a rule. */
export class CustomCalls<R> {
  readonly name: string;
  private readonly known = new Map<string, { readonly signature: Signature; readonly rule: R }[]>();

  constructor(private readonly options: CustomCallOptions<R>) {
    const { what, f, nondiffArgnums = [] } = options;
    requireFunction(f, what);
    this.name = nameOf(f);
    if (!Array.isArray(nondiffArgnums) || !nondiffArgnums.every((n) => Number.isInteger(n) && n >= 0))
      throw new ArgumentError(
        `${what}(${this.name}): nondiffArgnums must be a list of positions, counted from 0; got ${String(nondiffArgnums)}`,
      );
  }

  /** Forgets rules, because there is another one now. */
  forget(): void {
    this.known.clear();
  }

  call(args: readonly unknown[]): unknown {
    const { what, f, bind } = this.options;
    const label = `${what}(${this.name})`;
    const fixed = this.fixedArguments(args, label);
    const { arrays, treedef } = flattenArrays(
      args.filter((_, i) => !fixed.has(i)),
      `the arguments of ${label}`,
    );
    const placed: Placed = { inTree: treedef, fixed };
    if (currentTrace() === undefined) {
      // Nothing transforms the call: the function is a function.
      const result = flattenArrays(f(...argumentsOf(placed, arrays)), `the output of ${label}`);
      return unflatten(result.treedef, result.arrays.map(asDifferentiable));
    }
    const { closed, outTree } = traceFunction(
      { name: label, valuesOnDemand: true },
      arrays.map((x) => x.aval),
      (inputs) => f(...argumentsOf(placed, inputs)),
      arrays,
      { floatResult: true },
    );
    const signature: Signature = {
      name: this.name,
      jaxpr: internJaxpr(closed.jaxpr),
      captured: closed.consts.length,
      inTree: treedef,
      outTree,
      fixed,
    };
    const inputs = [...closed.consts, ...arrays];
    return unflatten(outTree, bind(signature.jaxpr, this.name, this.ruleFor(signature), inputs));
  }

  private fixedArguments(args: readonly unknown[], label: string): Map<number, unknown> {
    const { nondiffArgnums = [] } = this.options;
    const fixed = new Map<number, unknown>();
    for (const i of resolveArgnums(nondiffArgnums, args.length, label)) {
      const traced = (flatten(args[i] as object).leaves as unknown[]).find((x) => x instanceof Tracer);
      if (traced !== undefined)
        throw new ArgumentError(
          `${label}: argument ${i} is one of nondiffArgnums and cannot be traced, but it is or holds a traced array (${describe((traced as Tracer).aval)}); ` +
            "leave it out of nondiffArgnums, and give it a zero derivative in the rule",
        );
      fixed.set(i, args[i]);
    }
    return fixed;
  }

  /** The same rule for calls that are alike, so that equal programs are equal. */
  private ruleFor(signature: Signature): R {
    const { inTree, outTree, captured, jaxpr, fixed } = signature;
    const types = jaxpr.inAvals.map(showAval).join();
    const key = `${inTree.key}|${outTree.key}|${captured}|${types}`;
    const others = this.known.get(key) ?? [];
    const found = others.find(
      (other) =>
        other.signature.jaxpr === jaxpr &&
        [...fixed].every(([i, value]) => Object.is(other.signature.fixed.get(i), value)),
    );
    if (found !== undefined) return found.rule;
    const rule = this.options.makeRule(signature);
    this.known.set(key, [...others.slice(-remembered), { signature, rule }]);
    return rule;
  }
}
