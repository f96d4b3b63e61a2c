/**
 * Laws of the passes, the functions from programs to programs: each keeps meaning and types, and what it gives is well
 * typed. Programs as text mean what they meant, and programs that are equal have equal hashes.
 */

import {
  checkJaxpr,
  dceJaxpr,
  equalJaxprs,
  evalJaxpr,
  hashJaxpr,
  Jaxpr,
  makeJaxpr,
  type NDArray,
  parseJaxpr,
  partialEvalJaxpr,
  printJaxpr,
  Var,
} from "fluxion";
import { isLeft } from "fp-ts/lib/Either.js";
import { compile, wasmOptions } from "../../src/compiler/compile.js";
import { runProgram } from "../../src/compiler/interpret.js";
import { normalise } from "../../src/compiler/normalise.js";
import { ConcreteArray } from "../../src/core/array.js";
import { type Aval, strong } from "../../src/core/aval.js";
import { hasEffects } from "../../src/core/effects.js";
import { bodiesOf } from "../bodies.js";
import { close } from "../close.js";
import { abstains, every, fails, holds, type Law, law, type Verdict } from "../law.js";
import { generator, type Point } from "../point.js";
import { allowingFor } from "../precision.js";
import { sameTypes } from "./types.js";

const source = "Aho, Lam, Sethi & Ullman, Compilers, ch. 9 (machine-independent optimizations)";

type Row = readonly NDArray[];

/** The program of a function with operands for all of its inputs, constants too. */
interface Traced {
  readonly jaxpr: Jaxpr;
  readonly operands: Row;
}

const traced = ({ f, inputs }: Point): Traced => {
  const { jaxpr, consts } = makeJaxpr((...xs: NDArray[]) => f(...xs))(...inputs);
  return { jaxpr, operands: [...consts, ...inputs] };
};

/** What comes out of a pass is well typed, with these inputs and outputs. */
function wellTyped(
  jaxpr: Jaxpr,
  ins: Jaxpr["inAvals"],
  outs: Jaxpr["outAvals"],
  name: string,
  read: (type: Aval) => Aval = (type) => type,
): Verdict {
  const checked = checkJaxpr(jaxpr);
  if (isLeft(checked))
    return fails(
      { name: `checkJaxpr(${name})`, value: checked.left.message },
      { name: "wanted", value: "a well typed program" },
    );
  return every(
    () => sameTypes(jaxpr.inAvals, ins, [`inputs of ${name}`, "inputs of the program"]),
    () => sameTypes(jaxpr.outAvals.map(read), outs, [`outputs of ${name}`, "outputs of the program"]),
  );
}

const only = <T>(items: readonly T[], mask: readonly boolean[]): T[] => items.filter((_, i) => mask[i]);
const not = (mask: readonly boolean[]): boolean[] => mask.map((b) => !b);
const all = (items: readonly unknown[]): boolean[] => items.map(() => true);

/** All, one, and some: so that a mask of each kind is tried, other ones for other seeds. */
function masks(n: number, random: () => number): boolean[][] {
  if (n === 0) return [[]];
  const one = Math.floor(random() * n);
  const kinds = [
    Array.from({ length: n }, () => true),
    Array.from({ length: n }, (_, i) => i === one),
    Array.from({ length: n }, () => random() < 0.5),
  ];
  return n === 1 ? [kinds[0]] : kinds;
}

// ---------------------------------------------------------------------------------------------------------------------
// Passes over jaxprs
// ---------------------------------------------------------------------------------------------------------------------

const deadCode = law<Point>({
  name: "dead code elimination keeps meaning",
  subject: "function",
  statement: "dce(f, outputs) (the inputs they need) = the outputs of f",
  source,
  check: (point) => {
    const { jaxpr, operands } = traced(point);
    const whole = evalJaxpr(jaxpr, ...operands);
    const name = "dce(f)";
    return every(
      ...masks(jaxpr.outputs.length, generator(point.seed)).map((wanted) => (): Verdict => {
        const { jaxpr: pruned, usedInputs } = dceJaxpr(jaxpr, wanted);
        return every(
          () => wellTyped(pruned, only(jaxpr.inAvals, usedInputs), only(jaxpr.outAvals, wanted), name),
          () =>
            close(evalJaxpr(pruned, ...only(operands, usedInputs)), only(whole, wanted), {
              names: [name, "f"],
              tolerance: 0,
            }),
          () =>
            pruned.eqns.length <= jaxpr.eqns.length &&
            equalJaxprs(dceJaxpr(pruned, all(pruned.outputs)).jaxpr, pruned)
              ? holds
              : fails(
                  { name: "dce(dce(f))", value: String(dceJaxpr(pruned, all(pruned.outputs)).jaxpr) },
                  { name, value: String(pruned) },
                ),
        );
      }),
    );
  },
});

