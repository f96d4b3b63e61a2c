/** Times of both modes on a GPU, which is waited for. */
import { closeGpu, init, type NDArray, numpy as np, ShapeDtype } from "fluxion";
import { compareModes } from "fluxion/analysis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useSwiftShader } from "./swiftshader.js";

beforeAll(async () => {
  useSwiftShader();
  await init({ device: "webgpu", allowSoftware: true });
});
afterAll(closeGpu);

it("are measured with what is still to be done", async () => {
  const wave = (x: NDArray) => np.sum(np.sin(x).mul(x));
  const modes = await compareModes(wave, new ShapeDtype([1000]), { measure: true, timeLimit: 50 });
  expect(modes.device).toBe("webgpu");
  expect(modes.verdict.measured).toMatchObject({ mode: "reverse", over: "forward" });
  // A thousand passes are not started and forgotten.
  expect(modes.verdict.measured?.factor).toBeGreaterThan(5);
});
