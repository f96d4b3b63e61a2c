/**
 * Where in user code an operation was called: the first stack frame outside this library.
 *
 * Capturing a stack costs microseconds a frame, so few frames are captured, and their text is made only when asked for.
 */

/** A captured stack; V8 turns it into text when `stack` is first read. */
export interface Source {
  readonly stack?: string;
}

/**
 * The folder of the library: empty where a bundler leaves `import.meta` empty (CommonJS and script bundles). This file is
 * src/core/source.ts, or part of a bundle directly under dist: both give it.
 */
function libraryFolder(): string {
  const { url } = import.meta;
  return url ? stripScheme(new URL(".", url).href.replace(/\/core\/$/, "/")) : "";
}

let library: string | undefined;

const framePattern = /(?:\(|at )((?:file:\/\/|\/|[A-Za-z]:[\\/]|https?:\/\/|webpack)[^()]*?:\d+:\d+)\)?$/;

const stripScheme = (s: string): string => s.replace(/^file:\/\//, "").replaceAll("\\", "/");

/** The first frame of a stack's text that lies outside the library, as `file:line:column`. */
export function userFrame(stack: string | undefined): string | undefined {
  if (stack === undefined) return undefined;
  library ??= libraryFolder();
  for (const line of stack.split("\n")) {
    const at = framePattern.exec(line.trim())?.[1];
    if (at === undefined) continue;
    const file = stripScheme(at);
    if (
      !(library !== "" && file.startsWith(library)) &&
      !file.includes("/node_modules/") &&
      !file.startsWith("node:")
    )
      return file;
  }
  return undefined;
}

/** Captures up to `frames` stack frames of the caller. */
export function captureSource(frames: number): Source {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = frames;
  const source = new Error();
  Error.stackTraceLimit = before;
  return source;
}

export const describeSource = (source: Source | undefined): string | undefined => userFrame(source?.stack);

/** ` (at file:line:column)` for the user code that is running now, or nothing: for errors, below passes within passes. */
export function atUserLine(): string {
  const where = describeSource(captureSource(100));
  return where === undefined ? "" : ` (at ${where})`;
}
