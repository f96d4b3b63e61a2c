/** What a page offers that the devices build on; where one of these fails, no other failure means much. */

import { describe, expect, test } from "vitest";
import { BufferUsage, MapMode } from "../../src/backends/webgpu/flags.js";

describe("WebAssembly", () => {
  // (module (func (v128.const i32x4 0 0 0 0) (drop)))
  const vectors = Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x0a, 0x17, 0x01, 0x15, 0x00, 0xfd, 0x0c, ...new Uint8Array(16), 0x1a, 0x0b],
  );
  // (module (memory 1 1 shared) (func (result i32) (i32.atomic.load (i32.const 0))))
  const threads = Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x05, 0x04, 0x01, 0x03, 0x01, 0x01],
    ...[0x0a, 0x0a, 0x01, 0x08, 0x00, 0x41, 0x00, 0xfe, 0x10, 0x02, 0x00, 0x0b],
  );

  test.each([
    ["128-bit vectors", vectors],
    ["shared memory and atomics", threads],
  ])("has %s", (_, module) => {
    expect(WebAssembly.validate(module)).toBe(true);
    expect(WebAssembly.validate(module.subarray(0, -1))).toBe(false);
    expect(new WebAssembly.Instance(new WebAssembly.Module(module))).toBeInstanceOf(WebAssembly.Instance);
  });

  test("shares memory with workers, since the page is isolated from other origins", async () => {
    expect(crossOriginIsolated).toBe(true);
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    const source = "onmessage = ({ data }) => { Atomics.store(data, 0, 42); postMessage(0); }";
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    const shared = new Int32Array(buffer);
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
      worker.postMessage(shared);
    });
    worker.terminate();
    expect(Atomics.load(shared, 0)).toBe(42);
  });
});

describe("WebGPU", () => {
  test("computes", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const code = `
      @group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
        x[id.x] = x[id.x] * f32(id.x) + 0.5;
      }`;
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module: device.createShaderModule({ code }) },
    });
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = BufferUsage;
    const x = device.createBuffer({ size: 32, usage: STORAGE | COPY_SRC | COPY_DST });
    const copy = device.createBuffer({ size: 32, usage: MAP_READ | COPY_DST });
    device.queue.writeBuffer(x, 0, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const commands = device.createCommandEncoder();
    const pass = commands.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: x } }],
      }),
    );
    pass.dispatchWorkgroups(2);
    pass.end();
    commands.copyBufferToBuffer(x, 0, copy, 0, 32);
    device.queue.submit([commands.finish()]);
    await copy.mapAsync(MapMode.READ);
    expect([...new Float32Array(copy.getMappedRange())]).toEqual([
      0.5, 2.5, 6.5, 12.5, 20.5, 30.5, 42.5, 56.5,
    ]);
    device.destroy();
  });
});
