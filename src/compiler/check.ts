/**
 * The type checker of the kernel IR. It is run between passes (by tests, and when something looks wrong): a kernel that
 * passes is well typed, uses only locals in scope and buffers that it declares.
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import { InternalError } from "../core/errors.js";
import {
  type Buffer,
  type Expr,
  type Kernel,
  type Lanes,
  type Local,
  type ScalarType,
  type Stmt,
  scalarTypeOf,
} from "../core/ir/types.js";
import { exprText } from "./text.js";
import { nodesOf } from "./walk.js";

/** What is wrong with the kernel, if anything. */
export function checkKernel(kernel: Kernel): Either<InternalError, void> {
  try {
    new Checker(kernel).check();
    return right(undefined);
  } catch (error) {
    if (error instanceof InternalError) return left(error);
    throw error;
  }
}

const isFloat = (t: ScalarType): boolean => t === "f32" || t === "f64";
const isInteger = (t: ScalarType): boolean => t === "i32" || t === "u32";

/** Which types an operation takes. */
const unaryTypes: Record<Extract<Expr, { op: "unary" }>["fn"], (t: ScalarType) => boolean> = {
  neg: (t) => t !== "bool",
  abs: (t) => t !== "bool" && t !== "u32",
  floor: isFloat,
  ceil: isFloat,
  trunc: isFloat,
  nearest: isFloat,
  sqrt: isFloat,
  not: (t) => !isFloat(t),
  clz: isInteger,
  popcnt: isInteger,
  roundF16: (t) => t === "f32",
};

const isNumber = (t: ScalarType): boolean => t !== "bool";
const hasBits = (t: ScalarType): boolean => !isFloat(t);

const binaryTypes: Record<Extract<Expr, { op: "binary" }>["fn"], (t: ScalarType) => boolean> = {
  add: isNumber,
  sub: isNumber,
  mul: isNumber,
  div: isNumber,
  rem: isInteger,
  min: isNumber,
  max: isNumber,
  and: hasBits,
  or: hasBits,
  xor: hasBits,
  shl: isInteger,
  shr: isInteger,
};

const lanesOf: Record<ScalarType, readonly Lanes[]> = {
  f32: [1, 4],
  i32: [1, 4],
  u32: [1, 4],
  f64: [1, 2],
  bool: [1, 2, 4],
};

interface Typed {
  readonly type: ScalarType;
  readonly lanes: Lanes;
}

const spell = ({ type, lanes }: Typed): string => (lanes === 1 ? type : `${type}x${lanes}`);

class Checker {
  private readonly buffers: ReadonlySet<Buffer>;
  /** Locals in scope. */
  private readonly scope = new Set<Local>();
  private where = "";

  constructor(private readonly kernel: Kernel) {
    this.buffers = new Set([...kernel.buffers, ...kernel.scratch]);
  }

  check(): void {
    const { launch, buffers, scratch, body } = this.kernel;
    this.where = "the launch";
    const counts = launch.kind === "range" ? [launch.extent] : [launch.groups, launch.threads];
    this.need(
      counts.every((n) => Number.isInteger(n) && n >= 0),
      `sizes ${counts}`,
    );
    for (const local of launch.kind === "range"
      ? [launch.begin, launch.end]
      : [launch.group, launch.thread]) {
      this.declare(local);
      this.need(!local.mutable && spell(local) === "i32", `${local.name} is not an immutable i32`);
    }
    this.need(new Set(buffers).size === buffers.length, "a buffer is bound twice");
    this.need(
      buffers.every((b) => b.space === "global"),
      "scratch memory is bound as a buffer",
    );
    this.need(
      scratch.every((b) => b.space === "scratch"),
      "a buffer is declared as scratch memory",
    );
    this.need(scratch.length === 0 || launch.kind === "grid", "a range has no scratch memory");
    this.block(body);
  }

  private fail(message: string): never {
    throw new InternalError(`kernel ${this.kernel.name}, ${this.where}: ${message}`);
  }

  private need(condition: boolean, message: string): void {
    if (!condition) this.fail(message);
  }

  private declare(local: Local): void {
    this.need(!this.scope.has(local), `${local.name} is declared twice`);
    this.need(lanesOf[local.type].includes(local.lanes), `there is no type ${spell(local)}`);
    this.scope.add(local);
  }

  private block(body: readonly Stmt[]): void {
    const declared: Local[] = [];
    for (const s of body) {
      this.stmt(s);
      if (s.kind === "let") declared.push(s.local);
    }
    for (const local of declared) this.scope.delete(local);
  }

