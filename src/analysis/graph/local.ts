/**
 * The derivative of one operation with respect to one of its operands, as the library's own rules give it: the equation alone
 * is pushed forward (jvp), and split into what does not depend on the tangent and a linear rest. The rest is the local
 * derivative. It can be applied, transposed, and read as a formula; there is no table of derivatives here.
 */
import type { NDArray } from "../../core/array.js";
import { type Aval, sameShape, sizeOf } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { evalJaxpr } from "../../core/eval.js";
import { type Atom, Jaxpr, Literal, Var } from "../../core/jaxpr.js";
import { dceKeepingInputs } from "../../transforms/dce.js";
import { jvpJaxpr } from "../../transforms/jvp.js";
import { partialEvalJaxpr } from "../../transforms/partialEval.js";
import { transposeJaxpr } from "../../transforms/transpose.js";
import { atom, type Expr, formOf, writeExpr } from "./notation.js";
import { formatScalar } from "./numbers.js";
import { type Operand, type Operation, Variable } from "./program.js";

/** One factor of the chain rule: how an output of an operation changes with an operand. */
export interface LocalDerivative {
  /** Of the tangent: the operand's type. */
  readonly from: Aval;
  readonly to: Aval;
  /** As a formula: `b`, `2·x`, `diag(cos x)`, `Σ`, `W @ ·`. */
  readonly formula: string;
  /** Applied to a tangent, at values of the operands. */
  push(values: readonly NDArray[], tangent: NDArray): NDArray;
  /** The transpose, applied to a cotangent; undefined for zero. */
  pull(values: readonly NDArray[], cotangent: NDArray): NDArray | undefined;
}

/**
 * The derivative of output `k` with respect to operand `i`; undefined if it is zero: for integers, comparisons, and what
 * `stopGradient` cuts.
 */
export function localDerivative(op: Operation, i: number, k: number): LocalDerivative | undefined {
  const [operand, output] = [op.inputs[i], op.outputs[k]];
  if (!isFloat(operand.aval.dtype) || !isFloat(output.aval.dtype)) return undefined;
  const single = alone(op);
  const position = op.inputs.slice(0, i).filter(isVariable).length;
  const pushed = jvpJaxpr(
    single,
    single.inputs.map((_, p) => p === position),
  );
  if (!pushed.activeOut[k]) return undefined;
  const tangent = single.outputs.length + pushed.activeOut.slice(0, k).filter(Boolean).length;
  const pruned = dceKeepingInputs(
    pushed.jaxpr,
    pushed.jaxpr.outputs.map((_, o) => o === tangent),
  );
  const { known, unknown } = partialEvalJaxpr(
    pruned,
    pruned.inputs.map((_, p) => p === single.inputs.length),
    [true],
  );
  const linear = unknown.inputs.map((_, p) => p === unknown.inputs.length - 1);
  const names = op.inputs.filter(isVariable).map((v) => atom(v.name));
  return {
    from: operand.aval,
    to: output.aval,
    formula: formulaOf(unknown, expressions(known, names, resultNames(op))),
    push: (values, t) => evalJaxpr(unknown, [...evalJaxpr(known, values), t])[0],
    pull: (values, ct) => {
      const turned = transposeJaxpr(unknown, linear, [false]);
      return turned.zeroOut[0] ? undefined : evalJaxpr(turned.jaxpr, [...evalJaxpr(known, values), ct])[0];
    },
  };
}

const isVariable = (x: Operand): x is Variable => x instanceof Variable;

/** The operation as a program of its own: every operand that is a variable is an input, also where one comes twice. */
function alone({ eqn, inputs }: Operation): Jaxpr {
  let count = 0;
  const fresh = (aval: Aval): Var => new Var(count++, aval);
  const atoms = inputs.map((x, i): Atom => (isVariable(x) ? fresh(eqn.inputs[i].aval) : x));
  const outputs = eqn.outputs.map((v) => fresh(v.aval));
  return new Jaxpr(
    atoms.filter((a): a is Var => a instanceof Var),
    [{ ...eqn, inputs: atoms, outputs }],
    outputs,
    count,
  );
}

const longest = 60;
const one = atom("1");

/** What the operation itself computes has a name: derivatives of tanh z are of h, if that is what it is called. */
function resultNames({ eqn, inputs, outputs }: Operation): ReadonlyMap<string, string> {
  if (outputs.length !== 1) return new Map();
  const operands = inputs.map((x) => (isVariable(x) ? atom(x.name) : number(x.value)));
  return new Map([[writeExpr(formOf(eqn), operands).text, outputs[0].name]]);
}

