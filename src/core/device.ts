/**
 * Devices, as the language sees them: something that runs jaxprs and single operations. Without one, operations run by
 * their `evaluate` rules. The devices themselves are in backends/, which lies above this folder and says which one is
 * current.
 */
import type { ConcreteArray } from "./array.js";
import type { Aval } from "./aval.js";
import type { TypedArray } from "./dtype.js";
import { DeviceError } from "./errors.js";
import type { Jaxpr } from "./jaxpr.js";
import type { LoweredProgram } from "./lowered.js";
import type { Params, Primitive } from "./primitive.js";

/** `reference` is the absence of a device: the `evaluate` rules. */
export type DeviceName = "reference" | "wasm" | "webgpu";

export interface Device {
  readonly name: DeviceName;
  /** Throws `DeviceError` if the device is gone, and its arrays with it. */
  requireAlive?(): void;
  /**
   * Runs a jaxpr as a compiled program.
   *
   * @param donated which inputs are given away: the program may use their memory, and they are disposed of. If it fails
   *   before its first step they stay as they are; if it fails later they are disposed of as well.
   */
  run(jaxpr: Jaxpr, inputs: readonly ConcreteArray[], donated?: readonly boolean[]): readonly ConcreteArray[];
  /** The program that `run` runs, for people and tools to look at. */
  lower(jaxpr: Jaxpr, donated?: readonly boolean[]): LoweredProgram;
  /** Applies one primitive; `outputs` are the types of the results. */
  apply(
    primitive: Primitive,
    inputs: readonly ConcreteArray[],
    params: Params,
    outputs: readonly Aval[],
  ): readonly ConcreteArray[];
}

/** Elements that are not in memory that JavaScript can read at once. */
export interface Remote {
  readonly device: Device;
  /** Whoever has this object has the memory: arrays that share their elements share it. */
  readonly owner: object;
  /** A copy of the elements, row-major. */
  read(): Promise<TypedArray>;
  /** Gives the memory back; the elements are gone. */
  free(): void;
  /** Looks for NaN. If there is one, whoever next waits for the device gets the error made of the first one's position. */
  checkNans(report: (at: number) => Error): void;
}

let current: Device | undefined;
/** Whether some array may be on another device than the current one: looked up for every operation. */
let several = false;

/** The device that new arrays are computed on; undefined for `reference`. */
export const currentDevice = (): Device | undefined => current;

/** Sets the device. @internal */
export function setCurrentDevice(device: Device | undefined): void {
  current = device;
}

/** To be called once there are arrays that live on a device of their own. @internal */
export function expectRemoteArrays(): void {
  several = true;
}

/**
 * The device that computes with these arrays: the one that some of them are on, else the current one.
 * Throws `DeviceError` if they are on different devices.
 */
export function deviceFor(what: string, inputs: readonly ConcreteArray[]): Device | undefined {
  if (!several) return current;
  let found: Device | undefined;
  for (const { remote } of inputs) {
    if (remote === undefined) continue;
    if (found === remote.device) continue;
    remote.device.requireAlive?.();
    if (found !== undefined)
      throw new DeviceError(
        `${what} has operands on different devices (${found.name} and ${remote.device.name}); move one with devicePut`,
      );
    found = remote.device;
  }
  return found ?? current;
}
