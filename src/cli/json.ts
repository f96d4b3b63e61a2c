/** `--json`. */
import { NDArray } from "../core/array.js";
import { ClosedJaxpr, Jaxpr } from "../core/jaxpr.js";

/** What JSON has no form for is written as text (jaxprs, infinities) or as a list (typed arrays, maps, iterables). */
export function toJson(data: unknown): string {
  const text = JSON.stringify(data, (_, value: unknown) => plain(value), 2);
  // Lists of numbers, such as shapes, on one line.
  return text.replace(/\[\s+([-+.\d\seE,]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, " ")}]`);
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Jaxpr || value instanceof ClosedJaxpr) return String(value);
  if (value instanceof NDArray) return value.tolist();
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}
