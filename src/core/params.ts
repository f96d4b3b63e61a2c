/** Params as data: a canonical text for each, used to compare equations and to key caches. */
import { Jaxpr } from "./jaxpr.js";
import type { Params, ParamValue } from "./primitive.js";

/** The params of primitives that take none. Shared, so that it is recognised by identity. */
export const noParams: Params = Object.freeze({});

const jaxprIds = new WeakMap<Jaxpr, number>();
let nextJaxprId = 0;

/** A number that stands for this very jaxpr object. */
export function identityOf(jaxpr: Jaxpr): number {
  let id = jaxprIds.get(jaxpr);
  if (id === undefined) {
    id = nextJaxprId++;
    jaxprIds.set(jaxpr, id);
  }
  return id;
}

/** Numbers as text that tells -0 from 0 and keeps every digit. */
export const numberKey = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

function valueKey(value: ParamValue): string {
  if (value === undefined) return "u";
  if (value === null) return "n";
  if (typeof value === "number") return numberKey(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return value ? "t" : "f";
  if (value instanceof Jaxpr) return `J${identityOf(value)}`;
  if (Array.isArray(value)) return `[${value.map(valueKey).join(",")}]`;
  return `{${paramsKey(value as Params)}}`;
}

/** Equal for params that mean the same; jaxprs inside are compared by identity. */
export function paramsKey(params: Params): string {
  if (params === noParams) return "";
  return Object.keys(params)
    .sort()
    .map((k) => `${k}=${valueKey(params[k])}`)
    .join(";");
}
