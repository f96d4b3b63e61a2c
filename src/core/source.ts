/**
 * Where in user code an operation was called: the first stack frame outside this library.
 *
 * Capturing a stack costs microseconds a frame, so few frames are captured, and their text is made only when asked for.
 */

/** A captured stack; V8 turns it into text when `stack` is first read. */
export interface Source {
  readonly stack?: string;
}

/** The folder of the library, or nothing where a bundler leaves `import.meta` empty (CommonJS and script bundles). */
const library = ((): string | undefined => {
  const { url } = import.meta;
  // This file is src/core/source.ts, or part of a bundle directly under dist: both give the folder of the library.
  return url ? new URL(".", url).href.replace(/\/core\/$/, "/") : undefined;
})();

const framePattern = /(?:\(|at )((?:file:\/\/|\/|[A-Za-z]:[\\/]|https?:\/\/|webpack)[^()]*?:\d+:\d+)\)?$/;

const stripScheme = (s: string): string => s.replace(/^file:\/\//, "").replaceAll("\\", "/");

/** The first frame of a stack's text that lies outside the library, as `file:line:column`. */
export function userFrame(stack: string | undefined): string | undefined {
  if (stack === undefined) return undefined;
  const own = library && stripScheme(library);
  for (const line of stack.split("\n")) {
    const at = framePattern.exec(line.trim())?.[1];
    if (at === undefined) continue;
    const file = stripScheme(at);
    if (!(own && file.startsWith(own)) && !file.includes("/node_modules/") && !file.startsWith("node:"))
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

/** ` (at file:line:column)` for the user code that is running now, or nothing. */
export function atUserLine(): string {
  const where = describeSource(captureSource(40));
  return where === undefined ? "" : ` (at ${where})`;
}
