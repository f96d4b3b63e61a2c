/** Starts workers: threads of Node, or of the page where it may have threads that share memory. */
import { type WorkerStart, workerSource } from "./workerSource.js";

export interface Worker {
  /** Ends it, wherever it is. */
  end(): void;
}

interface NodeWorker {
  on(event: string, listener: () => void): void;
  unref(): void;
  terminate(): unknown;
}

interface NodeModules {
  readonly "node:worker_threads": { Worker: new (source: string, options: object) => NodeWorker };
  readonly "node:os": { availableParallelism(): number };
}

interface PageWorker {
  onerror: ((event: { preventDefault(): void }) => void) | null;
  postMessage(message: WorkerStart): void;
  terminate(): void;
}

interface Page {
  readonly Worker?: new (url: string, options: object) => PageWorker;
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** A module of Node; undefined elsewhere. No import names it, so that pages and bundlers never look for it. */
function nodeModule<K extends keyof NodeModules>(name: K): NodeModules[K] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as NodeModules[K] | undefined;
}

/** How many threads can run at once here. */
export const processors = (): number =>
  nodeModule("node:os")?.availableParallelism() ?? (globalThis as Page).navigator?.hardwareConcurrency ?? 1;

/** @param ended is called if the worker could not start, or has ended by itself. */
type Start = (start: WorkerStart, ended: () => void) => Worker;

/** How workers are started here; undefined if there cannot be any. */
export function findWorkers(): Start | undefined {
  const node = nodeModule("node:worker_threads");
  if (node !== undefined) return (start, ended) => startInNode(node.Worker, start, ended);
  const { Worker: OfPage, crossOriginIsolated } = globalThis as Page;
  if (OfPage === undefined || crossOriginIsolated !== true) return undefined;
  return (start, ended) => startInPage(OfPage, start, ended);
}

function startInNode(
  NodeWorker: NodeModules["node:worker_threads"]["Worker"],
  workerData: WorkerStart,
  ended: () => void,
): Worker {
  // Options and variables of this process are for its own code: loaders would only make the start slow.
  const worker = new NodeWorker(workerSource, {
    eval: true,
    workerData,
    name: "fluxion",
    execArgv: [],
    env: {},
  });
  worker.on("error", ended);
  worker.on("exit", ended);
  // It never ends by itself, and the process is not to wait for it.
  worker.unref();
  return { end: () => void worker.terminate() };
}

function startInPage(OfPage: NonNullable<Page["Worker"]>, start: WorkerStart, ended: () => void): Worker {
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new OfPage(url, { name: "fluxion" });
  worker.onerror = (event) => {
    // A page may forbid workers of this kind. That is no error: there is one thread.
    event.preventDefault();
    URL.revokeObjectURL(url);
    ended();
  };
  worker.postMessage(start);
  return {
    end: () => {
      URL.revokeObjectURL(url);
      worker.terminate();
    },
  };
}
