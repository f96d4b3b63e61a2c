/**
 * Buffers in a shader: how each is declared, and what its loads, stores and atomic steps look like.
 *
 * WebGPU has no 8-bit values in memory: bool and uint8 take a word each. float16 takes two bytes where the device has the
 * feature `shader-f16`, else a word with a float32 that float16 has too.
 */
import { blocksOf, eachStmt, exprsOf, nodesOf } from "../../compiler/walk.js";
import type { DType } from "../../core/dtype.js";
import { DtypeError, InternalError } from "../../core/errors.js";
import type { Atomic, Buffer, Expr, Kernel, Lanes, Local, Stmt } from "../../core/ir/types.js";
import { type Helpers, typeText } from "./wgslHelpers.js";
import type { Names } from "./wgslNames.js";

/**
 * - `plain`: an array of elements.
 * - `quad`: an array of four elements each. All stores, and at least one access, are of four that begin at a multiple of 4.
 * - `atomic`: an array of atomic words, one for each element.
 * - `halves`: an array of atomic words with two float16 each.
 */
type Form = "plain" | "quad" | "atomic" | "halves";

interface Stored {
  readonly name: string;
  readonly form: Form;
  /** What an element is in memory: f16, f32, i32 or u32. */
  readonly element: string;
}

interface Access {
  readonly buffer: Buffer;
  readonly index: Expr;
  readonly lanes: Lanes;
  readonly kind: "load" | "store" | "atomic";
}

function accessesOf(kernel: Kernel): Access[] {
  const accesses: Access[] = [];
  eachStmt(kernel.body, (s) => {
    if (s.kind === "store" || s.kind === "atomic")
      accesses.push({ buffer: s.buffer, index: s.index, lanes: s.value.lanes, kind: s.kind });
    for (const e of nodesOf(...exprsOf(s)))
      if (e.op === "load") accesses.push({ buffer: e.buffer, index: e.index, lanes: e.lanes, kind: "load" });
  });
  return accesses;
}

/** Whether an i32 is a multiple of 4, as far as its text shows. */
class MultiplesOfFour {
  private readonly values = new Map<Local, Expr>();
  private readonly counters = new Set<Local>();

  constructor(body: readonly Stmt[]) {
    this.visit(body);
  }

  private visit(body: readonly Stmt[]): void {
    for (const s of body) {
      if (s.kind === "let" && !s.local.mutable) this.values.set(s.local, s.value);
      if (s.kind === "for" && s.step % 4 === 0 && this.holds(s.from)) this.counters.add(s.local);
      for (const block of blocksOf(s)) this.visit(block);
    }
  }

  /** Looks a few operations deep, which is as deep as sums and products of indices are. */
  holds(e: Expr, depth = 0): boolean {
    if (e.op === "const") return e.value % 4 === 0;
    if (depth > 20) return false;
    if (e.op === "get") {
      const value = this.values.get(e.local);
      return this.counters.has(e.local) || (value !== undefined && this.holds(value, depth + 1));
    }
    if (e.op !== "binary") return false;
    const [x, y] = [() => this.holds(e.x, depth + 1), () => this.holds(e.y, depth + 1)];
    if (e.fn === "add" || e.fn === "sub" || e.fn === "min" || e.fn === "max" || e.fn === "rem")
      return x() && y();
    return e.fn === "mul" && (x() || y());
  }
}

export class Memory {
  private readonly stored = new Map<Buffer, Stored>();
  private readonly written = new Set<Buffer>();
  private readonly loaded = new Set<Buffer>();
  private readonly functions = new Map<string, { name: string; text: string }>();

  constructor(
    private readonly kernel: Kernel,
    private readonly names: Names,
    private readonly helpers: Helpers,
    private readonly float16: boolean,
  ) {
    const accesses = accessesOf(kernel);
    const known = new Set([...kernel.buffers, ...kernel.scratch]);
    const multiples = new MultiplesOfFour(kernel.body);
    const byBuffer = new Map<Buffer, Access[]>([...known].map((b) => [b, []]));
    for (const access of accesses) {
      const list = byBuffer.get(access.buffer);
      if (list === undefined)
        throw new InternalError(`kernel ${kernel.name} uses ${access.buffer.name}, which it does not list`);
      list.push(access);
      (access.kind === "load" ? this.loaded : this.written).add(access.buffer);
    }
    for (const [buffer, list] of byBuffer) {
      const element = this.elementOf(buffer);
      const whole = (a: Access): boolean => a.lanes === 4 && multiples.holds(a.index);
      let form: Form = "plain";
      if (list.some((a) => a.kind === "atomic")) form = element === "f16" ? "halves" : "atomic";
      else if (list.some(whole) && list.every((a) => whole(a) || (a.kind === "load" && a.lanes === 1)))
        form = "quad";
      // The last four must lie inside.
      if (buffer.space === "scratch" && buffer.size % 4 !== 0 && form === "quad") form = "plain";
      this.stored.set(buffer, { name: names.of(buffer), form, element });
    }
  }

