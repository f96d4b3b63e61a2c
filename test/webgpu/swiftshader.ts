/**
 * A GPU for machines without one: SwiftShader, a Vulkan driver that computes on the CPU, as the npm package of a headless
 * Chromium ships it. Nothing has to be installed on the system.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { GpuDevice, type GpuOptions } from "../../src/backends/webgpu/device.js";

const require = createRequire(import.meta.url);

/** The plain files of a tar archive (POSIX.1-1988: headers of 512 bytes, contents padded to as much). */
function* filesOf(tar: Buffer): Generator<{ name: string; content: Buffer }> {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const field = (from: number, to: number): string =>
      tar.toString("latin1", at + from, at + to).replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 136), 8);
    const isFile = field(156, 157) === "" || field(156, 157) === "0";
    if (isFile) yield { name: field(0, 100), content: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Unpacks the driver, once for each version of the package; returns its folder. */
function unpack(): string {
  const entry = require.resolve("@sparticuz/chromium");
  const root = entry.slice(0, entry.lastIndexOf("chromium") + "chromium".length);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const folder = join(tmpdir(), `fluxion-swiftshader-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(folder)) return folder;
  const archive = brotliDecompressSync(readFileSync(join(root, "bin", "swiftshader.tar.br")));
  // Other processes may do the same at this moment: whoever renames first has done it for all.
  const fresh = mkdtempSync(join(tmpdir(), "fluxion-swiftshader-"));
  for (const { name, content } of filesOf(archive)) {
    mkdirSync(dirname(join(fresh, name)), { recursive: true });
    writeFileSync(join(fresh, name), content);
  }
  try {
    renameSync(fresh, folder);
  } catch {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** glibc's flag for a library that stays when its handle is closed. */
const RTLD_NODELETE = 0x1000;

let ready = false;

/** Makes SwiftShader the Vulkan driver of this process. It must be called on the main thread, before WebGPU is used. */
export function useSwiftShader(): void {
  if (ready || process.env.FLUXION_TEST_GPU === "system") return;
  const folder = unpack();
  process.env.VK_ICD_FILENAMES = join(folder, "vk_swiftshader_icd.json");
  // Dawn loads libvulkan.so.1 by name and finds the one that is loaded already. It is no module of Node, which is what this
  // call fails with after it has loaded it.
  try {
    process.dlopen(
      { exports: {} },
      join(folder, "libvulkan.so.1"),
      constants.dlopen.RTLD_NOW | RTLD_NODELETE,
    );
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("self-register"))) throw error;
  }
  ready = true;
}

/** A device on SwiftShader. */
export function openTestDevice(options: GpuOptions = {}): Promise<GpuDevice> {
  useSwiftShader();
  return GpuDevice.open({ allowSoftware: true, ...options });
}