/** What a program computes, as formulas of its inputs. */
function expressions(
  jaxpr: Jaxpr,
  inputs: readonly Expr[],
  named: ReadonlyMap<string, string> = new Map(),
): Expr[] {
  const env: Expr[] = [];
  for (const [i, v] of jaxpr.inputs.entries()) env[v.id] = inputs[i];
  const read = (a: Atom): Expr => (a instanceof Literal ? number(a.value) : env[a.id]);
  for (const eqn of jaxpr.eqns) {
    const operands = eqn.inputs.map(read);
    const written = simplified(eqn.primitive.name, operands) ?? writeExpr(formOf(eqn), operands);
    const name = named.get(written.text);
    const kept = name !== undefined ? atom(name) : written.text.length > longest ? atom("…") : written;
    for (const [k, v] of eqn.outputs.entries())
      env[v.id] = eqn.outputs.length === 1 ? kept : atom(`${kept.text}[${k}]`);
  }
  return jaxpr.outputs.map(read);
}

const number = (x: number): Expr => ({ text: formatScalar(x), level: x < 0 ? 0.5 : 3 });

/** Products with 1 and −1, which linear programs applied to 1 are full of, and what changes no value. */
function simplified(primitive: string, [a, b]: readonly Expr[]): Expr | undefined {
  if (primitive === "mul" && a.text === "1") return b;
  if ((primitive === "mul" || primitive === "div") && b.text === "1") return a;
  if (primitive === "mul" && b.text === "−1") return negated(a);
  if (primitive === "mul" && a.text === "−1") return negated(b);
  if (primitive === "mul" && a.text === b.text && a.level === 3 && !/^[\d.]/.test(a.text))
    return { text: `${a.text}²`, level: 2.5 };
  if (primitive === "neg") return negated(a);
  if (primitive === "broadcastInDim" && a.level === 3 && a.text !== "·") return a;
  if (primitive === "convertElementType" || primitive === "name") return a;
  return undefined;
}

const negated = (x: Expr): Expr =>
  x.text.startsWith("−") && x.level === 0.5
    ? { text: x.text.slice(1), level: 2 }
    : { text: `−${x.level >= 1 ? x.text : `(${x.text})`}`, level: 0.5 };

/** The linear program as a factor. */
function formulaOf(linear: Jaxpr, residuals: readonly Expr[]): string {
  const tangent = linear.inputs[linear.inputs.length - 1].aval;
  const output = linear.outputs[0];
  const scalar = tangent.shape.length === 0 && output.aval.shape.length === 0;
  const elementwise =
    sameShape(tangent.shape, output.aval.shape) &&
    linear.eqns.every(
      ({ primitive, inputs }) => primitive.family === "elementwise" || isFixed(linear, inputs),
    );
  if (elementwise) {
    // What is linear in each element by itself is a product with what it makes of 1.
    const [factor] = expressions(linear, [...residuals, one]);
    if (scalar) return short(factor.text) ?? "∂";
    if (factor.text === "1") return "I";
    if (/^−?[\d.e−]+$/.test(factor.text)) return factor.text === "−1" ? "−I" : `${factor.text}·I`;
    const text = short(factor.text);
    if (text !== undefined) return `diag(${text})`;
  } else {
    const [applied] = expressions(linear, [...residuals, atom("·")]);
    const text = short(applied.text);
    // `Σ ·` is Σ: what only stands before its operand needs no place for it.
    if (text !== undefined) return text.replace(/^(Σ|broadcast|reshape) ·$/, "$1");
  }
  return `Jacobian ${sizeOf(output.aval.shape)} × ${sizeOf(tangent.shape)}`;
}

/** Whether an operation does not see the tangent: what it moves around is a residual. */
function isFixed(linear: Jaxpr, inputs: readonly Atom[]): boolean {
  const varying = new Set<Atom>([linear.inputs[linear.inputs.length - 1]]);
  for (const eqn of linear.eqns)
    if (eqn.inputs.some((a) => varying.has(a))) for (const v of eqn.outputs) varying.add(v);
  return !inputs.some((a) => varying.has(a));
}

const widest = 28;
const short = (text: string): string | undefined =>
  text.length <= widest && !text.includes("…") ? text : undefined;
