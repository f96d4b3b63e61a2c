/** `npm run numerics`: measures how exact the devices are, and writes docs/numerics.md. */
import { writeFileSync } from "node:fs";
import { openTestDevice } from "../webgpu/swiftshader.js";
import { gpuRunner, wasmRunner } from "./devices.js";
import { documentFile, render } from "./document.js";
import { measureAll, writeMeasurements } from "./measurements.js";

const gpu = await openTestDevice();
const measured = {
  wasm: await measureAll(wasmRunner, console.log),
  webgpu: await measureAll(gpuRunner(gpu), console.log),
};
await gpu.destroy();
writeMeasurements(measured);
writeFileSync(documentFile, render(measured));
