/**
 * The programs that both modes make of a function: its value, one pass forward and one back, and the whole Jacobian by as
 * many passes as it takes. All are made of one trace of the function.
 */
import type { NDArray } from "../../core/array.js";
import { type Aval, sizeOf, tangentAval } from "../../core/aval.js";
import type { MissingRuleError, NotDifferentiableError } from "../../core/errors.js";
import { evalJaxpr } from "../../core/eval.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { dceJaxpr } from "../../transforms/dce.js";
import { grad } from "../../transforms/grad.js";
import { jacfwd, jacrev } from "../../transforms/jacobian.js";
import { jvpJaxpr } from "../../transforms/jvp.js";
import { vjp } from "../../transforms/linearize.js";
import { makeJaxpr, ShapeDtype } from "../../transforms/makeJaxpr.js";
import { partialEvalJaxpr } from "../../transforms/partialEval.js";
import { residualsOf, type SavedResiduals, type TracedForReverse } from "../../transforms/residuals.js";
import type { Fn } from "../../transforms/types.js";
import { hasNoSuchMode } from "../differentiated.js";
import { type ProgramCost, programCost } from "../programCost.js";

/** A program, and what its inputs are beside those of the function. */
export interface ModeProgram {
  /** Takes `consts`, the constants of the function unless they are among these, its arguments, then `seeds`. */
  readonly jaxpr: Jaxpr;
  /** What it closes over. */
  readonly consts: readonly NDArray[];
  /** Whether the constants of the function are inputs. */
  readonly takesConstants: boolean;
  /** Types of tangents or cotangents. */
  readonly seeds: readonly Aval[];
  /** How many tangents are pushed forward, or cotangents pulled back. */
  readonly passes: number;
}

export interface CountedProgram extends ModeProgram {
  readonly cost: ProgramCost;
}

/** What there is no program for: the function has a derivative rule of its own, and it says nothing of this mode. */
export interface MissingProgram {
  readonly passes: number;
  readonly missing: NotDifferentiableError | MissingRuleError;
}

export interface ModePrograms {
  /** Elements that are differentiated by. */
  readonly inputs: number;
  /** Elements of the result. */
  readonly outputs: number;
  /** Whether the result is one scalar: the Jacobian is the gradient. */
  readonly isScalar: boolean;
  readonly value: CountedProgram;
  readonly jvp: CountedProgram | MissingProgram;
  readonly vjp: CountedProgram | MissingProgram;
  readonly forward: CountedProgram | MissingProgram;
  readonly reverse: CountedProgram | MissingProgram;
  /** What reverse mode keeps between the two passes. */
  readonly residuals: SavedResiduals;
  /** Operations that the passes have in common: what is computed once, however many there are. */
  readonly sharedOperations: number;
}

export const totalSize = (types: readonly Aval[]): number => types.reduce((n, t) => n + sizeOf(t.shape), 0);

const abstract = ({ shape, dtype, weakType }: Aval): ShapeDtype => new ShapeDtype(shape, dtype, { weakType });

/** The program of a function of arrays. */
function programOf(
  run: (...inputs: NDArray[]) => unknown,
  types: readonly Aval[],
): Pick<ModeProgram, "jaxpr" | "consts"> {
  return makeJaxpr(run as Fn)(...(types.map(abstract) as never[]));
}

/** The traced function as one of all its inputs, and of those that are active, the others being given. */
export class FlatFunction {
  constructor(private readonly traced: TracedForReverse) {}

  get inAvals(): readonly Aval[] {
    return this.traced.jaxpr.inAvals;
  }

  get activeAvals(): readonly Aval[] {
    return this.chosen(this.inAvals);
  }

  /** What belongs to active inputs. */
  chosen<T>(list: readonly T[]): T[] {
    return list.filter((_, i) => this.traced.active[i]);
  }

  /** As a function of the active inputs; it gives a list, or one array if there is one. */
  given(inputs: readonly NDArray[], asOne: boolean): Fn {
    const { jaxpr, active } = this.traced;
    return (...chosen: NDArray[]) => {
      let next = 0;
      const results = evalJaxpr(
        jaxpr,
        inputs.map((x, i) => (active[i] ? chosen[next++] : x)),
      );
      return asOne ? results[0] : results;
    };
  }

