/**
 * The CPU device. Programs are compiled to WebAssembly; a single operation on a small array is quicker by its `evaluate`
 * rule than by any program.
 */
import { compile, type Donation, donationOf, wasmOptions } from "../../compiler/compile.js";
import { describeProgram } from "../../compiler/describe.js";
import { operationJaxpr } from "../../compiler/equation.js";
import { ConcreteArray } from "../../core/array.js";
import { type Aval, sizeOf } from "../../core/aval.js";
import { memoize } from "../../core/build.js";
import { nansAreErrors } from "../../core/debugNans.js";
import type { Device } from "../../core/device.js";
import type { TypedArray } from "../../core/dtype.js";
import { effectsOfBodies } from "../../core/effects.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { type Memory, noteArray, provideReclaim } from "../../core/lifetime.js";
import { runLifted } from "../../core/lifted.js";
import type { Params, Primitive } from "../../core/primitive.js";
import { effectsWait } from "../../core/trace.js";
import { viewElements } from "./elements.js";
import { planProgram, small, storedBytes } from "./layout.js";
import { deviceHeap } from "./memory.js";
import { printKernels } from "./print.js";
import { compileProgram } from "./run.js";
import { printModule } from "./wat.js";

/** Operations on no more elements than this run by their `evaluate` rule. */
const smallest = 1024;

const compiled = memoize(
  (donation: Donation) => `wasm${donation}`,
  (jaxpr: Jaxpr, donation: Donation) => compileProgram(compile(jaxpr, wasmOptions, donation)),
);

const isLarge = (avals: readonly Aval[]): boolean => avals.some(({ shape }) => sizeOf(shape) > smallest);

/**
 * Results as arrays. Where the elements are those of an operand, or of another result, the arrays know of each other.
 *
 * @param given the elements of the inputs.
 */
function wrap(
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
  given: readonly TypedArray[],
  results: readonly TypedArray[],
): ConcreteArray[] {
  const arrays: ConcreteArray[] = [];
  for (const [k, values] of results.entries()) {
    const type = jaxpr.outAvals[k];
    const same = inputs[given.indexOf(values)] ?? arrays[results.indexOf(values)];
    const array = same === undefined ? new ConcreteArray(values, type) : same.alias(type);
    if (deviceHeap().owns(values)) noteArray(array, () => memoryOf(values));
    arrays.push(array);
  }
  return arrays;
}

/** It stands here so that it holds no array. */
const isHeld = (values: object): boolean => deviceHeap().owns(values as TypedArray);

const memoryOf = (values: TypedArray): Memory => ({
  device: "wasm",
  bytes: values.byteLength,
  owner: values,
  isHeld,
});

/** Whether the memory of an array can be used for something else: no other array has it, and it is a block, or none here. */
function isFree(x: ConcreteArray): boolean {
  const heap = deviceHeap();
  return !x.isShared && (heap.owns(x.values) || !heap.contains(x.values));
}

/** Elements of the host that a program was given and had to copy. */
const copied = new WeakSet<TypedArray>();

/**
 * Moves arrays of the host that are used for the second time into the memory of the device, so that no program needs to copy
 * them again. What is used once, as a batch of data, would only fill the memory.
 */
function settleIn(inputs: readonly ConcreteArray[], donated?: readonly boolean[]): void {
  const heap = deviceHeap();
  for (const [i, x] of inputs.entries()) {
    const { values, dtype } = x;
    if (values.byteLength <= small || dtype === "float16" || donated?.[i] === true || heap.contains(values))
      continue;
    if (!copied.has(values)) copied.add(values);
    else if (heap.canKeep(values.byteLength)) {
      const view = heap.adopt(values, (address) => viewElements(heap, dtype, address, values.length));
      if (view !== undefined) x.relocate(view);
    }
  }
}

function runDonating(
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
  donated: readonly boolean[],
): ConcreteArray[] {
  settleIn(inputs, donated);
  const ready = compiled(jaxpr, donationOf(inputs.map((x, i) => donated[i] && isFree(x))));
  const { program } = ready;
  const lost = program.inputs.map((b) => program.donated?.has(b) === true);
  const given = inputs.map((x) => x.values);
  let started = false;
  try {
    const results = ready.run(given, () => {
      started = true;
      for (const [i, x] of inputs.entries()) if (lost[i]) x.surrender();
    });
    const arrays = wrap(jaxpr, inputs, given, results);
    for (const [i, x] of inputs.entries()) if (donated[i]) x.dispose();
    return arrays;
  } finally {
    // Not those that results have taken over: they have no blocks any more.
    if (started) for (const [i, values] of given.entries()) if (lost[i]) deviceHeap().release(values);
  }
}

function run(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): ConcreteArray[] {
  settleIn(inputs);
  const given = inputs.map((x) => x.values);
  return wrap(jaxpr, inputs, given, compiled(jaxpr, "").run(given));
}

export const wasmDevice: Device = {
  name: "wasm",
  run: (jaxpr, inputs, donated) =>
    donated?.includes(true) ? runDonating(jaxpr, inputs, donated) : run(jaxpr, inputs),
  lower: (jaxpr, donated) =>
    describeProgram(jaxpr, donationOf(donated), {
      device: "wasm",
      options: wasmOptions,
      language: "wat",
      print: (kernel) => printModule(printKernels([kernel], { sharedMemory: true }).module),
      bytesOf: storedBytes,
      plan: planProgram,
      prepare: (lowered, donation) => compiled(lowered, donation).prepare(),
    }),
  apply: (primitive, inputs, params, outputs) =>
    isCompiled(primitive, inputs, params, outputs)
      ? runLifted(wasmDevice, operationJaxpr(primitive, inputs, params, outputs), inputs)
      : primitive.evaluate(inputs, params, outputs),
};

function isCompiled(
  { lower, name }: Primitive,
  inputs: readonly ConcreteArray[],
  params: Params,
  outputs: readonly Aval[],
): boolean {
  if (lower === undefined) return false;
  // A loop is many operations. They run one by one where NaNs are looked for after each, and where effects are left out because
  // they are still to come.
  if (lower.kind === "control") return !nansAreErrors() && !(effectsWait() && effectsOfBodies(params));
  // A reshape shares its elements: nothing is quicker than that.
  return name !== "reshape" && (isLarge(outputs) || isLarge(inputs.map((x) => x.aval)));
}

provideReclaim((values) => deviceHeap().release(values));
