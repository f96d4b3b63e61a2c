/** Runs all cases of a primitive on a device. */
import type { Primitive } from "../../src/core/primitive.js";
import { casesOf } from "./cases.js";
import { compare, type Errors } from "./compare.js";
import type { Runner } from "./devices.js";

/** The largest errors of a primitive on a device, by dtype. */
export async function measure(primitive: Primitive, runner: Runner): Promise<Errors> {
  const errors: Errors = new Map();
  let waiting: Promise<void>[] = [];
  for (const one of casesOf(primitive, runner))
    for (const draw of one.draws) {
      const inputs = draw();
      waiting.push(
        runner.run(one.jaxpr, inputs).then((outputs) => compare(one, inputs, outputs, runner, errors)),
      );
      if (waiting.length < runner.batch) continue;
      await Promise.all(waiting);
      waiting = [];
    }
  await Promise.all(waiting);
  return errors;
}
