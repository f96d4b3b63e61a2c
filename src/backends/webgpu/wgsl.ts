/**
 * Kernels as WebGPU shaders.
 *
 * Numbers are those of the kernel IR, with what WGSL allows a device: numbers below 2^-126 may be taken for 0; a product
 * and a sum may be rounded once; division is within 2.5 units in the last place and a square root within about as much (on
 * the devices that were measured both are correctly rounded).
 */
import { DeviceError, InternalError } from "../../core/errors.js";
import type { Expr, Grid, Kernel, Local, Stmt } from "../../core/ir/types.js";
import { Constants, unknown } from "./wgslConstants.js";
import { Expressions } from "./wgslExpr.js";
import { Helpers, typeText } from "./wgslHelpers.js";
import { Memory } from "./wgslMemory.js";
import { Names } from "./wgslNames.js";

export interface WgslOptions {
  /** The device has `shader-f16`: float16 takes two bytes in memory. Otherwise it is kept in words. Default: false. */
  readonly float16?: boolean;
  /** Names say nothing, so that kernels that do the same are the same text. Default: false. */
  readonly plainNames?: boolean;
  /** Locals that stand for how far the loops around the kernel are: they are read from a buffer that the host fills. */
  readonly counters?: readonly Local[];
}

/** Loops that can stand around a kernel: so many numbers are in the buffer of counters. */
export const mostCounters = 64;

export interface Shader {
  readonly code: string;
  /** For each buffer of the kernel whether it is written. */
  readonly written: readonly boolean[];
  /** Whether the buffer of counters is bound after them. */
  readonly counted: boolean;
  /** Workgroups along x and y. */
  readonly workgroups: readonly [number, number];
}

/** What every device allows along one dimension of a dispatch (https://www.w3.org/TR/webgpu/#limits). */
const maxWorkgroups = 65_535;

/**
 * Prints a grid kernel as WGSL, with the entry point `main`.
 *
 * @throws DtypeError for float64, which WebGPU does not have; DeviceError for calls of JavaScript functions.
 */
export function printWgsl(
  kernel: Kernel,
  { float16 = false, plainNames = false, counters = [] }: WgslOptions = {},
): Shader {
  const { launch } = kernel;
  if (launch.kind !== "grid") throw new InternalError(`kernel ${kernel.name} is for the CPU`);
  return new Printer(kernel, launch, new Names(plainNames), float16, counters).print();
}

/** Declares the buffer of counters, which the host binds. */
export const declareCounters = (name: string, binding: number): string =>
  `@group(0) @binding(${binding}) var<uniform> ${name}: array<vec4<i32>, ${mostCounters / 4}>;`;

class Printer {
  private readonly helpers = new Helpers();
  private readonly constants: Constants;
  private readonly memory: Memory;
  private readonly expressions: Expressions;
  private readonly read = new Set<Local>();
  private readonly lines: string[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly grid: Grid,
    private readonly names: Names,
    float16: boolean,
    private readonly counters: readonly Local[],
  ) {
    this.constants = new Constants(names);
    this.memory = new Memory(kernel, this.names, this.helpers, float16);
    this.expressions = new Expressions(this.names, this.memory, this.helpers, this.constants, (local) =>
      this.read.add(local),
    );
  }

