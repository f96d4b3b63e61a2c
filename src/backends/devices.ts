/** The devices, as users see them: which there are, which one is the default, and how arrays get from one to another. */
import { ConcreteArray, NDArray } from "../core/array.js";
import { currentDevice, type DeviceName, expectRemoteArrays, setCurrentDevice } from "../core/device.js";
import { ArgumentError, ConcretizationError, DeviceError } from "../core/errors.js";
import { leaves, map } from "../core/tree.js";
import { wantedDevice } from "./default.js";
import { wasmDevice } from "./wasm/device.js";
import { deviceHeap } from "./wasm/memory.js";
import { hasWasm } from "./wasm/support.js";
import { setThreadCount, threadCount } from "./wasm/threads.js";
import type { WebgpuDevice } from "./webgpu/arrays.js";
import { DeviceLostError, NoAdapterError } from "./webgpu/errors.js";
import type { TuneOptions } from "./webgpu/tune.js";
import { defaultTiling, type TuningFile, type TuningRecord, tuningRecords } from "./webgpu/tuning.js";

const names: readonly DeviceName[] = ["reference", "wasm", "webgpu"];

export interface InitOptions {
  /**
   * The device to use. Default: what the environment variable `FLUXION_DEVICE` names, else a GPU if there is one (never one
   * emulated on the CPU), else "wasm".
   */
  readonly device?: DeviceName;
  /** With "webgpu": also a GPU that is emulated on the CPU. For tests. Default: false. */
  readonly allowSoftware?: boolean;
  /**
   * Threads that "wasm" computes with, from 1 to 32, the one that calls among them. Default: what the environment variable
   * `FLUXION_THREADS` says, else one for each processor, but no more than 8. The others are started when there is work for
   * them. Results are the same for every number of threads.
   */
  readonly threads?: number;
  /**
   * With "webgpu": bytes that arrays may take at a time. Default: 4 GiB. It can be changed by calling `init` again; arrays that
   * are there stay.
   */
  readonly memoryBudget?: number;
  /**
   * With "webgpu": measure how work is best cut for this GPU, as `tune` does, unless there is a record of it. Default: false.
   */
  readonly tune?: boolean;
  /**
   * With "webgpu", when it is opened: let `tune` also try operations on matrices of subgroups, an experiment of Dawn. What
   * they compute is summed in another order. Default: false.
   */
  readonly subgroupMatrix?: boolean;
}

export interface DeviceInfo {
  readonly name: DeviceName;
  /** For people: the GPU's name. */
  readonly description: string;
  /** Whether new arrays are computed here. */
  readonly isDefault: boolean;
  /** Whether elements can be read at once (`dataSync`, `item`, `tolist`); else with `await x.data()`. */
  readonly synchronous: boolean;
  readonly float64: boolean;
  /** Threads of the CPU that compute, at most. */
  readonly threads: number;
}

/** Memory in bytes. */
export interface MemoryStats {
  readonly device: DeviceName;
  /** In use by arrays and programs. */
  readonly bytesInUse: number;
  /** Held by the device, in use or ready to be used again. */
  readonly bytesReserved: number;
  /** The most that were in use at a time, where the device counts it. */
  readonly peakBytesInUse: number | undefined;
  /** Arrays whose memory the device owns, where it counts them. */
  readonly arrays: number | undefined;
}

let gpu: WebgpuDevice | undefined;

function requireName(name: unknown, where: string): DeviceName {
  if (names.includes(name as DeviceName)) return name as DeviceName;
  throw new ArgumentError(
    `${where}: ${JSON.stringify(name) ?? String(name)} is not a device; there are ${names.join(", ")}`,
  );
}

/**
 * Chooses the default device and makes it ready. Without it everything works at once on "wasm". A GPU that is ready stays in
 * use, with its arrays; `closeGpu` gives it back.
 *
 * @returns what was chosen.
 * @throws DeviceError if the device that was asked for is not there; the default stays as it was. ArgumentError for what is
 *   no number of threads.
 * @example
 * const { name } = await init({ device: "wasm" });
 * name; // "wasm"
 */
export async function init(options: InitOptions = {}): Promise<DeviceInfo> {
  if (options.threads !== undefined) setThreadCount(options.threads);
  const asked = options.device ?? wantedDevice();
  if (asked !== undefined) {
    const name = requireName(asked, options.device === undefined ? "FLUXION_DEVICE" : "init");
    if (name === "webgpu") await openGpu(options);
    setDefaultDevice(name);
    return infoOf(name);
  }
  try {
    await openGpu(options);
    setDefaultDevice("webgpu");
    return infoOf("webgpu");
  } catch (error) {
    if (!(error instanceof NoAdapterError)) throw error;
    setDefaultDevice(hasWasm() ? "wasm" : "reference");
    return infoOf(defaultDevice());
  }
}

/** A GPU that is being opened. */
let opening: Promise<void> | undefined;

