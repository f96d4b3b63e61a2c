/**
 * Trains the perceptron of docs/examples/mnist in the page. The address may say how: `?device=webgpu` (or wasm, reference;
 * without it a GPU if there is one), `&software` to take a GPU that is emulated, `&images=`, `&epochs=`, `&hidden=`,
 * `&batch=`. `globalThis.training` is a promise of what came of it.
 */
import { type DeviceName, init, type NDArray, numpy as np, random, tree } from "fluxion";
import {
  countCorrect,
  initialise,
  makeStep,
  type Params,
  predict,
} from "../../../docs/examples/mnist/model.js";
import { drawCurve } from "./curve.js";
import { batchOf, type Digits, fetchDigits, picture } from "./digits.js";

export interface Training {
  readonly device: string;
  readonly losses: readonly number[];
  readonly accuracy: number;
}

const asked = new URLSearchParams(location.search);
const whole = (name: string, otherwise: number): number => {
  const n = Number(asked.get(name) ?? otherwise);
  if (!Number.isInteger(n) || n < 1)
    throw new Error(`${name} must be a positive whole number: ${asked.get(name)}`);
  return n;
};

const show = (id: string, text: string): void => {
  document.getElementById(id)!.textContent = text;
};

/** Lets the browser draw. */
const frame = (): Promise<unknown> => new Promise(requestAnimationFrame);

const order = async (key: NDArray, count: number) => random.permutation(key, count).data();

async function accuracyOf(params: Params, digits: Digits): Promise<number> {
  const [x, y] = batchOf(
    digits,
    Array.from({ length: digits.count }, (_, i) => i),
  );
  return Number((await countCorrect(params, x, y).data())[0]) / digits.count;
}

async function showGuesses(params: Params, digits: Digits, count: number): Promise<void> {
  const [x] = batchOf(
    digits,
    Array.from({ length: count }, (_, i) => i),
  );
  const guesses = await np.argmax(predict(params, x), { axis: -1 }).data();
  const pictures = Array.from(guesses, (guess, i) => picture(digits, i, Number(guess)));
  document.getElementById("digits")!.replaceChildren(...pictures);
}

async function train(): Promise<Training> {
  const device = (asked.get("device") ?? undefined) as DeviceName | undefined;
  const chosen = await init({ device, allowSoftware: asked.has("software") });
  show("device", `${chosen.name}: ${chosen.description}`);

  const [epochs, batch] = [whole("epochs", 5), whole("batch", 50)];
  const [digits, unseen] = await Promise.all([
    fetchDigits("train", whole("images", 4000)),
    fetchDigits("test", 500),
  ]);
  const seed = random.key(0);
  let params = initialise(random.foldIn(seed, 0), 28 * 28, whole("hidden", 64));
  let velocity: Params = tree.map((w: NDArray) => np.zerosLike(w), params);
  const step = makeStep(0.9);
  const batches = Math.floor(digits.count / batch);
  const steps = epochs * batches;
  const losses: number[] = [];
  const curve = document.getElementById("curve") as unknown as SVGElement;
  let accuracy = 0;
  let computing = 0;

  for (let epoch = 0; epoch < epochs; epoch++) {
    const shuffled = await order(random.foldIn(seed, 1 + epoch), digits.count);
    for (let b = 0; b < batches; b++) {
      const start = performance.now();
      const rate = 0.05 * (1 + Math.cos((Math.PI * losses.length) / steps)) + 1e-4;
      const [x, y] = batchOf(digits, shuffled.subarray(b * batch, (b + 1) * batch) as ArrayLike<number>);
      const result = step(params, velocity, x, y, rate);
      ({ params, velocity } = result);
      losses.push(Number((await result.loss.data())[0]));
      computing += performance.now() - start;
      if (losses.length % 10 === 0 || losses.length === steps) {
        show("step", `${losses.length} of ${steps}`);
        show("loss", losses[losses.length - 1].toFixed(3));
        show("speed", Math.round((1000 * batch * losses.length) / computing).toLocaleString("en"));
        drawCurve(curve, losses, steps);
        await frame();
      }
    }
    accuracy = await accuracyOf(params, unseen);
    show("accuracy", `${(100 * accuracy).toFixed(1)} %`);
    await showGuesses(params, unseen, 28);
  }
  return { device: chosen.name, losses, accuracy };
}

const training = train();
training.catch((error) => show("failure", String(error)));
Object.assign(globalThis, { training });
