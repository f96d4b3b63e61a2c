/**
 * What runs only if the GPU finds that it is to. The kernels of a branch are dispatched with numbers of workgroups that are in
 * memory, and a small kernel, the guard, sets those: for a branch that is not taken, and for steps beyond the end of a loop,
 * to 0.
 */
import type { Local } from "../../core/ir/types.js";
import type { Launch } from "./plan.js";
import { declareCounters, type Shader } from "./wgsl.js";

/** Under which condition a kernel runs: the guard has `flag` in a word of its memory. */
export interface Guarded {
  readonly guard: Guard;
  readonly flag: number;
}

/** The memory of a guard: words for the flags, then three words, the numbers of workgroups, for each kernel. */
export class Guard {
  private readonly launches: (readonly [flag: number, x: number, y: number])[] = [];

  constructor(
    /** The place of its memory. */
    readonly control: number,
    /** Words before the numbers of workgroups. */
    readonly flags: number,
  ) {}

  /** Where the number of workgroups of one more kernel will be. */
  launch(flag: number, [x, y]: readonly [number, number]): Launch["indirect"] {
    const offset = 4 * (this.flags + 3 * this.launches.length);
    this.launches.push([flag, x, y]);
    return { place: this.control, offset };
  }

  get bytes(): number {
    return Math.ceil((this.flags + 3 * this.launches.length) / 4) * 16;
  }

  /** What the shaders below want to know: flags, kernels, the flag of the guard around this one, the counter; the kernels. */
  table(outer: Guarded | undefined, counter: number): Uint32Array {
    const head = [this.flags, this.launches.length, outer?.flag ?? 0, counter];
    return Uint32Array.from([...head, ...this.launches.flat()]);
  }
}

/** Flags of a loop: whether it goes on, and how many steps have run. */
export const loopFlags = 2;

const head = (shader: "branch" | "loop", outer: boolean): string[] => [
  "@group(0) @binding(0) var<storage, read_write> control: array<u32>;",
  "@group(0) @binding(1) var<storage, read> choice: array<u32>;",
  "@group(0) @binding(2) var<storage, read> table: array<u32>;",
  ...(outer ? ["@group(0) @binding(3) var<storage, read> outer: array<u32>;"] : []),
  ...(shader === "loop" ? [declareCounters("counts", 3)] : []),
  "",
  "@compute @workgroup_size(64)",
  "fn main(@builtin(local_invocation_index) invocation: u32) {",
];

/** Sets numbers of workgroups: those in the table where `runs` says so. */
const tail = (runs: string): string[] => [
  "  for (var i = invocation; i < table[1]; i += 64u) {",
  "    let entry = 4u + 3u * i;",
  "    let at = table[0] + 3u * i;",
  `    let runs = u32(${runs});`,
  "    control[at] = runs * table[entry + 1u];",
  "    control[at + 1u] = runs * table[entry + 2u];",
  "    control[at + 2u] = runs;",
  "  }",
  "}",
  "",
];

/** The guard of a cond: it has a flag for each branch. Buffers: its memory, the number of the branch, the table, the outer guard's memory. */
export const branchGuard = (outer: boolean): Shader => ({
  code: [
    ...head("branch", outer),
    "  let last = i32(table[0]) - 1;",
    "  let taken = u32(clamp(bitcast<i32>(choice[0]), 0, last));",
    `  let alive = ${outer ? "outer[table[2]] != 0u" : "true"};`,
    "  for (var i = invocation; i < table[0]; i += 64u) { control[i] = u32(alive && i == taken); }",
    ...tail("alive && table[entry] == taken"),
  ].join("\n"),
  written: outer ? [true, false, false, false] : [true, false, false],
  counted: false,
  workgroups: [1, 1],
});

/** The guard of a loop. In step 0 its memory is not set yet. Buffers: its memory, the predicate, the table. */
export const loopGuard: Shader = {
  code: [
    ...head("loop", false),
    "  let counter = table[3];",
    "  let begins = counts[counter / 4u][counter % 4u] == 0;",
    "  let alive = (begins || control[0] != 0u) && choice[0] != 0u;",
    "  let steps = select(control[1], 0u, begins) + u32(alive);",
    "  // All threads have read before one writes.",
    "  workgroupBarrier();",
    "  storageBarrier();",
    "  if (invocation == 0u) {",
    "    control[0] = u32(alive);",
    "    control[1] = steps;",
    "  }",
    ...tail("alive"),
  ].join("\n"),
  written: [true, false, false],
  counted: true,
  workgroups: [1, 1],
};

/** What stands around a kernel. */
export interface Surroundings {
  readonly guarded: Guarded | undefined;
  /** How far the loops are, the outermost first. */
  readonly counters: readonly Local[];
}