  /**
   * The program of a derivative that `derive` makes of the function of the active inputs, for all of which it is asked.
   *
   * @param derive a transform such as `jacfwd`.
   */
  derivative(derive: Derive, asOne = false): Omit<ModeProgram, "passes"> {
    const program = programOf((...inputs) => this.derived(derive, inputs, asOne), this.inAvals);
    return { ...program, takesConstants: true, seeds: [] };
  }

  /** The same with the constants of the function as constants, so that transforms may look at their values. */
  derivativeOfClosure(derive: Derive): Omit<ModeProgram, "passes"> {
    const { consts, constants } = this.traced;
    const program = programOf(
      (...args) => this.derived(derive, [...consts, ...args], false),
      this.inAvals.slice(constants),
    );
    return { ...program, takesConstants: false, seeds: [] };
  }

  private derived(derive: Derive, inputs: readonly NDArray[], asOne: boolean): unknown {
    const argnums = this.activeAvals.map((_, i) => i);
    return derive(this.given(inputs, asOne), { argnums })(...this.chosen(inputs));
  }
}

/** A transform that makes a function of the same arguments. */
export type Derive = (f: Fn, options: { readonly argnums: number[] }) => Fn;

/** All programs. Those of the Jacobian are what `jacfwd` makes, and `jacrev`, or `grad` of a scalar. */
export function modePrograms(traced: TracedForReverse): ModePrograms {
  const { jaxpr, active } = traced;
  const flat = new FlatFunction(traced);
  const { outAvals } = jaxpr;
  const isScalar = outAvals.length === 1 && outAvals[0].shape.length === 0;
  const pushed = jvpJaxpr(jaxpr, active);
  const inputs = totalSize(flat.activeAvals);
  const outputs = totalSize(outAvals);
  const { inAvals } = jaxpr;
  const cotangents = outAvals.map(tangentAval);
  const pulled = () =>
    programOf(
      (...all) => {
        const given = all.slice(0, inAvals.length);
        const [y, pull] = vjp(flat.given(given, false), ...(flat.chosen(given) as never[]));
        return [y, pull(all.slice(inAvals.length) as never)];
      },
      [...inAvals, ...cotangents],
    );
  const tangents = flat.activeAvals.map(tangentAval);
  const reverse = () =>
    isScalar ? flat.derivative(grad as Derive, true) : flat.derivative(jacrev as Derive);
  const one = { takesConstants: true, passes: 1 };
  // Outputs that do not depend on the inputs need no pass.
  const dependent = totalSize(outAvals.filter((_, i) => pushed.activeOut[i]));
  return {
    inputs,
    outputs,
    isScalar,
    value: counted({ jaxpr, consts: [], seeds: [], ...one }),
    jvp: ifPossible(1, () => ({ jaxpr: pushed.jaxpr, consts: [], seeds: tangents, ...one })),
    vjp: ifPossible(1, () => ({ ...pulled(), seeds: cotangents, ...one })),
    forward: ifPossible(inputs, () => ({ ...flat.derivative(jacfwd as Derive), passes: inputs })),
    reverse: ifPossible(dependent, () => ({ ...reverse(), passes: dependent })),
    residuals: residualsOf(traced),
    sharedOperations: sharedOperations(jaxpr, pushed, active.filter((a) => a).length),
  };
}

export const counted = (program: ModeProgram): CountedProgram => ({
  ...program,
  cost: programCost(program.jaxpr),
});

function ifPossible(passes: number, make: () => ModeProgram): CountedProgram | MissingProgram {
  try {
    return counted(make());
  } catch (error) {
    if (!hasNoSuchMode(error)) throw error;
    return { passes, missing: error };
  }
}

/** The operations of the linearization: of what the residuals need. */
function sharedOperations(jaxpr: Jaxpr, pushed: ReturnType<typeof jvpJaxpr>, tangents: number): number {
  const { known, residuals } = partialEvalJaxpr(
    pushed.jaxpr,
    pushed.jaxpr.inputs.map((_, i) => i >= pushed.jaxpr.inputs.length - tangents),
    pushed.jaxpr.outputs.map((_, i) => i >= jaxpr.outputs.length),
  );
  const first = known.outputs.length - residuals;
  const needed = dceJaxpr(
    known,
    known.outputs.map((_, i) => i >= first),
  );
  return programCost(needed.jaxpr).operations;
}
