/**
 * Arrays that a program holds. Functions that users trace may close over arrays; those become inputs of the jaxpr. A rule
 * of a function's own is traced in the middle of a pass, where jaxprs close over nothing: there such an array is an
 * equation without operands (`arrayConstant`), whose params refer to it.
 *
 * Devices want arrays as inputs of programs. `liftConstants` turns the equations back into inputs: out of calls and out of
 * the bodies of branches and loops.
 */
import type { ConcreteArray } from "./array.js";
import type { Aval } from "./aval.js";
import { memoize } from "./build.js";
import type { Device } from "./device.js";
import { type Atom, type Eqn, Jaxpr, subJaxprs, Var } from "./jaxpr.js";
import type { Params } from "./primitive.js";
import { References } from "./references.js";

/** The arrays that `arrayConstant` equations give. */
export const heldArrays = new References<ConcreteArray>();

export interface Lifted {
  /** Takes the inputs, then the arrays that were inside. */
  readonly jaxpr: Jaxpr;
  readonly consts: readonly ConcreteArray[];
}

const isConstant = ({ primitive }: Eqn): boolean => primitive.name === "arrayConstant";

const holdsConstants: (jaxpr: Jaxpr) => boolean = memoize(
  () => "holdsConstants",
  (jaxpr: Jaxpr): boolean =>
    jaxpr.eqns.some((eqn) => isConstant(eqn) || subJaxprs(eqn.params).some(holdsConstants)),
);

/** The jaxpr with the arrays that it and its bodies hold as inputs, each once, behind the others. */
export const liftConstants: (jaxpr: Jaxpr) => Lifted = memoize(
  () => "liftConstants",
  (jaxpr: Jaxpr): Lifted => {
    if (!holdsConstants(jaxpr)) return { jaxpr, consts: [] };
    const lifting = new Lifting(jaxpr.varCount);
    const renamed = new Map<Var, Atom>();
    lifting.walk(jaxpr, renamed);
    return {
      jaxpr: new Jaxpr(
        [...jaxpr.inputs, ...lifting.variables.values()],
        lifting.eqns,
        jaxpr.outputs.map((a) => rename(a, renamed)),
        lifting.varCount,
      ),
      consts: [...lifting.variables.keys()],
    };
  },
);

const rename = (a: Atom, names: ReadonlyMap<Var, Atom>): Atom => (a instanceof Var && names.get(a)) || a;

/** One jaxpr that is being rewritten: calls with arrays inside are unfolded into it. */
class Lifting {
  readonly eqns: Eqn[] = [];
  /** The input that stands for each array. */
  readonly variables = new Map<ConcreteArray, Var>();

  constructor(public varCount: number) {}

  private fresh(type: Aval): Var {
    return new Var(this.varCount++, type);
  }

  private variableOf(x: ConcreteArray): Var {
    let v = this.variables.get(x);
    if (v === undefined) {
      v = this.fresh(x.aval);
      this.variables.set(x, v);
    }
    return v;
  }

  /** Adds the equations of a jaxpr; `names` says what its variables are here. */
  walk(jaxpr: Jaxpr, names: Map<Var, Atom>): void {
    for (const eqn of jaxpr.eqns) {
      const inputs = eqn.inputs.map((a) => rename(a, names));
      if (isConstant(eqn)) {
        names.set(eqn.outputs[0], this.variableOf(heldArrays.find(eqn.params.array) as ConcreteArray));
        continue;
      }
      const outputs = eqn.outputs.map((v) => rename(v, names) as Var);
      if (!subJaxprs(eqn.params).some(holdsConstants)) {
        this.eqns.push({ ...eqn, inputs, outputs });
        continue;
      }
      const rewritten = eqn.primitive.lower?.kind === "control" ? this.withOperands(eqn, inputs) : undefined;
      if (rewritten !== undefined) {
        this.eqns.push({ ...rewritten, outputs });
        continue;
      }
      const body = eqn.primitive.inline?.(
        eqn.params,
        eqn.inputs.map((a) => a.aval),
      );
      if (body === undefined) this.eqns.push({ ...eqn, inputs, outputs });
      else this.unfold(body, inputs, eqn.outputs, names);
    }
  }

