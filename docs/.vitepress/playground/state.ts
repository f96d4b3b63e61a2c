/** What the visitor has before him, in the address: a link shows it to others. */
import { examples } from "./examples.js";
import type { DeviceChoice, GraphKind } from "./protocol.js";

export interface State {
  readonly source: string;
  readonly args: string;
  readonly tangents: string;
  readonly cotangents: string;
  readonly graph: GraphKind;
  readonly device: DeviceChoice;
}

const stateOf = (name: string): State | undefined => {
  const example = examples.find((candidate) => candidate.name === name);
  if (example === undefined) return undefined;
  const { source, args, graph } = example;
  return { source, args, graph, tangents: "", cotangents: "", device: "auto" };
};

export const firstState = stateOf(examples[0].name) as State;

/** The example that a state shows unchanged. */
export const exampleOf = (state: State): string | undefined =>
  examples.find(({ source, args }) => source === state.source && args === state.args)?.name;

/** URL-safe base64 of UTF-8. */
const pack = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const unpack = (packed: string): string => {
  const bytes = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
};

/** What stands behind the `#`: the name of an example, or everything; the device and the kind of graph where they were chosen. */
export function hashOf(state: State): string {
  const parts = new URLSearchParams();
  const name = exampleOf(state);
  const original = name === undefined ? firstState : (stateOf(name) as State);
  if (name !== undefined) parts.set("example", name);
  else {
    parts.set("f", pack(state.source));
    parts.set("args", pack(state.args));
  }
  if (state.tangents !== "") parts.set("tangents", pack(state.tangents));
  if (state.cotangents !== "") parts.set("cotangents", pack(state.cotangents));
  if (state.graph !== original.graph) parts.set("graph", state.graph);
  if (state.device !== "auto") parts.set("device", state.device);
  return `#${parts}`;
}

const kinds: readonly string[] = ["plain", "values", "derivatives", "forward", "reverse", "gradient"];
const devices: readonly string[] = ["auto", "wasm", "webgpu"];

/** The state of an address; an address that says nothing, or that is damaged, gives the first example. */
export function stateFrom(hash: string): State {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const read = (key: string): string | undefined => {
    const packed = parts.get(key);
    if (packed === null) return undefined;
    try {
      return unpack(packed);
    } catch {
      return undefined;
    }
  };
  const begun = stateOf(parts.get("example") ?? "") ?? firstState;
  const [graph, device] = [parts.get("graph") ?? "", parts.get("device") ?? ""];
  return {
    source: read("f") ?? begun.source,
    args: read("args") ?? begun.args,
    tangents: read("tangents") ?? "",
    cotangents: read("cotangents") ?? "",
    graph: (kinds.includes(graph) ? graph : begun.graph) as GraphKind,
    device: (devices.includes(device) ? device : "auto") as DeviceChoice,
  };
}
