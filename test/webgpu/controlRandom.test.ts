/** Random programs with branches and loops inside each other on a GPU, against what they mean; and donated to it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GpuDevice } from "../../src/backends/webgpu/device.js";
import { type CompileOptions, compile, donationOf, webgpuOptions } from "../../src/compiler/compile.js";
import { Maker } from "../unit/compiler/controlPrograms.js";
import { evaluatedSteps } from "../unit/compiler/controlTools.js";
import { generator } from "../unit/examples.js";
import { runOnGpu } from "./kernels.js";
import { openTestDevice } from "./swiftshader.js";

let device: GpuDevice;
let options: CompileOptions;
beforeAll(async () => {
  device = await openTestDevice();
  options = { ...webgpuOptions, ...device.limits };
});
afterAll(() => device.destroy());

const first = Number(process.env.FLUXION_SEED ?? 1);
const count = Number(process.env.FLUXION_RUNS ?? 40);

test("random programs leave what they mean, and no memory behind", async () => {
  for (let seed = first; seed < first + count; seed++) {
    const random = generator(seed);
    const maker = new Maker(random, {
      dtypes: ["float32", "int32", "bool", "uint8", "float16"],
      host: false,
    });
    const types = maker.types(4);
    const jaxpr = maker.program(types, 3);
    const inputs = types.map((type) => maker.array(type));
    const wanted = evaluatedSteps(jaxpr, inputs).values;
    const donation = donationOf(types.map(() => random() < 0.5));
    const program = compile(jaxpr, options, donation);
    const { used, arrays } = device.memory;
    const got = await runOnGpu(
      device,
      program,
      inputs.map((x) => x.values),
    );
    // The sign of zero is not kept where a GPU takes tiny numbers for 0.
    for (const [k, values] of wanted.entries())
      expect(
        [...got[k]].map((v) => v + 0),
        `seed ${seed}, result ${k}`,
      ).toEqual([...values].map((v) => v + 0));
    expect(device.memory, `seed ${seed}`).toMatchObject({ used, arrays });
  }
}, 600_000);
