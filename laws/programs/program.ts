/** A program: a well-typed jaxpr with inputs at which it is defined, as laws and users see it. */
import { type ConcreteArray, countEqns, evalJaxpr, type Jaxpr } from "fluxion";
import type { ArrayFunction } from "../law.js";
import { makePoint, type Point } from "../point.js";
import type { Copies } from "./copies.js";
import { run } from "./run.js";
import { spellElements } from "./spell.js";
import { programToTypeScript } from "./typescript.js";

/**
 * A jaxpr and inputs. Programs of `program()` and `randomProgram` are smooth in a neighbourhood of their inputs, if they
 * were asked to be.
 *
 * @example
 * const p = randomProgram(7);
 * p.f(...p.inputs).length === p.jaxpr.outputs.length; // true
 */
export class Program {
  /** The program as a function: it can be traced and transformed. */
  readonly f: ArrayFunction;
  /** The point that was last asked for: many laws are tried on it. */
  private point: Point | undefined;

  constructor(
    readonly jaxpr: Jaxpr,
    readonly inputs: readonly ConcreteArray[],
    /** Two more lists of inputs, close to the first. */
    readonly neighbours: readonly [readonly ConcreteArray[], readonly ConcreteArray[]],
  ) {
    this.f = (...xs) => evalJaxpr(jaxpr, ...xs);
  }

  /** The number of equations, those in the bodies of calls included. */
  get size(): number {
    return countEqns(this.jaxpr);
  }

  /** The inputs with their neighbours. */
  get inputCopies(): readonly Copies[] {
    const [one, other] = this.neighbours;
    return this.inputs.map((x, i) => [x, one[i], other[i]]);
  }

  /** The values of all variables of the jaxpr, by id. */
  values(): readonly Copies[] {
    return run(this.jaxpr, this.inputCopies);
  }

  /** The program at its inputs, with directions that follow from the seed. The neighbours are the rows of a batch. */
  toPoint(seed = 1): Point {
    if (this.point?.seed !== seed) this.point = makePoint(this.f, this.inputs, seed, this.neighbours);
    return this.point;
  }

  /** The jaxpr and the values of the inputs. */
  toString(): string {
    const inputs = this.inputs.map(
      (x, i) => `input ${i}: ${x.dtype}[${x.shape.join(",")}] ${spellElements(x)}`,
    );
    return [String(this.jaxpr), ...inputs].join("\n");
  }

  /** A snippet that runs the same program: to be pasted into a file. */
  toTypeScript(): string {
    return programToTypeScript(this.jaxpr, this.inputs);
  }
}
