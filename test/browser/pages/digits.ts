/** Digits as the page's server has them, and as arrays. */
import { type NDArray, numpy as np } from "fluxion";

const pixels = 28 * 28;

export interface Digits {
  readonly count: number;
  /** 28 × 28 bytes for each digit. */
  readonly bytes: Uint8Array;
  readonly labels: Uint8Array;
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function fetchDigits(part: "train" | "test", count: number): Promise<Digits> {
  const [bytes, labels] = await Promise.all(
    ["images", "labels"].map((what) => fetchBytes(`/digits/${part}/${what}?count=${count}`)),
  );
  return { count: labels.length, bytes, labels };
}

/** The digits with these numbers: float32[n, 784] from 0 to 1, and int32[n]. */
export function batchOf({ bytes, labels }: Digits, numbers: ArrayLike<number>): [NDArray, NDArray] {
  const rows = new Float32Array(numbers.length * pixels);
  const names = new Int32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    names[i] = labels[numbers[i]];
    for (let k = 0; k < pixels; k++) rows[i * pixels + k] = bytes[numbers[i] * pixels + k] / 255;
  }
  return [np.array(rows).reshape(numbers.length, pixels), np.array(names)];
}

/** A picture of a digit, dark on light, with what it was taken for below. */
export function picture({ bytes, labels }: Digits, i: number, guess: number): HTMLElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const rgba = new Uint8ClampedArray(4 * pixels);
  for (let k = 0; k < pixels; k++) rgba.set([0, 0, 0, 24 + bytes[i * pixels + k] * 0.9], 4 * k);
  canvas.getContext("2d")!.putImageData(new ImageData(rgba, 28, 28), 0, 0);
  const caption = document.createElement("figcaption");
  const right = guess === labels[i];
  caption.textContent = right ? String(guess) : `${guess} (${labels[i]})`;
  caption.className = right ? "right" : "wrong";
  const figure = document.createElement("figure");
  figure.append(canvas, caption);
  return figure;
}
