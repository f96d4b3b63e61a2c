/**
 * Runs kernels and programs in plain JavaScript: the meaning of the kernel IR, clear before fast. What a device would
 * leave undefined is an `InternalError` here: access out of bounds, integer division by zero,
 * threads that meet in scratch memory without a barrier between them. Lowering rules and passes are tested with it.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import { concreteArray } from "../core/array.js";
import { allocate, type DType, settle, type TypedArray } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import {
  type Buffer,
  type Expr,
  type Grid,
  type Kernel,
  type Range,
  type Stmt,
  scalarTypeOf,
} from "../core/ir/types.js";
import { literalArray } from "../core/trace.js";
import { checkKernel } from "./check.js";
import { compileExpr, type Frame, Machine } from "./interpretExpr.js";
import { type ControlStep, carriesOf, type HostStep, type Program } from "./program.js";
import { binaryOf } from "./scalarOps.js";

// ---------------------------------------------------------------------------------------------------------------------
// Statements
// ---------------------------------------------------------------------------------------------------------------------

/** A statement runs to its end, or stops at each barrier: then it is a generator. */
type Plain = (frame: Frame) => void;
type Stepping = (frame: Frame) => Generator<void, void>;

function hasBarrier(s: Stmt): boolean {
  switch (s.kind) {
    case "barrier":
      return true;
    case "for":
    case "while":
      return s.body.some(hasBarrier);
    case "if":
      return s.then.some(hasBarrier) || s.else.some(hasBarrier);
    default:
      return false;
  }
}

function plainBlock(stmts: readonly Stmt[], machine: Machine): Plain {
  const steps = stmts.map((s) => plain(s, machine));
  return (frame) => {
    for (const step of steps) step(frame);
  };
}

/** The bounds of a loop, as functions of the frame. */
function number(e: Expr, machine: Machine): (frame: Frame) => number {
  return compileExpr(e, machine) as (frame: Frame) => number;
}

function plain(s: Stmt, machine: Machine): Plain {
  switch (s.kind) {
    case "let":
    case "assign": {
      const slot = machine.slotOf(s.local);
      const value = compileExpr(s.value, machine);
      return (frame) => {
        frame[slot] = value(frame);
      };
    }
    case "store": {
      const write = machine.writer(s.buffer);
      const index = number(s.index, machine);
      const value = compileExpr(s.value, machine);
      return (frame) => write(index(frame), value(frame));
    }
    case "atomic": {
      const read = machine.reader(s.buffer, 1);
      const write = machine.writer(s.buffer);
      const combine = binaryOf(s.fn, scalarTypeOf(s.buffer.dtype));
      const index = number(s.index, machine);
      const value = number(s.value, machine);
      return (frame) => {
        const i = index(frame);
        write(i, combine(read(i) as number, value(frame)));
      };
    }
    case "for": {
      const slot = machine.slotOf(s.local);
      const [from, to] = [number(s.from, machine), number(s.to, machine)];
      const body = plainBlock(s.body, machine);
      return (frame) => {
        const end = to(frame);
        for (let i = from(frame); i < end; i += s.step) {
          frame[slot] = i;
          body(frame);
        }
      };
    }
    case "while": {
      const cond = compileExpr(s.cond, machine);
      const body = plainBlock(s.body, machine);
      return (frame) => {
        while (cond(frame) !== 0) body(frame);
      };
    }
    case "if": {
      const cond = compileExpr(s.cond, machine);
      const [then, otherwise] = [plainBlock(s.then, machine), plainBlock(s.else, machine)];
      return (frame) => (cond(frame) !== 0 ? then(frame) : otherwise(frame));
    }
    case "barrier":
      throw new InternalError("a barrier outside a grid");
  }
}

function steppingBlock(stmts: readonly Stmt[], machine: Machine): Stepping {
  const steps = stmts.map((s) => stepping(s, machine));
  return function* (frame) {
    for (const step of steps) yield* step(frame);
  };
}

