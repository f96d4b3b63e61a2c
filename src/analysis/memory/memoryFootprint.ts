/** `memoryFootprint`: what a function needs to be computed, and what it needs to be trained. */
import type { NDArray } from "../../core/array.js";
import { type Aval, bytesOf, tangentAval } from "../../core/aval.js";
import { currentDevice } from "../../core/device.js";
import { FluxionError } from "../../core/errors.js";
import { evalJaxpr } from "../../core/eval.js";
import { reportOf } from "../../transforms/checkpointReport.js";
import { leafName, nameOf, requireFunction } from "../../transforms/functions.js";
import { valueAndGrad } from "../../transforms/grad.js";
import { jit } from "../../transforms/jit.js";
import { vjp } from "../../transforms/linearize.js";
import { makeJaxpr, ShapeDtype } from "../../transforms/makeJaxpr.js";
import { Describer, isGiven, residualsOf, type TracedForReverse } from "../../transforms/residuals.js";
import type { Argnums, Fn, ScalarFn } from "../../transforms/types.js";
import { type ArgsAndOptions, splitOptions } from "../arguments.js";
import { traceDifferentiated } from "../differentiated.js";
import { FlatFunction } from "../modes/programs.js";
import { programCost } from "../programCost.js";
import { type ArrayBytes, MemoryFootprint, type MemoryUse } from "./report.js";

export interface MemoryOptions<F extends Fn = Fn> {
  /** The arguments that training differentiates by. Default: all floats among the arguments. */
  readonly argnums?: Argnums<F>;
  /** Whether the programs are also lowered for the current device. Default: true. */
  readonly compiled?: boolean;
}

/**
 * The memory that `f` needs for its value, which is prediction, against what it needs for its value and its gradient, which is a step of
 * training. Nothing is computed.
 *
 * Both are given as the program is written (every equation by itself, an array freed behind the last equation that reads it:
 * `programCost`) and as it is compiled for the current device, where elementwise operations are fused and
 * temporaries share memory (`jit(f).lower(...).memoryAnalysis()`). What training stores is listed with the lines of user code that
 * compute it, and with what `checkpoint` would store instead.
 *
 * A function of another value than one scalar has no gradient: there, training is `vjp`, the value and one cotangent pulled back.
 *
 * @param f a function of trees of arrays.
 * @param args arguments of it, arrays, numbers or `ShapeDtype`s, and behind them options: `argnums`, `compiled`.
 * @returns all figures, in bytes; prints as tables.
 * @throws what tracing `f` throws; NotDifferentiableError if there is nothing to differentiate by, or the value is not a float.
 * @example
 * const loss = (w, x) => np.tanh(x.matmul(w)).sum();
 * const memory = memoryFootprint(loss, new ShapeDtype([2, 3]), new ShapeDtype([4, 2]), { argnums: 0 });
 * memory.prediction.asWritten; // 156: w 24, x 32, x.matmul(w) 48, its tanh 48, the sum 4
 * memory.stored.map(({ what, bytes }) => `${what}: ${bytes} bytes`);
 * // ["output of sub: 48 bytes"]
 */
export function memoryFootprint<F extends Fn>(
  f: F,
  ...given: ArgsAndOptions<F, MemoryOptions<F>>
): MemoryFootprint {
  requireFunction(f, "memoryFootprint");
  const { args, options } = splitOptions<MemoryOptions<F>>(
    f,
    given as readonly unknown[],
    ["argnums", "compiled"],
    "memoryFootprint",
  );
  return footprintOf(f, args, options);
}

/** `memoryFootprint` with its arguments in a list. @internal */
export function footprintOf(f: Fn, args: readonly unknown[], options: MemoryOptions): MemoryFootprint {
  requireFunction(f, "memoryFootprint");
  const traced = traceDifferentiated(f, args, options.argnums, "memoryFootprint");
  const { jaxpr, active, outTree } = traced;
  const training = trainingOf(traced);
  const wanted = options.compiled ?? true;
  const residuals = residualsOf(traced).residuals;
  const { everything, nothing, forwardOperations } = reportOf(traced, {}, nameOf(f));
  const describer = new Describer(traced);
  const input = (type: Aval, i: number) => arrayBytes(describer.input(i), type);
  return new MemoryFootprint({
    name: nameOf(f),
    device: currentDevice()?.name ?? "reference",
    kind: training.kind,
    prediction: useOf((...inputs) => evalJaxpr(jaxpr, inputs), jaxpr.inAvals, wanted),
    training: useOf(training.run, training.types, wanted),
    inputs: jaxpr.inAvals.map(input),
    outputs: jaxpr.outAvals.map((type, i) => arrayBytes(leafName("output", outTree, i), type)),
    gradients: jaxpr.inAvals.flatMap((type, i) => (active[i] ? [input(type, i)] : [])),
    stored: residuals.filter((r) => !isGiven(r)),
    kept: residuals.filter(isGiven),
    checkpoint: { everything, nothing, forwardOperations },
  });
}

/** A step of training as a function of the inputs of a traced function and, if it is `vjp`, cotangents behind them. */
interface Training {
  readonly kind: MemoryFootprint["kind"];
  readonly run: (...inputs: NDArray[]) => unknown;
  readonly types: readonly Aval[];
}

function trainingOf(traced: TracedForReverse): Training {
  const flat = new FlatFunction(traced);
  const { inAvals, outAvals } = traced.jaxpr;
  if (outAvals.length === 1 && outAvals[0].shape.length === 0) {
    const argnums = flat.activeAvals.map((_, i) => i);
    const run = (...inputs: NDArray[]) =>
      valueAndGrad(flat.given(inputs, true) as ScalarFn, { argnums })(...flat.chosen(inputs));
    return { kind: "valueAndGrad", run, types: inAvals };
  }
  const run = (...all: NDArray[]) => {
    const inputs = all.slice(0, inAvals.length);
    const [value, pullback] = vjp(flat.given(inputs, false), ...flat.chosen(inputs));
    return [value, pullback(all.slice(inAvals.length) as never)];
  };
  return { kind: "vjp", run, types: [...inAvals, ...outAvals.map(tangentAval)] };
}

/** The bytes of a program; a device that cannot run it says why. */
function useOf(run: (...inputs: NDArray[]) => unknown, types: readonly Aval[], wanted: boolean): MemoryUse {
  const args = types.map(({ shape, dtype, weakType }) => new ShapeDtype(shape, dtype, { weakType }));
  const asWritten = programCost(makeJaxpr(run as Fn)(...(args as never[]))).peakBytes;
  if (!wanted) return { asWritten, compiled: undefined, notCompiled: undefined };
  try {
    const compiled = jit(run as Fn)
      .lower(...(args as never[]))
      .memoryAnalysis();
    return { asWritten, compiled, notCompiled: undefined };
  } catch (error) {
    if (!(error instanceof FluxionError) || error.code === "internal") throw error;
    return { asWritten, compiled: undefined, notCompiled: error.message };
  }
}

const arrayBytes = (what: string, type: Aval): ArrayBytes => ({
  what,
  shape: type.shape,
  dtype: type.dtype,
  bytes: bytesOf(type),
});
