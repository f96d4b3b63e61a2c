/** What each work is to give, in float64: closed forms, and plain loops over typed arrays. */
import type { Inputs } from "./contract.js";

const double = (x: ArrayLike<number>): Float64Array => Float64Array.from(x);

const map = (x: ArrayLike<number>, f: (value: number) => number): Float64Array => {
  const y = new Float64Array(x.length);
  for (let i = 0; i < y.length; i++) y[i] = f(x[i]);
  return y;
};

/** A sum in blocks, whose own error is far below what is measured with it. */
function sum(length: number, term: (i: number) => number): number {
  let total = 0;
  for (let start = 0; start < length; start += 4096) {
    let block = 0;
    for (let i = start, end = Math.min(length, start + 4096); i < end; i++) block += term(i);
    total += block;
  }
  return total;
}

const one = (value: number): Float64Array => Float64Array.of(value);

/** [m, k] · [k, n], by rows: the innermost loop adds four rows of the right operand to a row of the result. */
export function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  k: number,
  n: number,
): Float64Array {
  const [left, right, out] = [double(a), double(b), new Float64Array(m * n)];
  // Blocks of the contracted axis, so that the rows in use stay in the cache.
  for (let p0 = 0; p0 < k; p0 += 64)
    for (let i = 0; i < m; i++) {
      const end = Math.min(k, p0 + 64);
      let p = p0;
      for (; p + 4 <= end; p += 4) {
        const [x0, x1, x2, x3] = [
          left[i * k + p],
          left[i * k + p + 1],
          left[i * k + p + 2],
          left[i * k + p + 3],
        ];
        const [o, q] = [i * n, p * n];
        for (let j = 0; j < n; j++)
          out[o + j] +=
            x0 * right[q + j] + x1 * right[q + n + j] + x2 * right[q + 2 * n + j] + x3 * right[q + 3 * n + j];
      }
      for (; p < end; p++) {
        const x = left[i * k + p];
        for (let j = 0; j < n; j++) out[i * n + j] += x * right[p * n + j];
      }
    }
  return out;
}

function transposed(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) y[j * rows + i] = x[i * columns + j];
  return y;
}

/** One number for each row. */
function ofRows(
  x: ArrayLike<number>,
  columns: number,
  f: (at: (j: number) => number) => number,
): Float64Array {
  const y = new Float64Array(x.length / columns);
  for (let i = 0; i < y.length; i++) y[i] = f((j) => x[i * columns + j]);
  return y;
}

function argmaxOf(columns: number, at: (j: number) => number): number {
  let best = 0;
  for (let j = 1; j < columns; j++) if (at(j) > at(best)) best = j;
  return best;
}

type Reference = (inputs: Inputs) => readonly Float64Array[];

export const products: Reference = ({ A, B }) => {
  const [m, k] = A.shape;
  return [product(A.values, B.values, m, k, B.shape[1] ?? 1)];
};

export const waves: Reference = ({ X }) => [
  map(X.values, (x) => Math.tanh(1.5 * x + 0.25) * Math.exp(-x * x)),
];

export const sums: Reference = ({ X }) => [one(sum(X.values.length, (i) => X.values[i]))];

export const softmaxes: Reference = ({ X }) => {
  const [x, columns] = [X.values, X.shape[1]];
  const largest = ofRows(x, columns, (at) => at(argmaxOf(columns, at)));
  const e = double(x);
  for (let i = 0; i < e.length; i++) e[i] = Math.exp(e[i] - largest[Math.floor(i / columns)]);
  const total = ofRows(e, columns, (at) => sum(columns, at));
  for (let i = 0; i < e.length; i++) e[i] /= total[Math.floor(i / columns)];
  return [e];
};

export const argmaxes: Reference = ({ X }) => [
  ofRows(X.values, X.shape[1], (at) => argmaxOf(X.shape[1], at)),
];

export const sorts: Reference = ({ X }) => {
  const [sorted, columns] = [double(X.values), X.shape[1]];
  for (let i = 0; i < sorted.length; i += columns) sorted.subarray(i, i + columns).sort();
  return [sorted];
};

export const increments: Reference = ({ X }) => [map(X.values, (x) => Math.fround(x + 1))];

