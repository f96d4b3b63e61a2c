/**
 * A jaxpr as a graph of variables and operations. Calls that mean nothing but their body (`jit`, `checkpoint`) are opened, so
 * that their operations join the others; loops, branches and functions with rules of their own keep their bodies beside them.
 */
import type { NDArray } from "../../core/array.js";
import type { Aval } from "../../core/aval.js";
import { type Atom, type Eqn, type Jaxpr, type Literal, subJaxprs, Var } from "../../core/jaxpr.js";
import { nameGivenBy } from "../../primitives/checkpointName.js";
import { bodiesOf, titleOfCall } from "./bodies.js";

/** The box around the operations of a body; undefined outside of all. */
export interface Scope {
  readonly id: string;
  readonly title: string;
  readonly parent: Scope | undefined;
}

export type Role = "input" | "constant" | "inner" | "entry" | "output";

/** A value of the program. */
export class Variable {
  /** The user's name, where there is one; else a letter. */
  name = "";
  named = false;
  /** The argument or result that it is one of several parts of. */
  bundle: string | undefined = undefined;
  /** Where in the function's result it stands, if that is a tree. */
  result: string | undefined = undefined;
  /** Where it is known. */
  value: NDArray | undefined = undefined;

  constructor(
    readonly id: string,
    readonly aval: Aval,
    public role: Role,
    readonly scope: Scope | undefined,
  ) {}
}

export type Operand = Variable | Literal;

export interface Operation {
  readonly id: string;
  readonly eqn: Eqn;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Variable[];
  readonly scope: Scope | undefined;
  /** What it holds, if that is drawn. */
  readonly bodies: readonly Body[];
}

/** A jaxpr that an operation holds: a program of its own, and where its values come from and go to. */
export interface Body {
  readonly scope: Scope;
  readonly inputs: readonly Variable[];
  readonly operations: readonly Operation[];
  readonly outputs: readonly Operand[];
  readonly links: readonly Link[];
}

/** How a value gets into a body, out of it, or to its next step. */
export interface Link {
  readonly from: Operand;
  readonly to: Variable;
  /** `slice`: one entry for each step. `next`: from one step to the one after it. `count`: how many steps there are. */
  readonly kind: "enter" | "slice" | "leave" | "stack" | "next" | "count";
}

/** A program as a graph. */
export interface Program {
  readonly inputs: readonly Variable[];
  readonly constants: readonly Variable[];
  readonly operations: readonly Operation[];
  readonly outputs: readonly Operand[];
}

export interface OpenOptions {
  /** How many levels of bodies are opened. */
  readonly depth: number;
  /** Whether a function with a rule of its own is drawn by its body: not where derivatives are shown, which come from the rule. */
  readonly customBodies: boolean;
  /** Whether loops and branches are drawn by their bodies. */
  readonly loops: boolean;
}

/** Calls that are the same as their body, derivatives included. */
const transparent = new Set(["jit", "checkpoint"]);

/** The graph of a jaxpr of which the first inputs are constants. */
export function programOf(jaxpr: Jaxpr, constants: number, options: OpenOptions): Program {
  const opener = new Opener(options);
  const inputs = jaxpr.inputs.map((v, i) =>
    opener.variable(v.aval, i < constants ? "constant" : "input", undefined),
  );
  const { operations, outputs } = opener.open(jaxpr, inputs, undefined, 0);
  for (const v of outputs) if (v instanceof Variable && v.role === "inner") v.role = "output";
  return { inputs: inputs.slice(constants), constants: inputs.slice(0, constants), operations, outputs };
}

/** Numbers variables, operations and boxes while bodies are opened. */
export class Opener {
  private variables = 0;
  private operationCount = 0;
  private scopes = 0;

  constructor(readonly options: OpenOptions) {}

  variable(aval: Aval, role: Role, scope: Scope | undefined): Variable {
    return new Variable(`v${this.variables++}`, aval, role, scope);
  }

  scope(title: string, parent: Scope | undefined): Scope {
    return { id: `s${this.scopes++}`, title, parent };
  }

  /** The operations of a jaxpr applied to values. */
  open(
    jaxpr: Jaxpr,
    inputs: readonly Operand[],
    scope: Scope | undefined,
    depth: number,
  ): { operations: Operation[]; outputs: Operand[] } {
    const env = new Map<number, Operand>();
    for (const [i, v] of jaxpr.inputs.entries()) env.set(v.id, inputs[i]);
    const read = (a: Atom): Operand => (a instanceof Var ? (env.get(a.id) as Operand) : a);
    const operations: Operation[] = [];
    for (const eqn of jaxpr.eqns) {
      const operands = eqn.inputs.map(read);
      const given = nameGivenBy(eqn);
      if (given !== undefined && operands[0] instanceof Variable) {
        // Only a name: the variable is the same.
        const [v] = operands as Variable[];
        if (!v.named && v.role === "inner") {
          v.name = given;
          v.named = true;
        }
        env.set(eqn.outputs[0].id, v);
        continue;
      }
      if (keepsNumbers(eqn)) {
        env.set(eqn.outputs[0].id, operands[0]);
        continue;
      }
      if (transparent.has(eqn.primitive.name) && depth < this.options.depth) {
        const title = titleOfCall(eqn);
        const inner = this.open(subJaxprs(eqn.params)[0], operands, this.scope(title, scope), depth + 1);
        operations.push(...inner.operations);
        for (const [k, v] of eqn.outputs.entries()) env.set(v.id, inner.outputs[k]);
        continue;
      }
      const id = `o${this.operationCount++}`;
      const outputs = eqn.outputs.map((v) => this.variable(v.aval, "inner", scope));
      for (const [k, v] of eqn.outputs.entries()) env.set(v.id, outputs[k]);
      const bodies =
        depth < this.options.depth ? bodiesOf(this, eqn, operands, outputs, scope, depth + 1) : [];
      operations.push({ id, eqn, inputs: operands, outputs, scope, bodies });
    }
    return { operations, outputs: jaxpr.outputs.map(read) };
  }
}

/** A conversion to the dtype that is there already says only that the number is no bare one any more. */
const keepsNumbers = ({ primitive, inputs, outputs }: Eqn): boolean =>
  primitive.name === "convertElementType" && inputs[0].aval.dtype === outputs[0].aval.dtype;

/** All operations, those of bodies included. */
export function allOperations(operations: readonly Operation[]): Operation[] {
  return operations.flatMap((op) => [op, ...op.bodies.flatMap((body) => allOperations(body.operations))]);
}

/** All variables, in the order in which they are defined. */
export function allVariables({ inputs, constants, operations }: Program): Variable[] {
  const found = new Set<Variable>([...constants, ...inputs]);
  const visit = (list: readonly Operation[]): void => {
    for (const op of list) {
      for (const body of op.bodies) {
        for (const v of body.inputs) found.add(v);
        visit(body.operations);
      }
      for (const v of op.outputs) found.add(v);
    }
  };
  visit(operations);
  return [...found];
}
