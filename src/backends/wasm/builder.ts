/** Builds the code of one function: instructions in order, named locals, and temporary ones that are used again. */
import {
  type HostFunction,
  type Immediate,
  type Instruction,
  identifier,
  type MemoryImmediate,
  type ValueType,
  type Variable,
  type WasmFunction,
} from "./module.js";
import type { LaneOp, MemoryLaneOp, MemoryOp, OpName, PlainOp } from "./opcodes.js";

export class FunctionBuilder {
  readonly code: Instruction[] = [];
  private readonly variables: Variable[];
  private readonly params: readonly Variable[];
  private readonly taken = new Map<string, number>();
  /** Locals that nothing uses any more, by name and type. */
  private readonly idle = new Map<string, number[]>();
  private readonly keys: string[] = [];

  constructor(
    private readonly name: string,
    params: readonly Variable[],
    private readonly result: ValueType | undefined,
  ) {
    this.params = params.map(({ name: n, type }) => ({ name: this.unique(identifier(n)), type }));
    this.variables = [...this.params];
  }

  private unique(name: string): string {
    const count = this.taken.get(name);
    this.taken.set(name, (count ?? 0) + 1);
    // The text may itself be a name that somebody gave, such as "x_1".
    return count === undefined ? name : this.unique(`${name}_${count}`);
  }

  /** A local of its own; after `release` one of the same name and type may take its place. */
  acquire(type: ValueType, name: string): number {
    const key = `${type} ${name}`;
    const idle = this.idle.get(key)?.pop();
    if (idle !== undefined) return idle;
    this.variables.push({ name: this.unique(identifier(name)), type });
    const index = this.variables.length - 1;
    this.keys[index] = key;
    return index;
  }

  release(index: number): void {
    const list = this.idle.get(this.keys[index]);
    if (list === undefined) this.idle.set(this.keys[index], [index]);
    else list.push(index);
  }

  private emit(op: OpName, immediate: Immediate): void {
    this.code.push({ op, immediate });
  }

  plain(...ops: readonly PlainOp[]): void {
    for (const op of ops) this.emit(op, undefined);
  }

  get(local: number): void {
    this.emit("local.get", local);
  }

  set(local: number): void {
    this.emit("local.set", local);
  }

  tee(local: number): void {
    this.emit("local.tee", local);
  }

  constant(type: "i32" | "i64" | "f32" | "f64", value: number): void {
    this.emit(`${type}.const`, value);
  }

  vectorConstant(shape: "f32x4" | "i32x4" | "f64x2" | "i64x2", value: number | readonly number[]): void {
    this.emit("v128.const", { shape, value });
  }

  lane(op: LaneOp, lane: number): void {
    this.emit(op, lane);
  }

  /** Picks bytes out of two vectors: 0 to 15 are those of the first. */
  shuffle(bytes: readonly number[]): void {
    this.emit("i8x16.shuffle", bytes);
  }

  memory(op: MemoryOp | MemoryLaneOp, immediate: MemoryImmediate): void {
    this.emit(op, immediate);
  }

  call(f: WasmFunction | HostFunction): void {
    this.emit("call", f);
  }

  /** `body` within a block; `br` to it goes behind its end. */
  block(body: () => void): void {
    this.emit("block", undefined);
    body();
    this.emit("end", undefined);
  }

  /** `body` within a loop; `br` to it goes to its start. */
  loop(body: () => void): void {
    this.emit("loop", undefined);
    body();
    this.emit("end", undefined);
  }

  /** Chooses by the i32 on the stack. */
  ifElse(result: ValueType | undefined, then: () => void, otherwise?: () => void): void {
    this.emit("if", result);
    then();
    if (otherwise !== undefined) {
      this.emit("else", undefined);
      otherwise();
    }
    this.emit("end", undefined);
  }

  branch(op: "br" | "br_if", label: number): void {
    this.emit(op, label);
  }

  finish(exported: boolean): WasmFunction {
    return {
      kind: "function",
      name: this.name,
      exported,
      params: this.params,
      result: this.result,
      locals: this.variables.slice(this.params.length),
      code: this.code,
    };
  }
}
