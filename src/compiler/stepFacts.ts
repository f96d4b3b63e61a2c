/** The steps of a program as reports name and count them. */
import type { Buffer } from "../core/ir/types.js";
import { type Eqn, Var } from "../core/jaxpr.js";
import type { StepFacts } from "../core/profiler.js";
import { describeSource } from "../core/source.js";
import type { CompileOptions } from "./compile.js";
import { accessesOf, namesOfBodies } from "./describe.js";
import { fusedSchedule } from "./fusion.js";
import type { Graph, Node } from "./graph.js";
import type { Group } from "./group.js";
import type { Program, Step } from "./program.js";

/** The steps of a program, and those of the bodies inside. The schedule is made once more: compiling does not keep it. */
export function stepFacts(
  program: Program,
  options: CompileOptions,
  bytesOf: (buffer: Buffer) => number,
  inside = "",
): StepFacts[] {
  const { steps, origin } = program;
  if (origin === undefined) return [];
  const { graph, groups } = fusedSchedule(origin.jaxpr, options, new Set(origin.donated));
  const sum = (buffers: Iterable<Buffer>): number => [...buffers].reduce((n, b) => n + bytesOf(b), 0);
  return steps.flatMap((step, position): StepFacts[] => {
    const group = groups[origin.groups[position]] as Group | undefined;
    const eqns = group === undefined ? [] : equationsOf(graph, group);
    const { read, written } = accessesOf(step);
    const name = step.kind === "kernel" ? step.kernel.name : step.eqn.primitive.name;
    const own: StepFacts = {
      key: keyOf(step),
      kind: step.kind,
      position,
      inside,
      name,
      primitives: eqns.map(({ primitive }) => primitive.name),
      source: sourceOf([...(group?.members ?? []).map(({ node }) => node.eqn), ...eqns]),
      items: itemsOf(step),
      // What the bodies read, write and compute is counted with their own steps.
      bytesRead: step.kind === "control" ? 0 : sum(read),
      bytesWritten: step.kind === "control" ? 0 : sum(written),
      operations: step.kind === "control" ? 0 : eqns.reduce((n, eqn) => n + operationsOf(eqn), 0),
      group: group ?? step,
    };
    if (step.kind !== "control") return [own];
    const names = namesOfBodies(step);
    return [
      own,
      ...step.bodies.flatMap((body, i) => {
        const place = `${position}. ${name}, ${names[i]}`;
        return stepFacts(body, options, bytesOf, inside === "" ? place : `${inside}, ${place}`);
      }),
    ];
  });
}

/** The first that is known: of operations deep in the library no frame of the user's was captured. */
function sourceOf(eqns: readonly Eqn[]): string | undefined {
  for (const { source } of eqns) {
    const found = describeSource(source);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What stands for a step while it is measured. */
const keyOf = (step: Step): object => (step.kind === "kernel" ? step.kernel : step.eqn);

function itemsOf(step: Step): number | undefined {
  if (step.kind !== "kernel") return undefined;
  const { launch } = step.kernel;
  return launch.kind === "range" ? launch.extent : launch.groups * launch.threads;
}

function operationsOf({ primitive, inputs, params, outputs }: Eqn): number {
  const typesOf = (atoms: Eqn["inputs"]) => atoms.map((a) => a.aval);
  return primitive.cost(typesOf(inputs), params, typesOf(outputs)).operations;
}

/** The equations whose elements a group computes: its members, and those that are computed in place where it reads them. */
function equationsOf(graph: Graph, group: Group): Eqn[] {
  const found = new Set<Node>();
  const todo = group.members.map(({ node }) => node);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const a of node.eqn.inputs) {
      const made = a instanceof Var ? graph.producers[a.id] : undefined;
      if (made?.inlined) todo.push(made);
    }
  }
  return graph.nodes.filter((node) => found.has(node)).map(({ eqn }) => eqn);
}
