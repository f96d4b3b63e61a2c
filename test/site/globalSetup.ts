/** Builds the site for the tests, as for a host that has it below a path. `FLUXION_SITE=built` takes the one that is there. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { unpackChromium } from "../browser/chromium.js";
import { base, folder, root } from "./places.js";

export default function build(): void {
  unpackChromium();
  if (process.env.FLUXION_SITE === "built" && existsSync(folder)) return;
  const tsx = join(dirname(createRequire(import.meta.url).resolve("tsx/package.json")), "dist/cli.mjs");
  const args = [tsx, "docs/.vitepress/build.ts", "--base", base, "--out", folder];
  execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
}