/** Loss, and by W1, b1, W2 and b2; how a perceptron goes backwards is written out by hand. */
export const perceptrons =
  (penalty: number, withGradient: boolean): Reference =>
  ({ X, Y, W1, b1, W2, b2 }) => {
    const [[batch, inputs], [, hidden], classes] = [X.shape, W1.shape, Y.shape[1]];
    const before = product(X.values, W1.values, batch, inputs, hidden);
    for (let i = 0; i < before.length; i++) before[i] += b1.values[i % hidden];
    const h = map(before, (x) => Math.max(x, 0));
    const logits = product(h, W2.values, batch, hidden, classes);
    for (let i = 0; i < logits.length; i++) logits[i] += b2.values[i % classes];
    // Logits are small here, and exp of them does not overflow.
    const normaliser = ofRows(logits, classes, (at) => sum(classes, (j) => Math.exp(at(j))));
    const logs = logits.map((x, i) => x - Math.log(normaliser[Math.floor(i / classes)]));
    const squares = (w: ArrayLike<number>): number => sum(w.length, (i) => w[i] * w[i]);
    const loss =
      -sum(logs.length, (i) => logs[i] * Y.values[i]) / batch +
      (penalty / 2) * (squares(W1.values) + squares(W2.values));
    if (!withGradient) return [one(loss)];
    const dLogits = logs.map((x, i) => (Math.exp(x) - Y.values[i]) / batch);
    const dh = product(dLogits, transposed(W2.values, hidden, classes), batch, classes, hidden);
    for (let i = 0; i < dh.length; i++) if (!(before[i] > 0)) dh[i] = 0;
    const dW1 = product(transposed(X.values, batch, inputs), dh, inputs, batch, hidden);
    const dW2 = product(transposed(h, batch, hidden), dLogits, hidden, batch, classes);
    const penalised = (d: Float64Array, w: ArrayLike<number>): Float64Array =>
      d.map((x, i) => x + penalty * w[i]);
    const columnSums = (x: Float64Array, columns: number): Float64Array =>
      Float64Array.from({ length: columns }, (_, j) => sum(batch, (i) => x[i * columns + j]));
    return [
      one(loss),
      penalised(dW1, W1.values),
      columnSums(dh, hidden),
      penalised(dW2, W2.values),
      columnSums(dLogits, classes),
    ];
  };

export const additions: Reference = ({ X }) => [one(X.values[0] + 1)];

export const scalarSlopes: Reference = ({ X }) => {
  const x = X.values[0];
  return [one(Math.cos(x) * x + Math.sin(x) + Math.exp(x))];
};

const slope = (x: number): number => Math.cos(x) * x + Math.sin(x);

export const sines: Reference = ({ X: { values } }) => [
  one(sum(values.length, (i) => Math.sin(values[i]) * values[i])),
];

export const sineSlopes: Reference = ({ X }) => [map(X.values, slope)];

export const sineTangents: Reference = ({ X, T }) => [
  ...sines({ X }),
  one(sum(X.values.length, (i) => slope(X.values[i]) * T.values[i])),
];

export const chains =
  (length: number): Reference =>
  ({ X }) => {
    const y = double(X.values);
    for (let i = 0; i < length / 2; i++) for (let j = 0; j < y.length; j++) y[j] = y[j] * 1.0001 + 0.001;
    return [y];
  };

/** [N, C, H, W] with [O, C, 3, 3], as many rows and columns as before: shifted images, scaled and added. */
export const convolutions: Reference = ({ X, W }) => {
  const [[batch, channels, height, width], outs] = [X.shape, W.shape[0]];
  const area = height * width;
  const [x, w, out] = [double(X.values), double(W.values), new Float64Array(batch * outs * area)];
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outs; o++)
      for (let c = 0; c < channels; c++)
        for (let r = -1; r <= 1; r++)
          for (let s = -1; s <= 1; s++) {
            const factor = w[((o * channels + c) * 3 + r + 1) * 3 + s + 1];
            for (let i = Math.max(0, -r); i < Math.min(height, height - r); i++) {
              const [to, from] = [
                (n * outs + o) * area + i * width,
                (n * channels + c) * area + (i + r) * width + s,
              ];
              for (let j = Math.max(0, -s); j < Math.min(width, width - s); j++)
                out[to + j] += factor * x[from + j];
            }
          }
  return [out];
};

/** Moves the axes of an array with four: axis `i` of the result is axis `order[i]` of `x`. */
export function moved<T extends Float32Array | Float64Array>(
  x: T,
  shape: readonly number[],
  order: readonly number[],
): T {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const [s, t] = [order.map((i) => strides[i]), order.map((i) => shape[i])];
  const y = x.slice() as T;
  let to = 0;
  for (let a = 0; a < t[0]; a++)
    for (let b = 0; b < t[1]; b++)
      for (let c = 0; c < t[2]; c++)
        for (let d = 0; d < t[3]; d++) y[to++] = x[a * s[0] + b * s[1] + c * s[2] + d * s[3]];
  return y;
}
