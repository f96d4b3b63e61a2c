/**
 * Common subexpressions and loop invariants: a pure value that is used more than once is computed once, under a name,
 * where that dominates its uses, and outside of the loops that it does not depend on. Afterwards expressions are trees of
 * bounded depth, so that printers can recurse.
 *
 * Every value first gets a name, in the outermost place where it may be computed; then names that are used once, and not
 * from inside a loop, are put back where they are used.
 */
import { intervalOf } from "../core/ir/affine.js";
import { get } from "../core/ir/ops.js";
import { type Expr, type Kernel, Local, type Stmt } from "../core/ir/types.js";
import { type NumberedBlock, type NumberedStmt, numberKernel } from "./occurrences.js";
import type { Scope, Value } from "./values.js";
import { mapChildren, mapStmt } from "./walk.js";

/** Deeper expressions are cut, by naming a part. */
const deepest = 80;

/** Pure values that are computed more than once, or in vain in a loop, are computed once. The meaning stays the same. */
export function shareKernel(kernel: Kernel): Kernel {
  return { ...kernel, body: new Sharing().run(numberKernel(kernel)) };
}

/** A value under a name. */
class Named {
  uses = 0;
  /** A scope that it is used in: the only one, if it is used once. */
  usedIn: Scope | undefined = undefined;
  /** Where it is put back instead of named, it is this expression. */
  expr: Expr;
  depth = 1;

  constructor(
    /** The operation, on operands that are not looked at. */
    readonly node: Expr,
    readonly local: Local,
    readonly scope: Scope,
    readonly operands: readonly Operand[],
    /** `always`: a value of a cell at this point. `never`: it stands in the condition of a `while`. */
    readonly named: "always" | "maybe" | "never",
  ) {
    this.expr = get(local);
  }

  /** Its value: once `settle` was called for it and its operands. */
  get isInlined(): boolean {
    return this.expr.op !== "get" || this.expr.local !== this.local;
  }
}

/** A name, or an expression that needs none. */
type Operand = Named | Expr;

const exprOf = (operand: Operand): Expr => (operand instanceof Named ? operand.expr : operand);

/** A block under construction. */
class Block {
  readonly items: (Named | (() => Stmt))[] = [];
  /** Names of what depends on cells and memory, as long as nothing is written. */
  current = new Map<Value, Named>();

  constructor(readonly scope: Scope) {}

  finish(): Stmt[] {
    return this.items.flatMap((item): Stmt[] => {
      if (!(item instanceof Named)) return [item()];
      if (item.uses === 0 || item.isInlined) return [];
      return [{ kind: "let", local: item.local, value: definition(item) }];
    });
  }
}

function definition({ node, operands, named }: Named): Expr {
  if (named === "always") return exprOf(operands[0]);
  let next = 0;
  return mapChildren(node, () => exprOf(operands[next++]));
}

class Sharing {
  /** The blocks around the statement at hand, by depth. */
  private readonly blocks: Block[] = [];
  /** Names of pure values. */
  private readonly names = new Map<Value, Named>();
  /** In the order of dependence. */
  private readonly all: Named[] = [];
  private readonly takenLocals = new Set<Local>();

  run(root: NumberedBlock): Stmt[] {
    const block = this.block(root);
    this.countUses();
    this.settle();
    return block.finish();
  }

  private block({ scope, stmts }: NumberedBlock): Block {
    const block = new Block(scope);
    this.blocks.push(block);
    for (const s of stmts) this.stmt(s, block);
    this.blocks.pop();
    return block;
  }

  private stmt({ stmt, values, blocks, named }: NumberedStmt, block: Block): void {
    // A condition is evaluated again and again, so what can be named for it stands before the loop.
    const site = stmt.kind === "while" ? blocks[0].scope : block.scope;
    const operands = values.map((v) => this.resolve(v, block, site));
    if (stmt.kind === "let" && !stmt.local.mutable) {
      if (named === undefined) return;
      const copy = this.add(new Named(stmt.value, stmt.local, block.scope, operands, "always"), block);
      this.names.set(named, copy);
      block.current.set(values[0], copy);
      return;
    }
    for (const o of operands) use(o, site);
    const inner = blocks.map((b) => this.block(b));
    block.items.push(() => {
      let [e, b] = [0, 0];
      return mapStmt(
        stmt,
        () => exprOf(operands[e++]),
        () => inner[b++].finish(),
      );
    });
    if (stmt.kind === "store") {
      for (const v of block.current.keys()) if (v.readsMemory) block.current.delete(v);
    } else if (stmt.kind !== "let") block.current = new Map();
  }

  /**
   * What a value is known as: an expression that needs no name, or its name, if it has one yet.
   * @param current names of values that are not pure.
   */
  private find(v: Value, current: ReadonlyMap<Value, Named>): Operand | undefined {
    if (v.trivial) return (v.node.op === "get" ? this.names.get(v) : undefined) ?? v.node;
    return v.pure ? this.nameOf(v) : current.get(v);
  }