const normalForm = law<Point>({
  name: "unfolding and merging keep meaning",
  subject: "function",
  statement: "normalise(f) = f: calls unfolded, equal equations merged, nothing computed in vain",
  source,
  check: (point) => {
    const { jaxpr, operands } = traced(point);
    const flat = normalise(jaxpr, wasmOptions.buffers - 2);
    return every(
      // It is for devices, which know nothing of weak types.
      () => wellTyped(flat, jaxpr.inAvals, jaxpr.outAvals.map(strong), "normalise(f)", strong),
      () =>
        flat.eqns.some((eqn) => eqn.primitive.name === "jit")
          ? fails({ name: "normalise(f)", value: String(flat) }, { name: "wanted", value: "no calls of jit" })
          : holds,
      () => {
        const [left, right] = [evalJaxpr(flat, ...operands), evalJaxpr(jaxpr, ...operands)];
        return allowingFor(point.f, point.inputs, (tolerance) =>
          close(left, right, { names: ["normalise(f)", "f"], tolerance }),
        );
      },
    );
  },
});

const split = law<Point>({
  name: "partial evaluation splits and joins",
  subject: "function",
  statement: "f(a, b) = unknown(known(a), b)",
  source: "Jones, Gomard & Sestoft, Partial Evaluation and Automatic Program Generation, ch. 4",
  check: (point) => {
    const { jaxpr, operands } = traced(point);
    const whole = evalJaxpr(jaxpr, ...operands);
    return every(
      ...masks(jaxpr.inputs.length, generator(point.seed ^ 0x5bd1)).map((unknown) => (): Verdict => {
        const parts = partialEvalJaxpr(jaxpr, unknown);
        const { known, unknownOut, residuals } = parts;
        const count = known.outputs.length - residuals;
        const residualTypes = known.outAvals.slice(count);
        return every(
          () =>
            wellTyped(
              known,
              only(jaxpr.inAvals, not(unknown)),
              [...only(jaxpr.outAvals, not(unknownOut)), ...residualTypes],
              "known",
            ),
          () =>
            wellTyped(
              parts.unknown,
              [...residualTypes, ...only(jaxpr.inAvals, unknown)],
              only(jaxpr.outAvals, unknownOut),
              "unknown",
            ),
          () => {
            const early = evalJaxpr(known, ...only(operands, not(unknown)));
            const late = evalJaxpr(parts.unknown, ...early.slice(count), ...only(operands, unknown));
            let [k, u] = [0, 0];
            const joined = unknownOut.map((isLate) => (isLate ? late[u++] : early[k++]));
            const same = (tolerance?: number): Verdict =>
              close(joined, whole, { names: ["unknown(known(a), b)", "f(a, b)"], tolerance });
            // A loop is compiled as a whole: what is taken out of it is computed by another program, and rounded by it.
            const isFlat = jaxpr.eqns.every(({ params }) => bodiesOf(params).length === 0);
            return isFlat ? same(0) : allowingFor(point.f, point.inputs, same);
          },
        );
      }),
    );
  },
});

/** Kernels, run by their plain meaning in JavaScript: what the device's printer is told to print. */
const kernels = law<Point>({
  name: "kernels keep meaning",
  subject: "function",
  statement: "⟦optimise(emit(schedule(f)))⟧ = ⟦f⟧",
  source: "Leroy, Formal verification of a realistic compiler, CACM 2009 (semantic preservation)",
  check: (point) => {
    const { jaxpr, operands } = traced(point);
    if (hasEffects(jaxpr)) return abstains("programs with effects are not compiled");
    const outputs = jaxpr.outAvals.map((type) => type.dtype !== "float0");
    const program = compile(jaxpr, wasmOptions);
    const values = runProgram(
      program,
      operands.map((x) => x.dataSync()),
    );
    const arrays = values.map((v, i) => new ConcreteArray(v.slice(0, sizeOf(jaxpr, i)), jaxpr.outAvals[i]));
    const wanted = evalJaxpr(jaxpr, ...operands);
    return allowingFor(point.f, point.inputs, (tolerance) =>
      close(only(arrays, outputs), only(wanted, outputs), { names: ["the kernels of f", "f"], tolerance }),
    );
  },
});