async function openGpu(options: InitOptions): Promise<void> {
  const { memoryBudget, allowSoftware } = options;
  if (memoryBudget !== undefined && !(memoryBudget > 0))
    throw new ArgumentError(`init: memoryBudget must be a positive number of bytes, got ${memoryBudget}`);
  while (opening !== undefined) await opening.catch(() => undefined);
  if (gpu === undefined || gpu.gpu.isLost) {
    opening = openNewGpu(options).finally(() => {
      opening = undefined;
    });
    await opening;
    return tuneOnce(options);
  }
  if (allowSoftware === false && gpu.gpu.software)
    throw new NoAdapterError(
      `init: the GPU in use is emulated on the CPU (${gpu.gpu.name}); give it back with await closeGpu()`,
    );
  if (memoryBudget !== undefined) gpu.gpu.memoryBudget = memoryBudget;
  await tuneOnce(options);
}

/** What is being measured. Two measurements at a time would disturb each other. */
let measuring: Promise<TuningRecord> | undefined;

async function tuneOnce({ tune: wanted }: InitOptions): Promise<void> {
  if (wanted !== true) return;
  await measuring?.catch(() => undefined);
  if (gpu !== undefined && tuningRecords.find(gpu.gpu.info) === undefined) await tune();
}

async function openNewGpu({ allowSoftware, memoryBudget, subgroupMatrix }: InitOptions): Promise<void> {
  // Loaded only when asked for: most of what is there is not needed without a GPU.
  const [{ GpuDevice }, { WebgpuDevice }] = await Promise.all([
    import("./webgpu/device.js"),
    import("./webgpu/arrays.js"),
  ]);
  gpu = new WebgpuDevice(await GpuDevice.open({ allowSoftware, memoryBudget, subgroupMatrix }));
  applyTuning(gpu);
  expectRemoteArrays();
}

/** Cuts work as the record of the GPU says, or as is usual. */
function applyTuning(device: WebgpuDevice): void {
  const { info, matrixUnits } = device.gpu;
  const { matrices, ...tiling } = tuningRecords.find(info)?.tiling ?? defaultTiling(info);
  const used = matrices?.filter((m) => matrixUnits.some((u) => JSON.stringify(u) === JSON.stringify(m)));
  device.tiling = used === undefined || used.length === 0 ? tiling : { ...tiling, matrices: used };
}

/**
 * Measures how work is best cut for the GPU in use, and cuts it so from now on: sizes of tiles of products, and how elementwise
 * kernels walk memory. It takes some seconds, in which nothing else should run on the GPU. What was found is remembered (see
 * `tuning`). Other tiles add up in another order, so that last places of products may change.
 *
 * @returns what was chosen, and the times that decided it.
 * @throws DeviceError if there is no GPU yet.
 */
export async function tune(options: TuneOptions = {}): Promise<TuningRecord> {
  const device = requireGpu("tune");
  while (measuring !== undefined) await measuring.catch(() => undefined);
  measuring = measure(device, options).finally(() => {
    measuring = undefined;
  });
  return measuring;
}

async function measure(device: WebgpuDevice, options: TuneOptions): Promise<TuningRecord> {
  const { measureTiling } = await import("./webgpu/tune.js");
  const record = await measureTiling(device.gpu, options);
  tuningRecords.add(record);
  applyTuning(device);
  return record;
}

/**
 * What `tune` has found, for all adapters. A program that imports on each start what it exported once measures nothing anew,
 * and computes the same bits: where the file is kept is up to it.
 *
 * @example
 * const saved = JSON.stringify(tuning.export());
 * tuning.import(JSON.parse(saved));
 */
export const tuning = {
  /** All records, as data for JSON. */
  export: (): TuningFile => tuningRecords.export(),

  /**
   * Takes records over; that of the GPU in use counts from now on.
   * @throws ArgumentError for anything but what `export` gave.
   */
  import(file: unknown): void {
    tuningRecords.import(file);
    if (gpu !== undefined && !gpu.gpu.isLost) applyTuning(gpu);
  },

  /** Forgets all records: work is cut as is usual on such an adapter. */
  clear(): void {
    tuningRecords.clear();
    if (gpu !== undefined && !gpu.gpu.isLost) applyTuning(gpu);
  },
};

function infoOf(name: DeviceName): DeviceInfo {
  const descriptions: Record<DeviceName, string> = {
    reference: "the evaluate rules, in JavaScript",
    wasm: "WebAssembly with 128-bit vectors, on the CPU",
    webgpu: gpu?.gpu.name ?? "",
  };
  return {
    name,
    description: descriptions[name],
    isDefault: defaultDevice() === name,
    synchronous: name !== "webgpu",
    float64: name !== "webgpu",
    threads: name === "wasm" ? threadCount() : 1,
  };
}

/** The devices that are ready. A GPU is one of them after `init`. */
export function devices(): DeviceInfo[] {
  const ready: DeviceName[] = ["reference"];
  if (hasWasm()) ready.push("wasm");
  if (gpu !== undefined && !gpu.gpu.isLost) ready.push("webgpu");
  return ready.map(infoOf);
}

