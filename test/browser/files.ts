/**
 * Which of the tests run in a browser: the golden ones, those of WebGPU and the unit tests, of which some are left out. With
 * these are the ones that range over all primitives and over the public functions.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

const candidates = ["unit", "golden", "webgpu"].flatMap((folder) =>
  readdirSync(`${root}test/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `test/${folder}/${name.replaceAll("\\", "/")}`),
);

const nodeModulesIn = (file: string): string[] =>
  [...readFileSync(root + file, "utf8").matchAll(/ from "(node:[\w/]+)";/g)].map(([, module]) => module);

/** The files that are left out, and why. */
export const leftOut: ReadonlyMap<string, string> = new Map([
  [
    "test/unit/compiler/**",
    "interprets kernels in JavaScript, for which a browser is like Node, and takes long",
  ],
  [
    "test/unit/backends/wasmSupport.test.ts",
    "loads the library anew with other globals, which a page cannot",
  ],
  ["test/webgpu/matrix.test.ts", "opens Dawn itself, with a backend that runs nothing"],
  [
    "test/unit/analysis/graphLayout.test.ts",
    "puts another package in the place of Graphviz, which other tests of its page need",
  ],
  ...candidates
    .map((file) => [file, nodeModulesIn(file)] as const)
    .filter(([, modules]) => modules.length > 0)
    .map(([file, modules]) => [file, `imports ${modules.join(" and ")}`] as const),
]);

/**
 * Loading the library file by file takes a page longer than most tests take, so most of them share a page. Those that range
 * over all primitives get a fresh one each: some of the others define primitives of their own. So does the one that makes
 * the longest programs, which need much of what memory a page has.
 */
export const pageEach = [
  "test/unit/transforms/growth.test.ts",
  "test/unit/backends/**/*.test.ts",
  "test/unit/analysis/graphLocal.test.ts",
  "test/unit/{check,jaxprParse,passes,primitiveErrors,rules}.test.ts",
  "test/webgpu/**/*.test.ts",
];

/** What derivatives are tested with, in a page of its own: one for all tests runs out of memory now and then. */
export const derivativesPage = ["test/unit/{analysis,checkpoint,control,custom,transforms}/**/*.test.ts"];

export const onePage = ["test/browser/*.test.ts", "test/golden/**/*.test.ts", "test/unit/**/*.test.ts"];
