/** Inputs that are the same in every process: a counter through the finaliser of MurmurHash3, seeded by a name. */

const mixed = (word: number): number => {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

function seedOf(name: string): number {
  let seed = 0x9e3779b9;
  for (let i = 0; i < name.length; i++) seed = mixed(seed ^ name.charCodeAt(i)) + i;
  return seed;
}

/** Fills `into` with numbers from `low` (included) to `high`. */
export function uniform<T extends Float32Array | Float64Array>(
  into: T,
  name: string,
  low: number,
  high: number,
): T {
  const seed = seedOf(name);
  const scale = (high - low) / 2 ** 32;
  for (let i = 0; i < into.length; i++) {
    // 32 bits are more than a float32 holds; a float64 gets 32 more below them.
    const fine = into instanceof Float64Array ? mixed(seed ^ ~i) / 2 ** 32 : 0;
    into[i] = low + (mixed(seed + Math.imul(i, 0x9e3779b1)) + fine) * scale;
  }
  return into;
}
