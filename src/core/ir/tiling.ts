/**
 * How work is cut for a GPU, where that is a choice that only measuring can make: adapters differ in registers, in memory of
 * workgroups and in how much work keeps them busy. A tiling is plain data, so that it can be saved; the same tiling gives the
 * same kernels, and so the same bits.
 */

/** A tile of sums of a product. A workgroup computes it from parts of both operands that it brings into its own memory. */
export interface ProductTile {
  /** Threads of the workgroup. */
  readonly threads: readonly [down: number, across: number];
  /** Sums of a thread, which stay in registers: multiples of 4. */
  readonly sums: readonly [down: number, across: number];
  /** Terms that are in the memory of the workgroup at a time: a divisor of 256, and a multiple of 4. */
  readonly depth: number;
  /** The next terms are loaded into registers while the present ones are computed with. */
  readonly ahead: boolean;
}

/** What products of at least `from` sums use: a tile, or `null` for tiles that stay in the registers of single threads. */
export interface ProductChoice {
  readonly from: number;
  readonly tile: ProductTile | null;
}

/**
 * A size of matrices that the device multiplies in one operation of a subgroup. Elements are of `type`, sums of f32.
 * Products of no other dtype use it.
 */
export interface MatrixUnit {
  readonly type: "f16" | "f32";
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
}

export interface Tiling {
  /** In descending order of `from`. Products of fewer sums than the last one says use registers only. */
  readonly products: readonly ProductChoice[];
  /** Elementwise kernels: neighbouring elements that a thread computes, where memory is walked in order. */
  readonly lanes: 1 | 4;
  /** Threads of a workgroup of elementwise kernels: a power of two. */
  readonly threads: number;
  /** Operations on matrices that were found faster than tiles, where they are wanted at all. Default: none. */
  readonly matrices?: readonly MatrixUnit[];
}

/** Every device runs it, and it depends on no memory of workgroups. */
export const plainTiling: Tiling = { products: [], lanes: 1, threads: 256 };

/** Rows and columns of a tile. */
export const extentOf = ({ threads, sums }: ProductTile): readonly [height: number, width: number] => [
  threads[0] * sums[0],
  threads[1] * sums[1],
];

/** Elements between the rows of a panel whose terms lie side by side: a little more, so that rows begin in different banks. */
export const panelStep = ({ depth }: ProductTile): number => depth + 4;

/** Bytes of workgroup memory that a tile takes at most, with elements of 4 bytes. */
export function bytesOfTile(tile: ProductTile): number {
  const [height, width] = extentOf(tile);
  return 4 * (height + width) * panelStep(tile);
}

/** What a device can do that tiles need. */
export interface TileLimits {
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
}

export const tileFits = (tile: ProductTile, { workgroupThreads, workgroupBytes }: TileLimits): boolean =>
  tile.threads[0] * tile.threads[1] <= workgroupThreads && bytesOfTile(tile) <= workgroupBytes;

/**
 * The tile for a product: the first that is for so many sums, that the device can run, and of which the matrix fills more
 * than half in both directions.
 */
export function tileFor(
  { products }: Tiling,
  limits: TileLimits,
  { batch, rows, columns }: { readonly batch: number; readonly rows: number; readonly columns: number },
): ProductTile | undefined {
  for (const { from, tile } of products) {
    if (batch * rows * columns < from) continue;
    if (tile === null) return undefined;
    const [height, width] = extentOf(tile);
    if (2 * rows > height && 2 * columns > width && tileFits(tile, limits)) return tile;
  }
  return undefined;
}
