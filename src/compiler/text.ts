/** Kernels as text, for people: in messages, in tests, and where the compiler explains what it made. */
import type { Expr, Kernel, Local, Stmt } from "../core/ir/types.js";
import { blocksOf, childrenOf, exprsOf, nodesOf } from "./walk.js";

const infix: Partial<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/**
 * The kernel as text. What stands in several places of one statement is written once, as `$0 = ...` before it.
 *
 * ```text
 * kernel scale: range begin..end of 8, x float32[8], y float32[8]
 *   for i = begin to end {
 *     y[i] = x[i] * 2
 *   }
 * ```
 */
export function kernelText(kernel: Kernel): string {
  const { launch } = kernel;
  const names = new Names();
  const how =
    launch.kind === "range"
      ? `range ${names.of(launch.begin)}..${names.of(launch.end)} of ${launch.extent}`
      : `grid of ${launch.groups} groups (${names.of(launch.group)}) of ${launch.threads} threads (${names.of(launch.thread)})`;
  const memory = [...kernel.buffers, ...kernel.scratch].map(
    (b) => `, ${b.space === "scratch" ? "scratch " : ""}${b.name} ${b.dtype}[${b.size}]`,
  );
  const lines = [`kernel ${kernel.name}: ${how}${memory.join("")}`];
  for (const s of kernel.body) writeStmt(s, "  ", names, lines);
  return lines.join("\n");
}

/** One expression as text, on one line. */
export function exprText(e: Expr): string {
  const lines: string[] = [];
  const [text] = spellAll([e], "", new Names(), lines);
  return lines.length === 0 ? text : `${text} where ${lines.join(", ")}`;
}

/** Names of locals, made different where two have the same. */
class Names {
  private readonly names = new Map<Local, string>();
  private readonly taken = new Map<string, number>();

  of(local: Local): string {
    let name = this.names.get(local);
    if (name === undefined) {
      const count = this.taken.get(local.name) ?? 0;
      this.taken.set(local.name, count + 1);
      name = count === 0 ? local.name : `${local.name}_${count}`;
      this.names.set(local, name);
    }
    return name;
  }
}

function writeStmt(s: Stmt, indent: string, names: Names, lines: string[]): void {
  const texts = spellAll(exprsOf(s), indent, names, lines);
  switch (s.kind) {
    case "let": {
      const type = s.local.lanes === 1 ? s.local.type : `${s.local.type}x${s.local.lanes}`;
      lines.push(`${indent}${s.local.mutable ? "var" : "let"} ${names.of(s.local)}: ${type} = ${texts[0]}`);
      return;
    }
    case "assign":
      lines.push(`${indent}${names.of(s.local)} = ${texts[0]}`);
      return;
    case "store":
      lines.push(`${indent}${s.buffer.name}[${elements(texts[0], s.value.lanes)}] = ${texts[1]}`);
      return;
    case "atomic":
      lines.push(`${indent}atomic ${s.fn} ${s.buffer.name}[${texts[0]}], ${texts[1]}`);
      return;
    case "for": {
      const step = s.step === 1 ? "" : ` step ${s.step}`;
      lines.push(`${indent}for ${names.of(s.local)} = ${texts[0]} to ${texts[1]}${step} {`);
      break;
    }
    case "while":
    case "if":
      lines.push(`${indent}${s.kind} ${texts[0]} {`);
      break;
    case "barrier":
      lines.push(`${indent}barrier`);
      return;
  }
  blocksOf(s).forEach((block, i) => {
    if (i === 1 && block.length === 0) return;
    if (i === 1) lines.push(`${indent}} else {`);
    for (const inner of block) writeStmt(inner, `${indent}  `, names, lines);
  });
  lines.push(`${indent}}`);
}

const elements = (index: string, lanes: number): string => (lanes === 1 ? index : `${index}; ${lanes}`);

/** A text for each expression; writes what they share, and what is too deep for one line, as lines of its own. */
function spellAll(exprs: readonly Expr[], indent: string, names: Names, lines: string[]): string[] {
  const nodes = nodesOf(...exprs);
  const uses = new Map<Expr, number>();
  for (const e of nodes) for (const c of childrenOf(e)) uses.set(c, (uses.get(c) ?? 0) + 1);
  const texts = new Map<Expr, string>();
  let shared = 0;
  for (const e of nodes) {
    const bare = spell(e, (c) => texts.get(c) as string, names);
    const isLeaf = e.op === "const" || e.op === "get";
    if (!isLeaf && ((uses.get(e) ?? 0) > 1 || bare.length > 400)) {
      lines.push(`${indent}$${shared} = ${bare}`);
      texts.set(e, `$${shared++}`);
    } else texts.set(e, needsParentheses(e) && uses.has(e) ? `(${bare})` : bare);
  }
  return exprs.map((e) => texts.get(e) as string);
}

const needsParentheses = (e: Expr): boolean =>
  (e.op === "binary" || e.op === "compare") && infix[e.fn] !== undefined;

function spell(e: Expr, text: (e: Expr) => string, names: Names): string {
  switch (e.op) {
    case "const":
      return Object.is(e.value, -0) ? "-0" : String(e.value);
    case "get":
      return names.of(e.local);
    case "load": {
      const guard = e.guard === undefined ? "" : ` if ${bare(text(e.guard))}`;
      return `${e.buffer.name}[${elements(bare(text(e.index)), e.lanes)}${guard}]`;
    }
    case "unary":
      return `${e.fn}(${bare(text(e.x))})`;
    case "binary":
    case "compare": {
      const sign = infix[e.fn];
      return sign === undefined
        ? `${e.fn}(${bare(text(e.x))}, ${bare(text(e.y))})`
        : `${text(e.x)} ${sign} ${text(e.y)}`;
    }
    case "select":
      return `select(${[e.cond, e.onTrue, e.onFalse].map((c) => bare(text(c))).join(", ")})`;
    case "cast":
      return `${e.type}(${bare(text(e.x))})`;
    case "bitcast":
      return `bits_${e.type}(${bare(text(e.x))})`;
    case "splat":
      return `splat(${bare(text(e.x))})`;
    case "vector":
      return `vector(${e.parts.map((p) => bare(text(p))).join(", ")})`;
    case "extract":
      return `${text(e.x)}.${e.lane}`;
    case "host":
      return `${e.name}(${e.args.map((a) => bare(text(a))).join(", ")})`;
  }
}

/** Without the parentheses around the whole. */
function bare(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}
