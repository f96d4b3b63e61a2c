/** WebAssembly gives what the `evaluate` rules give. */
import { wasmRunner } from "./devices.js";
import { equivalenceSuite } from "./suite.js";

equivalenceSuite({ device: "wasm", open: async () => wasmRunner, programs: 400 });
