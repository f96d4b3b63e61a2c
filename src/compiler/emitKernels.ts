/** A group around a template: the rule of its first member writes the kernels, the other members are its epilogue. */
import { ravel, unravel } from "../core/ir/affine.js";
import type { KernelContext, KernelsRule, Target } from "../core/ir/lower.js";
import { add, constant, get, lt, mul, store, when } from "../core/ir/ops.js";
import { Buffer, type Expr, type Kernel, Local, type Stmt, scalarTypeOf } from "../core/ir/types.js";
import { Literal, Var } from "../core/jaxpr.js";
import { avalsOf, settled } from "./elements.js";
import { type Buffers, elementsIn, withBuffers } from "./emit.js";
import type { Graph } from "./graph.js";
import { type Group, indexFor } from "./group.js";
import type { KernelStep } from "./program.js";

export function emitKernels(
  graph: Graph,
  buffers: Buffers,
  group: Group,
  limits: KernelContext["limits"],
): KernelStep[] {
  const [{ node: head }, ...followers] = group.members;
  const { eqn } = head;
  const rule = head.rule as KernelsRule;
  const steps: KernelStep[] = [];
  const addKernel = (kernel: Omit<Kernel, "buffers">, copies?: KernelStep["copies"]): void =>
    void steps.push({ kind: "kernel", kernel: withBuffers(kernel), copies });
  const plain = elementsIn(graph, buffers, group, () => undefined);

  const emitParallel = (name: string, extent: number, body: (item: Expr) => readonly Stmt[]): void => {
    addKernel(parallelKernel(graph.target, name, extent, limits.workgroupThreads, body));
  };

  /** Stores output i of the template if someone reads it, and what the followers make of the element. */
  const write = (i: number, index: readonly Expr[], value: Expr): Stmt[] => {
    const v = eqn.outputs[i];
    const local = new Local(`value${v.id}`, value.type);
    const stmts: Stmt[] = [{ kind: "let", local, value: settled(v.aval.dtype, value) }];
    const storeElement = (target: Var, at: readonly Expr[], e: Expr) =>
      stmts.push(store(buffers.of(target), ravel(at, target.aval.shape), e));
    if (i > 0 || followers.length === 0 || group.stored.has(v)) storeElement(v, index, get(local));
    if (i > 0) return stmts;
    const elements = elementsIn(graph, buffers, group, (other) => (other === v ? get(local) : undefined));
    const counters = index.filter((_, axis) => v.aval.shape[axis] !== 1);
    for (const { node } of followers)
      for (const out of node.eqn.outputs) {
        if (!group.stored.has(out)) continue;
        const at = indexFor(out.aval.shape, counters);
        storeElement(out, at, elements.element(out, at));
      }
    return stmts;
  };

  const context: KernelContext = {
    target: graph.target,
    inputs: avalsOf(eqn.inputs),
    outputs: avalsOf(eqn.outputs),
    limits,
    input: (i) => {
      const atom = eqn.inputs[i];
      if (!(atom instanceof Literal)) return buffers.of(atom);
      const { dtype } = atom.aval;
      const buffer = buffers.temporary(new Buffer(`literal${i}`, dtype, 1));
      emitParallel("literal", 1, () => [store(buffer, 0, constant(scalarTypeOf(dtype), atom.value))]);
      return buffer;
    },
    element: (i, index) => plain.element(eqn.inputs[i], index),
    output: (i) => buffers.of(eqn.outputs[i]),
    write,
    temporary: (name, dtype, size) => buffers.temporary(new Buffer(name, dtype, size)),
    parallel: emitParallel,
    kernel: (kernel) => addKernel(kernel),
    startFrom: (i, from) => {
      const [atom, output] = [eqn.inputs[from], buffers.of(eqn.outputs[i])];
      const { shape } = eqn.outputs[i].aval;
      const isStored = atom instanceof Var && graph.producers[atom.id]?.inlined !== true;
      addKernel(
        parallelKernel(graph.target, "copy", output.size, limits.workgroupThreads, (item) => [
          store(output, item, plain.element(atom, unravel(item, shape))),
        ]),
        isStored ? { from: buffers.of(atom), to: output } : undefined,
      );
      return output;
    },
  };
  rule.build(context, eqn.params);
  return steps;
}

/** A kernel that stores a scalar. */
export const fillKernel = (buffer: Buffer, { value, aval }: Literal, target: Target): Kernel =>
  withBuffers(
    parallelKernel(target, "constant", 1, 1, () => [
      store(buffer, 0, constant(scalarTypeOf(aval.dtype), value)),
    ]),
  );

/** A kernel of independent items: on the CPU a loop, on the GPU a thread for each. */
export function parallelKernel(
  target: Target,
  name: string,
  extent: number,
  threads: number,
  body: (item: Expr) => readonly Stmt[],
): Omit<Kernel, "buffers"> {
  const item = new Local("item", "i32", 1, false, extent);
  if (target === "wasm") {
    const begin = new Local("begin", "i32");
    const end = new Local("end", "i32");
    return {
      name,
      launch: { kind: "range", extent, begin, end },
      scratch: [],
      body: [{ kind: "for", local: item, from: get(begin), to: get(end), step: 1, body: body(get(item)) }],
    };
  }
  const size = Math.min(threads, 64);
  const groups = Math.ceil(extent / size);
  const group = new Local("group", "i32", 1, false, groups);
  const thread = new Local("thread", "i32", 1, false, size);
  return {
    name,
    launch: { kind: "grid", groups, threads: size, group, thread },
    scratch: [],
    body: [
      { kind: "let", local: item, value: add(mul(get(group), size), get(thread)) },
      when(lt(get(item), extent), body(get(item))),
    ],
  };
}
