import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { defineConfig } from "tsdown";

const require = createRequire(import.meta.url);

/**
 * Source imports fp-ts as `fp-ts/lib/*.js`, the one spelling that Node, tsc, Vite and esbuild all resolve. Those are CommonJS
 * files that load a dozen others each, which would be a good part of the time an import of the package takes; the build
 * takes the same modules from fp-ts's ES6 tree, where only the functions in use remain.
 */
const fpTsFromEs6 = {
  name: "fp-ts-from-es6",
  resolveId: {
    order: "pre" as const,
    handler(id: string) {
      const module = /^fp-ts\/lib\/(\w+)\.js$/.exec(id)?.[1];
      return module === undefined ? null : require.resolve(`fp-ts/es6/${module}.js`);
    },
  },
};

/**
 * The laws import `fluxion` as a user does. In the package they must get the very modules that users get: there is one
 * registry of primitives, and it is the one that is tested.
 */
const ownEntries = {
  name: "own-entries",
  resolveId: {
    order: "pre" as const,
    handler(id: string) {
      const entry = /^fluxion(?:\/(\w+))?$/.exec(id);
      return (
        entry && fileURLToPath(new URL(`./src/${entry[1] ? `${entry[1]}/` : ""}index.ts`, import.meta.url))
      );
    },
  },
};

const isSource = (id: string): boolean => /[\\/]src[\\/].*\.ts$/.test(id);
const isLaw = (id: string): boolean => /[\\/]laws[\\/].*\.ts$/.test(id);
/** A file of a folder, all but the entries. */
const isPartOf = (folder: string, id: string): boolean =>
  new RegExp(`[\\\\/]${folder}[\\\\/](?!(index|vitest)\\.ts$).*\\.ts$`).test(id);
/** Folders that only their own entry leads to: whoever does not import them does not load them. */
const isApart = (id: string): boolean => /[\\/]src[\\/](fp|analysis)[\\/]/.test(id);
const isFpTs = (id: string): boolean => /[\\/]fp-ts[\\/]/.test(id);

export default defineConfig({
  entry: {
    index: "src/index.ts",
    "numpy/index": "src/numpy/index.ts",
    "lax/index": "src/lax/index.ts",
    "nn/index": "src/nn/index.ts",
    "random/index": "src/random/index.ts",
    "scipy/index": "src/scipy/index.ts",
    "fp/index": "src/fp/index.ts",
    "laws/index": "laws/index.ts",
    "laws/vitest": "laws/vitest.ts",
  },
  format: "esm",
  platform: "neutral",
  target: "es2022",
  fixedExtension: false,
  hash: false,
  sourcemap: true,
  minify: false,
  /* Declarations come from tsc, file by file (tsconfig.build.json): they keep module augmentations and name fp-ts itself. */
  dts: false,
  deps: { alwaysBundle: [/^fp-ts/], onlyBundle: ["fp-ts"] },
  plugins: [fpTsFromEs6, ownEntries],
  /* package.json says that hardly a file has side effects, to the users of the build; the build itself must not believe it. */
  treeshake: { moduleSideEffects: (id: string) => isSource(id) || isLaw(id) },
  /*
   * All code goes into one file, and the entries only re-export from it. The array class gets its methods when
   * src/numpy/methods.ts starts; a bundler told `sideEffects: false` drops a file of which nobody takes an export, but keeps the
   * top level of one of which somebody does. It is also one file to open instead of hundreds when Node starts.
   */
  outputOptions: {
    /* Doc comments live in the declarations; here they would be half of what V8 has to read at every start. */
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: {
      groups: [
        { name: "fluxion", test: (id: string) => (isSource(id) && !isApart(id)) || isFpTs(id) },
        /* The laws use fluxion/fp; without a row of its own it would become part of them, and bring fast-check along. */
        { name: "fp/fp", test: (id: string) => isPartOf("src[\\/]fp", id) },
        { name: "laws/laws", test: (id: string) => isPartOf("laws", id) },
      ],
    },
  },
});
