/** Prints expressions: each leaves its value on the stack. */
import { InternalError } from "../../core/errors.js";
import { intervalOf } from "../../core/ir/affine.js";
import { isConst } from "../../core/ir/ops.js";
import type { Buffer, Expr, HostCall, Local } from "../../core/ir/types.js";
import { type AccessContext, printAddress, printLoad } from "./access.js";
import { binaryOnStack, unaryOnStack } from "./arithmetic.js";
import type { FunctionBuilder } from "./builder.js";
import type { HalfFunctions } from "./half.js";
import type { HostFunction } from "./module.js";
import { binaries, casts, comparisons, shapeOf, type Typed, unaries, valueTypeOf } from "./shapes.js";

/** What is common to the functions of a module. */
export interface ModuleContext {
  readonly half: HalfFunctions;
  hostFunction(call: HostCall): HostFunction;
}

type Of<Op extends Expr["op"]> = Extract<Expr, { op: Op }>;

export class ExpressionPrinter implements AccessContext {
  /** The locals of the function that hold locals of the kernel. */
  readonly locals = new Map<Local, number>();
  readonly addresses = new Map<Buffer, number>();
  readonly half: HalfFunctions;

  constructor(
    readonly f: FunctionBuilder,
    private readonly module: ModuleContext,
  ) {
    this.half = module.half;
  }

  localOf(local: Local): number {
    const index = this.locals.get(local);
    if (index === undefined) throw new InternalError(`a kernel uses ${local.name} where it has no value`);
    return index;
  }

  addressOf(buffer: Buffer): number {
    const index = this.addresses.get(buffer);
    if (index === undefined)
      throw new InternalError(`a kernel uses ${buffer.name}, which is not bound to it`);
    return index;
  }

  print(e: Expr): void {
    switch (e.op) {
      case "const":
        this.printConstant(e, e.value);
        return;
      case "get":
        this.f.get(this.localOf(e.local));
        return;
      case "load":
        this.printGuardedLoad(e);
        return;
      case "unary":
        this.printUnary(e);
        return;
      case "binary":
        this.printBinary(e);
        return;
      case "compare":
        this.printCompare(e);
        return;
      case "select":
        this.printSelect(e);
        return;
      case "cast":
        this.printCast(e);
        return;
      case "bitcast":
        this.print(e.x);
        if (e.lanes !== 1) return;
        if (e.type === "f32") this.f.plain("f32.reinterpret_i32");
        else if (e.x.type === "f32") this.f.plain("i32.reinterpret_f32");
        return;
      case "splat":
        this.printSplat(e);
        return;
      case "vector":
        this.printVector(e);
        return;
      case "extract":
        this.printExtract(e);
        return;
      case "host":
        for (const argument of e.args) this.print(argument);
        this.f.call(this.module.hostFunction(e));
    }
  }

  /** A number in the type (and lanes) of `like`. */
  private printConstant(like: Typed, value: number): void {
    const { f } = this;
    const shape = shapeOf(like);
    switch (shape) {
      case "f32":
      case "f64":
        f.constant(shape, value);
        return;
      case "f32x4":
      case "f64x2":
        f.vectorConstant(shape, value);
        return;
      case "i32x4":
      case "u32x4":
        f.vectorConstant("i32x4", value);
        return;
      case "boolx4":
        f.vectorConstant("i32x4", -value);
        return;
      case "boolx2":
        f.vectorConstant("i64x2", -value);
        return;
      default:
        f.constant("i32", value);
    }
  }

  private printGuardedLoad(e: Of<"load">): void {
    const load = (): void => printLoad(this, e.buffer, e.lanes, printAddress(this, e.buffer, e.index));
    if (e.guard === undefined) {
      load();
      return;
    }
    this.print(e.guard);
    this.f.ifElse(valueTypeOf(e), load, () => this.printConstant(e, 0));
  }

  private printUnary(e: Of<"unary">): void {
    const shape = shapeOf(e);
    this.print(e.x);
    if (e.fn === "roundF16") {
      this.f.call(this.half.round(e.lanes));
      return;
    }
    if (shape === "f32x4" && (e.fn === "neg" || e.fn === "abs")) {
      // The processor has no instruction for these. A mask is made outside of the loop, those of V8 inside.
      this.f.vectorConstant("i32x4", e.fn === "neg" ? -0x80000000 : 0x7fffffff);
      this.f.plain(e.fn === "neg" ? "v128.xor" : "v128.and");
      return;
    }
    const simple = unaries[shape]?.[e.fn];
    if (simple !== undefined) this.f.plain(...simple);
    else if (!unaryOnStack(this.f, e.fn, shape)) throw new InternalError(`${e.fn} of ${shape}`);
  }

