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
 * The laws import `fluxion` as a user does. In the package they get the very files that users get: there is one registry of
 * primitives, and it is the one that is tested.
 */
const ownEntries = {
  name: "own-entries",
  resolveId: {
    order: "pre" as const,
    handler(id: string) {
      const entry = /^fluxion(\/\w+)?$/.exec(id);
      // From the folder of the laws, which all that imports the package by its name goes into.
      return entry && { id: `..${entry[1] ?? ""}/index.js`, external: true };
    },
  },
};

/**
 * The root's `numpy` and its like are the modules that `fluxion/numpy` and its like are, as modules: of an object that holds
 * their functions bundlers could not tell which are used.
 */
const librariesAsModules = {
  name: "libraries-as-modules",
  resolveId: {
    order: "pre" as const,
    handler(id: string, importer: string | undefined) {
      if (importer === undefined || !isRoot(importer)) return null;
      return /^\.\/(numpy|lax|nn|random|scipy)\/index\.js$/.test(id) ? { id, external: true } : null;
    },
  },
};

/** What does nothing before it is called. */
const isFunction = (type: string): boolean => /^(Arrow)?Function/.test(type);

/** What a bundler can tell without running anything: literals, functions, names. All else in an initialiser might do something. */
const isPlain = (type: string): boolean =>
  /^(Literal|Identifier|Property|(Object|Array|Unary|Call|New)Expression)$/.test(type) || isFunction(type);

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly id?: unknown;
}

/** The nodes of an initialiser that are computed when the module starts. */
function computedAtStart(node: Node): Node[] {
  if (isFunction(node.type)) return [node];
  const children = Object.values(node).flat() as unknown[];
  const isNode = (x: unknown): x is Node => typeof (x as Node | null)?.type === "string";
  return [node, ...children.filter(isNode).flatMap(computedAtStart)];
}

/**
 * Tells the users' bundlers that a constant which nobody reads can be left out, with the primitive or the table it would have
 * made: `const sin = unary("sin", ...)` has no other effect that matters to a program that never names `sin`.
 * (`primitives/registry.ts` names all, for those who look primitives up.) Calls are marked; where there is also what
 * cannot be marked, as reading a property, the whole initialiser becomes a marked call.
 */
const unreadConstantsAreDropped = {
  name: "unread-constants-are-dropped",
  renderChunk(this: { parse(code: string): { body: readonly unknown[] } }, code: string) {
    const insertions: [number, string][] = [];
    type Statement = { declarations?: { id: { name?: string }; init?: Node | null }[] };
    for (const { declarations } of this.parse(code).body as Statement[])
      for (const { id, init } of declarations ?? []) {
        if (!init || isFunction(init.type)) continue;
        const nodes = computedAtStart(init);
        if (nodes.every(({ type }) => isPlain(type))) {
          for (const { type, start } of nodes)
            if (type === "CallExpression" || type === "NewExpression")
              insertions.push([start, "/* @__PURE__ */ "]);
          continue;
        }
        insertions.push([init.start, "/* @__PURE__ */ (() => ("], [init.end, "))()"]);
        // Without the constant before it, a class has no name but its own.
        if (init.type === "ClassExpression" && !init.id)
          insertions.push([init.start + "class".length, ` ${id.name}`]);
      }
    let rest = code.length;
    let marked = "";
    for (const [at, text] of insertions.sort((a, b) => b[0] - a[0])) {
      marked = text + code.slice(at, rest) + marked;
      rest = at;
    }
    // Nothing moves to another line, so the positions that the parser finds will do for the source map.
    return { code: code.slice(0, rest) + marked, map: null };
  },
};

const isSource = (id: string): boolean => /[\\/]src[\\/].*\.ts$/.test(id);
const isRoot = (id: string): boolean => /[\\/]src[\\/]index\.ts$/.test(id);
const isLaw = (id: string): boolean => /[\\/]laws[\\/].*\.ts$/.test(id);
/** A file of a folder, all but the entries. */
const isPartOf = (folder: string, id: string): boolean =>
  new RegExp(`[\\\\/]${folder}[\\\\/](?!(index|vitest)\\.ts$).*\\.ts$`).test(id);
