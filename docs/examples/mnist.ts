/**
 * Trains the textbook perceptron on real MNIST, then looks at what was differentiated: the jaxpr of the objective, the
 * gradients derived by hand against those of `grad`, and what all derivatives cost in forward and in reverse mode.
 *
 *     npm start                      all 60,000 images, on the CPU
 *     npm start -- --device webgpu   the same on a GPU
 *     npm start -- --help
 */
import { parseArgs } from "node:util";
import cliProgress from "cli-progress";
import {
  closeGpu,
  type DeviceName,
  deviceGet,
  grad,
  init,
  makeJaxpr,
  type NDArray,
  numpy as np,
  random,
  ShapeDtype,
  tree,
} from "fluxion";
import { compareModes, scaleModes } from "fluxion/analysis";
import { loadMnist, pixels, type Split } from "./mnist/data.js";
import {
  countCorrect,
  gradientsByHand,
  initialise,
  makeStep,
  objective,
  type Params,
} from "./mnist/model.js";

const { values: flags } = parseArgs({
  options: {
    device: { type: "string", default: "wasm" },
    software: { type: "boolean", default: false },
    images: { type: "string", default: "60000" },
    epochs: { type: "string", default: "5" },
    hidden: { type: "string", default: "128" },
    batch: { type: "string", default: "100" },
    seed: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  },
});

if (flags.help) {
  console.log(`npm start -- [--device D] [--images N] [--epochs N] [--hidden N] [--batch N] [--seed N]
  --device      wasm (default), webgpu or reference
  --software    with --device webgpu: also take a GPU that is emulated on the CPU
  --images      how many of the 60,000 training images to take`);
  process.exit(0);
}

const whole = (name: "images" | "epochs" | "hidden" | "batch" | "seed"): number => {
  const n = Number(flags[name]);
  if (!Number.isInteger(n) || n < (name === "seed" ? 0 : 1))
    throw new Error(`--${name} takes a positive whole number, got ${flags[name]}`);
  return n;
};

const batch = whole("batch");
const hidden = whole("hidden");
const epochs = whole("epochs");
const momentum = 0.9;

const zeroLike = (params: Params): Params => tree.map((w: NDArray) => np.zerosLike(w), params);

/** Numbers come back from a GPU some time after they were asked for; on the CPU at once. */
const numberOf = async (x: NDArray): Promise<number> => Number((await x.data())[0]);

async function accuracy(params: Params, data: Split): Promise<number> {
  let correct = 0;
  for (let from = 0; from < data.count; from += 500) {
    const to = Math.min(from + 500, data.count);
    correct += await numberOf(countCorrect(params, data.images(from, to), data.labels(from, to)));
  }
  return correct / data.count;
}