  private elementOf({ dtype, space, name }: Buffer): string {
    switch (dtype) {
      case "float32":
        return "f32";
      case "float16":
        return this.float16 && space === "global" ? "f16" : "f32";
      case "int32":
        return "i32";
      case "float64":
        throw new DtypeError(
          `WebGPU has no float64, but ${name} of kernel ${this.kernel.name} is float64; use float32, or the device "wasm"`,
        );
      default:
        return "u32";
    }
  }

  private of(buffer: Buffer): Stored {
    return this.stored.get(buffer) as Stored;
  }

  isWritten(buffer: Buffer): boolean {
    return this.written.has(buffer);
  }

  /** Whether threads of a workgroup may have to see each other's writes to global memory. */
  get communicates(): boolean {
    return this.kernel.buffers.some((b) => this.written.has(b) && this.loaded.has(b));
  }

  get usesF16(): boolean {
    return [...this.stored.values()].some(({ element }) => element === "f16");
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Declarations
  // -------------------------------------------------------------------------------------------------------------------

  declarations(): string[] {
    return [
      ...this.kernel.buffers.map((b, i) => {
        const access = this.isWritten(b) ? "read_write" : "read";
        return `@group(0) @binding(${i}) var<storage, ${access}> ${this.of(b).name}: ${this.arrayType(b)};`;
      }),
      ...this.kernel.scratch.map((b) => `var<workgroup> ${this.of(b).name}: ${this.arrayType(b)};`),
    ];
  }

  private arrayType(buffer: Buffer): string {
    const { form, element } = this.of(buffer);
    const size = Math.max(1, buffer.size);
    switch (form) {
      case "plain":
        return `array<${element}, ${size}>`;
      case "quad":
        return `array<vec4<${element}>, ${Math.ceil(size / 4)}>`;
      case "atomic":
        return `array<atomic<${element === "i32" ? "i32" : "u32"}>, ${size}>`;
      case "halves":
        return `array<atomic<u32>, ${Math.ceil(size / 2)}>`;
    }
  }

  /** Functions that accesses call. */
  texts(): readonly string[] {
    return [...this.functions.values()].map(({ text }) => text);
  }

  private call(buffer: Buffer, what: string, text: (name: string) => readonly string[]): string {
    const wish = `${what}_${this.of(buffer).name}`;
    let made = this.functions.get(wish);
    if (made === undefined) {
      const name = this.names.fresh(wish);
      made = { name, text: text(name).join("\n") };
      this.functions.set(wish, made);
    }
    return made.name;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Loads
  // -------------------------------------------------------------------------------------------------------------------

  /** The value of `lanes` elements from `index` on, in the type that the dtype is computed with. */
  load(buffer: Buffer, index: string, lanes: Lanes): string {
    const { name, form } = this.of(buffer);
    if (lanes === 1) {
      if (form === "quad")
        return this.value(
          buffer,
          `${this.call(buffer, "load", (f) => this.loadOfQuad(f, buffer))}(${index})`,
          1,
        );
      return this.element(buffer, index);
    }
    if (form === "quad") return this.value(buffer, `${name}[(${index}) >> 2u]`, lanes);
    const load = this.call(buffer, `load${lanes}`, (f) => {
      const parts = Array.from({ length: lanes }, (_, k) => this.element(buffer, k === 0 ? "i" : `i + ${k}`));
      const type = typeText(computedType(buffer.dtype), lanes);
      return [`fn ${f}(i: i32) -> ${type} {`, `  return ${type}(${parts.join(", ")});`, "}"];
    });
    return `${load}(${index})`;
  }

  private loadOfQuad(f: string, buffer: Buffer): string[] {
    const { name, element } = this.of(buffer);
    return [`fn ${f}(i: i32) -> ${element} {`, `  return ${name}[i >> 2u][i & 3];`, "}"];
  }

  /** One element of a buffer that is not a quad. */
  private element(buffer: Buffer, index: string): string {
    const { name, form, element } = this.of(buffer);
    if (form === "plain") return this.value(buffer, `${name}[${index}]`, 1);
    if (form === "halves")
      return `f32(${this.call(buffer, "load", (f) => [
        `fn ${f}(i: i32) -> f16 {`,
        `  return bitcast<vec2<f16>>(atomicLoad(&${name}[i >> 1u]))[i & 1];`,
        "}",
      ])}(${index}))`;
    const word = `atomicLoad(&${name}[${index}])`;
    return element === "f32" ? `bitcast<f32>(${word})` : this.value(buffer, word, 1);
  }

  /** From the type in memory to the one computed with. */
  private value({ dtype }: Buffer, text: string, lanes: Lanes): string {
    if (dtype === "float16" && this.float16) return `${typeText("f32", lanes)}(${text})`;
    if (computedType(dtype) === "bool")
      return `(${text} != ${lanes === 1 ? "0u" : `${typeText("u32", lanes)}(0u)`})`;
    return text;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Stores
  // -------------------------------------------------------------------------------------------------------------------

  /** A statement that stores as many elements as the value has lanes. */
  store(buffer: Buffer, index: string, value: string, lanes: Lanes): string {
    const { name, form } = this.of(buffer);
    if (lanes === 1) return `${this.storeElement(buffer, index, value)};`;
    if (form === "quad") return `${name}[(${index}) >> 2u] = ${this.inMemory(buffer, value, lanes)};`;
    const store = this.call(buffer, `store${lanes}`, (f) => [
      `fn ${f}(i: i32, value: ${typeText(computedType(buffer.dtype), lanes)}) {`,
      ...Array.from(
        { length: lanes },
        (_, k) => `  ${this.storeElement(buffer, k === 0 ? "i" : `i + ${k}`, `value[${k}]`)};`,
      ),
      "}",
    ]);
    return `${store}(${index}, ${value});`;
  }

  private storeElement(buffer: Buffer, index: string, value: string): string {
    const { name, form, element } = this.of(buffer);
    if (form === "plain") return `${name}[${index}] = ${this.inMemory(buffer, value, 1)}`;
    if (form === "halves") return `${this.exchangeHalf(buffer, "store", (_, v) => v)}(${index}, ${value})`;
    const word = this.inMemory(buffer, value, 1);
    return `atomicStore(&${name}[${index}], ${element === "f32" ? `bitcast<u32>(${word})` : word})`;
  }

  /** From the type computed with to the one in memory. */
  private inMemory({ dtype, space }: Buffer, value: string, lanes: Lanes): string {
    if (dtype === "float16") {
      const rounded = `${this.helpers.use("round_f16", lanes)}(${value})`;
      return this.float16 && space === "global" ? `${typeText("f16", lanes)}(${rounded})` : rounded;
    }
    if (computedType(dtype) === "bool") return `${typeText("u32", lanes)}(${value})`;
    return value;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Atomic steps
  // -------------------------------------------------------------------------------------------------------------------

  atomic({ fn, buffer }: Atomic, index: string, value: string): string {
    const { name, form, element } = this.of(buffer);
    const { dtype } = buffer;
    const combine = (old: string, v: string): string => {
      if (fn === "add") return `${old} + ${v}`;
      if (fn === "mul") return `${old} * ${v}`;
      const float = element === "f32" || element === "f16";
      return `${float ? this.helpers.use(fn === "min" ? "min_float" : "max_float") : fn}(${old}, ${v})`;
    };
    if (form === "halves")
      return `${this.exchangeHalf(buffer, `atomic_${fn}`, combine)}(${index}, ${value});`;
    if (computedType(dtype) === "bool")
      return `${fn === "add" || fn === "max" ? "atomicOr" : "atomicAnd"}(&${name}[${index}], u32(${value}));`;
    if (element !== "f32" && (fn === "min" || fn === "max" || (fn === "add" && dtype !== "uint8")))
      return `atomic${fn[0].toUpperCase()}${fn.slice(1)}(&${name}[${index}], ${value});`;
    return `${this.call(buffer, `atomic_${fn}`, (f) => {
      const type = computedType(dtype);
      const old = element === "f32" ? "bitcast<f32>(old)" : "old";
      const next = this.narrowed(buffer, combine(old, "value"));
      return [
        `fn ${f}(i: i32, value: ${type}) {`,
        ...exchangeLoop(`${name}[i]`, [`let next = ${element === "f32" ? `bitcast<u32>(${next})` : next};`]),
        "}",
      ];
    })}(${index}, ${value});`;
  }

  private narrowed({ dtype }: Buffer, value: string): string {
    if (dtype === "uint8") return `(${value}) & 255u`;
    return dtype === "float16" ? `${this.helpers.use("round_f16")}(${value})` : value;
  }

  /** A function that replaces one half of a word, whatever other threads do with the other half. */
  private exchangeHalf(
    buffer: Buffer,
    what: string,
    combine: (old: string, value: string) => string,
  ): string {
    const { name } = this.of(buffer);
    return this.call(buffer, what, (f) => [
      `fn ${f}(i: i32, value: f32) {`,
      ...exchangeLoop(`${name}[i >> 1u]`, [
        "var halves = bitcast<vec2<f16>>(old);",
        `halves[i & 1] = f16(${this.helpers.use("round_f16")}(${combine("f32(halves[i & 1])", "value")}));`,
        "let next = bitcast<u32>(halves);",
      ]),
      "}",
    ]);
  }
}

const computedType = (dtype: DType): string => {
  if (dtype === "float32" || dtype === "float16") return "f32";
  if (dtype === "int32") return "i32";
  return dtype === "uint32" || dtype === "uint8" ? "u32" : "bool";
};

/** Computes `next` from `old` until no other thread has come between. */
const exchangeLoop = (word: string, next: readonly string[]): string[] => [
  `  var old = atomicLoad(&${word});`,
  "  loop {",
  ...next.map((line) => `    ${line}`),
  `    let result = atomicCompareExchangeWeak(&${word}, old, next);`,
  "    if (result.exchanged) { break; }",
  "    old = result.old_value;",
  "  }",
];
