import { createRequire } from "node:module";
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

const isSource = (id: string): boolean => /[\\/]src[\\/].*\.ts$/.test(id);
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
  plugins: [fpTsFromEs6],
  /* package.json says `sideEffects: false` to the users of the build; the build itself must not take it at its word. */
  treeshake: { moduleSideEffects: (id: string) => isSource(id) },
  /*
   * All code goes into one file, and the entries only re-export from it. The array class gets its methods when
   * src/numpy/methods.ts starts; a bundler told `sideEffects: false` drops a file of which nobody takes an export, but keeps the
   * top level of one of which somebody does. It is also one file to open instead of hundreds when Node starts.
   */
  outputOptions: {
    /* Doc comments live in the declarations; here they would be half of what V8 has to read at every start. */
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: {
      groups: [{ name: "fluxion", test: (id: string) => (isSource(id) && !isApart(id)) || isFpTs(id) }],
    },
  },
});
