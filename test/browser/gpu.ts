/** Stands for test/webgpu/swiftshader.ts in pages: there SwiftShader is Chromium's own. */
import { GpuDevice, type GpuOptions } from "../../src/backends/webgpu/device.js";

export const openTestDevice = (options: GpuOptions = {}): Promise<GpuDevice> =>
  GpuDevice.open({ allowSoftware: true, ...options });

export const useSwiftShader = (): void => {};