function stepping(s: Stmt, machine: Machine): Stepping {
  if (!hasBarrier(s)) {
    const run = plain(s, machine);
    // biome-ignore lint/correctness/useYield: it never stops
    return function* (frame) {
      run(frame);
    };
  }
  switch (s.kind) {
    case "for": {
      const slot = machine.slotOf(s.local);
      const [from, to] = [number(s.from, machine), number(s.to, machine)];
      const body = steppingBlock(s.body, machine);
      return function* (frame) {
        const end = to(frame);
        for (let i = from(frame); i < end; i += s.step) {
          frame[slot] = i;
          yield* body(frame);
        }
      };
    }
    case "while": {
      const cond = compileExpr(s.cond, machine);
      const body = steppingBlock(s.body, machine);
      return function* (frame) {
        while (cond(frame) !== 0) yield* body(frame);
      };
    }
    case "if": {
      const cond = compileExpr(s.cond, machine);
      const [then, otherwise] = [steppingBlock(s.then, machine), steppingBlock(s.else, machine)];
      return (frame) => (cond(frame) !== 0 ? then(frame) : otherwise(frame));
    }
    default:
      return function* () {
        yield;
      };
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Kernels
// ---------------------------------------------------------------------------------------------------------------------

export interface RunOptions {
  /** Range kernels: how many parts the range is cut into, each run on its own. Default: 1. */
  readonly parts?: number;
}

/** Memory that nobody has written: NaN, or a number that is unlikely to be right. */
export function uninitialised(dtype: DType, size: number): TypedArray {
  const type = scalarTypeOf(dtype);
  return allocate(dtype, size).fill(
    type === "f32" || type === "f64" ? Number.NaN : type === "bool" ? 1 : 0x5a,
  );
}

/**
 * Checks a kernel, and runs it on the arrays that stand for its buffers.
 * @throws InternalError if the kernel is not well typed, or does what a device would leave undefined.
 */
export function runKernel(
  kernel: Kernel,
  memory: ReadonlyMap<Buffer, TypedArray>,
  { parts = 1 }: RunOptions = {},
): void {
  try {
    const problem = checkKernel(kernel);
    if (isLeft(problem)) throw problem.left;
    if (kernel.launch.kind === "grid") runGrid(kernel, kernel.launch, memory);
    else runRange(kernel, kernel.launch, memory, parts);
  } catch (error) {
    if (error instanceof InternalError) error.message += ` (kernel ${kernel.name})`;
    throw error;
  }
}

function runRange(
  kernel: Kernel,
  { extent, begin, end }: Range,
  memory: ReadonlyMap<Buffer, TypedArray>,
  parts: number,
): void {
  const machine = new Machine(memory);
  const [first, last] = [machine.slotOf(begin), machine.slotOf(end)];
  const body = plainBlock(kernel.body, machine);
  for (let part = 0; part < parts; part++) {
    const frame: Frame = [];
    frame[first] = Math.floor((extent * part) / parts);
    frame[last] = Math.floor((extent * (part + 1)) / parts);
    body(frame);
  }
}

function runGrid(kernel: Kernel, grid: Grid, memory: ReadonlyMap<Buffer, TypedArray>): void {
  const all = new Map(memory);
  for (const b of kernel.scratch) all.set(b, uninitialised(b.dtype, b.size));
  const machine = new Machine(all);
  const races = new Races();
  machine.onAccess = (buffer, index, write) => races.visit(buffer, index, write, machine.thread);
  const body = steppingBlock(kernel.body, machine);
  const [group, thread] = [machine.slotOf(grid.group), machine.slotOf(grid.thread)];
  for (let g = 0; g < grid.groups; g++) {
    for (const b of kernel.scratch) all.get(b)?.set(uninitialised(b.dtype, b.size));
    const threads = Array.from({ length: grid.threads }, (_, t) => {
      const frame: Frame = [];
      frame[group] = g;
      frame[thread] = t;
      return body(frame);
    });
    runGroup(threads, machine, races);
  }
}

/** Every thread runs to its next barrier before any goes on. */
function runGroup(threads: readonly Generator<void, void>[], machine: Machine, races: Races): void {
  let running = threads.length;
  while (running > 0) {
    races.nextPhase();
    let finished = 0;
    for (let t = 0; t < threads.length; t++) {
      machine.thread = t;
      if (threads[t].next().done) finished++;
    }
    if (finished > 0 && finished < threads.length)
      throw new InternalError(`${finished} of ${threads.length} threads do not reach a barrier`);
    running -= finished;
  }
}

/** Finds elements of scratch memory that one thread writes and another uses with no barrier between. */
class Races {
  private written = new Map<Buffer, Map<number, number>>();
  private read = new Map<Buffer, Map<number, number>>();

  nextPhase(): void {
    this.written = new Map();
    this.read = new Map();
  }

  visit(buffer: Buffer, index: number, write: boolean, thread: number): void {
    const clash = (seen: Map<number, number>): void => {
      const other = seen.get(index);
      if (other !== undefined && other !== thread)
        throw new InternalError(
          `threads ${other} and ${thread} meet at element ${index} of ${buffer.name} without a barrier between`,
        );
    };
    const writers = entry(this.written, buffer);
    const readers = entry(this.read, buffer);
    clash(writers);
    if (write) {
      clash(readers);
      writers.set(index, thread);
    } else if (readers.has(index) && readers.get(index) !== thread) readers.set(index, Number.NaN);
    else readers.set(index, thread);
  }
}

function entry(map: Map<Buffer, Map<number, number>>, buffer: Buffer): Map<number, number> {
  let inner = map.get(buffer);
  if (inner === undefined) {
    inner = new Map();
    map.set(buffer, inner);
  }
  return inner;
}

// ---------------------------------------------------------------------------------------------------------------------
// Programs
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Runs a program: arrays for its inputs (in storage order, as `allocate` makes them), arrays for its outputs.
 * @throws InternalError if a kernel does what a device would leave undefined.
 */
export function runProgram(
  program: Program,
  inputs: readonly TypedArray[],
  options: RunOptions = {},
): TypedArray[] {
  const memory = new Map<Buffer, TypedArray>();
  if (inputs.length !== program.inputs.length)
    throw new InternalError(`a program of ${program.inputs.length} inputs was given ${inputs.length}`);
  for (const b of [...program.temporaries, ...program.outputs]) memory.set(b, uninitialised(b.dtype, b.size));
  program.inputs.forEach((b, i) => {
    memory.set(b, inputs[i].slice());
  });
  for (const step of program.steps) {
    if (step.kind !== "host")
      for (const [result, operand] of step.inPlace ?? [])
        memory.set(result, memory.get(operand) as TypedArray);
    if (step.kind === "kernel") runKernel(step.kernel, memory, options);
    else if (step.kind === "control") runControlStep(step, memory, options);
    else runHostStep(step, memory);
  }
  const arrayOf = (b: Buffer): TypedArray => memory.get(b) as TypedArray;
  program.inputs.forEach((b, i) => {
    if (program.donated?.has(b)) return;
    if (arrayOf(b).some((x, k) => !Object.is(x, inputs[i][k])))
      throw new InternalError(`program ${program.name} writes to its input ${b.name}`);
  });
  return program.outputs.map((b) => arrayOf(b).slice());
}

/** Branches and loops: every body gets copies, and what it gives is copied. */
function runControlStep(step: ControlStep, memory: Map<Buffer, TypedArray>, options: RunOptions): void {
  const inputs = step.inputs.map((b): TypedArray => (memory.get(b) as TypedArray).slice(0, b.size));
  const give = (results: readonly TypedArray[]): void =>
    results.forEach((y, k) => {
      (memory.get(step.outputs[k]) as TypedArray).set(y);
    });
  if (step.flow === "cond") {
    const taken = Math.min(Math.max(inputs[0][0], 0), step.bodies.length - 1);
    give(runProgram(step.bodies[taken], inputs.slice(1), options));
    return;
  }
  const { inStep, count } = carriesOf(step);
  const consts = inputs.slice(0, inStep);
  let carry = inputs.slice(inStep, inStep + count);
  if (step.flow === "while") {
    const [cond, body] = step.bodies;
    const ofCond = consts.slice(0, step.condConsts);
    const ofBody = consts.slice(step.condConsts);
    while (runProgram(cond, [...ofCond, ...carry], options)[0][0] !== 0)
      carry = runProgram(body, [...ofBody, ...carry], options);
    give(carry);
    return;
  }
  const [body] = step.bodies;
  const stacked = inputs.slice(inStep + count);
  const results = step.outputs.slice(count).map((b) => memory.get(b) as TypedArray);
  for (let t = 0; t < step.length; t++) {
    const at = step.reverse ? step.length - 1 - t : t;
    const entries = stacked.map((x) =>
      x.slice((at * x.length) / step.length, ((at + 1) * x.length) / step.length),
    );
    const made = runProgram(body, [...consts, ...carry, ...entries], options);
    carry = made.slice(0, count);
    for (const [k, y] of made.slice(count).entries()) results[k].set(y, at * y.length);
  }
  give(carry);
}

function runHostStep({ eqn, inputs, outputs }: HostStep, memory: Map<Buffer, TypedArray>): void {
  const operands = eqn.inputs.map((atom, i) => {
    const buffer = inputs[i];
    if (buffer !== undefined) {
      const values = memory.get(buffer) as TypedArray;
      return concreteArray(values.slice(0, buffer.size), atom.aval.shape, atom.aval.dtype);
    }
    if (!("value" in atom)) throw new InternalError(`a host step without a buffer for operand ${i}`);
    return literalArray(atom).concrete();
  });
  const results = eqn.primitive.evaluate(
    operands,
    eqn.params,
    eqn.outputs.map((v) => v.aval),
  );
  results.forEach((result, i) => {
    const target = memory.get(outputs[i]) as TypedArray;
    target.set(settle(outputs[i].dtype, result.values.slice()));
  });
}
