/** Measures a GPU: which tiles its products are best cut into, and how its elementwise kernels walk memory. */
import { type CompileOptions, compile } from "../../compiler/compile.js";
import { aval } from "../../core/aval.js";
import { allocate, type DType } from "../../core/dtype.js";
import { InternalError } from "../../core/errors.js";
import {
  type MatrixUnit,
  type ProductChoice,
  type ProductTile,
  plainTiling,
  type TileLimits,
  type Tiling,
  tileFits,
} from "../../core/ir/tiling.js";
import { Jaxpr, Var } from "../../core/jaxpr.js";
import { findPrimitive, type Params } from "../../core/primitive.js";
import type { GpuBuffer } from "./buffers.js";
import type { GpuDevice } from "./device.js";
import { type Candidate, type ChoiceOptions, choose } from "./tuner.js";
import {
  type AdapterInfo,
  adapterKey,
  defaultTiling,
  type TuningRecord,
  type TuningResult,
} from "./tuning.js";

export interface TuneOptions {
  /** Seconds for all measurements, about. Default: 10. */
  readonly seconds?: number;
  /** Rounds that count. Default: 7. */
  readonly rounds?: number;
  /** By how much what is chosen must be faster than what is used without tuning. Default: 0.05. */
  readonly margin?: number;
}

/** What is measured. Sizes are such that a GPU takes about a millisecond. */
export interface TuneWorks {
  /** Products: of so many sums and more the winner is for. */
  readonly products: readonly { readonly from: number; readonly side: number; readonly terms: number }[];
  /** Elements of an elementwise operation. */
  readonly elements: number;
  /** A measurement repeats a work until it takes so many seconds. */
  readonly least: number;
  /** The tiles to try. */
  readonly tiles: (limits: TileLimits) => readonly ProductTile[];
}

const usualWorks: TuneWorks = {
  products: [
    { from: 2 ** 21, side: 2048, terms: 1024 },
    { from: 2 ** 19, side: 1024, terms: 1024 },
    { from: 2 ** 17, side: 512, terms: 512 },
    { from: 2 ** 14, side: 256, terms: 512 },
  ],
  elements: 2 ** 24,
  least: 0.004,
  tiles: tileCandidates,
};

/** On an adapter that computes on the CPU: little, since no tile is for it, and it would take minutes. */
const softwareWorks: TuneWorks = {
  products: [{ from: 2 ** 14, side: 128, terms: 32 }],
  elements: 2 ** 14,
  least: 0.001,
  tiles: (limits) => tileCandidates(limits).slice(-1),
};

export const worksFor = ({ software }: AdapterInfo): TuneWorks => (software ? softwareWorks : usualWorks);

/** All tiles that are tried: square and oblong ones, more and less deep, with the next panels loaded ahead or not. */
export function tileCandidates(limits: TileLimits): ProductTile[] {
  const tiles: ProductTile[] = [];
  for (const side of [16, 8])
    for (const sums of [
      [8, 8],
      [8, 4],
      [4, 8],
      [4, 4],
    ] as const)
      for (const depth of [8, 16, 32])
        for (const ahead of [false, true]) {
          // Large tiles are deep enough with 16 terms; shallow panels of small ones are not worth their barriers.
          if ((sums[0] * sums[1] === 64 && depth === 32) || (sums[0] * sums[1] === 16 && depth === 8))
            continue;
          tiles.push({ threads: [side, side], sums, depth, ahead });
        }
  return tiles.filter((tile) => tileFits(tile, limits));
}

const nameOfTile = (tile: ProductTile | null): string =>
  tile === null
    ? "registers"
    : `${tile.threads.join("×")} threads of ${tile.sums.join("×")} sums, ${tile.depth} deep${tile.ahead ? ", ahead" : ""}`;

const nameOfUnit = ({ type, rows, columns, terms }: MatrixUnit): string =>
  `${type} ${rows}×${columns}×${terms}`;

/** One equation as a program. */
function operation(
  primitive: string,
  params: Params,
  shapes: readonly (readonly number[])[],
  dtype: DType,
  shape: readonly number[],
): Jaxpr {
  const found = findPrimitive(primitive);
  if (found === undefined) throw new InternalError(`there is no primitive ${primitive} to measure with`);
  const inputs = shapes.map((s, i) => new Var(i, aval(s, dtype)));
  const output = new Var(inputs.length, aval(shape, dtype));
  return new Jaxpr(
    inputs,
    [{ primitive: found, inputs, params, outputs: [output], source: undefined }],
    [output],
    inputs.length + 1,
  );
}

const product = (side: number, terms: number, dtype: DType): Jaxpr =>
  operation(
    "dotGeneral",
    { contracting: [[1], [0]], batch: [[], []], preferredElementType: dtype },
    [
      [side, terms],
      [terms, side],
    ],
    dtype,
    [side, side],
  );

/** Times programs with one tiling or another. */
class Timer {
  private readonly inputs = new Map<string, GpuBuffer[]>();
  private readonly repeats = new Map<string, number>();

  constructor(
    private readonly gpu: GpuDevice,
    private readonly least: number,
  ) {}

