/**
 * Products by operations on matrices of subgroups. No driver of these tests has them: that the shaders are valid is asked of
 * Dawn's null backend, which runs nothing; that they compute the product is seen with loops of a single thread in the place
 * of the operations.
 */
import { lax, type NDArray } from "fluxion";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { BufferUsage, MapMode } from "../../src/backends/webgpu/flags.js";
import { unitsOf } from "../../src/backends/webgpu/matrixUnits.js";
import { printMatrixProduct } from "../../src/backends/webgpu/matrixWgsl.js";
import type { Shader } from "../../src/backends/webgpu/wgsl.js";
import { compile, webgpuOptions } from "../../src/compiler/compile.js";
import type { DType } from "../../src/core/dtype.js";
import { type MatrixUnit, plainTiling } from "../../src/core/ir/tiling.js";
import type { Kernel } from "../../src/core/ir/types.js";
import { ShapeDtype } from "../../src/index.js";
import { makeJaxpr } from "../../src/transforms/makeJaxpr.js";
import { openTestDevice } from "./swiftshader.js";

interface Case {
  readonly shapes: readonly [readonly number[], readonly number[]];
  /** Contracting axes; axis 0 is the batch. */
  readonly axes: readonly [number, number];
  readonly dtype: DType;
  readonly result: DType;
}

const cases: readonly Case[] = [
  {
    shapes: [
      [2, 64, 24],
      [2, 24, 72],
    ],
    axes: [2, 1],
    dtype: "float32",
    result: "float32",
  },
  {
    shapes: [
      [2, 24, 64],
      [2, 96, 24],
    ],
    axes: [1, 2],
    dtype: "float32",
    result: "float32",
  },
  {
    shapes: [
      [1, 96, 8],
      [1, 8, 104],
    ],
    axes: [2, 1],
    dtype: "float32",
    result: "float32",
  },
  {
    shapes: [
      [1, 96, 16],
      [1, 16, 96],
    ],
    axes: [2, 1],
    dtype: "float16",
    result: "float32",
  },
  {
    shapes: [
      [2, 64, 16],
      [2, 16, 96],
    ],
    axes: [2, 1],
    dtype: "float16",
    result: "float16",
  },
];

const unit = (type: "f16" | "f32"): MatrixUnit => ({ type, rows: 8, columns: 8, terms: 8 });

function kernelOf({ shapes, axes, dtype, result }: Case, then = (x: NDArray): NDArray => x): Kernel {
  const f = (x: NDArray, y: NDArray): NDArray =>
    then(
      lax.dotGeneral(x, y, {
        contracting: [[axes[0]], [axes[1]]],
        batch: [[0], [0]],
        preferredElementType: result as "float32",
      }),
    );
  const { jaxpr } = makeJaxpr(f)(new ShapeDtype(shapes[0], dtype), new ShapeDtype(shapes[1], dtype));
  const tiling = { ...plainTiling, matrices: [unit(dtype === "float16" ? "f16" : "f32")] };
  const { steps } = compile(jaxpr, { ...webgpuOptions, tiling });
  expect(steps).toHaveLength(1);
  const [step] = steps;
  if (step.kind !== "kernel") throw new Error("a product is a kernel");
  return step.kernel;
}

function shaderOf(c: Case, subgroup: number): Shader {
  const kernel = kernelOf(c);
  if (kernel.product === undefined) throw new Error("it is no plain product");
  const shader = printMatrixProduct(kernel, kernel.product, { least: subgroup, most: subgroup }, 256);
  if (shader === undefined) throw new Error("the product is not that of the kernel");
  return shader;
}

interface DawnModule {
  create(flags: string[]): GPU;
}

/** Dawn's entry points must live as long as anything made by them. */
const opened: GPU[] = [];

async function openDawn(flags: string[]): Promise<GPU> {
  const { create } = (await import("webgpu")) as unknown as DawnModule;
  const gpu = create(flags);
  opened.push(gpu);
  return gpu;
}

