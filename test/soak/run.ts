/**
 * `npm run soak`: loops that run long enough for a leak to show. Each prints the resident memory along the way, and fails
 * if it grows. With `-- --quick` a hundredth of the steps, `-- --device webgpu` also on a GPU (emulated, if there is no other).
 */
import { parseArgs } from "node:util";
import {
  closeGpu,
  deviceGet,
  init,
  jit,
  memoryStats,
  type NDArray,
  nn,
  numpy as np,
  random,
  setDefaultDevice,
  tree,
  valueAndGrad,
} from "fluxion";
import { useSwiftShader } from "../webgpu/swiftshader.js";

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, device: { type: "string", default: "wasm" } },
});
const scale = flags.quick ? 0.01 : 1;
const megabytes = (): number => process.memoryUsage().rss / 2 ** 20;
const show = (mb: number): string => `${mb.toFixed(0)} MiB`;
let failed = 0;

/** Runs `step` so often; resident memory at the end may exceed that after a tenth of the warm-up by 10 % at most. */
async function soak(name: string, steps: number, step: (i: number) => unknown, warmUp = 1000): Promise<void> {
  const count = Math.max(Math.ceil(steps * scale), 2 * warmUp);
  const start = performance.now();
  let early = 0;
  let peak = 0;
  for (let i = 0; i < count; i++) {
    const wait = step(i);
    if (wait instanceof Promise) await wait;
    if (i + 1 === warmUp) early = megabytes();
    if (i % 997 === 0) peak = Math.max(peak, megabytes());
  }
  const late = megabytes();
  const flat = late <= early * 1.1;
  if (!flat) failed += 1;
  console.log(
    `${flat ? "flat " : "GROWS"}  ${name}: ${count.toLocaleString("en")} steps in ${((performance.now() - start) / 1000).toFixed(1)} s; ` +
      `after ${warmUp} steps ${show(early)}, at the end ${show(late)}, peak ${show(peak)}`,
  );
}

type Layers = { w1: NDArray; w2: NDArray };
const loss = ({ w1, w2 }: Layers, x: NDArray, y: NDArray): NDArray =>
  np.mean(np.square(nn.relu(x.matmul(w1)).matmul(w2).sub(y)));
const train = jit((layers: Layers, x: NDArray, y: NDArray) => {
  const [value, gradient] = valueAndGrad(loss)(layers, x, y);
  return { value, layers: tree.map((w: NDArray, g: NDArray) => w.sub(g.mul(0.01)), layers, gradient) };
});

function problem(): { layers: Layers; x: NDArray; y: NDArray } {
  const keys = random.split(random.key(0), 4);
  return {
    layers: {
      w1: random.normal(keys.slice(0), [64, 64]).mul(0.1),
      w2: random.normal(keys.slice(1), [64, 8]).mul(0.1),
    },
    x: random.normal(keys.slice(2), [32, 64]),
    y: random.normal(keys.slice(3), [32, 8]),
  };
}

async function loops(steps: { jit: number; eager: number }): Promise<void> {
  const { x, y, layers: first } = problem();
  let layers = first;
  await soak("training steps under jit, synchronous", steps.jit, () => {
    layers = train(layers, x, y).layers;
  });
  await deviceGet(layers);
  let big = np.zeros([512, 512]);
  await soak("x = x.add(1), 1 MiB, eager, synchronous", steps.eager, () => {
    big = big.add(1);
  });
  await soak("x = x.add(1), 1 MiB, eager, with awaits", steps.eager, (i) => {
    big = big.add(1);
    return i % 100 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
  });
  await deviceGet(big);
}

setDefaultDevice("wasm");
console.log("wasm");
await loops({ jit: 100_000, eager: 100_000 });
console.log(memoryStats("wasm"));

if (flags.device === "webgpu") {
  useSwiftShader();
  const { description } = await init({ device: "webgpu", allowSoftware: true });
  console.log(`webgpu: ${description}`);
  await loops({ jit: 10_000, eager: 100_000 });
  console.log(memoryStats("webgpu"));
  await soak(
    "devices made and given back",
    1000,
    async () => {
      await closeGpu();
      await init({ device: "webgpu", allowSoftware: true });
      await np.ones([16]).add(1).data();
    },
    10,
  );
  await closeGpu();
}
process.exitCode = failed === 0 ? 0 : 1;
