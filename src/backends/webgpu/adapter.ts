/** Finding a GPU. */
import { NoAdapterError } from "./errors.js";

export interface AdapterOptions {
  /** Take a GPU that is emulated on the CPU if there is no other. It is slower than the device "wasm". Default: false. */
  readonly allowSoftware?: boolean;
  /** The WebGPU to use. Default: `navigator.gpu`, and in Node the package `webgpu`. */
  readonly gpu?: GPU;
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

/** Dawn's entry point must live as long as anything made by it. */
let dawn: Promise<GPU> | undefined;

interface DawnModule {
  create(flags: string[]): GPU;
}

/** The package is named by a variable so that bundlers for browsers, where nobody needs it, do not look for it. */
const packageName: string = "webgpu";

async function loadDawn(): Promise<GPU> {
  try {
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ packageName)) as DawnModule;
    return create([]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new NoAdapterError(
      `WebGPU in Node needs the package "${packageName}" (npm install ${packageName}), which could not be loaded: ${reason}`,
    );
  }
}

async function findGpu(given: GPU | undefined): Promise<GPU> {
  if (given !== undefined) return given;
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (here !== undefined) return here;
  if ((globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === undefined)
    throw new NoAdapterError(
      "this browser has no WebGPU, or the page is not secure: navigator.gpu is undefined (https and http://localhost are secure)",
    );
  dawn ??= loadDawn();
  try {
    return await dawn;
  } catch (error) {
    dawn = undefined;
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
}

/** A new device on the best GPU. */
export async function openDevice({ allowSoftware = false, gpu }: AdapterOptions): Promise<Found> {
  const adapter = await findAdapter(await findGpu(gpu), allowSoftware);
  const wanted = features.filter((feature) => adapter.features.has(feature));
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
  return { device, name: nameOf(adapter), software: isSoftware(adapter), features: new Set(wanted) };
}