test("the shaders are valid", async (context) => {
  const gpu = await openDawn(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await gpu.requestAdapter();
  const needed = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"] as GPUFeatureName[];
  const lacking = needed.filter((feature) => adapter?.features.has(feature) !== true);
  if (adapter === null || lacking.length > 0) {
    const reason = `this Dawn has no null backend with ${lacking.join(", ")}`;
    console.log(`left out: ${reason}`);
    context.skip(reason);
    return;
  }
  const device = await adapter.requestDevice({ requiredFeatures: needed });
  const problems = async (code: string): Promise<string[]> => {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const { messages } = await module.getCompilationInfo();
    const error = await device.popErrorScope();
    return [...messages.map(({ message }) => message), ...(error === null ? [] : [error.message])];
  };
  // What it finds in one that is wrong.
  expect(
    await problems(shaderOf(cases[0], 32).code.replace("subgroup_matrix_left", "subgroup_matrix_right")),
  ).not.toEqual([]);
  for (const c of cases)
    for (const size of [32, 64]) expect(await problems(shaderOf(c, size).code)).toEqual([]);
  device.destroy();
});

/** The shader for subgroups of one thread: an array for each matrix, and loops for the operations. */
function emulated({ code }: Shader): string {
  const size = "64";
  const text = code
    .replace(/^(enable|diagnostic).*$/gm, "")
    .replace(/,\s*@builtin\(subgroup_invocation_id\) lane: u32, @builtin\(subgroup_size\) lanes: u32/, "")
    .replace(/(fn main\([^{]*\{)/, "$1\n  let lanes = 1u;")
    .replace(/subgroup_matrix_result<f32, 8, 8>/g, `array<f32, ${size}>`)
    .replace(/subgroupMatrixLoad<[^;]*?, (row|col)_major>\(&(\w+), /g, "load_$2_$1(")
    .replace(/subgroupMatrixMultiplyAccumulate\(/g, "multiply(")
    .replace(/subgroupMatrixStore<row_major>\(&result, ([^;]*?), (sum\w+), (\w+)\);/g, "keep($1, $2, $3);");
  const load = (buffer: string, kind: string, at: string): string[] => [
    `fn load_${buffer}_${kind}(at: u32, stride: u32) -> array<f32, ${size}> {`,
    `  var m: array<f32, ${size}>;`,
    `  for (var i = 0u; i < 8u; i++) { for (var j = 0u; j < 8u; j++) { m[i * 8u + j] = ${buffer}[at + ${at}]; } }`,
    "  return m;",
    "}",
  ];
  const helpers = [
    ...["x", "y"].flatMap((b) => [...load(b, "row", "i * stride + j"), ...load(b, "col", "j * stride + i")]),
    `fn multiply(x: array<f32, ${size}>, y: array<f32, ${size}>, sums: array<f32, ${size}>) -> array<f32, ${size}> {`,
    "  var left = x; var right = y; var m = sums;",
    "  for (var i = 0u; i < 8u; i++) { for (var j = 0u; j < 8u; j++) { for (var k = 0u; k < 8u; k++) {",
    "    m[i * 8u + j] += left[i * 8u + k] * right[k * 8u + j];",
    "  } } }",
    "  return m;",
    "}",
    `fn keep(at: u32, sums: array<f32, ${size}>, stride: u32) {`,
    "  var m = sums;",
    "  for (var i = 0u; i < 8u; i++) { for (var j = 0u; j < 8u; j++) { result[at + i * stride + j] = m[i * 8u + j]; } }",
    "}",
  ];
  return `${text}\n${helpers.join("\n")}\n`;
}

/** Runs a shader by hand. Buffers that it writes are given back, as the last one is here. */
async function runShader(
  device: GPUDevice,
  { code, workgroups }: Shader,
  inputs: readonly Float32Array<ArrayBuffer>[],
  size: number,
): Promise<Float32Array> {
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
  const given = inputs.map((values) => {
    const buffer = device.createBuffer({ size: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  const made = device.createBuffer({ size: 4 * size, usage });
  const copy = device.createBuffer({ size: 4 * size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  const entries = [...given, made].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
  encoder.copyBufferToBuffer(made, 0, copy, 0, 4 * size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(MapMode.READ);
  return new Float32Array(copy.getMappedRange().slice(0));
}

describe("the product", () => {
  let gpu: GpuDevice;
  let device: GPUDevice;
  beforeAll(async () => {
    gpu = await openTestDevice();
    const adapter = await (await openDawn([])).requestAdapter();
    if (adapter === null) throw new Error("SwiftShader is gone");
    device = await adapter.requestDevice();
  });
  afterAll(async () => {
    device.destroy();
    await gpu.destroy();
  });

  test.each(
    cases.filter(({ dtype }) => dtype === "float32").map((c) => [JSON.stringify(c.shapes), c] as const),
  )("of %s is what the other kernel computes", async (_, c) => {
    const counts = c.shapes.map((s) => s.reduce((a, b) => a * b));
    const values = counts.map((n, i) =>
      Float32Array.from({ length: n }, (__, k) => ((k * (5 + i)) % 13) / 4 - 1.5),
    );
    const given = values.map((v) => gpu.upload("float32", v));
    const { jaxpr } = makeJaxpr((x: NDArray, y: NDArray) =>
      lax.dotGeneral(x, y, { contracting: [[c.axes[0]], [c.axes[1]]], batch: [[0], [0]] }),
    )(new ShapeDtype(c.shapes[0]), new ShapeDtype(c.shapes[1]));
    const [plain] = gpu.run(compile(jaxpr, webgpuOptions), given);
    const wanted = await gpu.read(plain);
    const shader = shaderOf(c, 1);
    const got = await runShader(device, { ...shader, code: emulated(shader) }, values, wanted.length);
    expect(got).toEqual(wanted);
  });
});

describe("a kernel", () => {
  test("that does more than the product is no operation on matrices", () => {
    expect(kernelOf(cases[0]).product).toBeDefined();
    expect(kernelOf(cases[0], (x) => x.mul(2)).product).toBeUndefined();
  });

  test("whose matrices are not filled by units is none", () => {
    const odd: Case = {
      ...cases[0],
      shapes: [
        [1, 96, 24],
        [1, 24, 100],
      ],
    };
    expect(kernelOf(odd).product).toBeUndefined();
  });
});

test("of what an adapter offers those count that add up in f32", () => {
  const config = (componentType: string, resultComponentType: string, M: number) => ({
    componentType,
    resultComponentType,
    M,
    N: 8,
    K: 16,
  });
  const info = {
    subgroupMatrixConfigs: [
      config("f16", "f32", 16),
      config("f16", "f16", 8),
      config("u8", "i32", 8),
      config("f32", "f32", 8),
    ],
  };
  expect(unitsOf(info as unknown as GPUAdapterInfo)).toEqual([
    { type: "f16", rows: 16, columns: 8, terms: 16 },
    { type: "f32", rows: 8, columns: 8, terms: 16 },
  ]);
  expect(unitsOf({} as GPUAdapterInfo)).toEqual([]);
});
