/** Functions of all shapes, for which `jacobian` has to choose the cheapest way. */
import { type jacfwd, lax, type NDArray, nn, numpy as np, vmap } from "fluxion";

export interface JacobianFunction {
  readonly name: string;
  readonly f: Parameters<typeof jacfwd>[0];
  /** The argument that it is differentiated by: a tree. */
  readonly x: object;
}

/** Numbers between -1 and 1 without a pattern to speak of. */
const wavy = (...shape: number[]): NDArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  return np.sin(np.arange(size, "float32").mul(1.7).add(0.3)).mul(0.9).reshape(shape);
};

const fn = <X extends object>(name: string, x: X, f: (x: X) => object): JacobianFunction => ({
  name,
  f,
  x,
});

/** Differences of neighbours, one step of an equation of diffusion. */
const diffusion = (u: NDArray): NDArray => {
  const inner = u.slice("1:-1", "1:-1");
  const around = u
    .slice(":-2", "1:-1")
    .add(u.slice("2:", "1:-1"))
    .add(u.slice("1:-1", ":-2"))
    .add(u.slice("1:-1", "2:"));
  return inner.add(around.sub(inner.mul(4)).mul(np.square(inner)));
};

/** Broyden's tridiagonal function: (3 - 2x)x - left - 2·right + 1 (Moré, Garbow & Hillstrom, 1981, problem 30). */
export const broyden = (x: NDArray): NDArray => {
  const padded = np.pad(x, 1);
  return np.subtract(3, x.mul(2)).mul(x).sub(padded.slice(":-2")).sub(padded.slice("2:").mul(2)).add(1);
};

/** The like with a sine. */
const waves = (x: NDArray): NDArray => {
  const padded = np.pad(x, 1);
  return np.sin(x).mul(padded.slice("2:")).add(padded.slice(":-2").mul(x).mul(2));
};

interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}

const layers = (...sizes: number[]): Layer[] =>
  sizes.slice(1).map((n, k) => ({ w: wavy(sizes[k]!, n).mul(0.3), b: wavy(n) }));

const forward = (net: readonly Layer[], x: NDArray): NDArray =>
  net.reduce((h, { w, b }, k) => (k === 0 ? h : np.tanh(h)).matmul(w).add(b), x);

const times = wavy(400);
const table = wavy(60, 12);
const labels = np.arange(48, "int32").mul(7).mod(10);

