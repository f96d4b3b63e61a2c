import { primitives } from "../../src/core/primitive.js";
import "../../src/index.js";
import { openTestDevice } from "../webgpu/swiftshader.js";
import { callsHost } from "./bounds.js";
import { gpuRunner, wasmRunner } from "./devices.js";
import { measure } from "./measure.js";
const names = (process.env.N ?? "").split(",");
const gpu = await openTestDevice();
for (const r of [wasmRunner, gpuRunner(gpu)])
  for (const p of primitives().filter((q) => names.includes(q.name) && !callsHost(q))) {
    const t = Date.now();
    try {
      const e = await measure(p, r);
      console.log(r.name, p.name, `${Date.now() - t}ms`);
      for (const [d, { error, what }] of e) console.log("   ", d, error, error > 0 ? what.slice(0, 260) : "");
    } catch (e) { console.log(r.name, p.name, "FAILED", String(e).slice(0, 300)); }
  }
await gpu.destroy();
process.exit(0);
