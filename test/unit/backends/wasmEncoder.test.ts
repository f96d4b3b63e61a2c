/** The binary and the text format of modules. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FunctionBuilder } from "../../../src/backends/wasm/builder.js";
import { ByteWriter } from "../../../src/backends/wasm/bytes.js";
import { encodeModule } from "../../../src/backends/wasm/encoder.js";
import type { Immediate, Instruction, WasmFunction, WasmModule } from "../../../src/backends/wasm/module.js";
import { type ImmediateKind, type OpName, opcodes } from "../../../src/backends/wasm/opcodes.js";
import { printKernels } from "../../../src/backends/wasm/print.js";
import { printModule } from "../../../src/backends/wasm/wat.js";
import * as ir from "../../../src/core/ir/ops.js";
import { cell, itemKernel } from "../compiler/kernels.js";

const moduleOf = (functions: readonly WasmFunction[]): WasmModule => ({
  sharedMemory: true,
  imports: [],
  functions,
});

describe("numbers", () => {
  const bytes = (write: (w: ByteWriter) => void): number[] => {
    const w = new ByteWriter();
    write(w);
    return [...w.finish()];
  };

  it("unsigned LEB128", () => {
    expect(bytes((w) => w.unsigned(0))).toEqual([0]);
    expect(bytes((w) => w.unsigned(624485))).toEqual([0xe5, 0x8e, 0x26]);
    expect(bytes((w) => w.unsigned(4294967295))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
  });

  it("signed LEB128", () => {
    expect(bytes((w) => w.signed(-123456))).toEqual([0xc0, 0xbb, 0x78]);
    expect(bytes((w) => w.signed(63))).toEqual([0x3f]);
    expect(bytes((w) => w.signed(64))).toEqual([0xc0, 0x00]);
    expect(bytes((w) => w.signed(-64))).toEqual([0x40]);
  });

  it("are read back by WebAssembly", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double(),
        fc.array(fc.integer({ min: 0, max: 127 }), { maxLength: 3 }),
        (i, d, ascii) => {
          const name = `f${String.fromCharCode(...ascii.map((c) => 33 + (c % 90)))}`;
          const integer = new FunctionBuilder(name, [], "i32");
          integer.constant("i32", i);
          const float = new FunctionBuilder(`${name}_`, [], "f64");
          float.constant("f64", d);
          const binary = encodeModule(moduleOf([integer.finish(true), float.finish(true)]));
          const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), {
            env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) },
          });
          expect((exports[name] as () => number)()).toBe(i);
          expect((exports[`${name}_`] as () => number)()).toBe(d);
        },
      ),
    );
  });
});

describe("instructions", () => {
  const immediates: Record<ImmediateKind, Immediate> = {
    none: undefined,
    block: "f64",
    label: 0,
    local: 0,
    function: undefined,
    i32: -5,
    i64: -5,
    f32: 0.1,
    f64: 0.1,
    v128: { shape: "f32x4", value: 0.1 },
    shuffle: [0, 31, 1, 30, 2, 29, 3, 28, 4, 27, 5, 26, 6, 25, 7, 24],
    lane: 1,
    memory: { offset: 12, align: 0 },
    memoryLane: { offset: 12, align: 0, lane: 1 },
  };
  const isAtomic = (op: OpName): boolean => op.includes("atomic");

  // Behind `unreachable` the stack holds whatever an instruction needs, so that each is valid by itself.
  it.each((Object.keys(opcodes()) as OpName[]).filter((op) => op !== "else" && op !== "end"))(
    "%s is valid",
    (op) => {
      const callee = new FunctionBuilder("callee", [], undefined).finish(false);
      const kind = opcodes()[op].immediate;
      let immediate = kind === "function" ? callee : immediates[kind];
      // Atomic accesses must state their natural alignment.
      if (isAtomic(op)) immediate = { offset: 12, align: 2 };
      const code: Instruction[] = [
        { op: "unreachable", immediate: undefined },
        { op, immediate },
        { op: "unreachable", immediate: undefined },
      ];
      if (kind === "block" && op !== "if") code.push({ op: "end", immediate: undefined });
      if (op === "if")
        code.push(
          { op: "else", immediate: undefined },
          { op: "unreachable", immediate: undefined },
          { op: "end", immediate: undefined },
        );
      if (kind === "block") code.push({ op: "drop", immediate: undefined });
      const f: WasmFunction = {
        kind: "function",
        name: "f",
        exported: true,
        params: [],
        result: undefined,
        locals: [{ name: "x", type: "i32" }],
        code,
      };
      expect(() => new WebAssembly.Module(encodeModule(moduleOf([callee, f])))).not.toThrow();
    },
  );

  it("have no code twice", () => {
    const codes = Object.values(opcodes()).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

it("functions of the same code are one, under both names", () => {
  const [a, b, c] = [0, 0, 1].map((value, i) => {
    const f = new FunctionBuilder(`f${i}`, [], "i32");
    f.constant("i32", value);
    return f.finish(true);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(encodeModule(moduleOf([a, b, c]))), {
    env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) },
  });
  expect(exports.f0).toBe(exports.f1);
  expect(exports.f2).not.toBe(exports.f1);
});

it("prints a kernel as text", () => {
  const [x, out] = [cell("x", "float32", 8), cell("out", "float32", 8)];
  const kernel = itemKernel(8, [x.buffer, out.buffer], (item) => {
    const e = ir.load(x.buffer, ir.add(item, 3), ir.lt(item, 5));
    return [ir.store(out.buffer, item, ir.mul(e, ir.sub(e, ir.constant("f32", -0))))];
  });
  expect(printModule(printKernels([kernel], { sharedMemory: true }).module)).toBe(`(module
  (import "env" "memory" (memory 1 65536 shared))
  (func $test (export "test") (param $begin i32) (param $end i32) (param $x i32) (param $out i32)
    (local $item i32)
    local.get $begin
    local.set $item
    local.get $item
    local.get $end
    i32.lt_s
    if
      loop
        local.get $out
        local.get $item
        i32.const 2
        i32.shl
        i32.add
        local.get $item
        i32.const 5
        i32.lt_s
        if (result f32)
          local.get $x
          local.get $item
          i32.const 2
          i32.shl
          i32.add
          f32.load offset=12 align=4
        else
          f32.const 0
        end
        local.get $item
        i32.const 5
        i32.lt_s
        if (result f32)
          local.get $x
          local.get $item
          i32.const 2
          i32.shl
          i32.add
          f32.load offset=12 align=4
        else
          f32.const 0
        end
        f32.const -0
        f32.sub
        f32.mul
        f32.store align=4
        local.get $item
        i32.const 1
        i32.add
        local.tee $item
        local.get $end
        i32.lt_s
        br_if 0
      end
    end
  )
)
`);
});
