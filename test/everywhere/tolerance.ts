/** How exact tests may want the device that they run on to be. */
import { currentDevice } from "../../src/core/device.js";

/** On a GPU the tests' float64 is float32 (see narrow.ts). */
const isNarrow = (): boolean => currentDevice()?.name === "webgpu";

/** Units in the last place of float32 in one of float64. */
const ratio = 2 ** 29;

/** What is left of a derivative by differences in float32. */
const coarsest = 2e-3;

/** The tolerance of numbers in double precision, and on a GPU what it is for float32: as many units in the last place. */
export const toleranceHere = (tolerance: number): number =>
  isNarrow() ? Math.max(tolerance, Math.min(Math.max(tolerance, 2 ** -52) * ratio, coarsest)) : tolerance;