  /** Writes a body out in place of the equation that holds it. */
  private unfold(
    body: Jaxpr,
    operands: readonly Atom[],
    outputs: readonly Var[],
    names: Map<Var, Atom>,
  ): void {
    const inside = new Map<Var, Atom>(body.inputs.map((v, i) => [v, operands[i]]));
    for (const eqn of body.eqns) for (const v of eqn.outputs) inside.set(v, this.fresh(v.aval));
    this.walk(body, inside);
    for (const [k, v] of outputs.entries()) names.set(v, rename(body.outputs[k], inside));
  }

  /** A branch or a loop whose bodies get their arrays as operands. */
  private withOperands(eqn: Eqn, inputs: readonly Atom[]): Eqn | undefined {
    const { params } = eqn;
    const given = (arrays: readonly ConcreteArray[]): Var[] => arrays.map((x) => this.variableOf(x));
    switch (eqn.primitive.name) {
      case "cond": {
        const branches = params.branches as readonly Jaxpr[];
        const consts = [...new Set(branches.flatMap((b) => liftConstants(b).consts))];
        const lifted = branches.map((b) => taking(liftConstants(b), consts, b.inputs.length));
        return { ...eqn, inputs: [...inputs, ...given(consts)], params: { ...params, branches: lifted } };
      }
      case "while": {
        const { condConsts, bodyConsts } = params as { readonly [key: string]: number };
        const [cond, body] = [liftConstants(params.cond as Jaxpr), liftConstants(params.body as Jaxpr)];
        const changed: Params = {
          ...params,
          cond: taking(cond, cond.consts, condConsts),
          condConsts: condConsts + cond.consts.length,
          body: taking(body, body.consts, bodyConsts),
          bodyConsts: bodyConsts + body.consts.length,
        };
        const second = condConsts + bodyConsts;
        return {
          ...eqn,
          params: changed,
          inputs: [
            ...inputs.slice(0, condConsts),
            ...given(cond.consts),
            ...inputs.slice(condConsts, second),
            ...given(body.consts),
            ...inputs.slice(second),
          ],
        };
      }
      case "scan": {
        const consts = params.consts as number;
        const body = liftConstants(params.jaxpr as Jaxpr);
        return {
          ...eqn,
          params: {
            ...params,
            jaxpr: taking(body, body.consts, consts),
            consts: consts + body.consts.length,
          },
          inputs: [...inputs.slice(0, consts), ...given(body.consts), ...inputs.slice(consts)],
        };
      }
      default:
        return undefined;
    }
  }
}

/** A lifted body that takes these arrays, some of which it may not need, in front of its input `at`. */
function taking({ jaxpr, consts }: Lifted, arrays: readonly ConcreteArray[], at: number): Jaxpr {
  let { varCount } = jaxpr;
  const own = jaxpr.inputs.length - consts.length;
  const taken = arrays.map((x) => {
    const i = consts.indexOf(x);
    return i >= 0 ? jaxpr.inputs[own + i] : new Var(varCount++, x.aval);
  });
  const inputs = [...jaxpr.inputs.slice(0, at), ...taken, ...jaxpr.inputs.slice(at, own)];
  return new Jaxpr(inputs, jaxpr.eqns, jaxpr.outputs, varCount);
}

/** Runs a jaxpr on a device, with the arrays that it holds. */
export function runLifted(
  device: Device,
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
  donated?: readonly boolean[],
): readonly ConcreteArray[] {
  const lifted = liftConstants(jaxpr);
  if (lifted.consts.length === 0) return device.run(jaxpr, inputs, donated);
  const none = lifted.consts.map(() => false);
  return device.run(lifted.jaxpr, [...inputs, ...lifted.consts], donated && [...donated, ...none]);
}
