/** The binary format of WebAssembly modules (core specification 2.0, chapter 5), as far as the printer needs it. */
import { InternalError } from "../../core/errors.js";
import { ByteWriter } from "./bytes.js";
import {
  type HostFunction,
  type Instruction,
  lanesOf,
  type MemoryImmediate,
  maximumPages,
  type ValueType,
  type VectorImmediate,
  type WasmFunction,
  type WasmModule,
} from "./module.js";
import { type Opcode, opcodes } from "./opcodes.js";

const valueTypes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const noType = 0x40;

/** Numbers of sections. */
const section = { custom: 0, type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

interface Signature {
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
}

const signatureOf = (f: WasmFunction | HostFunction): Signature =>
  f.kind === "host" ? f : { params: f.params.map((p) => p.type), result: f.result };

/** The module as bytes. Functions whose code is the same byte for byte become one, exported under all of their names. */
export function encodeModule(module: WasmModule): Uint8Array<ArrayBuffer> {
  const types = new Types();
  const indices = new Map<WasmFunction | HostFunction, number>();
  module.imports.forEach((f, i) => {
    indices.set(f, i);
  });
  const bodies: { readonly f: WasmFunction; readonly type: number; readonly code: Uint8Array }[] = [];
  const known = new Map<string, number>();
  // Functions call only those before them, so that their indices are known.
  for (const f of module.functions) {
    const type = types.indexOf(signatureOf(f));
    const code = encodeBody(f, indices);
    const key = `${type}:${latin1.decode(code)}`;
    let index = known.get(key);
    if (index === undefined) {
      index = module.imports.length + bodies.length;
      known.set(key, index);
      bodies.push({ f, type, code });
    }
    indices.set(f, index);
  }
  const importTypes = module.imports.map((f) => types.indexOf(signatureOf(f)));

  const out = new ByteWriter();
  out.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  writeSection(out, section.type, (w) =>
    writeVector(w, types.signatures, ({ params, result }) => {
      w.byte(0x60);
      writeVector(w, params, (t) => w.byte(valueTypes[t]));
      writeVector(w, result === undefined ? [] : [result], (t) => w.byte(valueTypes[t]));
    }),
  );
  writeSection(out, section.import, (w) => {
    w.unsigned(1 + module.imports.length);
    w.name("env");
    w.name("memory");
    w.byte(0x02);
    w.byte(module.sharedMemory ? 0x03 : 0x01);
    w.unsigned(1);
    w.unsigned(maximumPages);
    module.imports.forEach((f, i) => {
      w.name("host");
      w.name(f.name);
      w.byte(0x00);
      w.unsigned(importTypes[i]);
    });
  });
  writeSection(out, section.function, (w) => writeVector(w, bodies, ({ type }) => w.unsigned(type)));
  writeSection(out, section.export, (w) =>
    writeVector(
      w,
      module.functions.filter((f) => f.exported),
      (f) => {
        w.name(f.name);
        w.byte(0x00);
        w.unsigned(indices.get(f) as number);
      },
    ),
  );
  writeSection(out, section.code, (w) =>
    writeVector(w, bodies, ({ code }) => {
      w.unsigned(code.length);
      w.append(code);
    }),
  );
  // Names are for stack traces and profiles.
  writeSection(out, section.custom, (w) => {
    w.name("name");
    writeSection(w, 1, (names) => {
      const all = [...module.imports, ...bodies.map(({ f }) => f)];
      names.unsigned(all.length);
      all.forEach((f, i) => {
        names.unsigned(i);
        names.name(f.name);
      });
    });
  });
  return out.finish();
}

// A decoder that maps each byte to one character: bytes as a key.
const latin1 = new TextDecoder("latin1");

class Types {
  readonly signatures: Signature[] = [];
  private readonly known = new Map<string, number>();

  indexOf(signature: Signature): number {
    const key = `${signature.params.join(",")}:${signature.result ?? ""}`;
    let index = this.known.get(key);
    if (index === undefined) {
      index = this.signatures.length;
      this.known.set(key, index);
      this.signatures.push(signature);
    }
    return index;
  }
}

function writeSection(out: ByteWriter, id: number, write: (w: ByteWriter) => void): void {
  const content = new ByteWriter();
  write(content);
  const bytes = content.finish();
  out.byte(id);
  out.unsigned(bytes.length);
  out.append(bytes);
}

function writeVector<T>(w: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  w.unsigned(items.length);
  for (const item of items) write(item);
}

function encodeBody(f: WasmFunction, indices: ReadonlyMap<WasmFunction | HostFunction, number>): Uint8Array {
  const w = new ByteWriter();
  const runs: { type: ValueType; count: number }[] = [];
  for (const { type } of f.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  writeVector(w, runs, ({ type, count }) => {
    w.unsigned(count);
    w.byte(valueTypes[type]);
  });
  const table = opcodes();
  for (const instruction of f.code) encodeInstruction(w, instruction, table[instruction.op], indices);
  w.byte(table.end.code);
  return w.finish();
}

function encodeInstruction(
  w: ByteWriter,
  { immediate }: Instruction,
  { code, immediate: kind }: Opcode,
  indices: ReadonlyMap<WasmFunction | HostFunction, number>,
): void {
  if (code < 0x1000) w.byte(code);
  else {
    w.byte(Math.floor(code / 0x1000));
    w.unsigned(code % 0x1000);
  }
  switch (kind) {
    case "none":
      return;
    case "block":
      w.byte(immediate === undefined ? noType : valueTypes[immediate as ValueType]);
      return;
    case "label":
    case "local":
      w.unsigned(immediate as number);
      return;
    case "lane":
      w.byte(immediate as number);
      return;
    case "function": {
      const index = indices.get(immediate as WasmFunction | HostFunction);
      if (index === undefined)
        throw new InternalError(`a call of ${(immediate as WasmFunction).name}, which is not in the module`);
      w.unsigned(index);
      return;
    }
    case "i32":
    case "i64":
      w.signed(immediate as number);
      return;
    case "f32":
      w.f32(immediate as number);
      return;
    case "f64":
      w.f64(immediate as number);
      return;
    case "v128":
      encodeVector(w, immediate as VectorImmediate);
      return;
    case "shuffle":
      w.append(immediate as readonly number[]);
      return;
    case "memory":
    case "memoryLane": {
      const { align, offset, lane } = immediate as MemoryImmediate;
      w.unsigned(align);
      w.unsigned(offset);
      if (kind === "memoryLane") w.byte(lane as number);
    }
  }
}

function encodeVector(w: ByteWriter, { shape, value }: VectorImmediate): void {
  for (const x of lanesOf(shape, value))
    if (shape === "f64x2") w.f64(x);
    else if (shape === "f32x4") w.f32(x);
    else {
      w.i32(x);
      // The high half of a 64-bit integer that is small: its sign.
      if (shape === "i64x2") w.i32(x < 0 ? -1 : 0);
    }
}