  /** Seconds of one run; undefined if the GPU refuses the program. */
  async seconds(jaxpr: Jaxpr, tiling: Tiling): Promise<number | undefined> {
    const { gpu } = this;
    const { buffers, workgroupThreads, workgroupBytes } = gpu.limits;
    const options: CompileOptions = { target: "webgpu", buffers, workgroupThreads, workgroupBytes, tiling };
    const types = jaxpr.inAvals.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    let inputs = this.inputs.get(types);
    if (inputs === undefined) {
      for (const b of [...this.inputs.values()].flat()) b.release();
      this.inputs.clear();
      inputs = jaxpr.inAvals.map(({ dtype, shape }) => {
        const values = allocate(
          dtype,
          shape.reduce((a, b) => a * b, 1),
        );
        for (let i = 0; i < values.length; i++) values[i] = (i % 7) / 8 - 0.375;
        return gpu.upload(dtype, values);
      });
      this.inputs.set(types, inputs);
    }
    const given = inputs;
    try {
      const program = compile(jaxpr, options);
      const time = (count: number): Promise<number> =>
        gpu.seconds(() => {
          for (let i = 0; i < count; i++) for (const made of gpu.run(program, given)) made.release();
        });
      let count = this.repeats.get(types);
      if (count === undefined) {
        await time(1);
        const once = await time(1);
        count = Math.max(1, Math.min(1000, Math.ceil(this.least / Math.max(once, 1e-6))));
        this.repeats.set(types, count);
      }
      const seconds = (await time(count)) / count;
      // Errors in shaders are known by now.
      await gpu.blockUntilReady();
      return seconds;
    } catch (error) {
      if (error instanceof InternalError) return undefined;
      throw error;
    }
  }

  close(): void {
    for (const b of [...this.inputs.values()].flat()) b.release();
  }
}

/** Measures and chooses; what is used so far is the fallback in every choice. */
export async function measureTiling(
  gpu: GpuDevice,
  { seconds = 10, rounds = 7, margin = 0.05 }: TuneOptions = {},
  works: TuneWorks = worksFor(gpu.info),
  now: () => number = () => performance.now() / 1000,
): Promise<TuningRecord> {
  const fallback = defaultTiling(gpu.info);
  const timer = new Timer(gpu, works.least);
  const results: TuningResult[] = [];
  const units = gpu.matrixUnits;
  const shares = works.products.length + 1 + units.length;
  const options: ChoiceOptions = { rounds, margin, budget: seconds / shares, now };
  const decide = async <T>(
    work: string,
    candidates: readonly Candidate<T>[],
    jaxpr: Jaxpr,
    tilingOf: (value: T) => Tiling,
  ): Promise<T> => {
    const { chosen, ...times } = await choose(
      candidates,
      (value) => timer.seconds(jaxpr, tilingOf(value)),
      options,
    );
    results.push({ work, choice: chosen.name, ...times });
    return chosen.value;
  };
  try {
    const products: ProductChoice[] = [];
    for (const { from, side, terms } of works.products) {
      const usual = fallback.products.find((p) => p.from <= side * side)?.tile ?? null;
      const tiles = [usual, null, ...works.tiles(gpu.limits)];
      const names = new Map(tiles.map((tile) => [nameOfTile(tile), tile]));
      const tile = await decide(
        `product [${side},${terms}]·[${terms},${side}]`,
        [...names].map(([name, value]) => ({ name, value })),
        product(side, terms, "float32"),
        (value) => ({ ...plainTiling, products: [{ from: 1, tile: value }] }),
      );
      products.push({ from, tile });
    }
    const walks = [
      fallback,
      ...([1, 4] as const).flatMap((lanes) => [64, 128, 256].map((threads) => ({ lanes, threads }))),
    ]
      .filter(({ threads }) => threads <= gpu.limits.workgroupThreads)
      .map(({ lanes, threads }) => ({ lanes, threads }));
    const names = new Map(
      walks.map((walk) => [`${walk.lanes} elements a thread, ${walk.threads} threads`, walk]),
    );
    const shape = [works.elements];
    const walk = await decide(
      `sum of two arrays of ${works.elements}`,
      [...names].map(([name, value]) => ({ name, value })),
      operation("add", {}, [shape, shape], "float32", shape),
      (value) => ({ ...plainTiling, ...value }),
    );
    const tiling: Tiling = { products, ...walk };
    const matrices = await measureMatrices(units, works, tiling, decide);
    return {
      key: adapterKey(gpu.info),
      tiling: matrices.length === 0 ? tiling : { ...tiling, matrices },
      results,
    };
  } finally {
    timer.close();
  }
}

type Decide = <T>(
  work: string,
  candidates: readonly Candidate<T>[],
  jaxpr: Jaxpr,
  tilingOf: (value: T) => Tiling,
) => Promise<T>;

/** For each type of elements the operation on matrices that is faster than the tiles just chosen, if one is. */
async function measureMatrices(
  units: readonly MatrixUnit[],
  works: TuneWorks,
  tiling: Tiling,
  decide: Decide,
): Promise<MatrixUnit[]> {
  const [largest] = works.products;
  const chosen: MatrixUnit[] = [];
  for (const type of new Set(units.map((unit) => unit.type))) {
    const { side, terms } = largest;
    const unit = await decide<MatrixUnit | undefined>(
      `product of ${type} [${side},${terms}]·[${terms},${side}]`,
      [
        { name: "tiles", value: undefined },
        ...units.filter((u) => u.type === type).map((value) => ({ name: nameOfUnit(value), value })),
      ],
      product(side, terms, type === "f16" ? "float16" : "float32"),
      (value) => (value === undefined ? tiling : { ...tiling, matrices: [value] }),
    );
    if (unit !== undefined) chosen.push(unit);
  }
  return chosen;
}