  private printBinary(e: Of<"binary">): void {
    if (this.printSpecial(e)) return;
    const shape = shapeOf(e);
    this.print(e.x);
    this.print(e.y);
    const simple = binaries[shape]?.[e.fn];
    if (simple !== undefined) this.f.plain(...simple);
    else if (!binaryOnStack(this.f, e.fn, shape)) throw new InternalError(`${e.fn} of ${shape}`);
  }

  /** Operations with a constant, or the same number of bits in all lanes, that have faster instructions. */
  private printSpecial(e: Of<"binary">): boolean {
    const { f } = this;
    const shape = shapeOf(e);
    const { fn, x, y } = e;
    if (shape === "i32" && (fn === "div" || fn === "rem") && isConst(y) && y.value > 0) {
      // Unsigned division by a power of two is a shift.
      if (intervalOf(x).low < 0) return false;
      this.print(x);
      this.print(y);
      f.plain(fn === "div" ? "i32.div_u" : "i32.rem_u");
      return true;
    }
    if (e.lanes === 4 && (fn === "shl" || fn === "shr") && (y.op === "const" || y.op === "splat")) {
      this.print(x);
      if (y.op === "const") f.constant("i32", y.value);
      else this.print(y.x);
      f.plain(fn === "shl" ? "i32x4.shl" : e.type === "i32" ? "i32x4.shr_s" : "i32x4.shr_u");
      return true;
    }
    if ((shape === "f32x4" || shape === "f64x2") && (fn === "min" || fn === "max") && isConst(y)) {
      // pmin(x, c) is c < x ? c : x, one instruction of the processor. It is NaN where x is, and differs from the
      // minimum only where it picks between zeros; adding 0 to the maximum makes -0 into 0, and changes nothing else.
      if (Number.isNaN(y.value) || (fn === "min" && Object.is(y.value, -0))) return false;
      this.print(x);
      this.print(y);
      f.plain(`${shape}.p${fn}`);
      if (fn === "max" && Object.is(y.value, 0)) {
        f.vectorConstant(shape, 0);
        f.plain(`${shape}.add`);
      }
      return true;
    }
    return false;
  }

  private printCompare(e: Of<"compare">): void {
    const shape = shapeOf(e.x);
    this.print(e.x);
    if (shape === "i32x4" && e.fn === "lt" && isConst(e.y, 0)) {
      // The sign, in all bits.
      this.f.constant("i32", 31);
      this.f.plain("i32x4.shr_s");
      return;
    }
    this.print(e.y);
    const simple = comparisons[shape]?.[e.fn];
    if (simple === undefined) throw new InternalError(`${e.fn} of ${shape}`);
    this.f.plain(...simple);
  }

  private printSelect(e: Of<"select">): void {
    if (e.lanes === 1 && (callsHost(e.onTrue) || callsHost(e.onFalse))) {
      // Leaving WebAssembly is worth a branch.
      this.print(e.cond);
      this.f.ifElse(
        valueTypeOf(e),
        () => this.print(e.onTrue),
        () => this.print(e.onFalse),
      );
      return;
    }
    if (this.printExtreme(e) || this.printMasked(e)) return;
    this.print(e.onTrue);
    this.print(e.onFalse);
    this.print(e.cond);
    this.f.plain(e.lanes === 1 ? "select" : "v128.bitselect");
  }

  /** x < y ? y : x is pmax(x, y), and y < x ? y : x is pmin(x, y): one instruction, where `bitselect` takes three. */
  private printExtreme({ cond, onTrue: y, onFalse: x, ...typed }: Of<"select">): boolean {
    const shape = shapeOf(typed);
    if ((shape !== "f32x4" && shape !== "f64x2") || cond.op !== "compare") return false;
    if (cond.fn !== "lt" && cond.fn !== "gt") return false;
    const [low, high] = cond.fn === "lt" ? [cond.x, cond.y] : [cond.y, cond.x];
    const isMax = isSame(low, x) && isSame(high, y);
    if (!isMax && !(isSame(low, y) && isSame(high, x))) return false;
    this.print(x);
    this.print(y);
    this.f.plain(`${shape}.${isMax ? "pmax" : "pmin"}`);
    return true;
  }

  /** A choice between a vector and zeros masks the vector. */
  private printMasked({ cond, onTrue, onFalse, lanes }: Of<"select">): boolean {
    if (lanes === 1 || isConst(onTrue, 0) === isConst(onFalse, 0)) return false;
    const kept = isConst(onTrue, 0) ? onFalse : onTrue;
    this.print(kept);
    this.print(cond);
    this.f.plain(kept === onTrue ? "v128.and" : "v128.andnot");
    return true;
  }

  private printCast(e: Of<"cast">): void {
    const { f } = this;
    const from = shapeOf(e.x);
    const to = shapeOf(e);
    this.print(e.x);
    const simple = casts[from]?.[to];
    if (from === to) return;
    if (simple !== undefined) f.plain(...simple);
    else if (e.type === "bool") {
      this.printConstant(e.x, 0);
      f.plain(...(comparisons[from]?.ne ?? []));
    } else if (from === "boolx4" || from === "boolx2") {
      // A mask keeps the bits of 1 or drops them.
      this.printConstant(e, 1);
      f.plain("v128.and");
    } else throw new InternalError(`a conversion of ${from} to ${to}`);
  }