export const functions: readonly JacobianFunction[] = [
  // One number in, or one out.
  fn("1 → 1: x sin x", wavy(), (x) => np.sin(x).mul(x)),
  fn("1 → 400: a curve", wavy(), (t) => np.sin(times.mul(t)).mul(np.exp(times.mul(t).neg()))),
  fn("3 → 400: a curve of three parameters", wavy(3), (p) =>
    np
      .exp(times.mul(p.slice(0)))
      .mul(p.slice(1))
      .add(np.sin(times.mul(p.slice(2)))),
  ),
  fn("600 → 1: sum sin x · x", wavy(600), (x) => np.sum(np.sin(x).mul(x))),
  fn("600 → 1: Rosenbrock", wavy(600), (x) => {
    const [a, b] = [x.slice(":-1"), x.slice("1:")];
    return np.sum(
      np
        .square(b.sub(a.mul(a)))
        .mul(100)
        .add(np.square(a.sub(1))),
    );
  }),
  // Many in, many out, with a pattern.
  fn("500 → 500: element by element", wavy(500), (x) => np.tanh(x.mul(1.5)).mul(np.exp(x.mul(x).neg()))),
  fn("500 → 500: Broyden's tridiagonal function", wavy(500), broyden),
  fn("500 → 500: tridiagonal, of sines", wavy(500), waves),
  fn("400 → 400: a ring, by roll", wavy(400), (x) => np.roll(x, 1).mul(x).sub(np.roll(x, -2))),
  fn("24 × 24: diffusion in two dimensions", wavy(24, 24), diffusion),
  fn("40 blocks of 8 × 8", wavy(40, 8), (x) => vmap((v: NDArray) => np.outer(v, v).matmul(np.sin(v)))(x)),
  fn("40 rows of softmax", wavy(40, 10), (x) => nn.softmax(x, -1)),
  fn("300 → 299: differences", wavy(300), (x) => np.diff(np.exp(x))),
  fn("300 → 150: pairs", wavy(300), (x) => x.slice("::2").mul(x.slice("1::2"))),
  fn("convolution of a signal", wavy(1, 1, 256), (x) =>
    np.tanh(lax.convGeneralDilated(x, wavy(2, 1, 5), { windowStrides: [1], padding: "SAME" })),
  ),
  fn("convolution of an image", wavy(1, 2, 12, 12), (x) =>
    nn.relu(lax.convGeneralDilated(x, wavy(2, 2, 3, 3), { windowStrides: [1, 1], padding: "VALID" })),
  ),
  fn("gather of constant places", wavy(200), (x) =>
    np.square(np.take(x, np.arange(300, "int32").mul(7).mod(200))),
  ),
  fn("arrow: one element meets all", wavy(200), (x) =>
    x.mul(x.slice(0)).add(np.sum(x.slice("1:")).mul(np.equal(np.arange(200), 0))),
  ),
  // Many in, many out, without one.
  fn("120 → 120: dense, nonlinear", wavy(120), (x) => np.tanh(wavy(120, 120).matmul(x)).mul(x)),
  fn("80 → 80: a chain of products", wavy(80), (x) =>
    wavy(80, 80).matmul(np.sin(wavy(80, 80).matmul(np.sin(x)))),
  ),
  fn("200 → 10 → 200: a bottleneck", wavy(200), (x) =>
    wavy(200, 10).matmul(np.tanh(wavy(10, 200).matmul(x))),
  ),
  fn("product of two matrices from one", wavy(10, 10), (x) => x.matmul(x)),
  fn("200 → 200: cumulative sum", wavy(200), (x) => np.cumsum(np.square(x))),
  fn("150 → 150: sort", wavy(150), (x) => np.sort(x)),
  fn("a power of a matrix", wavy(9, 9), (a) => np.linalg.matrixPower(a, 3)),
  fn("the determinant of a matrix", wavy(12, 12).add(np.eye(12)), (a) => np.linalg.det(a)),
  // Tall and wide.
  fn("5 → 400: residuals of least squares", wavy(5), (p) =>
    np.vander(times, 5).matmul(np.square(p)).sub(times),
  ),
  fn("400 → 6: a few features", wavy(400), (x) => wavy(6, 400).matmul(np.sin(x))),
  fn("30 → 300: lifted", wavy(30), (x) => np.square(wavy(300, 30).matmul(x))),
  // Trees.
  fn("MLP: loss by all parameters", layers(12, 24, 10), (net) => {
    const logits = forward(net, wavy(48, 12));
    return np.mean(nn.logSoftmax(logits, -1).mul(nn.oneHot(labels, 10))).neg();
  }),
  fn("MLP: outputs by all parameters", layers(4, 16, 2), (net) => forward(net, wavy(6, 4))),
  fn("MLP: an output by the input", wavy(24), (x) => forward(layers(24, 32, 3), x)),
  fn("two functions side by side", { a: wavy(3), b: wavy(200) }, ({ a, b }) => ({
    curve: np.sin(times.mul(np.sum(a))).add(a.slice(1)),
    loss: np.sum(np.square(b)),
  })),
  fn("a scalar meets a vector", { scale: wavy(), x: wavy(300) }, ({ scale, x }) => ({
    y: np.sin(x).mul(scale),
    norm: np.sum(np.square(x)),
  })),
  fn("factors of a matrix", { u: wavy(20, 3), v: wavy(3, 20) }, ({ u, v }) => u.matmul(v).sub(1)),
  fn("a regression of many groups", { common: wavy(4), own: wavy(30) }, ({ common, own }) => {
    const x = wavy(30, 6, 4);
    return np.square(x.matmul(common).add(own.reshape(30, 1)));
  }),
  // Control flow, memory, tables.
  fn("a recurrent network: outputs by inputs", wavy(20, 6), (xs) => {
    const w = wavy(6, 6).mul(0.4);
    return lax.scan(
      (h: NDArray, x: NDArray) => {
        const next = np.tanh(h.matmul(w).add(x));
        return [next, next] as const;
      },
      wavy(6),
      xs,
    )[1];
  }),
  fn("a recurrent network: loss by weights", wavy(8, 8), (w) =>
    np.sum(
      lax.scan(
        (h: NDArray, x: NDArray) => [np.tanh(h.matmul(w).add(x)), null] as const,
        wavy(8),
        wavy(30, 8),
      )[0],
    ),
  ),
  fn(
    "a filter: running mean",
    wavy(100),
    (xs) =>
      lax.scan(
        (m: NDArray, x: NDArray) => [m.mul(0.9).add(x.mul(0.1)), np.sin(m)] as const,
        np.zeros([]),
        xs,
      )[1],
  ),
  fn("cond: one of two", wavy(120), (x) =>
    lax.cond(
      np.sum(x).greater(0),
      (y: NDArray) => np.exp(y),
      (y: NDArray) => y.mul(y),
      x,
    ),
  ),
  fn(
    "while: Newton's square roots",
    wavy(60).add(2),
    (a) =>
      lax.whileLoop(
        ([i]) => i.less(6),
        ([i, y]) => [i.add(1), y.add(a.div(y)).mul(0.5)] as const,
        [np.zeros([], "int32"), np.ones([60])] as const,
        { checkpoint: { slots: 6 } },
      )[1],
  ),
  fn("embeddings: a loss by the table", table, (e) =>
    np.sum(np.square(np.take(e, labels, 0).matmul(wavy(12, 4)))),
  ),
  fn("embeddings: features by the table", table, (e) => np.tanh(np.take(e, labels, 0))),
];
