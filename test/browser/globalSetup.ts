import { unpackChromium } from "./chromium.js";
import { leftOut } from "./files.js";

/** Vitest calls it before the tests in the browser. */
export function setup(): void {
  unpackChromium();
  for (const [file, reason] of leftOut) console.log(`not in the browser: ${file} (${reason})`);
}
