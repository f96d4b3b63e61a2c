import { onReference, onWebgpu } from "./leftOut.js";

/** Vitest calls it before the tests. */
export function setup(): void {
  for (const [device, rows] of Object.entries({ reference: onReference, webgpu: onWebgpu }))
    for (const { file, tests, reason } of rows)
      console.log(`not on ${device}: test/${file}${tests === undefined ? "" : ` ${tests}`} (${reason})`);
}
