/**
 * Results that take the memory of operands: where a value is needed for the last time by the very kernel that makes
 * another of the same size, and every element is read before it is written, the two have one place.
 */
import type { Buffer } from "../core/ir/types.js";
import { delayUpdates } from "./delay.js";
import { computeInPlace } from "./inPlace.js";
import { type KernelStep, type Program, usesOf } from "./program.js";

/** The program with kernels that compute in place where they can. They must not have been optimised yet. */
export function reuseOperands(given: Program): Program {
  const program = delayUpdates(given);
  const { steps, donated = new Set<Buffer>() } = program;
  const [first, last] = usesOf(steps);
  const inputs = new Set(program.inputs);
  const outputs = new Set(program.outputs);
  /** Values in the memory of a donated input. */
  const inherited = new Set(donated);

  const reuse = (step: KernelStep, time: number): KernelStep => {
    let { kernel } = step;
    const inPlace = new Map<Buffer, Buffer>();
    const isFree = (b: Buffer): boolean =>
      last.get(b) === time && !outputs.has(b) && (inputs.has(b) ? donated.has(b) : first.get(b) !== time);
    const operands = new Set(kernel.buffers.filter(isFree));
    const isMade = (b: Buffer): boolean => first.get(b) === time && !inputs.has(b);
    const results = kernel.buffers.filter(isMade);
    // Results of the program choose first, and best what is left of arguments: these then need no memory of their own.
    results.sort((x, y) => Number(outputs.has(y)) - Number(outputs.has(x)));
    for (const result of results) {
      const preference = (b: Buffer): number => Number(inherited.has(b) !== outputs.has(result));
      for (const operand of [...operands].sort((x, y) => preference(x) - preference(y))) {
        const changed = computeInPlace(kernel, operand, result);
        if (changed === undefined) continue;
        kernel = changed;
        inPlace.set(result, operand);
        operands.delete(operand);
        if (inherited.has(operand)) inherited.add(result);
        break;
      }
    }
    return inPlace.size === 0 ? step : { ...step, kernel, inPlace };
  };

  return { ...program, steps: steps.map((s, time) => (s.kind === "kernel" ? reuse(s, time) : s)) };
}
