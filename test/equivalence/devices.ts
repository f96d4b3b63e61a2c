/** The devices as things that run jaxprs, without the ways around them that single operations on small arrays take. */
import { wasmDevice } from "../../src/backends/wasm/device.js";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { defaultTiling } from "../../src/backends/webgpu/tuning.js";
import { compile } from "../../src/compiler/compile.js";
import type { ConcreteArray } from "../../src/core/array.js";
import type { TypedArray } from "../../src/core/dtype.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { liftConstants, runLifted } from "../../src/core/lifted.js";
import type { DeviceUnderTest } from "./bounds.js";
import type { Abilities } from "./cases.js";

export interface Runner extends Abilities {
  readonly name: DeviceUnderTest;
  /** What the device is called. */
  readonly description: string;
  /** Runs that may be under way at a time. */
  readonly batch: number;
  /** @param threads of a workgroup at most. */
  run(jaxpr: Jaxpr, inputs: readonly ConcreteArray[], threads?: number): Promise<readonly TypedArray[]>;
}

export const wasmRunner: Runner = {
  name: "wasm",
  description: "WebAssembly",
  float64: true,
  flushes: false,
  batch: 1,
  run: async (jaxpr, inputs) => {
    const outputs = runLifted(wasmDevice, jaxpr, inputs);
    const values = outputs.map((y) => y.values.slice());
    // An output may be an operand, which is still needed.
    for (const y of outputs) if (!inputs.some((x) => x.values === y.values)) y.dispose();
    return values;
  },
};

export const gpuRunner = (gpu: GpuDevice): Runner => {
  const { buffers, workgroupThreads, workgroupBytes } = gpu.limits;
  const tiling = defaultTiling(gpu.info);
  return {
    name: "webgpu",
    description: gpu.name,
    float64: false,
    flushes: true,
    batch: 64,
    run: async (jaxpr, inputs, threads = workgroupThreads) => {
      const options = {
        target: "webgpu",
        buffers,
        workgroupThreads: threads,
        workgroupBytes,
        tiling,
      } as const;
      // Arrays that the program holds are operands of it on a device.
      const { jaxpr: lifted, consts } = liftConstants(jaxpr);
      const given = [...inputs, ...consts].map((x) => gpu.upload(x.dtype, x.values));
      const made = gpu.run(compile(lifted, options), given);
      for (const x of given) x.release();
      const values = await Promise.all(made.map((y) => gpu.read(y)));
      for (const y of made) y.release();
      return values;
    },
  };
};
