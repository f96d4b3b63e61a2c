/** How shaders read and write memory: all dtypes, guards, vectors, scratch, atomic steps, many workgroups. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { printWgsl } from "../../src/backends/webgpu/wgsl.js";
import { runProgram } from "../../src/compiler/interpret.js";
import { allocate, type DType, settle, type TypedArray } from "../../src/core/dtype.js";
import { DeviceError, DtypeError, InternalError } from "../../src/core/errors.js";
import {
  abs,
  add,
  and,
  assign,
  barrier,
  bitcast,
  cast,
  compare,
  constant,
  div,
  extract,
  ge,
  get,
  host,
  letIn,
  load,
  loop,
  loopWhile,
  lt,
  max,
  min,
  mul,
  neg,
  rem,
  roundF16,
  select,
  splat,
  store,
  sub,
  vector,
  when,
  xor,
} from "../../src/core/ir/ops.js";
import { type Atomic, Buffer, type Expr, Local, scalarTypeOf } from "../../src/core/ir/types.js";
import { expectAsInterpreted, gridKernel, itemKernel, programOf, runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const samples: [DType, number[]][] = [
  ["float32", [0, -0, 1.5, -2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e20, 7]],
  [
    "float16",
    [0, -0, 1.5, -2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65504, 2 ** -24],
  ],
  ["int32", [0, 1, -1, 2147483647, -2147483648, 5, 6, 7, 8]],
  ["uint32", [0, 1, 4294967295, 2147483648, 3, 4, 5, 6, 7]],
  ["uint8", [0, 1, 255, 128, 3, 4, 5, 6, 7]],
  ["bool", [0, 1, 1, 0, 0, 1, 0, 1, 1]],
];

const arrayOf = (dtype: DType, values: readonly number[]): TypedArray => {
  const array = allocate(dtype, values.length);
  array.set(values);
  return settle(dtype, array);
};

describe.each(samples)("%s", (dtype, values) => {
  const data = arrayOf(dtype, values);

  test("goes to the GPU and back", async () => {
    const buffer = device.upload(dtype, data);
    expect(await device.read(buffer)).toEqual(data);
    buffer.release();
  });

  test("is copied by a kernel, in order and backwards", async () => {
    const x = new Buffer("x", dtype, values.length);
    const [y, z] = ["y", "z"].map((name) => new Buffer(name, dtype, values.length));
    const kernel = itemKernel(values.length, [x, y, z], (i) => [
      store(y, i, load(x, i)),
      store(z, i, load(x, sub(values.length - 1, i))),
    ]);
    await expectAsInterpreted(device, [kernel], [data], [y, z]);
  });

  test("is read and written four at a time, aligned or not", async () => {
    const x = new Buffer("x", dtype, values.length);
    const [y, z] = ["y", "z"].map((name) => new Buffer(name, dtype, 8));
    const aligned = itemKernel(2, [x, y], (i) => [store(y, mul(i, 4), load(x, mul(i, 4), undefined, 4))]);
    const shifted = itemKernel(2, [x, z], (i) => [
      store(z, mul(i, 4), load(x, add(mul(i, 4), 1), undefined, 4)),
    ]);
    await expectAsInterpreted(device, [aligned, shifted], [data], [y, z]);
    expect(printWgsl(aligned).code).toMatch(/x: array<vec4</);
    expect(printWgsl(shifted).code).not.toMatch(/x: array<vec4</);
  });

  test("is 0 where a guard does not hold, also beyond the ends", async () => {
    const x = new Buffer("x", dtype, values.length);
    const y = new Buffer("y", dtype, 40);
    const kernel = itemKernel(40, [x, y], (i) => {
      const at = sub(i, 15);
      return [store(y, i, load(x, at, and(ge(at, 0), lt(at, values.length))))];
    });
    await expectAsInterpreted(device, [kernel], [data], [y]);
  });

  test("is kept in scratch memory", async () => {
    const x = new Buffer("x", dtype, 9);
    const y = new Buffer("y", dtype, 9);
    const part = new Buffer("part", dtype, 9, "scratch");
    const kernel = gridKernel({ groups: 1, threads: 9, buffers: [x, y], scratch: [part] }, (_, thread) => [
      store(part, thread, load(x, thread)),
      barrier,
      store(y, thread, load(part, rem(add(thread, 4), 9))),
    ]);
    await expectAsInterpreted(device, [kernel], [data], [y]);
  });
});

test("bytes of 16 elements a vector: scalar loads of a buffer that is stored in fours", async () => {
  const x = new Buffer("x", "float32", 16);
  const y = new Buffer("y", "float32", 16);
  const kernel = itemKernel(4, [x, y], (i) => [
    store(y, mul(i, 4), add(load(x, mul(i, 4), undefined, 4), splat(load(x, i), 4))),
  ]);
  expect(printWgsl(kernel).code).toMatch(/x: array<vec4<f32>, 4>/);
  await expectAsInterpreted(device, [kernel], [Float32Array.from({ length: 16 }, (_, i) => i * i)], [y]);
});

test("float16 is rounded where it is stored", async () => {
  const x = new Buffer("x", "float32", 6);
  const y = new Buffer("y", "float16", 6);
  const kernel = itemKernel(6, [x, y], (i) => [store(y, i, load(x, i))]);
  const [got] = await expectAsInterpreted(
    device,
    [kernel],
    [Float32Array.of(1.0001, 65519.9, 65520, 1e-8, -(2 ** -25) * 1.01, Math.PI)],
    [y],
  );
  expect([...got]).toEqual([1, 65504, Number.POSITIVE_INFINITY, 0, -(2 ** -24), 3.140625]);
});

test("float16 in two bytes, where the GPU has them", async ({ skip }) => {
  if (!device.float16) {
    console.log(`skipped: ${device.name} has no shader-f16; float16 is kept in words`);
    skip(`${device.name} has no shader-f16`);
  }
  const x = new Buffer("x", "float16", 3);
  const y = new Buffer("y", "float16", 3);
  const kernel = itemKernel(3, [x, y], (i) => [store(y, i, mul(load(x, i), 3))]);
  expect(printWgsl(kernel, { float16: true }).code).toMatch(/^enable f16;/);
  await expectAsInterpreted(device, [kernel], [Float32Array.of(1, 2 ** -24, 65504)], [y]);
});

test("the shader of a device with 16-bit floats says so, and only if it uses them", () => {
  const x = new Buffer("x", "float16", 3);
  const y = new Buffer("y", "float32", 3);
  const half = itemKernel(3, [x, y], (i) => [store(y, i, load(x, i))]);
  expect(printWgsl(half, { float16: true }).code).toMatch(/^enable f16;[\s\S]*array<f16, 3>/);
  expect(printWgsl(half).code).toMatch(/^@group/);
  const single = itemKernel(3, [y], (i) => [store(y, i, constant("f32", 1))]);
  expect(printWgsl(single, { float16: true }).code).not.toMatch(/f16/);
});

// ---------------------------------------------------------------------------------------------------------------------
// Control flow and workgroups
// ---------------------------------------------------------------------------------------------------------------------

test("loops, conditions and variables", async () => {
  const x = new Buffer("x", "int32", 100);
  const steps = new Buffer("steps", "int32", 100);
  const total = new Buffer("total", "int32", 100);
  const kernel = itemKernel(100, [x, steps, total], (item) => {
    const n = new Local("n", "i32", 1, true);
    const count = new Local("count", "i32", 1, true);
    const sum = new Local("sum", "i32", 1, true);
    const even = (): Expr => compare("eq", rem(get(n), 2), 0);
    return [
      // The Collatz sequence of x.
      { kind: "let", local: n, value: load(x, item) },
      { kind: "let", local: count, value: constant("i32", 0) },
      loopWhile(compare("gt", get(n), 1), [
        when(even(), [assign(n, div(get(n), 2))], [assign(n, add(mul(get(n), 3), 1))]),
        assign(count, add(get(count), 1)),
      ]),
      store(steps, item, get(count)),
      { kind: "let", local: sum, value: constant("i32", 0) },
      // The bound is that of before the loop.
      loop("k", 0, get(count), (k) => [assign(count, add(get(count), 1)), assign(sum, add(get(sum), k))], 3),
      store(total, item, get(sum)),
    ];
  });
  const [got] = await expectAsInterpreted(
    device,
    [kernel],
    [Int32Array.from({ length: 100 }, (_, i) => i + 1)],
    [steps, total],
  );
  expect(got[26]).toBe(111);
});

test("the condition of a loop is computed anew each time, however large it is", async () => {
  const y = new Buffer("y", "int32", 1);
  const n = new Local("n", "i32", 1, true);
  let sum: Expr = get(n);
  for (let k = 0; k < 200; k++) sum = add(rem(mul(sum, 3), 1000 + k), get(n));
  const kernel = itemKernel(1, [y], () => [
    { kind: "let", local: n, value: constant("i32", 0) },
    loopWhile(lt(sum, 1500), [assign(n, add(get(n), 1))]),
    store(y, 0, get(n)),
  ]);
  await expectAsInterpreted(device, [kernel], [], [y]);
});

test("expressions may be thousands deep and shared", async () => {
  const x = new Buffer("x", "float32", 1);
  const y = new Buffer("y", "float32", 1);
  let deep: Expr = load(x, 0);
  for (let k = 0; k < 3000; k++) deep = sub(constant("f32", 1), deep);
  let shared: Expr = load(x, 0);
  for (let k = 0; k < 100; k++) shared = mul(add(shared, shared), 0.5);
  const kernel = itemKernel(1, [x, y], () => [store(y, 0, add(deep, shared))]);
  const [got] = await expectAsInterpreted(device, [kernel], [Float32Array.of(0.25)], [y]);
  expect([...got]).toEqual([0.5]);
});

test("every operation may be nested a hundred times", async () => {
  const x = new Buffer("x", "float32", 4);
  const y = new Buffer("y", "float32", 4);
  const at = (k: number): Expr => load(x, k % 4);
  const nested: ((e: Expr, k: number) => Expr)[] = [
    (e, k) => max(at(k), e),
    (e, k) => select(lt(e, at(k)), e, at(k)),
    (e, k) => load(x, cast("i32", min(max(e, 0), k % 4))),
    (e) => abs(neg(e)),
    (e, k) => sub(at(k), mul(e, sub(at(k + 1), e))),
    (e) => bitcast("f32", xor(bitcast("u32", e), 1)),
    (e, k) => extract(add(vector([e, at(k), at(1), at(2)]), splat(e, 4)), k % 3),
  ];
  for (const [n, step] of nested.entries()) {
    let e = at(0);
    for (let k = 0; k < 100; k++) e = step(e, k);
    const kernel = itemKernel(1, [x, y], () => [0, 1, 2, 3].map((i) => store(y, i, i === 0 ? e : at(i))));
    const program = programOf([kernel], [y]);
    const data = [Float32Array.of(0.5, 0.25, 1, 0.75)];
    expect(await runOnGpu(device, program, data), `operation ${n}`).toEqual(runProgram(program, data));
  }
});

test("locals may have any name", async () => {
  const words = `min select f32 true fn loop array vec4 self unknown zero main workgroup infinity is_nan round_f16 max_float
    constant load_x store_y t end x y buffer NULL shared texture_2d sampler i32 vec4f mat2x2 unpack2x16float pow a-b 1st é _`;
  const names = [...words.split(/\s+/), "", "__x", "x\ny"];
  const x = new Buffer("x", "float32", 4);
  const y = new Buffer("load_x", "float32", names.length);
  const kernel = itemKernel(1, [x, y], () => [
    { kind: "let", local: new Local("x", "i32"), value: constant("i32", 1) },
    ...names.flatMap((name, k) => {
      const local = new Local(name, "f32");
      const value = min(load(x, k % 4), load(x, (k + 1) % 4));
      return [letIn(local, value), store(y, k, roundF16(max(get(local), 0)))];
    }),
  ]);
  await expectAsInterpreted(device, [kernel], [Float32Array.of(1, -2, 3, 4)], [y]);
});

test("more than 65,535 workgroups, of which none is missed or run twice", async () => {
  const groups = 200_003;
  const y = new Buffer("y", "int32", groups);
  const clear = itemKernel(groups, [y], (i) => [store(y, i, i)], 256);
  const count = gridKernel({ groups, threads: 1, buffers: [y] }, (group) => [
    { kind: "atomic", fn: "add", buffer: y, index: group, value: constant("i32", 1) },
  ]);
  const { workgroups } = printWgsl(count);
  expect(workgroups[1]).toBeGreaterThan(1);
  expect(workgroups[0] * workgroups[1]).toBeGreaterThan(groups);
  const [got] = await runOnGpu(device, programOf([clear, count], [y]), []);
  expect(got.findIndex((v, i) => v !== i + 1)).toBe(-1);
});

test("a reduction in scratch memory, with barriers", async () => {
  const [groups, threads, n] = [5, 64, 1000];
  const x = new Buffer("x", "float32", groups * n);
  const y = new Buffer("y", "float32", groups);
  const part = new Buffer("part", "float32", threads, "scratch");
  const kernel = gridKernel({ groups, threads, buffers: [x, y], scratch: [part] }, (group, thread) => {
    const sum = new Local("sum", "f32", 1, true);
    const i = new Local("i", "i32");
    return [
      { kind: "let", local: sum, value: constant("f32", 0) },
      {
        kind: "for",
        local: i,
        from: thread,
        to: constant("i32", n),
        step: threads,
        body: [assign(sum, add(get(sum), load(x, add(mul(group, n), get(i)))))],
      },
      store(part, thread, get(sum)),
      barrier,
      ...[32, 16, 8, 4, 2, 1].flatMap((half) => [
        when(lt(thread, half), [store(part, thread, add(load(part, thread), load(part, add(thread, half))))]),
        barrier,
      ]),
      when(lt(thread, 1), [store(y, group, load(part, 0))]),
    ];
  });
  const data = Float32Array.from({ length: groups * n }, (_, i) => (i % 17) - 3);
  const [got] = await expectAsInterpreted(device, [kernel], [data], [y]);
  expect(got[0]).toBe(data.slice(0, n).reduce((a, b) => a + b, 0));
});

test("a barrier makes global memory visible in the workgroup", async () => {
  const y = new Buffer("y", "int32", 64);
  const z = new Buffer("z", "int32", 64);
  const kernel = gridKernel({ groups: 1, threads: 64, buffers: [y, z] }, (_, thread) => [
    store(y, thread, mul(thread, thread)),
    barrier,
    store(z, thread, load(y, sub(63, thread))),
  ]);
  expect(printWgsl(kernel).code).toContain("storageBarrier();");
  const [got] = await runOnGpu(device, programOf([kernel], [z]), []);
  expect([...got]).toEqual(Array.from({ length: 64 }, (_, i) => (63 - i) ** 2));
});

// ---------------------------------------------------------------------------------------------------------------------
// Atomic steps
// ---------------------------------------------------------------------------------------------------------------------

const steps: { fn: Atomic["fn"]; start: number; values: (dtype: DType) => (i: number) => number }[] = [
  { fn: "add", start: 0, values: () => (i) => i % 5 },
  { fn: "mul", start: 1, values: (d) => (i) => (i % 100 === 0 ? (d === "uint8" ? 3 : 2) : 1) },
  { fn: "min", start: 100, values: () => (i) => 7 + ((i * 13) % 50) },
  { fn: "max", start: 0, values: () => (i) => (i * 13) % 50 },
];

describe.each(["float32", "float16", "int32", "uint32", "uint8", "bool"] as const)(
  "atomic steps on %s",
  (dtype) => {
    test.each(steps)("$fn, many threads on few elements", async ({ fn, start, values }) => {
      const [n, few] = [1000, 3];
      const x = new Buffer("x", dtype, n);
      const y = new Buffer("y", dtype, few);
      const z = new Buffer("z", dtype, few);
      const first = dtype === "bool" ? (fn === "add" || fn === "max" ? 0 : 1) : start;
      const begin = itemKernel(few, [y], (i) => [store(y, i, constant(scalarTypeOf(dtype), first))]);
      const combine = itemKernel(n, [x, y], (i) => [
        { kind: "atomic", fn, buffer: y, index: rem(i, few), value: load(x, i) },
      ]);
      // Loads and stores of a buffer with atomic steps go by other functions.
      const mixed = itemKernel(few, [y, z], (i) => [
        store(z, i, load(y, i)),
        { kind: "atomic", fn: "max", buffer: y, index: i, value: constant(scalarTypeOf(dtype), 0) },
        store(y, i, load(z, i)),
      ]);
      const data = arrayOf(
        dtype,
        Array.from({ length: n }, (_, i) =>
          dtype === "bool" ? Number(i % 3 === 1 && i < 100) : values(dtype)(i),
        ),
      );
      const meaning = {
        add: (a: number, b: number) => a + b,
        mul: (a: number, b: number) => a * b,
        min: Math.min,
        max: Math.max,
      };
      const wanted = Array.from({ length: few }, (_, k) => {
        let total = first;
        for (let i = k; i < n; i += few) {
          total = meaning[fn](total, data[i]);
          if (dtype === "uint8") total &= 255;
          else if (dtype === "bool") total = Number(total !== 0);
          else if (dtype === "int32") total |= 0;
          else if (dtype === "uint32") total >>>= 0;
        }
        return total;
      });
      const [got, copy] = await runOnGpu(device, programOf([begin, combine, mixed], [y, z]), [data]);
      expect([...got]).toEqual(wanted);
      expect([...copy]).toEqual(wanted);
    });
  },
);

test("atomic minima and maxima of floats keep NaN and tell zeros apart", async () => {
  const x = new Buffer("x", "float32", 3);
  const y = new Buffer("y", "float32", 3);
  const start = itemKernel(3, [y], (i) => [
    store(y, i, select(lt(i, 1), constant("f32", 0), cast("f32", i))),
  ]);
  const combine = itemKernel(3, [x, y], (i) => [
    { kind: "atomic", fn: "min", buffer: y, index: i, value: load(x, i) },
  ]);
  const [got] = await runOnGpu(device, programOf([start, combine], [y]), [
    Float32Array.of(-0, Number.NaN, -5),
  ]);
  expect([...got]).toEqual([-0, Number.NaN, -5]);
});

test("atomic steps on scratch memory", async () => {
  const y = new Buffer("y", "float32", 2);
  const total = new Buffer("total", "float32", 1, "scratch");
  const kernel = gridKernel({ groups: 2, threads: 64, buffers: [y], scratch: [total] }, (group, thread) => [
    when(lt(thread, 1), [store(total, 0, constant("f32", 0))]),
    barrier,
    { kind: "atomic", fn: "add", buffer: total, index: constant("i32", 0), value: cast("f32", thread) },
    barrier,
    when(lt(thread, 1), [store(y, group, load(total, 0))]),
  ]);
  const [got] = await runOnGpu(device, programOf([kernel], [y]), []);
  expect([...got]).toEqual([2016, 2016]);
});

// ---------------------------------------------------------------------------------------------------------------------
// What a shader cannot do
// ---------------------------------------------------------------------------------------------------------------------

test("float64 is refused, never computed with less", () => {
  const x = new Buffer("x", "float64", 4);
  const y = new Buffer("y", "float32", 4);
  const kernel = itemKernel(4, [x, y], (i) => [store(y, i, cast("f32", load(x, i)))]);
  expect(() => printWgsl(kernel)).toThrow(DtypeError);
  expect(() => printWgsl(kernel)).toThrow(/WebGPU has no float64/);
  expect(() => device.upload("float64", new Float64Array(2))).toThrow(/WebGPU has no float64/);
});

test("calls of JavaScript functions are refused before anything runs", () => {
  const y = new Buffer("y", "float32", 4);
  const kernel = itemKernel(4, [y], (i) => [store(y, i, host("erf", "f32", Math.exp, [cast("f32", i)]))]);
  const before = device.memory.used;
  expect(() => device.run(programOf([kernel], [y]), [])).toThrow(DeviceError);
  expect(() => device.run(programOf([kernel], [y]), [])).toThrow(
    /erf is computed by a function of JavaScript/,
  );
  expect(device.memory.used).toBe(before);
});

test("kernels for the CPU and buffers that are not listed are errors of the library", () => {
  const y = new Buffer("y", "float32", 4);
  const [begin, end] = [new Local("begin", "i32"), new Local("end", "i32")];
  expect(() =>
    printWgsl({
      name: "k",
      launch: { kind: "range", extent: 4, begin, end },
      buffers: [y],
      scratch: [],
      body: [],
    }),
  ).toThrow(InternalError);
  const kernel = itemKernel(4, [], (i) => [store(y, i, constant("f32", 1))]);
  expect(() => printWgsl(kernel)).toThrow(/uses y, which it does not list/);
});
