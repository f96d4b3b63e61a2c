/** What `npm run numerics` has measured, and how it measures. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { concreteArray } from "../../src/core/array.js";
import { buildJaxpr } from "../../src/core/build.js";
import { type DType, isFloat } from "../../src/core/dtype.js";
import { primitives } from "../../src/core/primitive.js";
import "../../src/index.js";
import { boundOf, type DeviceUnderTest } from "./bounds.js";
import type { Runner } from "./devices.js";
import { relativeError, sums, terms } from "./large.js";
import { measure } from "./measure.js";

/** The largest errors by dtype: in units in the last place, rounded up. */
type ByDType = Partial<Record<DType, number>>;

export interface DeviceMeasurements {
  readonly description: string;
  /** Of primitives that are rounded. */
  readonly primitives: Readonly<Record<string, ByDType>>;
  /** The largest relative errors of sums of a million terms. */
  readonly sums: Readonly<Record<string, number>>;
}

export type Measurements = Readonly<Record<DeviceUnderTest, DeviceMeasurements>>;

const file = new URL("measured.json", import.meta.url);

export const readMeasurements = (): Measurements | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Measurements) : undefined;

export const writeMeasurements = (all: Measurements): void =>
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);

/** Two digits after the point; what is not zero does not become it. */
const roundedUp = (x: number): number => Math.ceil(x * 100 - 1e-6) / 100;

/** Measures everything on a device. */
export async function measureAll(
  runner: Runner,
  progress: (line: string) => void,
): Promise<DeviceMeasurements> {
  const measured: Record<string, ByDType> = {};
  for (const primitive of primitives()) {
    if (boundOf(primitive).kind !== "within") continue;
    const errors = await measure(primitive, runner);
    measured[primitive.name] = Object.fromEntries(
      [...errors].filter(([dtype]) => isFloat(dtype)).map(([dtype, { error }]) => [dtype, roundedUp(error)]),
    );
    progress(`${runner.name} ${primitive.name} ${JSON.stringify(measured[primitive.name])}`);
  }
  const worst: Record<string, number> = {};
  for (const make of Object.values(terms)) {
    const values = make();
    const x = concreteArray(values, [values.length], "float32");
    for (const [name, { add }] of Object.entries(sums)) {
      const program = buildJaxpr("sum", [x.aval], ([all]) => [add(all)]);
      const error = relativeError((await runner.run(program, [x]))[0], values);
      worst[name] = Math.max(worst[name] ?? 0, Number(error.toPrecision(2)));
    }
  }
  return { description: runner.description, primitives: measured, sums: worst };
}
