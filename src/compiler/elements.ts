/**
 * Elements of values as expressions: this is where fusion happens. An element of a stored value is a load; an element of
 * a value that is not stored is whatever its `map` rule makes of elements of its operands, and so on.
 */
import type { Aval } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import { keyOf } from "../core/ir/affine.js";
import type { MapContext } from "../core/ir/lower.js";
import { and, constant, roundF16 } from "../core/ir/ops.js";
import { type Expr, scalarTypeOf } from "../core/ir/types.js";
import { type Atom, type Eqn, Literal, type Var } from "../core/jaxpr.js";
import type { Graph } from "./graph.js";

/**
 * What an element of a variable is, where that is already known (a load, a local); undefined to compute it. `guard` is the
 * condition under which the index is in bounds.
 */
export type Resolve = (v: Var, index: readonly Expr[], guard: Expr | undefined) => Expr | undefined;

/** Rounds to float16 and wraps to uint8, which are computed with as wider types. */
export const settled = (dtype: DType, x: Expr): Expr =>
  dtype === "float16" ? roundF16(x) : dtype === "uint8" ? and(x, 255) : x;

export class Elements {
  private guard: Expr | undefined;
  private readonly memo = new Map<string, readonly Expr[]>();

  constructor(
    private readonly graph: Graph,
    private readonly resolve: Resolve,
  ) {}

  /** The element of an atom at an index. */
  element(atom: Atom, index: readonly Expr[]): Expr {
    if (atom.aval.dtype === "float0") return constant("bool", 0);
    if (atom instanceof Literal) return constant(scalarTypeOf(atom.aval.dtype), atom.value);
    const found = this.resolve(atom, index, this.guard);
    if (found !== undefined) return found;
    const node = this.graph.producers[atom.id];
    if (node?.rule?.kind !== "map") throw new InternalError(`${atom.id} has no elements yet`);
    return this.elementsOf(node.eqn, index)[node.eqn.outputs.indexOf(atom)];
  }

  /** The elements of all outputs of an equation with a `map` rule, computed here. */
  elementsOf(eqn: Eqn, index: readonly Expr[]): readonly Expr[] {
    const key = `${eqn.outputs[0].id}:${index.map(keyOf)}:${this.guard === undefined ? "" : keyOf(this.guard)}`;
    let exprs = this.memo.get(key);
    if (exprs === undefined) {
      const { lower } = eqn.primitive;
      if (lower?.kind !== "map") throw new InternalError(`${eqn.primitive.name} is not a map`);
      exprs = lower
        .element(this.context(eqn), index, eqn.params)
        .map((e, k) => settled(eqn.outputs[k].aval.dtype, e));
      this.memo.set(key, exprs);
    }
    return exprs;
  }

  /** What the rules of an equation see. */
  context(eqn: Eqn): MapContext {
    return {
      target: this.graph.target,
      inputs: avalsOf(eqn.inputs),
      outputs: avalsOf(eqn.outputs),
      operand: (i, index) => this.element(eqn.inputs[i], index),
      guarded: (cond, body) => {
        const before = this.guard;
        this.guard = before === undefined ? cond : and(before, cond);
        try {
          return body();
        } finally {
          this.guard = before;
        }
      },
    };
  }
}

export const avalsOf = (atoms: readonly Atom[]): Aval[] => atoms.map((a) => a.aval);