  /** A name for a value that is used in `site`, or an expression. Whatever it is made of gets a name first. */
  private resolve(root: Value, block: Block, site: Scope): Operand {
    const isCondition = site !== block.scope;
    const current = isCondition ? new Map<Value, Named>() : block.current;
    const done = this.find(root, current);
    if (done !== undefined) return done;
    const todo = [root];
    while (todo.length > 0) {
      const v = todo[todo.length - 1];
      if (this.find(v, current) !== undefined) {
        todo.pop();
        continue;
      }
      const operands = new Array<Operand>(v.operands.length);
      const known = todo.length;
      // The last of the list is looked at first.
      for (let i = operands.length - 1; i >= 0; i--) {
        const operand = this.find(v.operands[i], current);
        if (operand === undefined) todo.push(v.operands[i]);
        else operands[i] = operand;
      }
      if (todo.length > known) continue;
      todo.pop();
      if (v.pure) {
        const scope = placeOf(v, operands, block.scope);
        const target = this.blocks[scope.depth];
        const named = new Named(v.node, this.localFor(v), scope, operands, "maybe");
        this.names.set(v, this.add(named, target));
      } else if (isCondition) {
        const named = new Named(v.node, this.localFor(v), site, operands, "never");
        this.all.push(named);
        current.set(v, named);
      } else {
        const named = new Named(v.node, this.localFor(v), block.scope, operands, "maybe");
        current.set(v, this.add(named, block));
      }
    }
    return this.find(root, current) as Operand;
  }

  /** The latest name of a pure value, if it is in scope: an older one went out of scope before this one was made. */
  private nameOf(v: Value): Named | undefined {
    const named = this.names.get(v);
    return named !== undefined && this.blocks[named.scope.depth]?.scope === named.scope ? named : undefined;
  }

  private add(named: Named, block: Block): Named {
    this.all.push(named);
    block.items.push(named);
    return named;
  }

  private localFor({ name, node }: Value): Local {
    let local = name;
    if (local === undefined || this.takenLocals.has(local)) {
      local = new Local(name?.name ?? nameFor(node), node.type, node.lanes, false, boundOf(node));
    }
    this.takenLocals.add(local);
    return local;
  }

  /** Counts the uses by what is itself used. */
  private countUses(): void {
    for (let i = this.all.length - 1; i >= 0; i--) {
      const named = this.all[i];
      if (named.uses > 0) for (const o of named.operands) use(o, named.scope);
    }
  }

  /** Decides which names are kept. */
  private settle(): void {
    for (const named of this.all) {
      if (named.uses === 0 || named.named === "always") continue;
      let depth = 1;
      for (const o of named.operands)
        if (o instanceof Named && o.isInlined) depth = Math.max(depth, o.depth + 1);
      named.depth = depth;
      const once = named.uses === 1 && named.usedIn?.loop === named.scope.loop && depth < deepest;
      if (once || named.named === "never") named.expr = definition(named);
    }
  }
}

function use(operand: Operand, scope: Scope): void {
  if (!(operand instanceof Named)) return;
  operand.uses++;
  operand.usedIn = scope;
}

/** The outermost scope where a pure value may be computed instead of in `here`. */
function placeOf(v: Value, operands: readonly Operand[], here: Scope): Scope {
  let innermost: Scope | undefined;
  operands.forEach((o, i) => {
    const scope = o instanceof Named ? o.scope : v.operands[i].home;
    if (innermost === undefined || scope.depth > innermost.depth) innermost = scope;
  });
  const limit = innermost?.depth ?? 0;
  let place = here;
  if (v.freedom === "free")
    while (place.depth > limit && place.depth > (v.around as Scope).depth) place = parentOf(place);
  // Out of loops; out of branches only if there is a loop around them to leave.
  for (let scope = place; scope.depth > limit; scope = parentOf(scope)) {
    if (scope.kind === "loop" && (v.freedom !== "bound" || scope.runs)) place = parentOf(scope);
    else if (v.freedom !== "free") break;
  }
  return place;
}

const parentOf = (scope: Scope): Scope => scope.parent as Scope;

/** What an i32 that is never negative is surely below. */
function boundOf(e: Expr): number | undefined {
  if (e.type !== "i32" || e.lanes !== 1) return undefined;
  const { low, high } = intervalOf(e);
  return low >= 0 && high < 2 ** 31 - 1 ? high + 1 : undefined;
}

/** A short name that tells what it is. */
function nameFor(e: Expr): string {
  if (e.op === "load") return `${e.buffer.name}_at`;
  if (e.type === "bool") return "is";
  if (e.type === "i32" && e.op !== "const" && e.op !== "get") return "k";
  return "t";
}
