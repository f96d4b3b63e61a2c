/** The meaning of a program with branches and loops, and what its effects see. */
import type { ConcreteArray } from "../../../src/core/array.js";
import { currentDevice, setCurrentDevice } from "../../../src/core/device.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import { evalJaxpr } from "../../../src/core/eval.js";
import type { Jaxpr } from "../../../src/core/jaxpr.js";
import { seen } from "./controlPrograms.js";

/** Every equation by its `evaluate` rule. */
export function evaluatedSteps(
  jaxpr: Jaxpr,
  inputs: readonly ConcreteArray[],
): { readonly values: readonly TypedArray[]; readonly seen: readonly (readonly number[])[] } {
  const device = currentDevice();
  seen.length = 0;
  setCurrentDevice(undefined);
  try {
    const values = (evalJaxpr(jaxpr, inputs) as ConcreteArray[]).map((x) => x.values.slice());
    return { values, seen: [...seen] };
  } finally {
    setCurrentDevice(device);
  }
}
