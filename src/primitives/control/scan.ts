/**
 * `scan`: a loop of known length as one equation. Its body takes a carry from step to step, reads an entry of arrays and
 * writes an entry of others. Each transform of a scan is a scan (or two) of a transformed body, so that programs do not
 * grow with the number of steps.
 */
import { ConcreteArray, type NDArray } from "../../core/array.js";
import { type Aval, equalAvals, sizeOf } from "../../core/aval.js";
import { allocate } from "../../core/dtype.js";
import { effectsOfBodies } from "../../core/effects.js";
import { evalJaxpr } from "../../core/eval.js";
import { Var } from "../../core/jaxpr.js";
import { definePrimitive } from "../../core/primitive.js";
import { bind, withTrace } from "../../core/trace.js";
import { jaxprCost } from "../call.js";
import { loopRelations } from "./loopDependence.js";
import { scanDce } from "./scanDce.js";
import { scanExamples } from "./scanExamples.js";
import { inlineScan } from "./scanInline.js";
import { inputParts, outputParts, type ScanParams, scanTypes } from "./scanParams.js";
import { splitScan } from "./scanPartialEval.js";
import { batchScan, pushScan } from "./scanRules.js";
import { transposeScan } from "./scanTranspose.js";

export const scanPrimitive = definePrimitive({
  name: "scan",
  family: "control",
  summary: "a loop of known length that carries values from step to step, reads arrays and stacks results",
  abstractEval: scanTypes,
  evaluate: (inputs, params, types) => runScan(inputs, params as ScanParams, types),
  jvp: (primals, tangents, params, passes) =>
    pushScan(bindScan, primals, tangents, params as ScanParams, passes),
  partialEval: splitScan,
  transpose: (cotangents, inputs, params, passes) =>
    transposeScan(bindScan, cotangents, inputs, params as ScanParams, passes),
  batch: (size, inputs, batched, params, passes) =>
    batchScan(bindScan, size, inputs, batched, params as ScanParams, passes),
  dce: scanDce,
  inline: (params) => inlineScan(bindScan, params as ScanParams),
  lower: {
    kind: "control",
    parts: (params) => {
      const { jaxpr, length, reverse, consts, carries } = params as ScanParams;
      return { flow: "scan", body: jaxpr, length, reverse, consts, carries };
    },
  },
  cost: (_, params) => {
    const { jaxpr, length } = params as ScanParams;
    const { operations, multiplications, transcendentals } = jaxprCost(jaxpr);
    return {
      operations: length * operations,
      multiplications: length * multiplications,
      transcendentals: length * transcendentals,
    };
  },
  dependence: (operands, p, _, passes, limit) => {
    const params = p as ScanParams;
    const { jaxpr: body, length, reverse } = params;
    return loopRelations({ body, length, reverse, ...inputParts(operands, params) }, passes, limit);
  },
  effectful: effectsOfBodies,
  laws: {
    differentiable: true,
    examples: () => scanExamples(bindScan),
  },
});

/** Applies a scan: constants, the first carry and the arrays in; the last carry and the stacked results out. */
export function bindScan(params: ScanParams, inputs: readonly NDArray[]): readonly NDArray[] {
  return bind(scanPrimitive, inputs, params);
}

/** Runs the body once for each step. */
function runScan(
  inputs: readonly ConcreteArray[],
  params: ScanParams,
  outputs: readonly Aval[],
): ConcreteArray[] {
  const { jaxpr, length, reverse } = params;
  const { consts, carry: init, xs } = inputParts(inputs, params);
  const types = outputParts(outputs, params);
  const sizes = outputParts(jaxpr.outAvals, params).ys.map((type) => sizeOf(type.shape));
  const ys = types.ys.map((type) => allocate(type.dtype, sizeOf(type.shape)));
  let carry = init;
  withTrace(undefined, () => {
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step;
      const x = xs.map((all, i) => entryAt(all, at, jaxpr.inputs[params.consts + params.carries + i].aval));
      const results = outputParts(evalJaxpr(jaxpr, [...consts, ...carry, ...x]) as ConcreteArray[], params);
      for (const [k, y] of results.ys.entries()) ys[k].set(y.values, at * sizes[k]);
      carry = results.carry;
    }
  });
  const taken = new Set(inputs);
  const final = carry.map((x, k) => {
    // A result can be disposed of without an input, a literal of the body or another result.
    const shared = taken.has(x) || !(jaxpr.outputs[k] instanceof Var);
    if (shared || !equalAvals(x.aval, types.carry[k])) return x.alias(types.carry[k]);
    taken.add(x);
    return x;
  });
  return [...final, ...ys.map((values, k) => new ConcreteArray(values, types.ys[k]))];
}

function entryAt(all: ConcreteArray, at: number, type: Aval): ConcreteArray {
  const size = sizeOf(type.shape);
  return new ConcreteArray(all.values.slice(at * size, (at + 1) * size), type);
}
