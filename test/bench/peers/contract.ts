/** What the parent and its processes tell each other, and what a library has to offer to be measured. */

export type PeerName = "fluxion" | "jax-js" | "tfjs";

export type Typed = Float32Array | Float64Array;

export interface Input {
  readonly values: Typed;
  readonly shape: readonly number[];
}

export type Inputs = Readonly<Record<string, Input>>;
export type Sizes = Readonly<Record<string, number>>;

/** The programs that a library may know; works are these on inputs of some size. */
export type Kind =
  | "product"
  | "product64"
  | "matvec"
  | "wave"
  | "sum"
  | "softmax"
  | "argmax"
  | "sort"
  | "increment"
  | "convNchw"
  | "convNhwc"
  | "mlp"
  | "mlpGrad"
  | "scalarAdd"
  | "scalarGrad"
  | "scalarGradJit"
  | "sine"
  | "sineGrad"
  | "sineJvp"
  | "sineJacfwd"
  | "chain";

/** Does the work once. An output that the library gives as a JavaScript number is one. */
export type Run<A> = () => readonly (A | number)[];

export interface Peer<A> {
  /** Starts the library, on so many threads if it has a choice. */
  start(threads?: number): Promise<void>;
  array(input: Input): A;
  /** Waits until the outputs are computed, where calls return earlier. */
  settle(outputs: readonly (A | number)[]): Promise<unknown> | undefined;
  read(outputs: readonly (A | number)[]): Promise<readonly ArrayLike<number>[]>;
  free(outputs: readonly (A | number)[]): void;
  /** What the library cannot do is missing. */
  readonly programs: Partial<Record<Kind, (inputs: Readonly<Record<string, A>>, sizes: Sizes) => Run<A>>>;
}

export type Request =
  | { readonly op: "setup"; readonly work: string }
  | { readonly op: "time" }
  | { readonly op: "end" }
  /** The first call and the steady ones, in a process that has done nothing else. */
  | { readonly op: "once"; readonly work: string };

/** A process says this when its library has started. */
export interface Hello {
  /** The major version of its Node. */
  readonly major: number;
}

export interface Ready {
  /** Milliseconds that the first call took. */
  readonly first: number;
  /** The largest error of any output, as a part of the largest value there. */
  readonly error: number;
}

export interface Sample {
  readonly ms: number;
}

export interface Once extends Ready {
  readonly steady: number;
}

export interface Failure {
  /** Why there is no figure. */
  readonly failed: string;
  /** The library does not offer this at all. */
  readonly missing?: true;
}

export type Reply = Hello | Ready | Sample | Once | Failure | Record<string, never>;
