/** The text format of modules: the same instructions as the binary, for people to read. */
import {
  type HostFunction,
  type Instruction,
  identifier,
  lanesOf,
  type MemoryImmediate,
  maximumPages,
  type Variable,
  type VectorImmediate,
  type WasmFunction,
  type WasmModule,
} from "./module.js";
import { opcodes } from "./opcodes.js";

/** The module in the WebAssembly text format. Blocks are indented; every instruction stands on a line of its own. */
export function printModule(module: WasmModule): string {
  const lines = ["(module"];
  const shared = module.sharedMemory ? " shared" : "";
  lines.push(`  (import "env" "memory" (memory 1 ${maximumPages}${shared}))`);
  for (const f of module.imports) {
    const params = f.params.length === 0 ? "" : ` (param ${f.params.join(" ")})`;
    lines.push(`  (import "host" ${quote(f.name)} (func ${id(f.name)}${params} (result ${f.result})))`);
  }
  for (const f of module.functions) lines.push(...printFunction(f));
  lines.push(")");
  return `${lines.join("\n")}\n`;
}

const quote = (name: string): string => JSON.stringify(name);

const id = (name: string): string => `$${identifier(name)}`;

function printFunction(f: WasmFunction): string[] {
  const variable = (keyword: string, { name, type }: Variable): string => `(${keyword} ${id(name)} ${type})`;
  const head = [
    `(func ${id(f.name)}`,
    ...(f.exported ? [`(export ${quote(f.name)})`] : []),
    ...f.params.map((p) => variable("param", p)),
    ...(f.result === undefined ? [] : [`(result ${f.result})`]),
  ];
  const names = [...f.params, ...f.locals].map(({ name }) => id(name));
  const lines = [`  ${head.join(" ")}`, ...f.locals.map((l) => `    ${variable("local", l)}`)];
  let depth = 2;
  for (const instruction of f.code) {
    const { op } = instruction;
    if (op === "end" || op === "else") depth--;
    lines.push(`${"  ".repeat(depth)}${printInstruction(instruction, names)}`);
    if (opcodes()[op].immediate === "block" || op === "else") depth++;
  }
  lines.push("  )");
  return lines;
}

function printInstruction({ op, immediate }: Instruction, locals: readonly string[]): string {
  const text = printImmediate({ op, immediate }, locals);
  return text === "" ? op : `${op} ${text}`;
}

function printImmediate({ op, immediate }: Instruction, locals: readonly string[]): string {
  switch (opcodes()[op].immediate) {
    case "none":
      return "";
    case "block":
      return immediate === undefined ? "" : `(result ${immediate as string})`;
    case "local":
      return locals[immediate as number];
    case "function":
      return id((immediate as WasmFunction | HostFunction).name);
    case "f32":
    case "f64":
      return number(immediate as number);
    case "v128": {
      const { shape, value } = immediate as VectorImmediate;
      return `${shape} ${lanesOf(shape, value).map(number).join(" ")}`;
    }
    case "shuffle":
      return (immediate as readonly number[]).join(" ");
    case "memory":
    case "memoryLane": {
      const { offset, align, lane } = immediate as MemoryImmediate;
      const parts = offset === 0 ? [] : [`offset=${offset}`];
      parts.push(`align=${2 ** align}`);
      if (lane !== undefined) parts.push(String(lane));
      return parts.join(" ");
    }
    default:
      return String(immediate as number);
  }
}

function number(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
