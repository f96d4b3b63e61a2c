/**
 * The numbers behind det and cofactor, in double precision. Both come of Gaussian elimination (Golub and Van Loan, Matrix
 * Computations, 3.2 and 3.4).
 *
 * Why cofactors need no inverse. The matrix of cofactors is multiplicative, cof(AB) = cof(A) cof(B): that is clear from
 * cof(A) = det(A) A⁻ᵀ for invertible matrices, and both sides are polynomials. Elimination with complete pivoting gives
 * P A Q = L D V with permutations P and Q, L and Vᵀ unit lower triangular with elements of at most 1, and D diagonal. So
 *
 *     cof(A) = Pᵀ · L⁻ᵀ cof(D) V⁻ᵀ · Qᵀ · det(P) det(Q),      cof(D)ₖₖ = the product of all dⱼ but dₖ,
 *
 * in which nothing is divided by a determinant. For an invertible A this is det(A) A⁻ᵀ. At rank n - 1 the last dₖ alone is
 * zero, one element of cof(D) is left, and the result is a column times a row. At lower rank cof(D) is zero.
 */

/** A number m · 2^(512 e) with |m| from 2^-256 to 2^256, so that products of many neither overflow nor vanish. */
interface Scaled {
  readonly m: number;
  readonly e: number;
}

const STEP = 2 ** 512;
const HIGH = 2 ** 256;
const LOW = 2 ** -256;

function scaled(m: number, e = 0): Scaled {
  let [value, exponent] = [m, e];
  for (; Math.abs(value) >= HIGH && Number.isFinite(value); exponent++) value /= STEP;
  for (; Math.abs(value) < LOW && value !== 0; exponent--) value *= STEP;
  return { m: value, e: exponent };
}

const times = (x: Scaled, y: Scaled): Scaled => scaled(x.m * y.m, x.e + y.e);

/** m · 2^(512 e) as a double: infinite or zero only if that is out of range. */
function unscaled(m: number, e: number): number {
  let value = m;
  // Once it is 0 or infinite it stays so.
  for (let i = 0; i < e && Number.isFinite(value); i++) value *= STEP;
  for (let i = 0; i > e && value !== 0; i--) value /= STEP;
  return value;
}

/** Rows and columns of the n by n matrix `a` in the order in which they were pivots, and the sign of both permutations. */
interface Pivots {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly sign: number;
}

/**
 * Overwrites `a` with the factors of P A Q = L U: those of L below the diagonal (where it has ones), U from there on.
 * Pivots are sought in their column, or with `complete` among all elements that are left.
 */
function eliminate(a: Float64Array, n: number, complete: boolean): Pivots {
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const columns = rows.slice();
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let [row, column] = [k, k];
    const last = complete ? n : k + 1;
    for (let i = k; i < n; i++)
      for (let j = k; j < last; j++)
        if (Math.abs(a[i * n + j]) > Math.abs(a[row * n + column])) [row, column] = [i, j];
    if (row !== k) {
      for (let j = 0; j < n; j++) swap(a, k * n + j, row * n + j);
      swap(rows, k, row);
      sign = -sign;
    }
    if (column !== k) {
      for (let i = 0; i < n; i++) swap(a, i * n + k, i * n + column);
      swap(columns, k, column);
      sign = -sign;
    }
    const pivot = a[k * n + k];
    // What is below a pivot of zero is zero, too.
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / pivot;
      a[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return { rows, columns, sign };
}

function swap(list: Float64Array | Int32Array, i: number, j: number): void {
  const kept = list[i];
  list[i] = list[j];
  list[j] = kept;
}

/** The determinant of an n by n matrix, which is overwritten; zero is never negative. */
export function determinant(a: Float64Array, n: number): number {
  const finite = a.every(Number.isFinite);
  const { sign } = eliminate(a, n, false);
  let product = scaled(sign);
  for (let k = 0; k < n; k++) product = times(product, scaled(a[k * n + k]));
  // Zero times what is not finite is NaN, but a pivot of zero is passed over before it meets that.
  if (product.m === 0) return finite ? 0 : Number.NaN;
  return unscaled(product.m, product.e);
}

/** Writes the cofactors of an n by n matrix, which is overwritten, into `to` from `start` on, where zeros stand. */
export function cofactors(a: Float64Array, n: number, to: Float64Array, start: number): void {
  if (n === 1) to[start] = 1;
  // Differences, so that zero does not become -0.
  else if (n === 2) to.set([a[3], 0 - a[2], 0 - a[1], a[0]], start);
  else if (a.every(Number.isFinite)) eliminatedCofactors(a, n, to, start);
  else to.fill(Number.NaN, start, start + n * n);
}

function eliminatedCofactors(a: Float64Array, n: number, to: Float64Array, start: number): void {
  const { rows, columns, sign } = eliminate(a, n, true);
  const others = productsOfOthers(Array.from({ length: n }, (_, k) => a[k * n + k]));
  const left = inverseOfUnitLower(n, (i, j) => a[i * n + j]);
  // Row j of U over its pivot is row j of V; without a pivot there is nothing right of it.
  const right = inverseOfUnitLower(n, (i, j) => (a[j * n + j] === 0 ? 0 : a[j * n + i] / a[j * n + j]));
  // Products of very different size are summed apart: none vanishes beside another, none is infinite before it must be.
  for (const exponent of new Set(others.flatMap(({ m, e }) => (m === 0 ? [] : [e])))) {
    const sums = new Float64Array(n * n);
    for (const [k, { m, e }] of others.entries()) {
      if (m === 0 || e !== exponent) continue;
      for (let i = 0; i <= k; i++) {
        const factor = sign * m * left[k * n + i];
        for (let j = 0; j <= k; j++) sums[i * n + j] += factor * right[k * n + j];
      }
    }
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) to[start + rows[i] * n + columns[j]] += unscaled(sums[i * n + j], exponent);
  }
}

/** For each number the product of all the others. */
function productsOfOthers(numbers: readonly number[]): Scaled[] {
  const factors = numbers.map((x) => scaled(x));
  const result: Scaled[] = [];
  let before = scaled(1);
  for (const x of factors) {
    result.push(before);
    before = times(before, x);
  }
  let after = scaled(1);
  for (let k = factors.length - 1; k >= 0; k--) {
    result[k] = times(result[k], after);
    after = times(after, factors[k]);
  }
  return result;
}

/** The inverse of a lower triangular matrix with ones on the diagonal, of which `at` gives what is below that. */
function inverseOfUnitLower(n: number, at: (i: number, j: number) => number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    inverse[i * n + i] = 1;
    for (let k = 0; k < i; k++) {
      const factor = at(i, k);
      for (let j = 0; j <= k; j++) inverse[i * n + j] -= factor * inverse[k * n + j];
    }
  }
  return inverse;
}
