/** Running kernels by hand on a GPU and by the interpreter, and comparing what they leave in memory. */
import { expect } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { runProgram } from "../../src/compiler/interpret.js";
import type { Program } from "../../src/compiler/program.js";
import { writtenIn } from "../../src/compiler/walk.js";
import type { TypedArray } from "../../src/core/dtype.js";
import { add, get, lt, mul, when } from "../../src/core/ir/ops.js";
import { type Buffer, type Expr, type Kernel, Local, type Stmt } from "../../src/core/ir/types.js";

interface Shape {
  readonly name?: string;
  readonly groups: number;
  readonly threads: number;
  readonly buffers: readonly Buffer[];
  readonly scratch?: readonly Buffer[];
}

/** A grid kernel; the body is made from the numbers of the workgroup and the thread. */
export function gridKernel(
  { name = "test", groups, threads, buffers, scratch = [] }: Shape,
  body: (group: Expr, thread: Expr) => readonly Stmt[],
): Kernel {
  const group = new Local("group", "i32", 1, false, groups);
  const thread = new Local("thread", "i32", 1, false, threads);
  return {
    name,
    launch: { kind: "grid", groups, threads, group, thread },
    buffers,
    scratch,
    body: body(get(group), get(thread)),
  };
}

/** A kernel whose body is run for each item from 0 to `extent`. */
export const itemKernel = (
  extent: number,
  buffers: readonly Buffer[],
  body: (item: Expr) => readonly Stmt[],
  threads = 64,
): Kernel =>
  gridKernel({ groups: Math.ceil(extent / threads), threads, buffers }, (group, thread) => {
    const item = new Local("item", "i32", 1, false, extent);
    return [
      { kind: "let", local: item, value: add(mul(group, threads), thread) },
      when(lt(get(item), extent), body(get(item))),
    ];
  });

/** The program of some kernels: what they only read are its inputs, of what they write the given buffers its outputs. */
export function programOf(kernels: readonly Kernel[], outputs: readonly Buffer[]): Program {
  const all = new Set(kernels.flatMap((k) => k.buffers));
  const written = new Set(kernels.flatMap((k) => [...writtenIn(k.body)]));
  return {
    name: "test",
    inputs: [...all].filter((b) => !written.has(b)),
    outputs,
    steps: kernels.map((kernel) => ({ kind: "kernel", kernel })),
    temporaries: [...all].filter((b) => written.has(b) && !outputs.includes(b)),
  };
}

export async function runOnGpu(
  device: GpuDevice,
  program: Program,
  inputs: readonly TypedArray[],
): Promise<TypedArray[]> {
  const uploaded = inputs.map((values, i) => device.upload(program.inputs[i].dtype, values));
  const results = device.run(program, uploaded);
  const values = await Promise.all(results.map((r) => device.read(r)));
  for (const b of [...uploaded, ...results]) b.release();
  return values;
}

/** Runs kernels on both and expects the same numbers, bit by bit but for the payload of NaN. */
export async function expectAsInterpreted(
  device: GpuDevice,
  kernels: readonly Kernel[],
  inputs: readonly TypedArray[],
  outputs: readonly Buffer[],
): Promise<TypedArray[]> {
  const program = programOf(kernels, outputs);
  const got = await runOnGpu(device, program, inputs);
  const wanted = runProgram(program, inputs);
  for (const [i, values] of got.entries()) expect(values, outputs[i].name).toEqual(wanted[i]);
  return got;
}
