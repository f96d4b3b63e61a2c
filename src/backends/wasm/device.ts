/**
 * The CPU device. Programs are compiled to WebAssembly; a single operation on a small array is quicker by its `evaluate`
 * rule than by any program.
 */
import { compile, wasmOptions } from "../../compiler/compile.js";
import { describeProgram } from "../../compiler/describe.js";
import { operationJaxpr } from "../../compiler/equation.js";
import { planBuffers } from "../../compiler/plan.js";
import { ConcreteArray } from "../../core/array.js";
import { type Aval, sizeOf } from "../../core/aval.js";
import { memoize } from "../../core/build.js";
import type { Device } from "../../core/device.js";
import type { TypedArray } from "../../core/dtype.js";
import { itemSize } from "../../core/dtype.js";
import type { Buffer } from "../../core/ir/types.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { noteArray, provideReclaim } from "../../core/lifetime.js";
import { deviceHeap } from "./memory.js";
import { printKernels } from "./print.js";
import { compileProgram } from "./run.js";
import { printModule } from "./wat.js";

/** Operations on no more elements than this run by their `evaluate` rule. */
const smallest = 1024;

const compiled = memoize(
  () => "wasm",
  (jaxpr: Jaxpr) => compileProgram(compile(jaxpr, wasmOptions)),
);

const isLarge = (avals: readonly Aval[]): boolean => avals.some(({ shape }) => sizeOf(shape) > smallest);

/** Results as arrays. Where the elements are those of an operand, or of another result, the arrays know of each other. */
function wrap(
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
  results: readonly TypedArray[],
): ConcreteArray[] {
  const arrays: ConcreteArray[] = [];
  for (const [k, values] of results.entries()) {
    const type = jaxpr.outAvals[k];
    const same = inputs.find((x) => x.values === values) ?? arrays.find((x) => x.values === values);
    const array = same === undefined ? new ConcreteArray(values, type) : same.alias(type);
    if (deviceHeap().owns(values)) noteArray(array);
    arrays.push(array);
  }
  return arrays;
}

const bytesOf = ({ dtype, size }: Buffer): number => itemSize(dtype) * size;

export const wasmDevice: Device = {
  name: "wasm",
  run: (jaxpr, inputs) => wrap(jaxpr, inputs, compiled(jaxpr).run(inputs.map((x) => x.values))),
  lower: (jaxpr) =>
    describeProgram(jaxpr, {
      device: "wasm",
      options: wasmOptions,
      language: "wat",
      print: (kernel) => printModule(printKernels([kernel], { sharedMemory: true }).module),
      bytesOf,
      temporaryBytes: (program) => planBuffers(program, bytesOf).bytes,
      prepare: (lowered) => compiled(lowered).prepare(),
    }),
  apply: (primitive, inputs, params, outputs) =>
    // A reshape shares its elements: nothing is quicker than that.
    primitive.lower === undefined ||
    primitive.name === "reshape" ||
    !(isLarge(outputs) || isLarge(inputs.map((x) => x.aval)))
      ? primitive.evaluate(inputs, params, outputs)
      : wasmDevice.run(operationJaxpr(primitive, inputs, params, outputs), inputs),
};

provideReclaim((values) => deviceHeap().release(values));
