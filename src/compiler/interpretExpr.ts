/**
 * Expressions of the kernel IR as lists of JavaScript functions, one for each node: the first half of the interpreter
 * (see interpret.ts). Nodes of an expression may have several parents (a chain of squarings is exponential as a tree):
 * each is computed once, into a register of its own.
 */
import { settle, type TypedArray } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import type { Buffer, Expr, Local } from "../core/ir/types.js";
import { binaryOf, bitcastOf, castOf, compareOf, unaryOf, wrapOf } from "./scalarOps.js";
import { childrenOf, nodesOf } from "./walk.js";

/** A number, or one for each lane. */
export type Value = number | readonly number[];

/** The values of a thread's locals, by slot. */
export type Frame = Value[];

/** Computes a node from the registers of its operands. */
type Step = (registers: readonly Value[], frame: Frame) => Value;

/** What a kernel runs in. */
export class Machine {
  private readonly slots = new Map<Local, number>();
  /** The thread that runs. */
  thread = 0;
  /** Is told of accesses to scratch memory, if there is any. */
  onAccess: ((buffer: Buffer, index: number, write: boolean) => void) | undefined = undefined;

  constructor(private readonly memory: ReadonlyMap<Buffer, TypedArray>) {}

  slotOf(local: Local): number {
    let slot = this.slots.get(local);
    if (slot === undefined) {
      slot = this.slots.size;
      this.slots.set(local, slot);
    }
    return slot;
  }

  arrayOf(buffer: Buffer): TypedArray {
    const array = this.memory.get(buffer);
    if (array === undefined) throw new InternalError(`buffer ${buffer.name} has no memory`);
    if (array.length < buffer.size)
      throw new InternalError(
        `buffer ${buffer.name} of ${buffer.size} elements was given ${array.length} of memory`,
      );
    return array;
  }

  /** Reads `lanes` elements from `index` on. */
  reader(buffer: Buffer, lanes: number): (index: number) => Value {
    const array = this.arrayOf(buffer);
    const visit = buffer.space === "scratch" ? this.onAccess : undefined;
    const one = (index: number): number => {
      visit?.(buffer, index, false);
      return array[index];
    };
    return (index) => {
      checkBounds("reads", buffer, index, lanes);
      if (lanes === 1) return one(index);
      return Array.from({ length: lanes }, (_, lane) => one(index + lane));
    };
  }

  /** Writes one element, or as many as there are values. */
  writer(buffer: Buffer): (index: number, value: Value) => void {
    const array = this.arrayOf(buffer);
    const visit = buffer.space === "scratch" ? this.onAccess : undefined;
    const one = (index: number, x: number): void => {
      visit?.(buffer, index, true);
      array[index] = x;
      if (buffer.dtype === "float16") settle("float16", array.subarray(index, index + 1));
    };
    return (index, value) => {
      checkBounds("writes", buffer, index, typeof value === "number" ? 1 : value.length);
      if (typeof value === "number") one(index, value);
      else for (let lane = 0; lane < value.length; lane++) one(index + lane, value[lane]);
    };
  }
}

function checkBounds(what: string, buffer: Buffer, index: number, lanes: number): void {
  if (index >= 0 && index + lanes <= buffer.size) return;
  const end = lanes === 1 ? "" : ` to ${index + lanes - 1}`;
  throw new InternalError(
    `a kernel ${what} element ${index}${end} of ${buffer.name}, which has ${buffer.size}`,
  );
}

/** Compiles one expression of a statement. */
export function compileExpr(root: Expr, machine: Machine): (frame: Frame) => Value {
  const nodes = nodesOf(root);
  const registerOf = new Map(nodes.map((e, i) => [e, i]));
  const steps = nodes.map((e) =>
    compileNode(
      e,
      childrenOf(e).map((c) => registerOf.get(c) as number),
      machine,
    ),
  );
  const registers = new Array<Value>(nodes.length).fill(0);
  const last = nodes.length - 1;
  return (frame) => {
    for (let i = 0; i < last; i++) registers[i] = steps[i](registers, frame);
    return steps[last](registers, frame);
  };
}

/** Applies a function of scalars to a scalar or lane by lane. */
function lift1(lanes: number, f: (x: number) => number, x: number): Step {
  if (lanes === 1) return (r) => f(r[x] as number);
  return (r) => (r[x] as number[]).map((v) => f(v));
}

function lift2(lanes: number, f: (x: number, y: number) => number, x: number, y: number): Step {
  if (lanes === 1) return (r) => f(r[x] as number, r[y] as number);
  return (r) => {
    const ys = r[y] as number[];
    return (r[x] as number[]).map((v, lane) => f(v, ys[lane]));
  };
}

const fill = (lanes: number, value: number): Value =>
  lanes === 1 ? value : new Array<number>(lanes).fill(value);

/** @param at registers of the operands, in the order of `childrenOf`. */
function compileNode(e: Expr, at: readonly number[], machine: Machine): Step {
  const [x, y, z] = at;
  switch (e.op) {
    case "const": {
      const value = fill(e.lanes, wrapOf(e.type)(e.value));
      return () => value;
    }
    case "get": {
      const slot = machine.slotOf(e.local);
      return (_, frame) => frame[slot];
    }
    case "load": {
      const read = machine.reader(e.buffer, e.lanes);
      if (e.guard === undefined) return (r) => read(r[x] as number);
      const nothing = fill(e.lanes, 0);
      return (r) => (r[y] === 0 ? nothing : read(r[x] as number));
    }
    case "unary":
      return lift1(e.lanes, unaryOf(e.fn, e.type), x);
    case "cast":
      return lift1(e.lanes, castOf(e.x.type, e.type), x);
    case "bitcast":
      return lift1(e.lanes, bitcastOf(e.x.type, e.type), x);
    case "binary":
      return lift2(e.lanes, binaryOf(e.fn, e.type), x, y);
    case "compare":
      return lift2(e.lanes, compareOf[e.fn], x, y);
    case "select":
      if (e.lanes === 1) return (r) => (r[x] !== 0 ? r[y] : r[z]);
      return (r) => {
        const [onTrue, onFalse] = [r[y] as number[], r[z] as number[]];
        return (r[x] as number[]).map((c, lane) => (c !== 0 ? onTrue[lane] : onFalse[lane]));
      };
    case "splat":
      return (r) => fill(e.lanes, r[x] as number);
    case "vector":
      return (r) => at.map((i) => r[i] as number);
    case "extract":
      return (r) => (r[x] as number[])[e.lane];
    case "host": {
      const wrap = wrapOf(e.type);
      return (r) => wrap(e.fn(...at.map((i) => r[i] as number)));
    }
  }
}
