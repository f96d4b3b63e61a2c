/**
 * `npm run soak`: loops that run long enough for a leak to show. Each prints the resident memory along the way, and fails
 * if it grows. With `-- --quick` a hundredth of the steps, `-- --device webgpu` on a GPU (emulated, if there is no other).
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

/**
 * What Dawn keeps of a dispatch until the program has been back in its event loop, in bytes: the natives behind command
 * buffers are freed by finalisers, which Node runs nowhere else. A loop that awaits now and then does not see it.
 */
const untilAwaited = 512;

interface SoakOptions {
  readonly warmUp?: number;
  /** Bytes by which each step may make the process larger. */
  readonly allowed?: number;
}

/** Runs `step` so often; resident memory at the end may exceed that after the warm-up by 10 % at most, and by what is allowed. */
async function soak(
  name: string,
  steps: number,
  step: (i: number) => unknown,
  { warmUp = 1000, allowed = 0 }: SoakOptions = {},
): Promise<void> {
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
  const flat = late <= early * 1.1 + (allowed * count) / 2 ** 20;
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

async function loops(steps: { jit: number; eager: number }, gpu: boolean): Promise<void> {
  const { x, y, layers: first } = problem();
  let layers = first;
  // On a GPU the loss is read every 50 steps, as a training program does: nothing else keeps the host from queueing steps
  // faster than they are computed.
  await soak(`training steps under jit, ${gpu ? "with reads" : "synchronous"}`, steps.jit, (i) => {
    const next = train(layers, x, y);
    layers = next.layers;
    return gpu && i % 50 === 0 ? next.value.data() : undefined;
  });
  await deviceGet(layers);
  let big = np.zeros([512, 512]);
  const allowed = gpu ? untilAwaited : 0;
  await soak(
    "x = x.add(1), 1 MiB, eager, synchronous",
    steps.eager,
    () => {
      big = big.add(1);
    },
    // The pool is full, and the GPU has caught up with it, after some thousand steps.
    { allowed, warmUp: gpu ? 5000 : 1000 },
  );
  await soak("x = x.add(1), 1 MiB, eager, with awaits", steps.eager, (i) => {
    big = big.add(1);
    return i % 100 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
  });
  await deviceGet(big);
}

if (flags.device === "wasm") {
  setDefaultDevice("wasm");
  console.log("wasm");
  await loops({ jit: 100_000, eager: 100_000 }, false);
  console.log(memoryStats("wasm"));
}

if (flags.device === "webgpu") {
  useSwiftShader();
  const { description } = await init({ device: "webgpu", allowSoftware: true });
  console.log(`webgpu: ${description}`);
  await loops({ jit: 10_000, eager: 100_000 }, true);
  console.log(memoryStats("webgpu"));
  await soak(
    "devices made and given back",
    1000,
    async () => {
      await closeGpu();
      await init({ device: "webgpu", allowSoftware: true });
      await np.ones([16]).add(1).data();
    },
    { warmUp: 10 },
  );
  await closeGpu();
}
process.exitCode = failed === 0 ? 0 : 1;
