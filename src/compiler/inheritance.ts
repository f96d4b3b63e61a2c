/**
 * Which inputs a program may compute in the memory of. For the program of a call those are donated arguments. For a body they
 * are the carries of a loop, each of which the next value may replace, and operands that end with a branch. Results of bodies
 * are separated: each is a value of its own, so that whoever runs the body can say where each goes.
 */
import { sameType } from "../core/aval.js";
import type { Buffer } from "../core/ir/types.js";
import { type Atom, type Eqn, Jaxpr, Literal, Var } from "../core/jaxpr.js";
import { findPrimitive } from "../core/primitive.js";
import type { Program } from "./program.js";

/**
 * A choice as a string, the same for equal ones. For a call a 1 or a 0 for each input, or nothing if none is donated; for bodies
 * see `loopDonation` and `branchDonation`.
 */
export type Donation = string;

export const donationOf = (donated: readonly boolean[] = []): Donation =>
  donated.includes(true) ? donated.map(Number).join("") : "";

/** For the body of a loop: so many inputs, from `first` on, are carries; the first outputs are their next values. */
export const loopDonation = (first: number, count: number): Donation => `loop:${first},${count}`;

/** For a branch (or a condition): for each output the input in whose memory it may lie, if there is one. */
export const branchDonation = (inputs: readonly (number | undefined)[]): Donation =>
  `branch:${inputs.map((i) => i ?? "").join(",")}`;

export interface Inheritance {
  /** For each input. */
  readonly donated: readonly boolean[];
  /** Only for bodies: for each output the input that it follows on. */
  readonly follows: readonly (number | undefined)[] | undefined;
  /** Whether an output may also lie in the memory of an input that another one follows on. */
  readonly rotates: boolean;
}

export function inheritanceOf(donation: Donation, { inputs, outputs }: Jaxpr): Inheritance {
  const [kind, numbers] = donation.split(":");
  if (numbers === undefined)
    return { donated: inputs.map((_, i) => donation[i] === "1"), follows: undefined, rotates: false };
  const given = numbers.split(",");
  let follows: (number | undefined)[];
  if (kind === "loop") {
    const [first, count] = given.map(Number);
    follows = outputs.map((_, k) => (k < count ? first + k : undefined));
  } else follows = outputs.map((_, k) => (given[k] ? Number(given[k]) : undefined));
  const followed = new Set(follows);
  return { donated: inputs.map((_, i) => followed.has(i)), follows, rotates: kind === "loop" };
}

/**
 * The jaxpr of a body with every output a value of its own that an equation makes, or the input that it may be. What else is
 * handed on is copied.
 */
export function separateOutputs(jaxpr: Jaxpr, { follows, rotates }: Inheritance): Jaxpr {
  if (follows === undefined) return jaxpr;
  const { inputs } = jaxpr;
  const outputs: (Atom | undefined)[] = jaxpr.outputs.map(() => undefined);
  const taken = new Set<Atom>();
  const take = (k: number, a: Atom): void => {
    if (taken.has(a)) return;
    taken.add(a);
    outputs[k] = a;
  };
  const numberOf = (a: Atom): number => (a instanceof Var ? inputs.indexOf(a) : -1);
  // What stays in its place has it before anything else takes it.
  for (const [k, a] of jaxpr.outputs.entries())
    if (numberOf(a) >= 0 && numberOf(a) === follows[k]) take(k, a);
  for (const [k, a] of jaxpr.outputs.entries()) {
    if (outputs[k] !== undefined) continue;
    const i = numberOf(a);
    if (i < 0 || (rotates && follows[k] !== undefined && follows.includes(i))) take(k, a);
  }
  let { varCount } = jaxpr;
  const copies: Eqn[] = [];
  const separate = outputs.map((own, k): Atom => {
    const a = jaxpr.outputs[k];
    if (own !== undefined) return own;
    if (a instanceof Literal) return new Literal(a.value, a.aval);
    // There is nothing of float0 to copy; its buffers are empty.
    const copy = new Var(varCount++, a.aval);
    if (a.aval.dtype !== "float0") copies.push(copyOf(a, copy));
    return copy;
  });
  return new Jaxpr(inputs, [...jaxpr.eqns, ...copies], separate, varCount);
}

/** The same in terms of buffers, for bodies. */
export function successorsIn(
  { follows, rotates }: Inheritance,
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
): Pick<Program, "successors" | "rotates"> {
  if (follows === undefined) return {};
  const successors = new Map<Buffer, Buffer>();
  for (const [k, i] of follows.entries()) if (i !== undefined) successors.set(outputs[k], inputs[i]);
  return { successors, rotates };
}

function copyOf(from: Var, to: Var): Eqn {
  const primitive = findPrimitive("reshape");
  if (primitive === undefined) throw new Error("the primitive reshape is not registered");
  return { primitive, inputs: [from], params: { shape: from.aval.shape }, outputs: [to], source: undefined };
}

/** The input of a jaxpr that an output is a changed version of, going by types: the input itself, or updates of it. */
export function ancestorOf({ inputs, eqns, outputs }: Jaxpr, k: number): number | undefined {
  const makers = new Map<Atom, Eqn>();
  for (const eqn of eqns) for (const v of eqn.outputs) makers.set(v, eqn);
  let atom: Atom | undefined = outputs[k];
  for (let eqn = makers.get(atom); eqn !== undefined; eqn = atom && makers.get(atom)) {
    const { aval } = atom as Atom;
    atom = eqn.inputs.find((a) => a instanceof Var && sameType(a.aval, aval));
  }
  const i = atom instanceof Var ? inputs.indexOf(atom) : -1;
  return i < 0 ? undefined : i;
}

/**
 * For each output of a program the input in whose memory it lies in the end: because it is that input, or was computed in place.
 */
export function heldBy({ inputs, outputs, steps }: Program): (Buffer | undefined)[] {
  const operandOf = new Map<Buffer, Buffer>();
  for (const step of steps)
    if (step.kind !== "host")
      for (const [result, operand] of step.inPlace ?? []) operandOf.set(result, operand);
  return outputs.map((output) => {
    let buffer = output;
    for (let b = operandOf.get(buffer); b !== undefined; b = operandOf.get(buffer)) buffer = b;
    return inputs.includes(buffer) ? buffer : undefined;
  });
}