async function train(data: { train: Split; test: Split }): Promise<Params> {
  const count = Math.min(whole("images"), data.train.count);
  // Machines without a GPU have one from npm, for tests.
  if (flags.software) (await import("../../test/webgpu/swiftshader.js")).useSwiftShader();
  const { name, description } = await init({
    device: flags.device as DeviceName,
    allowSoftware: flags.software,
  });
  console.log(
    `Training on ${count.toLocaleString("en")} of ${data.train.count.toLocaleString("en")} images, ` +
      `testing on ${data.test.count.toLocaleString("en")}. Batches of ${batch}, ${hidden} hidden units.\n` +
      `Device: ${name} (${description}).`,
  );
  const start = performance.now();
  const seed = random.key(whole("seed"));
  let params = initialise(random.foldIn(seed, 0), pixels, hidden);
  let velocity = zeroLike(params);
  const step = makeStep(momentum);
  const batches = Math.floor(count / batch);
  const chosen = data.train.reorder(
    await random.permutation(random.foldIn(seed, 1), data.train.count).data(),
    count,
  );

  for (let epoch = 1; epoch <= epochs; epoch++) {
    const shuffled = chosen.reorder(
      await random.permutation(random.foldIn(seed, 1 + epoch), count).data(),
      count,
    );
    // The rate falls along a half cosine over the whole training.
    const bar = new cliProgress.SingleBar(
      {
        format: `epoch ${epoch} {bar} {value}/{total} batches, loss {loss}`,
        hideCursor: true,
        clearOnComplete: true,
      },
      cliProgress.Presets.shades_classic,
    );
    if (process.stdout.isTTY) bar.start(batches, 0, { loss: "" });
    let total = np.zeros([]);
    for (let b = 0; b < batches; b++) {
      const progress = ((epoch - 1) * batches + b) / (epochs * batches);
      const rate = 0.05 * (1 + Math.cos(Math.PI * progress)) + 1e-4;
      const from = b * batch;
      const result = step(
        params,
        velocity,
        shuffled.images(from, from + batch),
        shuffled.labels(from, from + batch),
        rate,
      );
      params = result.params;
      velocity = result.velocity;
      total = total.add(result.loss);
      // Asking for the loss waits for the device: not for every batch.
      if (process.stdout.isTTY && b % 20 === 19)
        bar.update(b + 1, { loss: ((await numberOf(total)) / (b + 1)).toFixed(3) });
    }
    bar.stop();
    const mean = (await numberOf(total)) / batches;
    const test = await accuracy(params, data.test);
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `epoch ${epoch}/${epochs}  mean loss ${mean.toFixed(4)}  test accuracy ${test.toFixed(4)}  ${seconds.toFixed(1)} s`,
    );
  }
  return deviceGet(params);
}

/** The program that is differentiated, for a batch of two. */
function showJaxpr(): void {
  const params = { W1: new ShapeDtype([hidden, pixels]), W2: new ShapeDtype([10, hidden]) };
  const jaxpr = makeJaxpr(objective)(params, new ShapeDtype([2, pixels]), new ShapeDtype([2], "int32"));
  console.log("\nThe objective as a jaxpr (for a batch of 2):\n");
  console.log(String(jaxpr));
}

/** The chapter's formulas against `grad`. */
function compareGradients(params: Params, data: Split): void {
  const [x, y] = [data.images(0, 64), data.labels(0, 64)];
  const automatic = grad(objective)(params, x, y);
  const byHand = gradientsByHand(params, x, y);
  console.log("\nGradients derived by hand against grad, on 64 images:\n");
  const rows = (["W1", "W2"] as const).map((name) => ({
    derivative: `∂J/∂${name}`,
    formula: name === "W1" ? "∂J/∂z xᵀ + λW1" : "∂J/∂o hᵀ + λW2",
    "largest entry": Number(np.max(np.abs(automatic[name])).item()).toExponential(3),
    "largest difference": Number(np.max(np.abs(automatic[name].sub(byHand[name]))).item()).toExponential(3),
  }));
  console.table(rows);
}

/** What the gradient of the objective costs in forward and in reverse mode, for one image; only shapes are looked at. */
async function compareForObjective(): Promise<void> {
  const params = { W1: new ShapeDtype([hidden, pixels]), W2: new ShapeDtype([10, hidden]) };
  const image = [new ShapeDtype([1, pixels]), new ShapeDtype([1], "int32")] as const;
  console.log(
    "\nThe gradient of the objective on one image, in both modes (counted; nothing is computed):\n",
  );
  console.log(String(await compareModes(objective, params, ...image, { argnums: 0 })));
}

/** All derivatives of a scalar function of n inputs: n jvps, or one vjp. */
async function compareForManyInputs(): Promise<void> {
  const f = (x: NDArray) => np.sum(np.sin(x).mul(x));
  const sizes = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
  const options = { measure: true, timeLimit: 200 };
  console.log("\nf(x) = Σ sin(xᵢ)·xᵢ for ever more inputs (– would take too long):\n");
  console.log(String(await scaleModes((n) => [f, [new ShapeDtype([n])]], sizes, options)));
  console.log("\nOne jvp costs about as much as one vjp, but gives one number where the vjp gives n.");
}

const data = loadMnist();
const params = await train(data);
// What follows looks at single numbers, on the CPU.
await closeGpu();
showJaxpr();
compareGradients(params, data.test);
await compareForObjective();
await compareForManyInputs();
