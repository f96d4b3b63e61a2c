/** Runs in the page before each test file: what tests take from Node. */

/**
 * Vite's dev server tells versions of a file apart by a query after its name, and the tests look for
 * `file.test.ts:line:column` in messages: stacks are made to name files alone.
 */
Error.prepareStackTrace = (error, frames) =>
  [String(error), ...frames.map((frame) => `    at ${String(frame).replace(/\?[^:)]*/, "")}`)].join("\n");

type Listener = (reason: unknown) => void;
const listeners = new Map<Listener, (event: PromiseRejectionEvent) => void>();

/** Node's `process`: its environment asks for fewer random cases than in Node, its one event is `unhandledRejection`. */
const ofNode = {
  env: { FLUXION_RUNS: "30" },
  on(_: "unhandledRejection", listener: Listener) {
    const listen = ({ reason }: PromiseRejectionEvent) => listener(reason);
    listeners.set(listener, listen);
    addEventListener("unhandledrejection", listen);
  },
  off(_: "unhandledRejection", listener: Listener) {
    const listen = listeners.get(listener);
    if (listen !== undefined) removeEventListener("unhandledrejection", listen);
  },
};
Object.assign(globalThis, { process: ofNode });

export {};
