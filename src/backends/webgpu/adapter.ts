/** Finding a GPU. */
import type { MatrixUnit } from "../../core/ir/tiling.js";
import { NoAdapterError } from "./errors.js";
import { matrixFeature, unitsOf } from "./matrixUnits.js";
import type { SubgroupSizes } from "./matrixWgsl.js";
import type { AdapterInfo } from "./tuning.js";

export interface AdapterOptions {
  /** Take a GPU that is emulated on the CPU if there is no other. It is slower than the device "wasm". Default: false. */
  readonly allowSoftware?: boolean;
  /** The WebGPU to use. Default: `navigator.gpu`, and in Node the package `webgpu`. */
  readonly gpu?: GPU;
  /**
   * Ask for operations on matrices of subgroups, an experiment of Dawn: they are then used where `tune` finds them faster.
   * Default: false.
   */
  readonly subgroupMatrix?: boolean;
}

const features = ["shader-f16", "subgroups", "timestamp-query"] as const;

/** Of these as much is asked for as there is; a device has only what was asked for. */
const limits = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Dawn's entry points must live as long as anything made by them. One allows experiments. */
const dawn = new Map<boolean, Promise<GPU>>();

interface DawnModule {
  create(flags: string[]): GPU;
}

/** The package is named by a variable so that bundlers for browsers, where nobody needs it, do not look for it. */
const packageName: string = "webgpu";

async function loadDawn(experiments: boolean): Promise<GPU> {
  try {
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ packageName)) as DawnModule;
    // For pages times of the GPU are rounded so that they tell nothing about other pages; a process has no need of that.
    const exact = "disable-dawn-features=timestamp_quantization";
    return create(experiments ? [exact, "enable-dawn-features=allow_unsafe_apis"] : [exact]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new NoAdapterError(
      `WebGPU in Node needs the package "${packageName}" (npm install ${packageName}), which could not be loaded: ${reason}`,
    );
  }
}

async function findGpu(given: GPU | undefined, experiments: boolean): Promise<GPU> {
  if (given !== undefined) return given;
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (here !== undefined) return here;
  if ((globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === undefined)
    throw new NoAdapterError(
      "this browser has no WebGPU, or the page is not secure: navigator.gpu is undefined (https and http://localhost are secure)",
    );
  const loading = dawn.get(experiments) ?? loadDawn(experiments);
  dawn.set(experiments, loading);
  try {
    return await loading;
  } catch (error) {
    dawn.delete(experiments);
    throw error;
  }
}

const nameOf = ({ info }: GPUAdapter): string =>
  info.description ||
  [info.vendor, info.architecture, info.device].filter((s) => s !== "").join(" ") ||
  "unnamed";

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp|software|\bcpu\b/i;

export function isSoftware({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter ||
    softwareNames.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`)
  );
}

/** @throws NoAdapterError, which says what was found and what can be done. */
async function findAdapter(gpu: GPU, allowSoftware: boolean): Promise<GPUAdapter> {
  const found = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (found !== null && (allowSoftware || !isSoftware(found))) return found;
  if (found !== null)
    throw new NoAdapterError(
      `the only GPU is emulated on the CPU (${nameOf(found)}); { allowSoftware: true } takes it, but the device "wasm" is faster`,
    );
  const fallback = allowSoftware ? await gpu.requestAdapter({ forceFallbackAdapter: true }) : null;
  if (fallback !== null) return fallback;
  throw new NoAdapterError(
    'there is no GPU that WebGPU can use (requestAdapter gave null); use the device "wasm"',
  );
}

export interface Found {
  readonly device: GPUDevice;
  /** For people. */
  readonly name: string;
  readonly software: boolean;
  readonly features: ReadonlySet<string>;
  readonly info: AdapterInfo;
  /** What the GPU multiplies in one operation of a subgroup. Empty unless that was asked for. */
  readonly matrixUnits: readonly MatrixUnit[];
  readonly subgroups: SubgroupSizes;
}

/** A new device on the best GPU. */
export async function openDevice({
  allowSoftware = false,
  gpu,
  subgroupMatrix = false,
}: AdapterOptions): Promise<Found> {
  const adapter = await findAdapter(await findGpu(gpu, subgroupMatrix), allowSoftware);
  const wished: readonly string[] = subgroupMatrix ? [...features, matrixFeature] : features;
  // The types of WebGPU do not know experiments.
  const wanted = wished.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[];
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      requiredFeatures: wanted,
      requiredLimits: Object.fromEntries(limits.map((limit) => [limit, adapter.limits[limit]])),
    });
  } catch (cause) {
    throw new NoAdapterError(
      `the GPU ${nameOf(adapter)} gave no device: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const { vendor, architecture, device: model, description } = adapter.info;
  const software = isSoftware(adapter);
  return {
    device,
    name: nameOf(adapter),
    software,
    features: new Set<string>(wanted),
    info: { vendor, architecture, device: model, description, software },
    matrixUnits: device.features.has(matrixFeature) ? unitsOf(adapter.info) : [],
    subgroups: { least: adapter.info.subgroupMinSize, most: adapter.info.subgroupMaxSize },
  };
}
