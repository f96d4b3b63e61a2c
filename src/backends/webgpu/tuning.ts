/**
 * Which tiling a GPU gets: what was measured on it, if there is a record of that, else a fixed choice by the kind of adapter.
 * Records are plain data. The same record gives the same kernels and so the same bits, wherever it came from; without one the
 * choice is the one below, so that nothing ever depends on a measurement that nobody has asked for.
 */
import { ArgumentError } from "../../core/errors.js";
import { type MatrixUnit, type ProductTile, type Tiling, tileFits } from "../../core/ir/tiling.js";

/** What an adapter says of itself. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** It computes on the CPU. */
  readonly software: boolean;
}

/** Raised when kernels change so that what was measured with the old ones says nothing of the new ones. */
export const kernelVersion = 1;

/** Under which name records of an adapter are kept. */
export const adapterKey = (info: AdapterInfo): string =>
  [`kernels ${kernelVersion}`, info.vendor, info.architecture, info.device, info.description].join(" | ");

/** One choice, and what it was chosen by. */
export interface TuningResult {
  readonly work: string;
  /** What was chosen, in words. */
  readonly choice: string;
  /** Medians in seconds: of the choice, and of what it was compared with. */
  readonly seconds: number;
  readonly baseline: number;
}

export interface TuningRecord {
  /** The adapter, and the kernels that were measured. */
  readonly key: string;
  readonly tiling: Tiling;
  /** For people; nothing depends on it. */
  readonly results: readonly TuningResult[];
}

/** What `tuning.export` gives and `tuning.import` takes: it can be written as JSON. */
export interface TuningFile {
  readonly format: "fluxion-tuning";
  readonly records: readonly TuningRecord[];
}

// ---------------------------------------------------------------------------------------------------------------------
// Without measuring
// ---------------------------------------------------------------------------------------------------------------------

const tile = (threads: number, sums: number, depth: number, ahead: boolean): ProductTile => ({
  threads: [threads, threads],
  sums: [sums, sums],
  depth,
  ahead,
});

/** 128 by 128 sums: each element that is read from the workgroup's memory goes into eight products. */
const large = tile(16, 8, 8, true);
const medium = tile(16, 4, 16, false);
const small = tile(8, 4, 16, false);

/** Vendors whose GPUs have the registers for 64 sums in a thread, twice. */
const manyRegisters = /nvidia|\bamd\b|advanced micro/i;

/** The choice by the kind of adapter. Tiles are used from where there are some sixty of them on. */
export function defaultTiling({ vendor, description, software }: AdapterInfo): Tiling {
  const maps = { lanes: 4, threads: 256 } as const;
  // On a CPU the memory of workgroups is memory like any other: bringing elements there costs, and gains nothing.
  if (software) return { ...maps, products: [] };
  const always = [
    { from: 2 ** 18, tile: medium },
    { from: 2 ** 16, tile: small },
  ];
  const products = manyRegisters.test(`${vendor} ${description}`)
    ? [{ from: 2 ** 20, tile: large }, ...always]
    : always;
  return { ...maps, products };
}

// ---------------------------------------------------------------------------------------------------------------------
// Records
// ---------------------------------------------------------------------------------------------------------------------

export class TuningRecords {
  private readonly records = new Map<string, TuningRecord>();

  find(info: AdapterInfo): TuningRecord | undefined {
    return this.records.get(adapterKey(info));
  }

  add(record: TuningRecord): void {
    this.records.set(record.key, record);
  }

  clear(): void {
    this.records.clear();
  }

  export(): TuningFile {
    return { format: "fluxion-tuning", records: [...this.records.values()] };
  }

  /**
   * Records of other adapters and of other kernels are kept, too: they are for whoever opens those.
   * @throws ArgumentError for what is not such a file; then nothing is taken over.
   */
  import(file: unknown): void {
    for (const record of recordsIn(file)) this.add(record);
  }
}

/** The records of all adapters, for this process. */
export const tuningRecords = new TuningRecords();

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null;
const isCount = (x: unknown): x is number => Number.isInteger(x) && (x as number) > 0;

function recordsIn(file: unknown): TuningRecord[] {
  const fail = (what: string): never => {
    throw new ArgumentError(`tuning.import: ${what}; give what tuning.export() gave`);
  };
  if (!isObject(file) || file.format !== "fluxion-tuning" || !Array.isArray(file.records))
    return fail("this is no record of a tuning");
  return file.records.map((record: unknown, i): TuningRecord => {
    if (!isObject(record) || typeof record.key !== "string" || !Array.isArray(record.results))
      return fail(`record ${i} has no key or no results`);
    const { key, results } = record;
    if (!isTiling(record.tiling)) return fail(`record ${i} has a tiling that no kernel can have`);
    return { key, tiling: record.tiling, results: results as TuningResult[] };
  });
}

const isPair = (x: unknown, fits: (n: number) => boolean): boolean =>
  Array.isArray(x) && x.length === 2 && x.every((n) => isCount(n) && fits(n));

function isTile(x: unknown): x is ProductTile {
  if (!isObject(x) || !isCount(x.depth) || typeof x.ahead !== "boolean") return false;
  const plausible = x.depth % 4 === 0 && 256 % x.depth === 0;
  if (!plausible || !isPair(x.threads, () => true) || !isPair(x.sums, (n) => n % 4 === 0 && n <= 16))
    return false;
  return tileFits(x as unknown as ProductTile, { workgroupThreads: 1024, workgroupBytes: 2 ** 20 });
}

const isMatrixUnit = (x: unknown): x is MatrixUnit =>
  isObject(x) && (x.type === "f16" || x.type === "f32") && [x.rows, x.columns, x.terms].every(isCount);

function isTiling(x: unknown): x is Tiling {
  if (!isObject(x) || !Array.isArray(x.products)) return false;
  if ((x.lanes !== 1 && x.lanes !== 4) || !isCount(x.threads) || (x.threads & (x.threads - 1)) !== 0)
    return false;
  if (x.matrices !== undefined && !(Array.isArray(x.matrices) && x.matrices.every(isMatrixUnit)))
    return false;
  const products: readonly unknown[] = x.products;
  return products.every((choice, i) => {
    if (!isObject(choice) || !isCount(choice.from)) return false;
    const before = products[i - 1];
    if (isObject(before) && (before.from as number) <= choice.from) return false;
    return choice.tile === null || isTile(choice.tile);
  });
}
