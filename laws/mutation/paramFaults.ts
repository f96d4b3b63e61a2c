/** Faults in params: an axis or a bound off by one, two entries exchanged, a flag the other way round. */
import type { Params, ParamValue } from "../../src/core/primitive.js";
import type { FaultKind } from "./fault.js";

export interface ChangedParams {
  readonly kind: FaultKind;
  readonly path: string;
  readonly what: string;
  readonly params: Params;
}

/** Names and hints: another value of them changes no result. */
const noMatter = new Set(["name", "isStable", "indicesAreSorted", "uniqueIndices", "callback", "id"]);

/** Every number of the params moved by one, neighbours in lists exchanged, flags flipped. */
export function* changedParams(params: Params): Generator<ChangedParams> {
  for (const key of Object.keys(params)) {
    if (noMatter.has(key)) continue;
    for (const [path, what, value] of changedValues(params[key], key))
      yield {
        kind: path.endsWith("!") ? "wrong flag" : "off-by-one axis",
        path,
        what,
        params: { ...params, [key]: value },
      };
  }
}

function* changedValues(value: ParamValue, path: string): Generator<readonly [string, string, ParamValue]> {
  if (typeof value === "number" && Number.isInteger(value))
    for (const step of [1, -1])
      yield [`${path}${step > 0 ? "+" : "-"}1`, `${path} ${value + step} for ${value}`, value + step];
  else if (typeof value === "number") yield [`${path}*2`, `${path} ${value * 2} for ${value}`, value * 2];
  else if (typeof value === "boolean") yield [`${path}!`, `${path} ${!value} for ${value}`, !value];
  else if (Array.isArray(value)) {
    const list = value as readonly ParamValue[];
    for (const [i, item] of list.entries())
      for (const [at, what, changed] of changedValues(item, `${path}[${i}]`))
        yield [at, what, list.map((x, k) => (k === i ? changed : x))];
    for (let i = 0; i + 1 < list.length; i++)
      if (typeof list[i] === "number" && list[i] !== list[i + 1])
        yield [
          `${path}[${i}]<>`,
          `${path}: entries ${i} and ${i + 1} exchanged`,
          list.map((x, k) => (k === i ? list[i + 1] : k === i + 1 ? list[i] : x)),
        ];
  }
}
