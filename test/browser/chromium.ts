/**
 * The Chromium that the tests run in: it comes with an npm package, SwiftShader (WebGPU on a CPU), fonts and the few
 * libraries that a bare Linux lacks included, so that `npm ci` is all a machine needs.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LaunchOptions } from "playwright";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const { version } = JSON.parse(readFileSync(join(modules, "@sparticuz/chromium/package.json"), "utf8"));
const cache = join(modules, ".cache/fluxion");
const folder = join(cache, `chromium-${version}`);

/** Unpacks the browser beside the other packages, once; several processes may try at the same time. */
export function unpackChromium(): void {
  if (existsSync(folder)) return;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  // The package unpacks to the temporary folder of its process, with the libraries where it thinks itself on AWS.
  const env = { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" };
  const unpack = `(await import("@sparticuz/chromium")).default.executablePath()`;
  execFileSync(process.execPath, ["--input-type=module", "-e", unpack], { cwd: modules, env });
  writeFileSync(
    join(fresh, "fonts.conf"),
    `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`,
  );
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

const libraries = [join(folder, "al2023/lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");

/** What Playwright needs to start it, with WebGPU on. */
export const launchOptions = {
  executablePath: join(folder, "chromium"),
  args: ["--no-sandbox", "--enable-unsafe-webgpu"],
  env: {
    ...(process.env as Record<string, string>),
    LD_LIBRARY_PATH: libraries,
    FONTCONFIG_FILE: join(folder, "fonts.conf"),
  },
} satisfies LaunchOptions;
