/**
 * Products by operations on matrices that the lanes of a subgroup hold together, an experiment of Dawn
 * (https://dawn.googlesource.com/dawn, docs/tint/extensions/subgroup_matrix.md).
 *
 * A subgroup adds up as many as four by four units of the result; both operands are read where they lie, so that subgroups of
 * a workgroup, which are next to each other, find what they share in the cache. Sums are of f32 and are not cut: their error
 * grows with the number of terms.
 */
import { type MatrixProduct, type Steps, unitsAt } from "../../core/ir/matrix.js";
import type { Kernel } from "../../core/ir/types.js";
import type { Shader } from "./wgsl.js";
import { Helpers } from "./wgslHelpers.js";

/** Lanes of a subgroup: where that is always the same, a workgroup has several subgroups. */
export interface SubgroupSizes {
  readonly least: number;
  readonly most: number;
}

const together = 4;

/** The shader of a product; undefined if the kernel is no longer the one that the product describes. */
export function printMatrixProduct(
  { buffers }: Kernel,
  p: MatrixProduct,
  { least, most }: SubgroupSizes,
  threadsAllowed: number,
): Shader | undefined {
  const { unit, x, y, out } = p;
  if (buffers.length !== 3 || new Set([x.buffer, y.buffer, out]).size !== 3) return undefined;
  if (![x.buffer, y.buffer, out].every((b) => buffers.includes(b))) return undefined;
  const [down, across] = [unitsAt(p.rows, unit.rows), unitsAt(p.columns, unit.columns)];
  const [height, width] = [down * unit.rows, across * unit.columns];
  const [blocks, blocksAcross] = [p.rows / height, p.columns / width];
  const tiles = p.batch * blocks * blocksAcross;
  const subgroups = least === most && together * most <= threadsAllowed ? together : 1;
  const groups = Math.ceil(tiles / subgroups);
  const columns = Math.min(groups, 65_535);
  const rows = Math.ceil(groups / columns);
  const narrow = out.dtype === "float16";
  const { type, rows: m, columns: n, terms: k } = unit;
  const [left, right, result] = [
    `subgroup_matrix_left<${type}, ${k}, ${m}>`,
    `subgroup_matrix_right<${type}, ${n}, ${k}>`,
    `subgroup_matrix_result<f32, ${n}, ${m}>`,
  ];
  const name = (b: object): string => (b === x.buffer ? "x" : b === y.buffer ? "y" : "result");
  const cells = Array.from({ length: down }, (_, i) => Array.from({ length: across }, (__, j) => ({ i, j })));
  const size = most * subgroups;
  const helpers = new Helpers();
  const rounded = narrow ? helpers.use("round_f16") : "";
  /** Units are laid row by row where neighbours of a row lie side by side. */
  const layout = ({ column }: Steps): string => (column === 1 ? "row_major" : "col_major");
  const stride = ({ row, column }: Steps): string => `${column === 1 ? row : column}u`;
  const loads = [
    ...cells.map(
      ([{ i }]) =>
        `    let x${i} = subgroupMatrixLoad<${left}, ${layout(x.steps)}>(&x, x_at + ${i * m * x.steps.row}u + k * ${x.steps.column}u, ${stride(x.steps)});`,
    ),
    ...cells[0].map(
      ({ j }) =>
        `    let y${j} = subgroupMatrixLoad<${right}, ${layout(y.steps)}>(&y, y_at + k * ${y.steps.row}u + ${j * n * y.steps.column}u, ${stride(y.steps)});`,
    ),
  ];
  const stores = cells.flat().flatMap(({ i, j }) => {
    const place = `out_at + ${i * m * p.columns + j * n}u`;
    if (!narrow) return [`  subgroupMatrixStore<row_major>(&result, ${place}, sum${i}_${j}, ${p.columns}u);`];
    // Through the memory of the workgroup, since a store does not convert.
    return [
      `  subgroupMatrixStore<row_major>(&staged, staged_at, sum${i}_${j}, ${n}u);`,
      "  workgroupBarrier();",
      `  for (var e = lane; e < ${m * n}u; e += lanes) {`,
      `    if (exists) { result[${place} + (e / ${n}u) * ${p.columns}u + e % ${n}u] = f16(${rounded}(staged[staged_at + e])); }`,
      "  }",
      "  workgroupBarrier();",
    ];
  });
  const guarded = narrow ? stores : ["  if (exists) {", ...stores.map((line) => `  ${line}`), "  }"];
  const code = [
    "enable subgroups;",
    "enable chromium_experimental_subgroup_matrix;",
    ...(type === "f16" || narrow ? ["enable f16;"] : []),
    "diagnostic(off, chromium.subgroup_matrix_uniformity);",
    "",
    ...buffers.map((b, i) => {
      const element = b.dtype === "float16" ? "f16" : "f32";
      const access = b === out ? "read_write" : "read";
      return `@group(0) @binding(${i}) var<storage, ${access}> ${name(b)}: array<${element}, ${b.size}>;`;
    }),
    ...(narrow ? [`var<workgroup> staged: array<f32, ${subgroups * m * n}>;`] : []),
    "",
    ...helpers.texts(),
    "",
    `@compute @workgroup_size(${size})`,
    "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32,",
    "        @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) lanes: u32) {",
    `  let subgroup = ${subgroups === 1 ? "0u" : "invocation / lanes"};`,
    `  let number = (workgroup.x + workgroup.y * ${columns}u) * ${subgroups}u + subgroup;`,
    `  let exists = number < ${tiles}u;`,
    // One that does not exist computes the last one again, so that all come to the barriers.
    `  let tile = min(number, ${tiles - 1}u);`,
    `  let batch = tile / ${blocks * blocksAcross}u;`,
    `  let row = tile / ${blocksAcross}u % ${blocks}u * ${height}u;`,
    `  let column = tile % ${blocksAcross}u * ${width}u;`,
    `  let x_at = batch * ${x.steps.batch}u + row * ${x.steps.row}u;`,
    `  let y_at = batch * ${y.steps.batch}u + column * ${y.steps.column}u;`,
    `  let out_at = batch * ${p.rows * p.columns}u + row * ${p.columns}u + column;`,
    ...(narrow ? [`  let staged_at = subgroup * ${m * n}u;`] : []),
    ...cells.flat().map(({ i, j }) => `  var sum${i}_${j}: ${result};`),
    `  for (var k = 0u; k < ${p.terms}u; k += ${k}u) {`,
    ...loads,
    ...cells
      .flat()
      .map(({ i, j }) => `    sum${i}_${j} = subgroupMatrixMultiplyAccumulate(x${i}, y${j}, sum${i}_${j});`),
    "  }",
    ...guarded,
    "}",
    "",
  ].join("\n");
  return {
    code,
    written: buffers.map((b) => b === out),
    counted: false,
    workgroups: [columns, rows],
  };
}
