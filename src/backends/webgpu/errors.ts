/** What can go wrong with a GPU, beyond the errors that all devices share. */
import { DeviceError } from "../../core/errors.js";

/** There is no GPU that WebGPU could use, or none that the caller would accept. */
export class NoAdapterError extends DeviceError {
  override readonly name = "NoAdapterError";
}

/** The device is gone: the GPU was removed, its driver crashed, or the device was destroyed. A new one can be made. */
export class DeviceLostError extends DeviceError {
  override readonly name = "DeviceLostError";
}

/** The arrays that are alive and the ones asked for do not fit into the budget of the device, or its limits. */
export class OutOfMemoryError extends DeviceError {
  override readonly name = "OutOfMemoryError";
}
