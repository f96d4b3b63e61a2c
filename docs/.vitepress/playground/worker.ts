/** The worker of the playground: it runs the visitor's function, so that an endless loop in it does not stop the page. */
import * as fluxion from "fluxion";
import { forward, type Point, program, readPoint, reverse } from "./differentiate.js";
import { costs, graph, plan, plot } from "./pictures.js";
import { placeIn } from "./program.js";
import type { Answer, DeviceRequest, Part, Problem, Request, RunRequest } from "./protocol.js";

const answer = (message: Answer): void => self.postMessage(message);

/** An error without the names of our scripts, which mean nothing to the visitor. */
function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { name: "Error", message: `the function threw ${String(error)}` };
  const place = placeIn(error.message) ?? placeIn(error.stack ?? "");
  const message = error.message.replace(/ \(at [^()]*\/\w+\.js:(\d+):\d+\)/g, "");
  return { name: error.name, message, ...place };
}

async function compute(part: Part, point: Point, request: RunRequest): Promise<Answer> {
  const { id } = request;
  switch (part) {
    case "program":
      return { kind: "sections", id, part, sections: await program(point) };
    case "forward":
      return { kind: "sections", id, part, sections: await forward(point, request) };
    case "reverse":
      return { kind: "sections", id, part, sections: await reverse(point, request) };
    case "costs":
    case "measured":
      return { kind: "sections", id, part, sections: await costs(point, part === "measured") };
    case "plan":
      return { kind: "sections", id, part, sections: await plan(point) };
    case "graph":
      answer({ kind: "loading", id, part, what: "Graphviz (0.5 MB, once)" });
      return { kind: "picture", id, part, ...(await graph(point, request.graph)) };
    case "plot":
      answer({ kind: "loading", id, part, what: "the plotting library (0.2 MB, once)" });
      return { kind: "picture", id, part, svg: await plot(point), note: "" };
  }
}

async function run(request: RunRequest): Promise<void> {
  const { id } = request;
  let point: Point;
  try {
    point = await readPoint(request);
  } catch (error) {
    answer({ kind: "problem", id, part: undefined, problem: problemOf(error) });
    return;
  }
  for (const part of request.parts)
    try {
      answer(await compute(part, point, request));
    } catch (error) {
      // What cannot even be traced would fail everywhere, with the same words.
      const everywhere = part === "program";
      answer({ kind: "problem", id, part: everywhere ? undefined : part, problem: problemOf(error) });
      if (everywhere) return;
    }
}

/** Asked before anything is loaded that only a GPU needs. */
async function hasGpu(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter();
  return adapter !== null && adapter !== undefined && !adapter.info.isFallbackAdapter;
}

async function choose({ id, device }: DeviceRequest): Promise<void> {
  try {
    const chosen = device === "auto" ? ((await hasGpu()) ? "webgpu" : "wasm") : device;
    if (chosen !== "webgpu") await fluxion.closeGpu();
    // Who asks for WebGPU by name gets one that is emulated, too; who does not is better served by WebAssembly.
    const { name, description } = await fluxion.init({ device: chosen, allowSoftware: device === "webgpu" });
    answer({ kind: "device", id, name, description });
  } catch (error) {
    answer({ kind: "problem", id, part: undefined, problem: problemOf(error) });
  }
}

/** One request after the other: what is asked meanwhile waits. */
let before: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  before = before.then(async () => {
    await (data.kind === "run" ? run(data) : choose(data));
    answer({ kind: "done", id: data.id });
  });
});
answer({ kind: "ready" });
