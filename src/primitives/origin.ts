/** Where a value comes from: the operation that computes it, also where that stands inside of calls, branches and loops. */
import { type Atom, type Eqn, type Jaxpr, Literal, type Var } from "../core/jaxpr.js";
import { nameGivenBy } from "./checkpointName.js";

export interface Origin {
  /**
   * - `input` number `index` of the jaxpr; a `literal`;
   * - an `operation`: output `index` of `eqn`; `inside` are the names of the loops and branches around it, the outermost first;
   * - the `carry` of a loop, which `eqn` is.
   */
  readonly kind: "input" | "literal" | "operation" | "carry";
  readonly index: number;
  readonly eqn: Eqn | undefined;
  readonly inside: readonly string[];
  /** What `checkpointName` called it: the first name, if it has several. */
  readonly name: string | undefined;
}

/** Finds the origins of the values of a jaxpr. */
export class Origins {
  private readonly producers = new Map<Atom, Eqn>();
  private readonly names = new Map<Atom, string>();

  constructor(private readonly jaxpr: Jaxpr) {
    for (const eqn of jaxpr.eqns) {
      for (const v of eqn.outputs) this.producers.set(v, eqn);
      const name = nameGivenBy(eqn);
      const [named] = eqn.inputs;
      if (name !== undefined && !this.names.has(named)) this.names.set(named, name);
    }
  }

  /** What `checkpointName` called a value itself. */
  nameOf(a: Atom): string | undefined {
    return this.names.get(a);
  }

  /** The value that stands under a name, or under several. */
  unnamed(a: Atom): Atom {
    const eqn = this.producers.get(a);
    return eqn === undefined || nameGivenBy(eqn) === undefined ? a : this.unnamed(eqn.inputs[0]);
  }

  of(a: Atom): Origin {
    const found = this.search(a);
    return found.name === undefined ? { ...found, name: this.nameOf(a) } : found;
  }

  private search(a: Atom): Origin {
    const plain = { eqn: undefined, inside: [], name: undefined };
    if (a instanceof Literal) return { kind: "literal", index: 0, ...plain };
    const eqn = this.producers.get(a);
    if (eqn === undefined) return { kind: "input", index: this.jaxpr.inputs.indexOf(a), ...plain };
    const output = eqn.outputs.indexOf(a);
    const name = nameGivenBy(eqn);
    if (name !== undefined) {
      const named = this.of(eqn.inputs[0]);
      return { ...named, name: named.name ?? name };
    }
    return this.within(eqn, output) ?? { ...plain, kind: "operation", index: output, eqn };
  }

  /** The origin inside of the bodies of an equation, if it has some. */
  private within(eqn: Eqn, output: number): Origin | undefined {
    const { primitive, params, inputs } = eqn;
    const enter = (
      body: Jaxpr,
      inside: readonly string[],
      inputAt: (i: number) => Atom | undefined,
    ): Origin => {
      const found = new Origins(body).of(body.outputs[output]);
      if (found.kind !== "input") return { ...found, inside: [...inside, ...found.inside] };
      const outer = inputAt(found.index);
      if (outer === undefined) return { ...found, kind: "carry", eqn, inside: [] };
      const origin = this.of(outer);
      return { ...origin, name: found.name ?? origin.name };
    };
    switch (primitive.name) {
      case "optimizationBarrier":
        return this.of(inputs[output]);
      case "scan": {
        const consts = params.consts as number;
        const carries = consts + (params.carries as number);
        return enter(params.jaxpr as Jaxpr, ["scan"], (i) =>
          i >= consts && i < carries ? undefined : inputs[i],
        );
      }
      case "while": {
        const [first, own] = [params.condConsts as number, params.bodyConsts as number];
        return enter(params.body as Jaxpr, ["while"], (i) => (i < own ? inputs[first + i] : undefined));
      }
      case "cond": {
        const all = (params.branches as readonly Jaxpr[]).map((branch) =>
          enter(branch, ["cond"], (i) => inputs[i + 1]),
        );
        // Zeros stand for what other branches do not have.
        return all.find(({ kind, eqn: made }) => kind === "operation" && !isFill(made)) ?? all[0];
      }
      default: {
        const body = primitive.inline?.(
          params,
          inputs.map((a) => a.aval),
        );
        return body === undefined ? undefined : enter(body, [], (i) => inputs[i]);
      }
    }
  }
}

const isFill = (eqn: Eqn | undefined): boolean => eqn?.inputs.every((a) => a instanceof Literal) ?? false;

/** The equation of a value that is made in a jaxpr, bodies looked into; undefined for what is made nowhere. */
export const makerOf = (origins: Origins, v: Var): Eqn | undefined => {
  const { kind, eqn } = origins.of(v);
  return kind === "operation" ? eqn : undefined;
};
