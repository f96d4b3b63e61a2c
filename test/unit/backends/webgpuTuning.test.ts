/** Choosing by measuring, with a clock of the test's own, and records of what was chosen. */
import { ArgumentError } from "fluxion";
import { describe, expect, it } from "vitest";
import { choose, median } from "../../../src/backends/webgpu/tuner.js";
import { adapterKey, defaultTiling, TuningRecords } from "../../../src/backends/webgpu/tuning.js";
import { tileFits } from "../../../src/core/ir/tiling.js";

const options = { rounds: 5, margin: 0.05, budget: 100, now: () => 0 };
const named = (...names: string[]) => names.map((name) => ({ name, value: name }));

/** Times that a script says, one after the other for each candidate; the first of each is the warm-up. */
function scripted(times: Record<string, number | readonly number[]>) {
  const asked: string[] = [];
  return {
    asked,
    seconds: async (name: string): Promise<number | undefined> => {
      const own = times[name];
      const n = asked.filter((a) => a === name).length;
      asked.push(name);
      return own === undefined ? undefined : typeof own === "number" ? own : own[n % own.length];
    },
  };
}

describe("choose", () => {
  it("takes the fastest by the median, so that one slow round decides nothing", async () => {
    const { seconds } = scripted({ usual: 10, a: [9, 6, 6, 50, 6, 6], b: [9, 7, 7, 7, 7, 7] });
    const { chosen, ...times } = await choose(named("usual", "a", "b"), seconds, options);
    expect(chosen.name).toBe("a");
    expect(times).toEqual({ seconds: 6, baseline: 10 });
  });

  it("keeps the fallback unless another is faster by the margin", async () => {
    const almost = await choose(named("usual", "a"), scripted({ usual: 10, a: 9.6 }).seconds, options);
    expect(almost.chosen.name).toBe("usual");
    const enough = await choose(named("usual", "a"), scripted({ usual: 10, a: 9.4 }).seconds, options);
    expect(enough.chosen.name).toBe("a");
  });

  it("leaves out what the device refuses, be it the fallback", async () => {
    const { chosen } = await choose(named("usual", "a", "b"), scripted({ a: 3, b: 2 }).seconds, options);
    expect(chosen.name).toBe("b");
    const none = await choose(named("usual", "a"), scripted({ usual: 3 }).seconds, options);
    expect(none.chosen.name).toBe("usual");
  });

  it("times in turns, and does not look again at what is far behind", async () => {
    const script = scripted({ usual: 10, slow: 30, a: 9 });
    await choose(named("usual", "slow", "a"), script.seconds, { ...options, rounds: 3 });
    expect(script.asked.join(" ")).toBe("usual slow a usual slow a usual a usual a");
  });

  it("begins no round when the time is over, but times everything once", async () => {
    let time = 0;
    const script = scripted({ usual: 10, a: 5 });
    const seconds = async (name: string) => {
      time += 1;
      return script.seconds(name);
    };
    const { chosen } = await choose(named("usual", "a"), seconds, {
      ...options,
      budget: 3.5,
      now: () => time,
    });
    expect(script.asked).toHaveLength(4);
    expect(chosen.name).toBe("a");
  });

  it("knows the median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

const adapter = { vendor: "nvidia", architecture: "hopper", device: "", description: "", software: false };
const record = {
  key: adapterKey(adapter),
  tiling: {
    products: [
      { from: 1024, tile: { threads: [8, 8], sums: [4, 4], depth: 16, ahead: true } },
      { from: 16, tile: null },
    ],
    lanes: 4,
    threads: 128,
  },
  results: [],
};

describe("records", () => {
  it("come back from JSON as they were, and are found by their adapter", () => {
    const records = new TuningRecords();
    records.import(JSON.parse(JSON.stringify({ format: "fluxion-tuning", records: [record] })));
    expect(records.find(adapter)).toEqual(record);
    expect(records.find({ ...adapter, architecture: "ada" })).toBeUndefined();
    expect(records.export()).toEqual({ format: "fluxion-tuning", records: [record] });
  });

  const broken: readonly (readonly [string, unknown])[] = [
    ["no object", 3],
    ["another format", { format: "x", records: [] }],
    ["a record without a key", { ...record, key: 1 }],
    ["a width that is no power of two", { ...record, tiling: { ...record.tiling, threads: 100 } }],
    ["an unknown number of lanes", { ...record, tiling: { ...record.tiling, lanes: 3 } }],
    [
      "tiles out of order",
      { ...record, tiling: { ...record.tiling, products: [...record.tiling.products].reverse() } },
    ],
    [
      "a depth that does not divide a stretch",
      {
        ...record,
        tiling: {
          ...record.tiling,
          products: [{ from: 1, tile: { threads: [8, 8], sums: [4, 4], depth: 12, ahead: true } }],
        },
      },
    ],
  ];

  it.each(broken)("are refused as a whole: %s", (_, part) => {
    const records = new TuningRecords();
    const isRecord = typeof part === "object" && part !== null && "tiling" in part;
    const file = isRecord ? { format: "fluxion-tuning", records: [record, part] } : part;
    expect(() => records.import(file)).toThrow(ArgumentError);
    expect(records.export().records).toEqual([]);
  });
});

describe("without a record", () => {
  it("the choice is by the kind of adapter, and every device can run it", () => {
    const least = { workgroupThreads: 256, workgroupBytes: 16384 };
    for (const vendor of ["nvidia", "amd", "intel", "apple", "qualcomm", ""]) {
      const { products } = defaultTiling({ ...adapter, vendor });
      expect(products.length).toBeGreaterThan(0);
      for (const [i, { from, tile }] of products.entries()) {
        expect(tile !== null && tileFits(tile, least)).toBe(true);
        if (i > 0) expect(from).toBeLessThan(products[i - 1].from);
      }
    }
    expect(defaultTiling({ ...adapter, vendor: "nvidia" })).not.toEqual(
      defaultTiling({ ...adapter, vendor: "intel" }),
    );
    expect(defaultTiling({ ...adapter, software: true }).products).toEqual([]);
  });
});