/** The name of the device that new arrays are computed on. */
export const defaultDevice = (): DeviceName => currentDevice()?.name ?? "reference";

/**
 * Sets the device that new arrays are computed on.
 * @throws ArgumentError for a name that is no device; DeviceError if it is not ready (a GPU needs `await init()`).
 */
export function setDefaultDevice(device: DeviceName): void {
  const name = requireName(device, "setDefaultDevice");
  if (name === "webgpu") setCurrentDevice(requireGpu("setDefaultDevice"));
  else if (name === "wasm" && !hasWasm())
    throw new DeviceError('setDefaultDevice: this host has no WebAssembly with vectors; use "reference"');
  else setCurrentDevice(name === "wasm" ? wasmDevice : undefined);
}

function requireGpu(where: string): WebgpuDevice {
  if (gpu === undefined)
    throw new DeviceError(`${where}: there is no GPU yet; call await init({ device: "webgpu" }) first`);
  if (gpu.gpu.isLost)
    throw new DeviceLostError(`${where}: the GPU was lost; call await init({ device: "webgpu" }) again`);
  return gpu;
}

const concreteLeaf = (x: unknown, where: string): ConcreteArray => {
  if (x instanceof ConcreteArray) return x;
  if (x instanceof NDArray)
    throw new ConcretizationError(
      `${where}: a traced array is on no device; call ${where} outside jit, vmap and grad`,
    );
  throw new ArgumentError(`${where} takes a tree of arrays, got a ${typeof x} in it`);
};

/**
 * Copies the arrays of a tree to a device. To get arrays of a GPU back, which takes time, see `deviceGet`.
 *
 * @throws DeviceError if the device is not ready, or if an array is on a GPU and `device` is not.
 */
export function devicePut<T>(tree: T, device: DeviceName): T {
  const name = requireName(device, "devicePut");
  const target = name === "webgpu" ? requireGpu("devicePut") : undefined;
  return map((leaf: unknown) => {
    const x = concreteLeaf(leaf, "devicePut");
    if (target !== undefined) return target.put(x);
    if (x.remote !== undefined)
      throw new DeviceError(
        `devicePut: an array on ${x.remote.device.name} cannot be brought to ${name} at once; use await deviceGet(x)`,
      );
    return x;
  }, tree as never) as T;
}

/** Copies the arrays of a tree to where JavaScript can read them at once. */
export async function deviceGet<T>(tree: T): Promise<T> {
  const arrays = (leaves(tree as never) as unknown[]).map((x) => concreteLeaf(x, "deviceGet"));
  const copies = await Promise.all(
    arrays.map(async (x) =>
      x.remote === undefined || x.isDisposed ? x : new ConcreteArray(await x.remote.read(), x.aval),
    ),
  );
  let next = 0;
  return map(() => copies[next++], tree as never) as T;
}

/** Where an array is. */
export function deviceOf(x: NDArray): DeviceName {
  const array = concreteLeaf(x, "deviceOf");
  return array.remote?.device.name ?? (defaultDevice() === "reference" ? "reference" : "wasm");
}

/**
 * Waits until what was asked of the devices is done, and gives the tree back. Errors that a GPU found meanwhile are thrown
 * here.
 */
export async function blockUntilReady<T>(tree?: T): Promise<T> {
  if (gpu !== undefined && !gpu.gpu.isLost) await gpu.gpu.blockUntilReady();
  return tree as T;
}

/**
 * The memory of a device.
 * @throws DeviceError if it is not ready.
 * @example
 * memoryStats("wasm").bytesInUse >= 0; // true
 */
export function memoryStats(device: DeviceName = defaultDevice()): MemoryStats {
  const name = requireName(device, "memoryStats");
  if (name === "webgpu") {
    const { used, free, arrays } = requireGpu("memoryStats").gpu.memory;
    return { device: name, bytesInUse: used, bytesReserved: used + free, peakBytesInUse: undefined, arrays };
  }
  if (name === "reference")
    return { device: name, bytesInUse: 0, bytesReserved: 0, peakBytesInUse: undefined, arrays: undefined };
  const { live, reserved, peak, arrays } = deviceHeap().statistics;
  return { device: name, bytesInUse: live, bytesReserved: reserved, peakBytesInUse: peak, arrays };
}

/**
 * Gives a GPU back: waits for its work, then frees all its memory. Arrays on it are lost, though reads that are under way get
 * their elements; arrays of the host are not touched. If it was the default, "wasm" is again. `init` makes a new one.
 *
 * @throws (when it is closed) errors that the GPU has found and nobody has been told of.
 */
export async function closeGpu(): Promise<void> {
  while (opening !== undefined) await opening.catch(() => undefined);
  const closing = gpu;
  if (closing === undefined) return;
  gpu = undefined;
  if (currentDevice() === closing) setDefaultDevice(hasWasm() ? "wasm" : "reference");
  try {
    if (!closing.gpu.isLost) await closing.gpu.blockUntilReady();
  } finally {
    await closing.gpu.destroy();
  }
}
