/** The memory of a jaxpr that is run as it is written, an equation at a time: what is held at once. */
import { bytesOf } from "./aval.js";
import { aliasesOf, type Execution, executionOf } from "./bodies.js";
import { memoize } from "./build.js";
import { type Atom, type Eqn, type Jaxpr, Var } from "./jaxpr.js";

/** In bytes. */
export interface HeldMemory {
  /** Arguments and constants, which are there all the time. */
  readonly inputBytes: number;
  /** Results, for which there is room from the start: arrays that are not inputs, each once. */
  readonly outputBytes: number;
  /** The most of all other values at a time. */
  readonly temporaryBytes: number;
  /** All of it together. */
  readonly peakBytes: number;
}

/** Array values by what they are: outputs of calls that hand an operand through are that operand. */
class Values {
  private readonly same = new Map<Var, Atom>();

  constructor(eqns: readonly { readonly eqn: Eqn; readonly execution: Execution }[]) {
    for (const { eqn, execution } of eqns)
      for (const [k, from] of aliasesOf(eqn, execution).entries())
        if (from !== undefined) this.same.set(eqn.outputs[k], this.of(eqn.inputs[from]));
  }

  of(a: Atom): Atom {
    return a instanceof Var ? (this.same.get(a) ?? a) : a;
  }
}

/** The memory of one run. */
export const memoryOf: (jaxpr: Jaxpr) => HeldMemory = memoize(
  () => "",
  (jaxpr: Jaxpr): HeldMemory => {
    const steps = jaxpr.eqns.map((eqn) => ({ eqn, execution: executionOf(eqn) }));
    const values = new Values(steps);
    const inputs = new Set<Atom>(jaxpr.inputs);
    const results = new Set(jaxpr.outputs.map((a) => values.of(a)).filter((a) => !inputs.has(a)));
    const isTemporary = (a: Atom): boolean => a instanceof Var && !inputs.has(a) && !results.has(a);

    const lastUse = new Map<Atom, number>();
    for (const [i, { eqn }] of steps.entries())
      for (const a of [...eqn.inputs, ...eqn.outputs].map((a) => values.of(a)))
        if (isTemporary(a)) lastUse.set(a, i);
    const ends = new Map<number, number>();
    for (const [a, i] of lastUse) ends.set(i, (ends.get(i) ?? 0) + bytesOf(a.aval));

    let live = 0;
    let temporaryBytes = 0;
    for (const [i, { eqn, execution }] of steps.entries()) {
      for (const v of eqn.outputs) if (values.of(v) === v && lastUse.has(v)) live += bytesOf(v.aval);
      temporaryBytes = Math.max(temporaryBytes, live + inside(execution));
      live -= ends.get(i) ?? 0;
    }
    const inputBytes = total(jaxpr.inputs);
    const outputBytes = total([...results]);
    return { inputBytes, outputBytes, temporaryBytes, peakBytes: inputBytes + outputBytes + temporaryBytes };
  },
);

/** What an equation holds while it runs beside its operands and outputs. Every body has its memory once. */
function inside(execution: Execution): number {
  const held = (body: Jaxpr): number => memoryOf(body).temporaryBytes;
  switch (execution.flow) {
    case "call":
      return held(execution.body);
    case "cond":
      return Math.max(...execution.branches.map(held));
    case "while":
      return Math.max(
        held(execution.cond) + total(execution.cond.outputs),
        held(execution.body) + computed(execution.body, execution.body.outputs),
      );
    case "scan":
      // The next carry is made while this one is there; an entry of what is stacked goes to its place.
      return (
        held(execution.body) + computed(execution.body, execution.body.outputs.slice(0, execution.carries))
      );
    default:
      return 0;
  }
}

/** The bytes of those outputs of a body that it computes. */
const computed = (body: Jaxpr, outputs: readonly Atom[]): number =>
  total([...new Set(outputs)].filter((a) => a instanceof Var && !body.inputs.includes(a)));

const total = (atoms: readonly Atom[]): number => atoms.reduce((sum, a) => sum + bytesOf(a.aval), 0);
