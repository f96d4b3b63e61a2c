/** Whether the host can run what the printer prints. */

// A module with one function that drops a vector, made of nothing but i8x16.splat: as small as such a test gets.
const withVectors = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x1a, 0x0b],
);

let known: boolean | undefined;

/** WebAssembly with 128-bit vectors, which the host also lets one compile: a page's content-security policy may not. */
export function hasWasm(): boolean {
  known ??= canCompile();
  return known;
}

function canCompile(): boolean {
  if (typeof WebAssembly !== "object") return false;
  try {
    new WebAssembly.Module(withVectors);
    return true;
  } catch {
    return false;
  }
}
