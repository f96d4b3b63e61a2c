/**
 * The device that is there without asking: WebAssembly, where the host has it with vectors. The environment variable
 * `FLUXION_DEVICE=reference` leaves arrays to the `evaluate` rules instead.
 */
import { setCurrentDevice } from "../core/device.js";
import { wasmDevice } from "./wasm/device.js";
import { hasWasm } from "./wasm/support.js";

/** The device that the environment asks for, if it does. */
export const wantedDevice = (): string | undefined =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.FLUXION_DEVICE;

if (hasWasm() && wantedDevice() !== "reference") setCurrentDevice(wasmDevice);
