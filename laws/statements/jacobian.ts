/** Whole Jacobians: both modes give the same one, and its rows and columns are what single passes give. */
import { type NDArray, numpy as np } from "fluxion";
import { close, numbers } from "../close.js";
import { type ArrayFunction, abstains, type Law, law, type Verdict } from "../law.js";
import { type Arrays, jacobianForward, jacobianReverse, pull, push } from "../modes.js";
import { direction, generator, type Point } from "../point.js";
import { like, onSmooth, type Smooth, sizeOf } from "../vectors.js";

const source = "Griewank & Walther, Evaluating Derivatives, ch. 3";

/** Jacobians with more entries than this are tried on a slice through the point. */
const MOST = 64;

interface Slice {
  readonly tolerance: number;
  readonly f: ArrayFunction;
  readonly xs: Arrays;
}

/**
 * The function on a plane through the point, seen in two directions: t ↦ ⟨U, f(x + t₁ V₁ + t₂ V₂)⟩. What is wrong with
 * a Jacobian shows in a random slice of it.
 */
function sliceOf({ f, xs, v, w, u, tolerance }: Smooth, seed: number): Slice {
  const random = generator(seed ^ 0x1b873593);
  const other = u.map((y) => direction(y.aval, random));
  const along = (x: NDArray, t: NDArray, d: NDArray) => np.add(x, np.multiply(np.astype(t, x.dtype), d));
  const seen = (ys: Arrays, weights: Arrays): NDArray =>
    ys.map((y, k) => np.sum(np.multiply(weights[k], y))).reduce((a, b) => np.add(a, b));
  const zero = () => np.zeros([], { dtype: xs[0].dtype });
  return {
    tolerance,
    f: (s, t) => {
      const ys = f(...xs.map((x, i) => along(along(x, s, v[i]), t, w[i])));
      return [seen(ys, u), seen(ys, other)];
    },
    xs: [zero(), zero()],
  };
}

/** The function itself where its Jacobian is small, else a slice. */
const small = (part: Smooth, seed: number): Slice => {
  const { f, xs, u, tolerance } = part;
  return sizeOf(xs) * sizeOf(u) <= MOST ? { f, xs, tolerance } : sliceOf(part, seed);
};

const flat = (blocks: readonly (readonly NDArray[])[]): Arrays => blocks.flat();

/** Compares blocks of shape [...output, ...input]; where dtypes mix, forward mode takes the output's and reverse the input's. */
function closeBlocks(
  names: readonly [string, string],
  left: Arrays,
  right: Arrays,
  inputs: number,
  tolerance: number,
): Verdict {
  const label = (k: number) => `output ${Math.floor(k / inputs)} by input ${k % inputs}`;
  return close(
    left.map((x, k) => (x.dtype === right[k].dtype ? x : np.astype(x, right[k].dtype))),
    right,
    { tolerance, names, label },
  );
}

const onSlice = (check: (slice: Slice, point: Point) => Verdict) =>
  onSmooth((part, point) => {
    if (sizeOf(part.xs) === 0 || sizeOf(part.u) === 0) return abstains("the Jacobian has no entries");
    return check(small(part, point.seed), point);
  });

export const modesAgree = law<Point>({
  name: "jacfwd is jacrev",
  subject: "function",
  statement: "the Jacobian by columns = the Jacobian by rows",
  source,
  check: onSlice(({ f, xs, tolerance }) => {
    const [left, right] = [flat(jacobianForward(f, xs)), flat(jacobianReverse(f, xs))];
    return closeBlocks(["jacfwd", "jacrev"], left, right, xs.length, tolerance);
  }),
});

/** One of the basis vectors of all the arrays together. */
function basisVector(xs: Arrays, position: number): Arrays {
  let start = 0;
  return xs.map((x) => {
    const at = position - start;
    start += x.size;
    return like(
      x,
      Array.from({ length: x.size }, (_, i) => (i === at ? 1 : 0)),
    );
  });
}

/** Where a position among all elements lies: which array, and where in it. */
function locate(xs: Arrays, position: number): readonly [number, number] {
  let start = 0;
  for (const [k, x] of xs.entries()) {
    if (position < start + x.size) return [k, position - start];
    start += x.size;
  }
  throw new RangeError(`there is no element ${position}`);
}

/** A few positions, spread over all. */
const someOf = (n: number, seed: number): readonly number[] => {
  const first = Math.floor(generator(seed)() * n);
  return n === 1 ? [0] : [first, (first + Math.ceil(n / 2)) % n];
};

export const columnsArePushed = law<Point>({
  name: "columns of the Jacobian",
  subject: "function",
  statement: "J eⱼ = column j of jacfwd(f)(x)",
  source,
  check: onSlice(({ f, xs, tolerance }, { seed }) => {
    const blocks = jacobianForward(f, xs);
    for (const position of someOf(sizeOf(xs), seed)) {
      const [i, column] = locate(xs, position);
      const wanted = push(f, xs, basisVector(xs, position));
      const columns = wanted.map((y, k) => {
        const entries = numbers(blocks[k][i]);
        const n = xs[i].size;
        return like(
          y,
          Array.from({ length: y.size }, (_, r) => entries[r * n + column]),
        );
      });
      const verdict = close(columns, wanted, {
        tolerance,
        names: [`column ${position} of jacfwd`, `J e${position}`],
      });
      if (verdict.kind !== "holds") return verdict;
    }
    return { kind: "holds" };
  }),
});

export const rowsArePulled = law<Point>({
  name: "rows of the Jacobian",
  subject: "function",
  statement: "Jᵀ eᵢ = row i of jacrev(f)(x)",
  source,
  check: onSlice(({ f, xs, tolerance }, { seed }) => {
    const ys = f(...xs);
    const blocks = jacobianReverse(f, xs);
    for (const position of someOf(sizeOf(ys), seed)) {
      const [k, row] = locate(ys, position);
      const wanted = pull(f, xs, basisVector(ys, position));
      const rows = wanted.map((x, i) => {
        const entries = numbers(blocks[k][i]);
        return like(x, entries.slice(row * x.size, (row + 1) * x.size));
      });
      const verdict = close(rows, wanted, {
        tolerance,
        names: [`row ${position} of jacrev`, `Jᵀ e${position}`],
        label: (i) => `input ${i}`,
      });
      if (verdict.kind !== "holds") return verdict;
    }
    return { kind: "holds" };
  }),
});

export const functionLaws: readonly Law<Point>[] = [modesAgree, columnsArePushed, rowsArePulled];