const sizeOf = ({ outAvals }: Jaxpr, i: number): number => outAvals[i].shape.reduce((a, b) => a * b, 1);

// ---------------------------------------------------------------------------------------------------------------------
// Programs as text and as keys
// ---------------------------------------------------------------------------------------------------------------------

const text = law<Point>({
  name: "parsing undoes printing",
  subject: "function",
  statement: "parse(print(f)) = f",
  source: "Rendel & Ostermann, Invertible syntax descriptions, Haskell 2010",
  check: (point) => {
    const { jaxpr } = traced(point);
    const printed = printJaxpr(jaxpr);
    const parsed = parseJaxpr(printed);
    if (isLeft(parsed))
      return fails({ name: "parse(print(f))", value: parsed.left.message }, { name: "f", value: printed });
    const again = parsed.right.jaxpr;
    return equalJaxprs(again, jaxpr)
      ? holds
      : fails({ name: "parse(print(f))", value: printJaxpr(again) }, { name: "f", value: printed });
  },
});

/** The same program with other names, in another object. */
function renamed(jaxpr: Jaxpr): Jaxpr {
  const names = new Map<Var, Var>();
  const shift = 3;
  const rename = (v: Var): Var => {
    let found = names.get(v);
    if (found === undefined) {
      found = new Var(jaxpr.varCount - 1 - v.id + shift, v.aval);
      names.set(v, found);
    }
    return found;
  };
  const use = (a: Jaxpr["outputs"][number]) => (a instanceof Var ? rename(a) : a);
  return new Jaxpr(
    jaxpr.inputs.map(rename),
    jaxpr.eqns.map((eqn) => ({ ...eqn, inputs: eqn.inputs.map(use), outputs: eqn.outputs.map(rename) })),
    jaxpr.outputs.map(use),
    jaxpr.varCount + shift,
  );
}

/** Programs that are not the same as this one, though they are alike. */
function others(jaxpr: Jaxpr): Jaxpr[] {
  const { inputs, eqns, outputs, varCount } = jaxpr;
  const found: Jaxpr[] = [];
  if (outputs.length > 0) found.push(new Jaxpr(inputs, eqns, outputs.slice(1), varCount));
  if (outputs.length > 1 && outputs[0] !== outputs[1])
    found.push(new Jaxpr(inputs, eqns, [outputs[1], outputs[0], ...outputs.slice(2)], varCount));
  if (eqns.length > 0) {
    const last = eqns[eqns.length - 1];
    const marked = { ...last, params: { ...last.params, mark: 1 } };
    found.push(new Jaxpr(inputs, [...eqns.slice(0, -1), marked], outputs, varCount));
  }
  return found;
}

const keys = law<Point>({
  name: "hashing respects equality",
  subject: "function",
  statement: "f = g ⇒ hash f = hash g, and other programs have other hashes",
  source: "Knuth, The Art of Computer Programming, vol. 3, section 6.4",
  check: (point) => {
    const { jaxpr } = traced(point);
    const hash = hashJaxpr(jaxpr);
    const [same, parsed] = [renamed(jaxpr), parseJaxpr(printJaxpr(jaxpr))];
    const alike = isLeft(parsed) ? [same] : [same, parsed.right.jaxpr];
    const show = (equal: boolean, other: string) => `${equal ? "equal" : "not equal"}, ${other}`;
    const expect = (other: Jaxpr, equal: boolean): Verdict =>
      equalJaxprs(jaxpr, other) === equal && (hashJaxpr(other) === hash) === equal
        ? holds
        : fails(
            {
              name: "f and its variant",
              value: show(equalJaxprs(jaxpr, other), `${hash} and ${hashJaxpr(other)}`),
            },
            { name: "wanted", value: show(equal, equal ? "one hash" : "two hashes") },
            String(other),
          );
    return every(
      ...alike.map((other) => () => expect(other, true)),
      ...others(jaxpr).map((other) => () => expect(other, false)),
    );
  },
});

export const functionLaws: readonly Law<Point>[] = [deadCode, normalForm, split, kernels, text, keys];