  private stmt(s: Stmt): void {
    switch (s.kind) {
      case "let":
        this.where = `let ${s.local.name}`;
        this.expr(s.value, s.local);
        this.declare(s.local);
        return;
      case "assign":
        this.where = `${s.local.name} =`;
        this.need(this.scope.has(s.local), "it is not in scope");
        this.need(s.local.mutable, "it is not mutable");
        this.expr(s.value, s.local);
        return;
      case "store":
      case "atomic": {
        this.where = `${s.kind} to ${s.buffer.name}`;
        this.buffer(s.buffer);
        this.expr(s.index, { type: "i32", lanes: 1 });
        const type = scalarTypeOf(s.buffer.dtype);
        this.expr(s.value, { type, lanes: s.kind === "store" ? s.value.lanes : 1 });
        this.need(s.kind === "store" || type !== "bool", "there is no arithmetic of bools");
        return;
      }
      case "for":
        this.where = `for ${s.local.name}`;
        this.expr(s.from, { type: "i32", lanes: 1 });
        this.expr(s.to, { type: "i32", lanes: 1 });
        this.need(Number.isInteger(s.step) && s.step > 0, `the step is ${s.step}`);
        this.need(!s.local.mutable && spell(s.local) === "i32", "the counter is not an immutable i32");
        this.declare(s.local);
        this.block(s.body);
        this.scope.delete(s.local);
        return;
      case "while":
        this.where = "while";
        this.expr(s.cond, { type: "bool", lanes: 1 });
        this.block(s.body);
        return;
      case "if":
        this.where = "if";
        this.expr(s.cond, { type: "bool", lanes: 1 });
        this.block(s.then);
        this.block(s.else);
        return;
      case "barrier":
        this.where = "barrier";
        this.need(this.kernel.launch.kind === "grid", "a range has no barriers");
    }
  }

  private buffer(buffer: Buffer): void {
    this.need(this.buffers.has(buffer), `buffer ${buffer.name} is not declared`);
  }

  private expr(root: Expr, expected: Typed): void {
    for (const e of nodesOf(root)) {
      const problem = this.node(e);
      if (problem !== undefined) this.fail(`${problem} in ${exprText(e)}`);
    }
    if (spell(root) !== spell(expected))
      this.fail(`${spell(root)} where ${spell(expected)} is needed: ${exprText(root)}`);
  }

  /** What is wrong with a node whose operands are right. */
  private node(e: Expr): string | undefined {
    if (!lanesOf[e.type].includes(e.lanes)) return `there is no type ${spell(e)}`;
    const same = (x: Typed, type: ScalarType = e.type, lanes: Lanes = e.lanes): string | undefined =>
      x.type === type && x.lanes === lanes
        ? undefined
        : `${spell(x)} where ${spell({ type, lanes })} is needed`;
    switch (e.op) {
      case "const":
        return isValueOf(e.type, e.value) ? undefined : `${e.value} is not a value of ${e.type}`;
      case "get":
        return this.scope.has(e.local) ? same(e.local) : `${e.local.name} is not in scope`;
      case "load":
        this.buffer(e.buffer);
        return (
          same({ type: scalarTypeOf(e.buffer.dtype), lanes: e.lanes }) ??
          same(e.index, "i32", 1) ??
          (e.guard && same(e.guard, "bool", 1))
        );
      case "unary":
        return unaryTypes[e.fn](e.type) ? same(e.x) : `no ${e.fn} of ${e.type}`;
      case "binary":
        return binaryTypes[e.fn](e.type) ? (same(e.x) ?? same(e.y)) : `no ${e.fn} of ${e.type}`;
      case "compare":
        if (e.type !== "bool") return `a comparison of type ${e.type}`;
        if (e.x.type === "bool" && e.fn !== "eq" && e.fn !== "ne") return `no ${e.fn} of bools`;
        return same(e.x, e.x.type) ?? same(e.y, e.x.type);
      case "select":
        return same(e.cond, "bool") ?? same(e.onTrue) ?? same(e.onFalse);
      case "cast":
        return same(e.x, e.x.type);
      case "bitcast":
        if ([e.type, e.x.type].some((t) => t === "bool" || t === "f64"))
          return "a value that is not of 32 bits";
        return same(e.x, e.x.type);
      case "splat":
        return e.lanes === 1 ? "a splat to one lane" : same(e.x, e.type, 1);
      case "vector":
        if (e.parts.length !== e.lanes || e.lanes === 1) return `${e.parts.length} parts`;
        return e.parts.map((p) => same(p, e.type, 1)).find((problem) => problem !== undefined);
      case "extract":
        if (!(e.lane >= 0 && e.lane < e.x.lanes) || e.x.lanes === 1) return `lane ${e.lane} of ${spell(e.x)}`;
        return same({ type: e.x.type, lanes: 1 });
      case "host":
        if (!isFloat(e.type)) return "a function of the host that gives no float";
        return e.args.map((a) => same(a, a.type, 1)).find((problem) => problem !== undefined);
    }
  }
}

function isValueOf(type: ScalarType, value: number): boolean {
  switch (type) {
    case "f32":
      return Object.is(Math.fround(value), value);
    case "f64":
      return true;
    case "i32":
      return Object.is(value | 0, value);
    case "u32":
      return Object.is(value >>> 0, value);
    case "bool":
      return value === 0 || value === 1;
  }
}