  print(): Shader {
    const { groups, threads } = this.grid;
    const rows = Math.max(1, Math.ceil(groups / maxWorkgroups));
    const columns = Math.ceil(groups / rows);
    if (rows > maxWorkgroups)
      throw new DeviceError(
        `kernel ${this.kernel.name} needs ${groups} workgroups, which no WebGPU device runs at once`,
      );
    this.block(this.kernel.body, "  ");
    const counted = this.counters.some((local) => this.read.has(local));
    const counts = counted ? this.names.fresh("counts") : "";
    const code = [
      ...(this.memory.usesF16 ? ["enable f16;", ""] : []),
      ...this.memory.declarations(),
      ...(counted ? [declareCounters(counts, this.kernel.buffers.length)] : []),
      "",
      ...[...this.helpers.texts(), ...this.memory.texts()].flatMap((text) => [text, ""]),
      `@compute @workgroup_size(${threads})`,
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {",
      ...this.counterLines(counts),
      ...this.prologue(columns, rows),
      ...this.lines,
      "}",
      "",
    ].join("\n");
    return {
      code,
      written: this.kernel.buffers.map((b) => this.memory.isWritten(b)),
      counted,
      workgroups: [columns, rows],
    };
  }

  private counterLines(counts: string): string[] {
    return this.counters.flatMap((local, i) =>
      this.read.has(local) ? [`  let ${this.names.of(local)} = ${counts}[${i >> 2}][${i & 3}];`] : [],
    );
  }

  /** Numbers of the workgroup and the thread, and constants. */
  private prologue(columns: number, rows: number): string[] {
    const { group, thread, groups } = this.grid;
    const lines: string[] = [];
    const name = this.names.of(group);
    const spare = columns * rows > groups;
    if (this.read.has(group) || spare) {
      const number = rows === 1 ? "workgroup.x" : `workgroup.x + workgroup.y * ${columns}u`;
      lines.push(`  let ${name} = i32(${number});`);
    }
    if (spare) lines.push(`  if (${name} >= ${groups}) { return; }`);
    if (this.read.has(thread)) lines.push(`  let ${this.names.of(thread)} = i32(invocation);`);
    if (this.constants.usesUnknown) lines.push(`  let ${unknown} = workgroup.z; // always 0`);
    return [...lines, ...this.constants.declarations().map((line) => `  ${line}`)];
  }

  private block(body: readonly Stmt[], indent: string): void {
    for (const s of body) this.stmt(s, indent);
  }

  /** Prints expressions of a statement; what they need before it goes to the lines. */
  private exprs(indent: string, ...roots: readonly Expr[]): string[] {
    const { texts, lets } = this.expressions.print(roots);
    for (const line of lets) this.lines.push(indent + line);
    return texts;
  }

  private stmt(s: Stmt, indent: string): void {
    const line = (text: string): void => void this.lines.push(indent + text);
    switch (s.kind) {
      case "let": {
        const [value] = this.exprs(indent, s.value);
        const { type, lanes, mutable } = s.local;
        const name = this.names.of(s.local);
        if (!mutable) this.expressions.define(s.local, s.value);
        line(mutable ? `var ${name}: ${typeText(type, lanes)} = ${value};` : `let ${name} = ${value};`);
        break;
      }
      case "assign": {
        const [value] = this.exprs(indent, s.value);
        line(`${this.names.of(s.local)} = ${value};`);
        break;
      }
      case "store": {
        const [index, value] = this.exprs(indent, s.index, s.value);
        line(this.memory.store(s.buffer, index, value, s.value.lanes));
        break;
      }
      case "atomic": {
        const [index, value] = this.exprs(indent, s.index, s.value);
        line(this.memory.atomic(s, index, value));
        break;
      }
      case "for": {
        let [from, to] = this.exprs(indent, s.from, s.to);
        if (s.to.op !== "const" && !(s.to.op === "get" && !s.to.local.mutable)) {
          const end = this.names.fresh("end");
          line(`let ${end} = ${to};`);
          to = end;
        }
        const i = this.names.of(s.local);
        const next = s.step === 1 ? `${i}++` : `${i} += ${s.step}`;
        line(`for (var ${i}: i32 = ${from}; ${i} < ${to}; ${next}) {`);
        this.block(s.body, `${indent}  `);
        line("}");
        break;
      }
      case "while": {
        const { texts, lets } = this.expressions.print([s.cond]);
        if (lets.length === 0) line(`while (${texts[0]}) {`);
        else {
          line("loop {");
          for (const text of lets) line(`  ${text}`);
          line(`  if (!(${texts[0]})) { break; }`);
        }
        this.block(s.body, `${indent}  `);
        line("}");
        break;
      }
      case "if": {
        const [cond] = this.exprs(indent, s.cond);
        line(`if (${cond}) {`);
        this.block(s.then, `${indent}  `);
        if (s.else.length > 0) {
          line("} else {");
          this.block(s.else, `${indent}  `);
        }
        line("}");
        break;
      }
      case "barrier":
        line("workgroupBarrier();");
        if (this.memory.communicates) line("storageBarrier();");
        break;
    }
  }
}
