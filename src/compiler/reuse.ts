/**
 * Results that take the memory of operands: where a value is needed for the last time by the very step that makes another of
 * the same size, and every element is read before it is written, the two have one place. Loops find their carries in place,
 * and what only changes a part of a value leaves the rest where it is.
 */
import { noting } from "../core/ir/notes.js";
import type { Buffer, Kernel } from "../core/ir/types.js";
import { type CompileBody, condInPlace, partsOf } from "./controlSteps.js";
import { delayUpdates } from "./delay.js";
import { ancestorOf } from "./inheritance.js";
import { computeInPlace, updateInPlace } from "./inPlace.js";
import {
  type CondStep,
  type ControlStep,
  carriesOf,
  type KernelStep,
  type Program,
  type Step,
  usesOf,
} from "./program.js";

/**
 * The program with steps that compute in place where they can. Its kernels must not have been optimised yet.
 *
 * @param compile compiles branches that may overwrite operands; undefined where branches do not do that.
 */
export function reuseOperands(program: Program, compile: CompileBody | undefined): Program {
  return new Reuse(delayUpdates(program), compile).result();
}

class Reuse {
  private readonly first: ReadonlyMap<Buffer, number>;
  private readonly last: ReadonlyMap<Buffer, number>;
  private readonly inputs: ReadonlySet<Buffer>;
  private readonly outputs: ReadonlySet<Buffer>;
  private readonly donated: ReadonlySet<Buffer>;
  /** Values in the memory of a donated input, and that input. */
  private readonly heirs = new Map<Buffer, Buffer>();

  constructor(
    private readonly program: Program,
    private readonly compile: CompileBody | undefined,
  ) {
    [this.first, this.last] = usesOf(program.steps);
    this.inputs = new Set(program.inputs);
    this.outputs = new Set(program.outputs);
    this.donated = program.donated ?? new Set();
    for (const b of this.donated) this.heirs.set(b, b);
  }

  result(): Program {
    const { program } = this;
    const { steps, origin } = program;
    const made: Step[] = [];
    const groups: number[] = [];
    for (let time = 0; time < steps.length; time++) {
      const step = steps[time];
      const updated = step.kind === "kernel" ? noting(() => this.withoutCopy(step, time)) : undefined;
      if (updated !== undefined) time++;
      const now = time;
      made.push(
        updated ??
          (step.kind === "kernel"
            ? noting(() => this.reuse(step, now))
            : step.kind === "control"
              ? this.reuseIn(step, time)
              : step),
      );
      if (origin !== undefined) groups.push(origin.groups[time]);
    }
    return { ...program, steps: made, origin: origin === undefined ? undefined : { ...origin, groups } };
  }

  /** Whether nobody needs a value after a step; `since`: the step that it must have been there before. */
  private isFree(b: Buffer, time: number, since = time): boolean {
    const there = this.inputs.has(b) ? this.donated.has(b) : (this.first.get(b) as number) < since;
    return this.last.get(b) === time && !this.outputs.has(b) && there;
  }

  /** Whether a result may have the memory of an operand. */
  private mayFollow(result: Buffer, operand: Buffer): boolean {
    if (result.dtype !== operand.dtype || result.size !== operand.size) return false;
    const { successors, rotates } = this.program;
    const owner = this.heirs.get(operand);
    if (successors === undefined || owner === undefined || !this.outputs.has(result)) return true;
    return successors.has(result) && (rotates === true || successors.get(result) === owner);
  }

  private note(result: Buffer, operand: Buffer): void {
    const owner = this.heirs.get(operand);
    if (owner !== undefined) this.heirs.set(result, owner);
  }

  private reuse(step: KernelStep, time: number): KernelStep {
    let { kernel } = step;
    const inPlace = new Map<Buffer, Buffer>();
    const operands = new Set(kernel.buffers.filter((b) => this.isFree(b, time)));
    const isMade = (b: Buffer): boolean => this.first.get(b) === time && !this.inputs.has(b);
    const results = kernel.buffers.filter(isMade);
    // Results of the program choose first, and best what is theirs or what is left of arguments: these then need no memory of
    // their own.
    results.sort((x, y) => Number(this.outputs.has(y)) - Number(this.outputs.has(x)));
    for (const result of results) {
      const own = this.program.successors?.get(result);
      const preference = (b: Buffer): number =>
        own !== undefined && this.heirs.get(b) === own
          ? -1
          : Number(this.heirs.has(b) !== this.outputs.has(result));
      for (const operand of [...operands].sort((x, y) => preference(x) - preference(y))) {
        if (!this.mayFollow(result, operand)) continue;
        const changed = computeInPlace(kernel, operand, result);
        if (changed === undefined) continue;
        kernel = changed;
        inPlace.set(result, operand);
        operands.delete(operand);
        this.note(result, operand);
        break;
      }
    }
    return inPlace.size === 0 ? step : { ...step, kernel, inPlace };
  }

  /** The step after one that only copies, changed so that no copy is needed; undefined if one is. */
  private withoutCopy({ copies }: KernelStep, time: number): KernelStep | undefined {
    const step = this.program.steps[time + 1];
    if (copies === undefined || step?.kind !== "kernel") return undefined;
    const { from, to } = copies;
    if (this.first.get(to) !== time || !step.kernel.buffers.includes(to)) return undefined;
    if (!this.isFree(from, this.last.get(from) === time ? time : time + 1, time)) return undefined;
    if (!this.mayFollow(to, from)) return undefined;
    const kernel: Kernel | undefined = updateInPlace(step.kernel, from, to);
    if (kernel === undefined) return undefined;
    this.note(to, from);
    return { ...step, kernel, inPlace: new Map([[to, from]]) };
  }

  private reuseIn(step: ControlStep, time: number): ControlStep {
    const isOnlyOnce = (b: Buffer): boolean => step.inputs.filter((other) => other === b).length === 1;
    const isGood = (result: Buffer, operand: Buffer): boolean =>
      this.isFree(operand, time) && isOnlyOnce(operand) && this.mayFollow(result, operand);
    if (step.flow === "cond") return this.reuseInBranches(step, isGood);
    const { inStep } = carriesOf(step);
    const inPlace = new Map<Buffer, Buffer>();
    for (const [k, from] of step.moves.entries()) {
      const [result, operand] = [step.outputs[k], step.inputs[inStep + k]];
      if (from !== k || !isGood(result, operand)) continue;
      inPlace.set(result, operand);
      this.note(result, operand);
    }
    return inPlace.size === 0 ? step : { ...step, inPlace };
  }

  private reuseInBranches(step: CondStep, isGood: (result: Buffer, operand: Buffer) => boolean): CondStep {
    const { compile } = this;
    const parts = partsOf(step.eqn);
    if (compile === undefined || parts.flow !== "cond") return step;
    const taken = new Set<number>();
    const follows = step.outputs.map((result, k): number | undefined => {
      for (const branch of parts.branches) {
        const i = ancestorOf(branch, k);
        if (i === undefined || taken.has(i) || !isGood(result, step.inputs[1 + i])) continue;
        taken.add(i);
        this.note(result, step.inputs[1 + i]);
        return i;
      }
      return undefined;
    });
    return taken.size === 0 ? step : condInPlace(step, follows, compile);
  }
}
