/**
 * Runs before each test file: makes a GPU the device of the tests, with elements that *tests* can read at once. The library
 * cannot: where it reads elements at once, it fails as on any GPU.
 */
import fc from "fast-check";
import { beforeEach, expect } from "vitest";
import "../../src/backends/default.js";
import { WebgpuDevice } from "../../src/backends/webgpu/arrays.js";
import { ConcreteArray, NDArray } from "../../src/core/array.js";
import { expectRemoteArrays, setCurrentDevice } from "../../src/core/device.js";
import { SynchronousGpu } from "./gpu.js";
import { onWebgpu, reasonToLeaveOut } from "./leftOut.js";
import { narrowArray, narrowJaxpr } from "./narrow.js";

/** Files that share a process share its GPU. */
const shared = globalThis as { fluxionTestGpu?: SynchronousGpu };
if (shared.fluxionTestGpu === undefined || shared.fluxionTestGpu.isLost)
  shared.fluxionTestGpu = new SynchronousGpu();
const gpu = shared.fluxionTestGpu;

class TestDevice extends WebgpuDevice {
  declare run: WebgpuDevice["run"];

  constructor() {
    super(gpu.asDevice);
    const { run } = this;
    this.run = (jaxpr, inputs, donated) => {
      const program = narrowJaxpr(jaxpr);
      if (program === jaxpr) return run(jaxpr, inputs, donated);
      const results = run(program, inputs.map(narrowArray));
      for (const [i, x] of inputs.entries()) if (donated?.[i]) x.dispose();
      return results.map((y, k) => y.alias(jaxpr.outAvals[k]));
    };
  }
}

const device = new TestDevice();
expectRemoteArrays();
setCurrentDevice(device);
beforeEach(() => setCurrentDevice(device));

/** A copy that JavaScript can reach, of an array on the GPU. */
function here(x: ConcreteArray): ConcreteArray {
  if (x.remote?.device !== device || x.isDisposed) return x;
  const { buffer } = x.remote as unknown as { readonly buffer: Parameters<SynchronousGpu["readSync"]>[0] };
  const values = gpu.readSync(buffer);
  return new ConcreteArray(x.dtype === "float64" ? new Float64Array(values) : values, x.aval);
}

function replace(prototype: object, name: string, wrap: (read: () => unknown) => () => unknown): void {
  const { value } = Object.getOwnPropertyDescriptor(prototype, name) as { value: () => unknown };
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value: wrap(value) });
}

for (const name of ["dataSync", "item", "tolist"])
  replace(
    NDArray.prototype,
    name,
    (read) =>
      function (this: NDArray) {
        return read.call(here(this.concrete(`${name}()`)));
      },
  );
replace(
  NDArray.prototype,
  "data",
  (read) =>
    async function (this: NDArray) {
      return read.call(here(this.concrete("data()")));
    },
);
replace(
  ConcreteArray.prototype,
  "toString",
  (show) =>
    function (this: ConcreteArray) {
      return show.call(here(this));
    },
);

/** Errors name lines of tests, between which and the library these files would stand. */
const prepare = Error.prepareStackTrace;
Error.prepareStackTrace = (error, frames) => {
  const own = frames.filter((frame) => !frame.getFileName()?.includes("/test/everywhere/"));
  return prepare?.(error, own) ?? [String(error), ...own.map((frame) => `    at ${frame}`)].join("\n");
};

/** What is asked for in more digits than float32 has: a hundred units in its last place, of 1 or of larger numbers. */
const hundredUnits = 100 * 2 ** -24;

expect.extend({
  toBeCloseTo(received: number, wanted: number, digits = 2) {
    const allowed = digits <= 6 ? 0.5 * 10 ** -digits : hundredUnits * Math.max(1, Math.abs(wanted));
    const error = Math.abs(received - wanted);
    return {
      pass: Object.is(received, wanted) || received === wanted || error < allowed,
      message: () =>
        `expected ${received} ${this.isNot ? "not " : ""}to be close to ${wanted}: the difference is ${error}, allowed is ${allowed}`,
    };
  },
});

// Every new shape is a new shader, which takes a GPU that is emulated ten milliseconds.
fc.configureGlobal({ numRuns: 25 });

beforeEach(({ task, skip }) => {
  const reason = reasonToLeaveOut(onWebgpu, task);
  if (reason !== undefined) skip(reason);
});
