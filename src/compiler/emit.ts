/**
 * From groups to kernels: what is common to the targets. Each group becomes one kernel (a template: as many as it makes),
 * each stored value a buffer.
 */
import { sizeOf } from "../core/aval.js";
import { ravel } from "../core/ir/affine.js";
import { load } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel } from "../core/ir/types.js";
import { type Atom, Literal, type Var } from "../core/jaxpr.js";
import { accessesIn } from "./accesses.js";
import { Elements } from "./elements.js";
import type { Graph } from "./graph.js";
import type { Group } from "./group.js";

/** Where the elements of stored values are. */
export interface Places {
  of(v: Var): Buffer;
}

/** The buffers of a program, made when they are first asked for. */
export class Buffers implements Places {
  readonly ofVar = new Map<Var, Buffer>();
  readonly temporaries: Buffer[] = [];
  /** For variables of which only parts are stored, which readers combine: those. */
  readonly parts = new Map<Var, readonly Buffer[]>();

  constructor(inputs: readonly Var[]) {
    for (const [i, v] of inputs.entries()) this.ofVar.set(v, this.make(`in${i}`, v));
  }

  private make(name: string, v: Var): Buffer {
    // Arrays of float0 have a shape and no elements.
    return new Buffer(name, v.aval.dtype, v.aval.dtype === "float0" ? 0 : sizeOf(v.aval.shape));
  }

  of(v: Var): Buffer {
    let buffer = this.ofVar.get(v);
    if (buffer === undefined) {
      buffer = this.make(`v${v.id}`, v);
      this.ofVar.set(v, buffer);
      this.temporaries.push(buffer);
    }
    return buffer;
  }

  temporary(buffer: Buffer): Buffer {
    this.temporaries.push(buffer);
    return buffer;
  }
}

/** Elements of a group: values of its reductions (or of its template) are locals, those of other groups loads. */
export const elementsIn = (
  graph: Graph,
  places: Places,
  group: Group,
  own: (v: Var) => Expr | undefined,
): Elements =>
  new Elements(graph, (v, index, guard) => {
    const made = graph.producers[v.id];
    if (made?.inlined) return undefined;
    if (made !== undefined && group.memberOf.has(made)) return own(v);
    return load(places.of(v), ravel(index, v.aval.shape), guard);
  });

/** Completes a kernel with the buffers that its body uses, in the order in which it does. */
export function withBuffers(kernel: Omit<Kernel, "buffers">): Kernel {
  const buffers = [...accessesIn(kernel.body).places.keys()].filter(({ space }) => space === "global");
  return { ...kernel, buffers };
}

/** A readable name for the kernel of a group: what it does last, and how much comes along. */
export function nameOf(group: Group): string {
  const names = group.members.map(({ node }) => node.eqn.primitive.name);
  const unique = [...new Set(names)];
  return unique.length <= 3 ? unique.join("_") : `${unique.slice(0, 2).join("_")}_and_${names.length - 2}`;
}

export const isVar = (a: Atom): a is Var => !(a instanceof Literal);
