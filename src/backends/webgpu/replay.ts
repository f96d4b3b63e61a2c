/** Effects that happen after the program has run, with the values that it has brought back for them. */
import type { Effect, Operand } from "../../compiler/effects.js";
import { ConcreteArray } from "../../core/array.js";
import { type Aval, aval, sizeOf } from "../../core/aval.js";
import type { TypedArray } from "../../core/dtype.js";
import { literalArray } from "../../core/trace.js";

/** @param valueOf the elements of an output of the program. */
export function replay(effects: readonly Effect[], valueOf: (output: number) => TypedArray, at = 0): void {
  const operand = (x: Operand, type: Aval): ConcreteArray => {
    if (typeof x !== "number") return literalArray(x);
    // In a scan it is an entry for each step.
    const size = sizeOf(type.shape);
    return new ConcreteArray(valueOf(x).slice(at * size, (at + 1) * size), type);
  };
  for (const effect of effects)
    switch (effect.kind) {
      case "call": {
        const { primitive, inputs, params } = effect.eqn;
        const operands = effect.operands.map((x, i) => operand(x, inputs[i].aval));
        primitive.evaluate(operands, params, []);
        break;
      }
      case "scan": {
        const { length, reverse } = effect;
        for (let step = 0; step < length; step++)
          replay(effect.effects, valueOf, at * length + (reverse ? length - 1 - step : step));
        break;
      }
      case "cond": {
        const [number] = operand(effect.index, index).values;
        replay(effect.branches[Math.min(Math.max(number, 0), effect.branches.length - 1)], valueOf, at);
        break;
      }
    }
}

const index = aval([], "int32");