  private printSplat(e: Of<"splat">): void {
    const { f } = this;
    const { x } = e;
    if (x.op === "load" && x.guard === undefined && splatsFromMemory.has(x.buffer.dtype)) {
      const at = printAddress(this, x.buffer, x.index);
      f.memory(x.buffer.dtype === "float64" ? "v128.load64_splat" : "v128.load32_splat", at);
      return;
    }
    if (e.type === "bool") {
      f.constant("i32", 0);
      this.print(x);
      f.plain("i32.sub");
      if (e.lanes === 4) f.plain("i32x4.splat");
      else f.plain("i64.extend_i32_s", "i64x2.splat");
      return;
    }
    this.print(x);
    f.plain(e.type === "f32" ? "f32x4.splat" : e.type === "f64" ? "f64x2.splat" : "i32x4.splat");
  }

  private printVector(e: Of<"vector">): void {
    const { f } = this;
    shapeOf(e);
    const wide = e.type === "bool" && e.lanes === 2;
    const lanes = e.type === "f32" ? "f32x4" : e.type === "f64" ? "f64x2" : wide ? "i64x2" : "i32x4";
    const values = e.parts.flatMap((part) => (part.op === "const" ? [part.value] : []));
    if (values.length === e.parts.length) {
      f.vectorConstant(lanes, e.type === "bool" ? values.map((x) => -x) : values);
      return;
    }
    if (this.printShuffle(e.parts)) return;
    e.parts.forEach((part, lane) => {
      this.print(part);
      if (wide) f.plain("i64.extend_i32_u");
      if (lane === 0) f.plain(`${lanes}.splat`);
      else f.lane(`${lanes}.replace_lane`, lane);
    });
    if (e.type === "bool") f.plain(wide ? "i64x2.neg" : "i32x4.neg");
  }

  /** Lanes of a vector in another order. */
  private printShuffle(parts: readonly Expr[]): boolean {
    const [first] = parts;
    if (first.op !== "extract" || first.x.op !== "get") return false;
    const { x } = first;
    const order = parts.flatMap((e) => (e.op === "extract" && isSame(e.x, x) ? [e.lane] : []));
    if (order.length < parts.length || x.lanes !== parts.length) return false;
    const size = 16 / x.lanes;
    this.print(x);
    this.print(x);
    this.f.shuffle(order.flatMap((lane) => Array.from({ length: size }, (_, byte) => lane * size + byte)));
    return true;
  }

  private printExtract(e: Of<"extract">): void {
    const { f } = this;
    const { x } = e;
    this.print(x);
    switch (shapeOf(x)) {
      case "f32x4":
        f.lane("f32x4.extract_lane", e.lane);
        return;
      case "f64x2":
        f.lane("f64x2.extract_lane", e.lane);
        return;
      case "boolx2":
        f.lane("i64x2.extract_lane", e.lane);
        f.plain("i32.wrap_i64");
        break;
      default:
        f.lane("i32x4.extract_lane", e.lane);
    }
    if (x.type !== "bool") return;
    f.constant("i32", 1);
    f.plain("i32.and");
  }
}

/** Dtypes whose elements can be loaded into all lanes at once. */
const splatsFromMemory: ReadonlySet<string> = new Set(["float32", "float64", "int32", "uint32"]);

const hostCalls = new WeakMap<Expr, boolean>();

/** Whether an expression has a call of JavaScript in it. */
function callsHost(e: Expr): boolean {
  let found = hostCalls.get(e);
  if (found === undefined) {
    found = findHostCall(e);
    hostCalls.set(e, found);
  }
  return found;
}

function findHostCall(e: Expr): boolean {
  switch (e.op) {
    case "const":
    case "get":
      return false;
    case "load":
      return callsHost(e.index) || (e.guard !== undefined && callsHost(e.guard));
    case "unary":
    case "cast":
    case "bitcast":
    case "splat":
    case "extract":
      return callsHost(e.x);
    case "binary":
    case "compare":
      return callsHost(e.x) || callsHost(e.y);
    case "select":
      return callsHost(e.cond) || callsHost(e.onTrue) || callsHost(e.onFalse);
    case "vector":
      return e.parts.some(callsHost);
    case "host":
      return true;
  }
}

/** Whether two operands are the same value; what is used twice has a name by now. */
const isSame = (x: Expr, y: Expr): boolean =>
  x === y ||
  (x.op === "get" && y.op === "get" && x.local === y.local) ||
  (x.op === "const" && y.op === "const" && x.type === y.type && Object.is(x.value, y.value));
