/**
 * Random programs for whole-program tests. A program is a list of steps whose numbers are read modulo what there is to
 * choose from, so that every list means something and shrinks to a simpler program.
 */
import fc from "fast-check";
import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import { type Aval, sizeOf } from "../../src/core/aval.js";
import { buildJaxpr } from "../../src/core/build.js";
import { type Atom, type Jaxpr, Var } from "../../src/core/jaxpr.js";
import { literalArray } from "../../src/core/trace.js";

export interface Step {
  readonly op: number;
  /** Which arrays. */
  readonly x: number;
  readonly y: number;
  /** Whatever the operation needs to know. */
  readonly numbers: readonly number[];
}

export const steps = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      op: fc.nat(999),
      x: fc.nat(99),
      y: fc.nat(99),
      numbers: fc.array(fc.nat(999), { minLength: 12, maxLength: 12 }),
    }),
    { minLength: 1, maxLength },
  );

/** Choices that a step has made in advance. */
export class Choices {
  private next = 0;

  constructor(private readonly numbers: readonly number[]) {}

  /** A whole number below n (0, if n is 0). */
  below(n: number): number {
    return n === 0 ? 0 : this.numbers[this.next++ % this.numbers.length] % n;
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  flag(): boolean {
    return this.below(2) === 1;
  }

  /** The numbers 0 ... n - 1 in some order. */
  permutation(n: number): number[] {
    const rest = Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: n }, () => rest.splice(this.below(rest.length), 1)[0]);
  }

  /** Some of the numbers 0 ... n - 1, increasing. */
  subset(n: number): number[] {
    return Array.from({ length: n }, (_, i) => i).filter(() => this.flag());
  }
}

/** An operation on two arrays (of which it may use one): nothing if they do not fit. */
export type Operation = (x: NDArray, y: NDArray, choices: Choices) => NDArray | undefined;

/** Elements beyond which a program does not grow. */
const largest = 5000;

/** The jaxpr of a program; its outputs are the arrays that no later step has used, and the last one. */
export function programOf(
  avals: readonly Aval[],
  program: readonly Step[],
  operations: readonly Operation[],
): Jaxpr {
  return buildJaxpr("program", avals, (inputs) => {
    const pool: NDArray[] = [...inputs];
    const used = new Set<NDArray>();
    for (const { op, x, y, numbers } of program) {
      // Most steps go on with what the step before has made.
      const a = x % 3 === 0 ? pool[x % pool.length] : pool[pool.length - 1];
      const b = pool[y % pool.length];
      const made = operations[op % operations.length](a, b, new Choices(numbers));
      if (made === undefined || sizeOf(made.shape) > largest) continue;
      used.add(a);
      pool.push(made);
    }
    return pool.filter((v, i) => i === pool.length - 1 || (i >= inputs.length && !used.has(v)));
  });
}

/** What the `evaluate` rules make of a program. */
export function evaluated(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): ConcreteArray[] {
  const env = new Map<Var, ConcreteArray>(inputs.map((x, i) => [jaxpr.inputs[i], x]));
  const valueOf = (a: Atom): ConcreteArray =>
    a instanceof Var ? (env.get(a) as ConcreteArray) : literalArray(a).concrete();
  for (const { primitive, inputs: operands, params, outputs } of jaxpr.eqns) {
    const results = primitive.evaluate(
      operands.map(valueOf),
      params,
      outputs.map((v) => v.aval),
    );
    for (const [k, y] of results.entries()) env.set(outputs[k], y);
  }
  return jaxpr.outputs.map(valueOf);
}
