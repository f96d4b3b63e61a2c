/**
 * Value numbering: expressions of a kernel that always have the same value are one `Value`. Names of values (immutable
 * locals) dissolve into what they name; what depends on mutable locals or on memory that the kernel writes is told apart.
 */
import { InternalError } from "../core/errors.js";
import { intervalOf } from "../core/ir/affine.js";
import { get } from "../core/ir/ops.js";
import type { Buffer, Const, Expr, Local } from "../core/ir/types.js";
import { eachChild, Fold } from "./walk.js";

/** The place of a block of statements. */
export class Scope {
  readonly depth: number;
  /** The nearest loop body that this lies in (or is). */
  readonly loop: Scope | undefined;

  constructor(
    readonly parent: Scope | undefined,
    readonly kind: "root" | "loop" | "branch",
    /** A loop body that is surely run, if the loop is. */
    readonly runs = false,
  ) {
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.loop = kind === "loop" ? this : parent?.loop;
  }
}

/**
 * What must hold where it is evaluated: `free` may be evaluated anywhere; `guarded` is not taken out of a branch, whose
 * condition may be what makes it safe; `bound` is evaluated only where the program would.
 */
export type Freedom = "free" | "guarded" | "bound";

export class Value {
  /** The scope around all its occurrences. */
  around: Scope | undefined = undefined;
  /** A local that names it in the source. */
  name: Local | undefined = undefined;
  /** What has it as its latest operand: there another occurrence of the same operation is looked for. */
  readonly parents: Value[] = [];

  constructor(
    readonly id: number,
    /** The operation; its operands are those of any of its occurrences. */
    readonly node: Expr,
    readonly operands: readonly Value[],
    /** Always the same within the scope of the locals it reads. */
    readonly pure: boolean,
    /** Reads memory that the kernel writes. */
    readonly readsMemory: boolean,
    /** Not worth a name. */
    readonly trivial: boolean,
    readonly freedom: Freedom,
    /** Of a local: where it is declared. */
    readonly home: Scope,
  ) {}
}

export class Numbering {
  private readonly constants = new Map<string, Value>();
  private readonly withoutOperands: Value[] = [];
  private ofExpr = this.numbers();
  private readonly ofLocal = new Map<Local, Value>();
  private count = 0;

  constructor(
    private readonly root: Scope,
    private readonly written: ReadonlySet<Buffer>,
  ) {}

  /** A local that is not the name of a value: a counter, a cell, the name of what was in a cell. */
  declare(local: Local, home: Scope): Value {
    const value = new Value(this.count++, get(local), [], !local.mutable, false, true, "free", home);
    this.set(local, value);
    return value;
  }

  /** A local that is the name of a value. */
  alias(local: Local, value: Value): void {
    value.name ??= local;
    this.set(local, value);
  }

  private set(local: Local, value: Value): void {
    // A block that stands twice in a kernel declares its locals twice: what was said of the first is not true of these.
    if (this.ofLocal.has(local)) this.ofExpr = this.numbers();
    this.ofLocal.set(local, value);
  }

  of(root: Expr): Value {
    return this.ofExpr.of(root);
  }

  private numbers(): Fold<Value> {
    return new Fold((e, of) => this.number(e, of));
  }

  private number(e: Expr, of: (child: Expr) => Value): Value {
    if (e.op === "get") {
      const value = this.ofLocal.get(e.local);
      if (value === undefined) throw new InternalError(`${e.local.name} is used outside its scope`);
      return value;
    }
    if (e.op === "const") return this.constant(e);
    const operands: Value[] = [];
    let pure = true;
    let readsMemory = e.op === "load" && (this.written.has(e.buffer) || e.buffer.space === "scratch");
    eachChild(e, (c) => operands.push(of(c)));
    let latest = operands[0];
    for (let i = 0; i < operands.length; i++) {
      const v = operands[i];
      if (!v.pure) pure = false;
      if (v.readsMemory) readsMemory = true;
      if (v.id > latest.id) latest = v;
    }
    const parents = operands.length === 0 ? this.withoutOperands : latest.parents;
    for (let i = parents.length - 1; i >= 0; i--) if (isSame(parents[i], e, operands)) return parents[i];
    const value = new Value(
      this.count++,
      e,
      operands,
      pure && !readsMemory,
      readsMemory,
      e.op === "vector" && e.parts.every((p) => p.op === "const"),
      freedomOf(e),
      this.root,
    );
    parents.push(value);
    return value;
  }

  private constant(e: Const): Value {
    const key = `${e.type}${e.lanes} ${Object.is(e.value, -0) ? "-0" : e.value}`;
    let value = this.constants.get(key);
    if (value === undefined) {
      value = new Value(this.count++, e, [], true, false, true, "free", this.root);
      this.constants.set(key, value);
    }
    return value;
  }
}

/** Whether a value is that of an operation on these operands. */
function isSame({ node, operands: own }: Value, e: Expr, operands: readonly Value[]): boolean {
  if (node.op !== e.op || node.type !== e.type || node.lanes !== e.lanes) return false;
  if (own.length !== operands.length) return false;
  for (let i = 0; i < own.length; i++) if (own[i] !== operands[i]) return false;
  switch (e.op) {
    case "unary":
    case "binary":
    case "compare":
      return (node as typeof e).fn === e.fn;
    case "load":
      return (node as typeof e).buffer === e.buffer;
    case "extract":
      return (node as typeof e).lane === e.lane;
    case "host":
      return (node as typeof e).fn === e.fn;
    default:
      return true;
  }
}

/** Integer division needs a divisor that is not 0 (nor -1, for the smallest number), shifts go by less than 32. */
function isDefinedEverywhere({ fn, type, y }: Extract<Expr, { op: "binary" }>): boolean {
  if (fn === "shl" || fn === "shr") return y.op === "const";
  if ((fn !== "div" && fn !== "rem") || type === "f32" || type === "f64") return true;
  return y.op === "const" && y.value !== 0 && y.value !== -1;
}

function freedomOf(e: Expr): Freedom {
  switch (e.op) {
    case "load": {
      if (e.guard !== undefined) return "guarded";
      const { low, high } = intervalOf(e.index);
      return low >= 0 && high + e.lanes <= e.buffer.size ? "guarded" : "bound";
    }
    case "binary":
      return isDefinedEverywhere(e) ? "free" : "bound";
    case "host":
      return "bound";
    default:
      return "free";
  }
}
