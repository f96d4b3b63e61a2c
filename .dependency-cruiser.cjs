/**
 * Imports point one way. Each row names a folder of `src` and the only folders of `src` its files may import from;
 * a folder may always import from itself. For the direction type-only imports count: a type is knowledge too.
 */
const language = ["core", "primitives", "transforms"];

const layers = {
  core: [],
  primitives: ["core"],
  transforms: ["core", "primitives"],
  compiler: ["core"],
  backends: ["core", "compiler"],
  profile: ["core", "backends"],
  lax: language,
  numpy: [...language, "lax"],
  random: [...language, "lax", "numpy"],
  nn: [...language, "lax", "numpy", "random"],
  scipy: [...language, "lax", "numpy", "random", "nn"],
  optim: [...language, "lax", "numpy", "random", "nn"],
  analysis: [...language, "lax", "numpy", "random", "nn", "backends"],
  cli: [...language, "lax", "numpy", "random", "nn", "backends", "analysis"],
  fp: [...language, "lax", "numpy", "random", "nn"],
};

const folders = Object.keys(layers).join("|");

/**
 * Every entry of the package sees to it that arrays have their methods, also the one that lies below numpy, and that there
 * is a device.
 */
const entry = "^src/[a-z]+/index\\.ts$";
const atEntries = ["^src/numpy/methods\\.ts$", "^src/backends/default\\.ts$"];

const direction = Object.entries(layers).flatMap(([folder, below]) => {
  const rule = (from, allowed) => ({
    name: `${folder}-imports-downwards`,
    comment: `src/${folder} may import only from ${[folder, ...below].map((name) => `src/${name}`).join(", ")}`,
    severity: "error",
    from,
    to: { path: "^src/", pathNot: [`^src/(${[folder, ...below].join("|")})/`, ...allowed] },
  });
  return [
    rule({ path: `^src/${folder}/`, pathNot: entry }, []),
    rule({ path: `^src/${folder}/index\\.ts$` }, atEntries),
  ];
});

/** The same for `laws`, whose bottom, "base", is the files beside laws/index.ts. */
const lawLayers = {
  base: [],
  statements: ["base", "arbitraries"],
  arbitraries: ["base", "programs"],
  programs: ["base", "arbitraries"],
  check: ["base", "statements", "arbitraries"],
  mutation: ["base", "statements", "arbitraries", "programs", "check"],
  deep: ["base", "statements", "arbitraries", "programs", "check"],
  suites: ["base", "statements", "arbitraries", "programs", "check", "mutation", "deep", "index"],
};
const lawPath = {
  base: "^laws/(?!index|vitest)[A-Za-z]+\\.ts$",
  index: "^laws/(index|vitest)\\.ts$",
};
const lawFolder = (name) => lawPath[name] ?? `^laws/${name}/`;

const directionOfLaws = Object.entries(lawLayers).map(([layer, below]) => ({
  name: `laws-${layer}-imports-downwards`,
  comment: `laws/${layer} may import only from ${[layer, ...below].map((name) => `laws/${name}`).join(", ")} of the laws`,
  severity: "error",
  from: { path: lawFolder(layer) },
  to: { path: "^laws/", pathNot: [layer, ...below].map(lawFolder) },
}));

/** What users get of the laws. */
const published = { path: "^laws/", pathNot: "^laws/(mutation|deep|suites)/" };

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...direction,
    ...directionOfLaws,
    {
      name: "known-folder",
      comment:
        "every folder of src has a row in the table of layers; files beside src/index.ts have no place in it",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: [`^src/(${folders})/`, "^src/index\\.ts$"] },
    },
    {
      name: "no-cycle",
      comment:
        "a file that needs itself through others starts in an order that is an accident; " +
        "types that name each other are free to, they are gone before anything starts",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "nothing-imports-the-index",
      comment: "src/index.ts is for users; inside, import the file that has the thing",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/index\\.ts$" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "src-stands-alone",
      comment: "src imports nothing of the tests, the laws or the docs",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|laws|docs)/" },
    },
    {
      name: "only-declared-packages",
      comment:
        "the published code imports only what package.json lists as a dependency: no dev tool, no Node built-in; " +
        "the optional peers that draw are loaded where a picture is asked for",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "core"],
        pathNot: "/(@viz-js|echarts)/",
      },
    },
    {
      name: "command-only-declared-packages",
      comment:
        "the command runs in Node, and imports beside its built-ins only what package.json lists as a dependency",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "laws-stand-alone",
      comment: "the published laws import nothing of the tests, the docs, the mutation test or the deep run",
      severity: "error",
      from: published,
      to: { path: "^(test|docs|laws/(mutation|deep|suites))/" },
    },
    {
      name: "laws-only-declared-packages",
      comment: "the published laws import fast-check, and in the matchers vitest; no Node built-in",
      severity: "error",
      from: published,
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "core"],
        pathNot: "/(fast-check|vitest)/",
      },
    },
    {
      name: "matchers-alone-import-vitest",
      comment: "vitest is there only where tests run",
      severity: "error",
      from: { path: "^laws/", pathNot: "^laws/(vitest\\.ts|suites/)" },
      to: { path: "/vitest/" },
    },
    {
      name: "resolvable",
      comment: "an import that leads nowhere",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