/** Folders that only their own entry leads to: whoever does not import them does not load them. */
const isApart = (id: string): boolean => /[\\/]src[\\/](fp|analysis|cli)[\\/]/.test(id);

interface Modules {
  getModuleInfo(id: string): {
    readonly importedIds: readonly string[];
    readonly dynamicallyImportedIds: readonly string[];
  } | null;
}

/** All files that some files need when they start, themselves among them. */
function withImports(files: Iterable<string>, modules: Modules): Set<string> {
  const found = new Set(files);
  for (const file of found)
    for (const imported of modules.getModuleInfo(file)?.importedIds ?? []) found.add(imported);
  return found;
}

let reachable: { readonly first: Set<string>; readonly later: Set<string> } | undefined;

/**
 * Which file a file of the source goes into: what the library needs when it starts is one; what functions load when they are
 * called, with `import()`, are others, so that a program without a GPU never reads what only a GPU needs.
 */
function chunkOf(id: string, modules: Modules): string {
  if (reachable === undefined) {
    const first = withImports([fileURLToPath(new URL("./src/index.ts", import.meta.url))], modules);
    const loaded = [...first].flatMap((file) => modules.getModuleInfo(file)?.dynamicallyImportedIds ?? []);
    reachable = { first, later: withImports(loaded, modules) };
  }
  if (reachable.first.has(id) || !reachable.later.has(id)) return "fluxion";
  return /[\\/]src[\\/]profile[\\/]/.test(id) ? "profile" : "webgpu";
}

interface Chunk {
  readonly facadeModuleId?: string | null;
  readonly moduleIds: readonly string[];
}

/**
 * Where a chunk that is not a group's goes: what is loaded with `import()` lies where its file does, beside its declarations. The command
 * finds the package's other files from where its own lie, so these have to be in one folder.
 */
function fileOfChunk({ facadeModuleId, moduleIds }: Chunk): string {
  const own = /[\\/]src[\\/](.+)\.ts$/.exec(facadeModuleId ?? "")?.[1].replaceAll("\\", "/");
  if (own !== undefined) return `${own}.js`;
  const isCommand = moduleIds.length > 0 && moduleIds.every((id) => /[\\/]src[\\/]cli[\\/]/.test(id));
  return isCommand ? "cli/[name].js" : "[name].js";
}

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
    "analysis/index": "src/analysis/index.ts",
    "cli/index": "src/cli/index.ts",
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
  deps: { alwaysBundle: [/^fp-ts/], onlyBundle: ["fp-ts"], neverBundle: [/^node:/] },
  plugins: [fpTsFromEs6, ownEntries, librariesAsModules, unreadConstantsAreDropped],
  /* package.json says that hardly a file has side effects, to the users of the build; the build itself must not believe it. */
  treeshake: { moduleSideEffects: (id: string) => isSource(id) || isLaw(id) },
  /*
   * All that is needed at the start goes into one file, and the entries only re-export from it. The array class gets its methods when
   * src/numpy/methods.ts starts; a bundler told `sideEffects: false` drops a file of which nobody takes an export, but keeps the
   * top level of one of which somebody does. It is also one file to open instead of hundreds when Node starts.
   */
  outputOptions: {
    /* Doc comments live in the declarations; here they would be half of what V8 has to read at every start. */
    comments: { legal: true, annotation: true, jsdoc: false },
    chunkFileNames: fileOfChunk,
    codeSplitting: {
      groups: [
        { name: chunkOf, test: (id: string) => (isSource(id) && !isRoot(id) && !isApart(id)) || isFpTs(id) },
        /* The laws use fluxion/fp; without a row of its own it would become part of them, and bring fast-check along. */
        { name: "fp/fp", test: (id: string) => isPartOf("src[\\/]fp", id) },
        { name: "analysis/analysis", test: (id: string) => isPartOf("src[\\/]analysis", id) },
        { name: "laws/laws", test: (id: string) => isPartOf("laws", id) },
      ],
    },
  },
});
