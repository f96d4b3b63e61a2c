/** The text of docs/numerics.md. */
import type { DType } from "../../src/core/dtype.js";
import { type Primitive, primitives } from "../../src/core/primitive.js";
import { allowed, type Bound, boundOf, callsHost, type DeviceUnderTest } from "./bounds.js";
import { sums } from "./large.js";
import { magnitudes } from "./magnitudes.js";
import type { Measurements } from "./measurements.js";

export const documentFile = new URL("../../docs/numerics.md", import.meta.url);

/** Columns of equal width, as formatters of Markdown have it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(head), line(widths.map((w) => "-".repeat(w))), ...rows.map(line)].join("\n");
}

const ofKind = (kind: Bound["kind"]): Primitive[] => primitives().filter((p) => boundOf(p).kind === kind);

/** A text in lines of at most 120 characters. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length < 120) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

const names = (list: readonly Primitive[]): string => list.map(({ name }) => `\`${name}\``).join(", ");

const number = (x: number): string => String(Number(x.toFixed(2)));

function rowOf(primitive: Primitive, measured: Measurements): string[] {
  const { name } = primitive;
  const bound = boundOf(primitive);
  const pair = (dtype: DType, device: DeviceUnderTest): string => {
    const error = measured[device].primitives[name]?.[dtype];
    return error === undefined ? "" : `${number(error)} ≤ ${number(allowed(bound, dtype, device))}`;
  };
  return [
    `\`${name}\`${magnitudes[name] === undefined ? "" : " *"}`,
    pair("float32", "wasm"),
    pair("float32", "webgpu"),
    pair("float16", "wasm"),
    pair("float16", "webgpu"),
    pair("float64", "wasm"),
  ];
}

/** The page, from what has been measured and what bounds.ts states. */
export function render(measured: Measurements): string {
  const rounded = ofKind("within");
  const head = [
    "primitive",
    "float32 wasm",
    "float32 webgpu",
    "float16 wasm",
    "float16 webgpu",
    "float64 wasm",
  ];
  const rows = rounded.map((p) => rowOf(p, measured));
  const sumRows = Object.entries(sums).map(([name, { bound }]) => [
    name,
    ...(["wasm", "webgpu"] as const).map(
      (device) => `${measured[device].sums[name].toExponential(1)} < ${bound[device].toExponential()}`,
    ),
  ]);
  return `# Numbers on the devices

<!-- Written by \`npm run numerics\` from test/equivalence: change it there. -->

Every primitive has an \`evaluate\` rule, which computes in double precision and is the meaning of the primitive. This page
says how far the results of the devices are from it: what was measured, and what is promised. The tests in
[\`test/equivalence\`](../test/equivalence/suite.ts) compare every registered primitive with its rule on every device, and
fail where more than the promise is measured.

## How it is measured

- **Devices.** \`wasm\`; \`webgpu\` on *${measured.webgpu.description}*. Compiled programs are run, also for single numbers,
  which eager operations would leave to the \`evaluate\` rule.
- **Operands.** The examples of the primitive's record and larger ones, in every dtype that its type rule takes: scalars,
  no elements, one element, lengths that fill no vector and no workgroup. Pointwise operations get vectors of 200,003
  elements and more: all values of \`float16\`, \`uint8\` and \`bool\`; of \`float32\` the neighbours of every power of two, of
  multiples of π/2 and of log 2, zeros, subnormal numbers, infinities, NaN, and random bits; of two and more operands all
  tuples of such corners.
- **The reference** is the \`evaluate\` rule on the same operands as \`float64\`, not rounded to the dtype of the result; for
  \`float64\` the rule itself, which is rounded too.
- **The unit** is the distance of neighbouring numbers of the dtype at the exact result (ULP). A correctly rounded result is
  within 0.5. For primitives marked with * it is that distance at the larger of the result and what is added up for it: the
  sum of the magnitudes of the terms, Hadamard's bound of a determinant, the other side of a reflection formula. (No sum of
  rounded numbers is better than they are.)
- **NaN, infinities and zeros** must be those of the reference, with their signs, in every case.
- **Programs.** Random programs of movements (views of views), of everything that is exact for small whole numbers, and of
  functions, as one program each; results of more elements than 65,535 workgroups make.

## Rounded results

Measured ≤ promised, in ULP.

${table(head, rows)}

\`float16\` is computed as \`float32\` and rounded. Sums and products were measured with up to 4,290 terms; for more see
below. Errors of products of many numbers grow with their number, as do those of sums of products that form a matrix. Calls,
branches and loops are as exact as what they hold: the numbers are those of their examples, which are short loops.

## Exact results

${wrapped(
  `These give the same numbers on all devices, to the last bit: ${names(ofKind("exact").filter((p) => !callsHost(p)))}. So do all primitives on integers and booleans.`,
)}

${wrapped(
  `These call functions of JavaScript, with the same numbers as the \`evaluate\` rule: ${names(primitives().filter(callsHost))}. A GPU cannot call them, and says so with a \`MissingRuleError\`.`,
)}

## Sums of a million terms

The largest relative error of a sum of 1,000,000 positive \`float32\`: equal ones, ones between 0 and 1, ones from 10⁻⁶ to 1.

${table(["sum", "wasm", "webgpu"], sumRows)}

Sums are added up in blocks, and blocks in groups, so that no accumulator takes more than a few dozen terms.

## What a GPU may do, and what fluxion does about it

WGSL promises little about numbers. What is *handled* is written so that it does not matter; a *limit* remains.

${table(
  ["what WGSL allows", "what comes of it"],
  [
    [
      "subnormal numbers are taken for zero",
      "limit: results may be off by 2⁻¹²⁶ in absolute terms, and operands below 2⁻¹²⁶ may count as zero",
    ],
    [
      "NaN and infinities are assumed not to occur; `x != x` is false, `min` and `max` drop NaN",
      "handled: NaN is told by its bits",
    ],
    [
      "sums and products are regrouped: (x + 1) - 1 becomes x",
      "handled: where a compiler could see it an operand is hidden from it",
    ],
    [
      "a product and a sum are rounded once, as a fused multiply-add",
      "limit: last places may differ between GPUs",
    ],
    ["quotients are within 2.5 ULP", "limit: the promises for `webgpu` allow for it"],
    [
      "`exp`, `sin`, `pow` and others have large errors, or none is stated",
      "handled: they are computed with sums and products alone",
    ],
    ["integers become floats by cutting digits off", "handled: they are rounded to the nearest one"],
    ["there is no `float64`", "a `DtypeError`, before anything runs"],
  ],
)}
`;
}
