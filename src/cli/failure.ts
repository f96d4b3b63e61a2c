/** What a command prints of an error that the user's function, the library or the device threw. */
import { FluxionError } from "../core/errors.js";
import { userFrame } from "../core/source.js";

/** Name, message and the line of the user's code; the stack only if it is asked for. */
export function describeError(error: unknown, debug: boolean, folder: string): string {
  if (!(error instanceof Error)) return `${String(error)} was thrown, which is no Error`;
  if (debug && error.stack !== undefined) return error.stack;
  // A typed error says it itself.
  const where = error instanceof FluxionError ? undefined : userFrame(error.stack);
  const text = `${error.name}: ${error.message}${where === undefined ? "" : ` (at ${where})`}`;
  return text.replaceAll(`file://${folder}/`, "").replaceAll(`${folder}/`, "");
}
