/** How floats are made of bits: exponents, and the 16-bit patterns of half precision. */

const double = new Float64Array(1);
/** The sign and exponent of a double are in its high word, which comes second on little-endian machines (all of them). */
const words = new Uint32Array(double.buffer);

/**
 * The exponent e of a positive number m = f·2^e with 1 ≤ f < 2: the binary digit it begins with. For the subnormal
 * numbers of double precision (and 0) it gives -1023, which is below every exponent a caller clamps to.
 */
export function exponentOf(m: number): number {
  double[0] = m;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
}

/** The bits of a number that is representable in half precision (IEEE 754 binary16). */
export function halfToBits(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const m = Math.abs(x);
  if (Number.isNaN(m)) return 0x7e00;
  if (m === Infinity) return sign | 0x7c00;
  const e = exponentOf(m);
  if (e < -14) return sign | (m * 2 ** 24);
  return sign | ((e + 15) << 10) | ((m / 2 ** e - 1) * 1024);
}

/** The half-precision number with these 16 bits. */
export function bitsToHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const e = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (e === 0) return sign * fraction * 2 ** -24;
  if (e === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (e - 15);
}
