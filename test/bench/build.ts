/** Bundles benchmarks so that they run as a user's program would: in plain Node, on the built package. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";

export const here: string = fileURLToPath(new URL(".", import.meta.url));

const common: BuildOptions = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Not the tsconfig's paths, which lead to the source: `fluxion` is to be the package in dist.
  tsconfigRaw: {},
  logLevel: "error",
};

/** A folder of this process, so that two runs at once do not delete each other's. */
export function temporaryFolder(within: string): string {
  const folder = join(within, ".build", String(process.pid));
  mkdirSync(folder, { recursive: true });
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  // Without a listener a signal ends the process at once, and the folder stays.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  return folder;
}

/** One benchmark file with what runs its cases. */
export async function buildCases(file: string, folder: string): Promise<string> {
  const outfile = join(folder, file.replace(/\.ts$/, ".mjs"));
  await build({
    ...common,
    stdin: {
      contents: `import cases from "./${file}";\nimport { printCases } from "./harness.js";\nawait printCases(cases);\n`,
      resolveDir: here,
      loader: "ts",
    },
    packages: "external",
    outfile,
  });
  return outfile;
}

/** The programs of processes that measure libraries; each library is a file of its own, loaded only where it is measured. */
export async function buildPeers(folder: string, fluxion: string): Promise<{ serve: string; start: string }> {
  if (!existsSync(fluxion)) throw new Error(`${fluxion} is missing: run \`npm run build\` first`);
  await build({
    ...common,
    entryPoints: ["serve", "start"].map((name) => join(here, "peers", `${name}.ts`)),
    splitting: true,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    plugins: [
      {
        name: "the package by its address",
        // A folder with a package.json of its own is not `fluxion`, whose name would lead nowhere.
        setup: ({ onResolve }) =>
          void onResolve({ filter: /^fluxion$/ }, () => ({
            path: pathToFileURL(fluxion).href,
            external: true,
          })),
      },
    ],
  });
  return { serve: join(folder, "serve.mjs"), start: join(folder, "start.mjs") };
}
