/** The rows of the tables: what is set against what, and what the project holds itself to. */
import type { PeerName } from "./contract.js";
import { inputCounts, jacobianAtMost } from "./works.js";

/**
 * How much faster than the best peer: on a Node whose WebAssembly has relaxed SIMD, and so multiplies and adds in one
 * instruction, it may be more.
 */
export type Factor = number | { readonly plain: number; readonly relaxed: number };

export type Target =
  | { readonly faster: Factor }
  /** Of fluxion's own figure. */
  | { readonly atMost: number }
  /** It gives the right result at all. */
  | { readonly works: true };

export interface Row {
  readonly label: string;
  /** What is measured: the name of a work, `first:` before one for the first call alone, or `start`. */
  readonly ours: string;
  /** A figure of the same library by which it is divided. */
  readonly over?: string;
  /** What a peer is measured on, where that is another work; `undefined` leaves it out. */
  readonly theirs?: Partial<Readonly<Record<PeerName, string | undefined>>>;
  readonly target?: Target;
}

const faster = (label: string, ours: string, factor: Factor): Row => ({
  label,
  ours,
  target: { faster: factor },
});

const product: Factor = { plain: 1, relaxed: 1.5 };
const image: Factor = { plain: 1, relaxed: 1.3 };

/** tfjs does not compile: its first call pays for something else. */
const compiling = { tfjs: undefined };

export const peerRows: readonly Row[] = [
  faster("tanh(1.5x+.25)·exp(−x·x), 1e6", "ew/1e6", 6),
  faster("the same, 1e7", "ew/1e7", 6),
  faster("the same, 999,999", "ew/999999", 6),
  faster("sum, 1e7", "sum/1e7", 3),
  faster("sum, 9,999,997", "sum/9999997", 3),
  faster("argmax [4096,1024], last axis", "argmax/4096x1024", 3),
  faster("argmax [4095,1025]", "argmax/4095x1025", 3),
  faster("softmax [4096,1024], last axis", "softmax/4096x1024", 1.1),
  faster("softmax [4095,1023]", "softmax/4095x1023", 1.1),
  ...[512, 1023, 1024, 1025, 2048].map((n) => faster(`matmul ${n}`, `matmul/${n}`, product)),
  faster("matmul 1024, float64", "matmul64/1024", 20),
  faster("matvec 4096", "matvec/4096", 1.2),
  faster("matvec 4095", "matvec/4095", 1.2),
  {
    ...faster("conv [8,32,64,64]·[64,32,3,3], NCHW; tfjs NHWC", "conv/nchw", image),
    theirs: { tfjs: "conv/nhwc" },
  },
  faster("… NHWC", "conv/nhwc", image),
  { ...faster("… NCHW, against jax-js", "conv/nchw", 9), theirs: { tfjs: undefined } },
  { label: "MLP 784-256-10, batch 128, loss", ours: "mlp-S/fwd" },
  faster("… value and gradient", "mlp-S/grad", { plain: 1.4, relaxed: 1.5 }),
  { label: "… value and gradient / loss", ours: "mlp-S/grad", over: "mlp-S/fwd" },
  { label: "MLP 1024-4096-1024, batch 256, loss", ours: "mlp-L/fwd" },
  faster("… value and gradient", "mlp-L/grad", 1.3),
  { label: "… value and gradient / loss", ours: "mlp-L/grad", over: "mlp-L/fwd" },
  faster("sum(sin(x)·x), 1e6", "sine/1e6/f", 6),
  { label: "… gradient / f", ours: "sine/1e6/grad", over: "sine/1e6/f", target: { atMost: 1.6 } },
  { label: "… jvp / f", ours: "sine/1e6/jvp", over: "sine/1e6/f", target: { atMost: 1.8 } },
  faster("jacfwd of it, n = 1024", "sine/1024/jacfwd", 4),
  faster("scalar: x + 1, eager", "scalar/add", 2),
  faster("scalar: gradient, eager", "scalar/grad", 1.5),
  faster("scalar: gradient under jit", "scalar/grad-jit", 3),
  { ...faster("MLP 784-256-10: first call − steady", "first:mlp-S/grad", 3), theirs: compiling },
  { ...faster("chain of 500 ops, jit: first call − steady", "first:chain/500", 10), theirs: compiling },
  { label: "chain of 1,000 ops, jit", ours: "chain/1000", target: { works: true } },
  { label: "… first call − steady", ours: "first:chain/1000", theirs: compiling, target: { works: true } },
  { label: "chain of 10,000 ops, jit", ours: "chain/10000", target: { works: true } },
  { label: "… first call − steady", ours: "first:chain/10000", theirs: compiling, target: { works: true } },
  {
    label: "… of 10,000 / of 1,000, first call − steady",
    ours: "first:chain/10000",
    over: "first:chain/1000",
    theirs: compiling,
    target: { atMost: 12 },
  },
  faster("import and x + 1, above an empty Node", "start", 1),
];

/** Several threads against one, of fluxion alone. What is too small to share is to be no slower. */
export function threadRows(threads: number): readonly Row[] {
  const many = Math.min(1.7, 0.85 * threads);
  const notSlower = 0.95;
  return [
    faster("matmul 1024", "matmul/1024", many),
    faster("tanh(1.5x+.25)·exp(−x·x), 1e7", "ew/1e7", many),
    faster("MLP 784-256-10, batch 128, value and gradient", "mlp-S/grad", many),
    faster("MLP 1024-4096-1024, batch 256, the same", "mlp-L/grad", many),
    { label: "sort [4096,1024], last axis", ours: "sort/4096x1024" },
    { label: "softmax [4096,1024], last axis", ours: "softmax/4096x1024" },
    { label: "sum, 1e7", ours: "sum/1e7" },
    { label: "x + 1, 1e7 (waits for memory)", ours: "increment/1e7" },
    faster("tanh(1.5x+.25)·exp(−x·x), 1e4", "ew/1e4", notSlower),
    faster("MLP 64-64-10, batch 32, value and gradient", "mlp-T/grad", notSlower),
    faster("sum(sin(x)·x), 1024: gradient", "sine/1024/grad", notSlower),
    faster("scalar: gradient under jit", "scalar/grad-jit", notSlower),
  ];
}

/** What the works of rows are, without `first:` and `start`. */
export const timedWorks = (rows: readonly Row[]): readonly string[] => unique(rows).filter(isTimed);
export const firstCalls = (rows: readonly Row[]): readonly string[] =>
  unique(rows)
    .filter((key) => key.startsWith(first))
    .map((key) => key.slice(first.length));

const first = "first:";
const isTimed = (key: string): boolean => !key.startsWith(first) && key !== "start";

const unique = (rows: readonly Row[]): readonly string[] => [
  ...new Set(
    rows.flatMap(({ ours, over, theirs = {} }) => [
      ours,
      ...(over === undefined ? [] : [over]),
      ...Object.values(theirs).filter((work) => work !== undefined),
    ]),
  ),
];

/** One line for each number of inputs: what the modes cost. */
export interface ModeRow {
  readonly label: string;
  readonly f: string;
  readonly jvp: string;
  readonly grad: string;
  readonly jacfwd: string | undefined;
}

export const modeRows: readonly ModeRow[] = inputCounts.map(([label, n]) => ({
  label: n.toLocaleString("en-US"),
  f: `sine/${label}/f`,
  jvp: `sine/${label}/jvp`,
  grad: `sine/${label}/grad`,
  jacfwd: n <= jacobianAtMost ? `sine/${label}/jacfwd` : undefined,
}));
