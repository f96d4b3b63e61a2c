/** WebGPU gives what the `evaluate` rules give: here on SwiftShader. */
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { openTestDevice } from "../webgpu/swiftshader.js";
import { gpuRunner } from "./devices.js";
import { equivalenceSuite } from "./suite.js";

let gpu: GpuDevice;

equivalenceSuite({
  device: "webgpu",
  open: async () => {
    gpu = await openTestDevice();
    return gpuRunner(gpu);
  },
  close: () => gpu.destroy(),
  programs: 200,
});
