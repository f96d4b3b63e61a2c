/** Random programs for fast-check. */
import fc from "fast-check";
import { type ProgramOptions, randomProgram } from "../programs/generate.js";
import { Program } from "../programs/program.js";
import { shrunkPrograms } from "../programs/shrink.js";

class ProgramArbitrary extends fc.Arbitrary<Program> {
  constructor(private readonly options: ProgramOptions) {
    super();
  }

  /** A program follows from a seed of 32 bits. */
  override generate(random: fc.Random): fc.Value<Program> {
    return new fc.Value(randomProgram(random.nextInt(-0x80000000, 0x7fffffff), this.options), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Program {
    return value instanceof Program;
  }

  override shrink(value: Program): fc.Stream<fc.Value<Program>> {
    return fc.stream(shrunkPrograms(value)).map((p) => new fc.Value(p, undefined));
  }
}

/**
 * Random well-typed programs over the whole registry, each with inputs: `p.f(...p.inputs)` runs it, `p.toPoint()` is what
 * laws are tried on. A failing program shrinks to few equations: each candidate is a part of it, at the values that it
 * had there. `String(p)` prints the jaxpr and the inputs, `p.toTypeScript()` a snippet.
 *
 * @param options `kind`: `smooth` programs (default) compute in float64 and are differentiable around their inputs, `any`
 *   programs have all dtypes; `minSteps`, `maxSteps`: how many primitives are applied, 1 to 12 by default, beside those
 *   that fit shapes and domains; `maxDepth`: how deep branches, loops and calls nest, 3 by default; `effects`: whether to print and call back;
 *   `including`: names of primitives that every program should apply.
 * @example
 * fc.assert(fc.property(program({ maxSteps: 4 }), (p) => checkJaxpr(p.jaxpr)._tag === "Right"));
 */
export const program = (options: ProgramOptions = {}): fc.Arbitrary<Program> => new ProgramArbitrary(options);
