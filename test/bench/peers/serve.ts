/**
 * A process that measures one library and does as its parent says, over the channel that `child_process` opens. Arguments:
 * the library, its threads, and the folder of references.
 */
import { expectedOf } from "./cache.js";
import type { Failure, Hello, Once, Peer, PeerName, Ready, Reply, Request, Sample } from "./contract.js";
import { withPeer } from "./peers.js";
import { errorOf, type Work, workOf } from "./works.js";

const [, , name, threads, cache] = process.argv;

/** A call that takes longer is not warmed up. */
const long = 4_000;
/** A sample takes at least so many milliseconds. */
const atLeast = 15;

class Unsupported extends Error {}

function unprepared(): never {
  throw new Error("nothing has been set up");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** What answers the parent's requests. */
function server<A>(peer: Peer<A>) {
  let run: () => readonly (A | number)[] = unprepared;
  let inputs: readonly A[] = [];
  let calls = 1;

  async function call(): Promise<readonly (A | number)[]> {
    const outputs = run();
    const settled = peer.settle(outputs);
    if (settled !== undefined) await settled;
    return outputs;
  }

  async function loop(times: number): Promise<number> {
    const start = performance.now();
    for (let i = 0; i < times; i++) {
      const outputs = run();
      // Waiting costs a turn, which only a library that computes later has to pay.
      const settled = peer.settle(outputs);
      if (settled !== undefined) await settled;
      peer.free(outputs);
    }
    return (performance.now() - start) / times;
  }

  function prepare(work: Work): void {
    const program = peer.programs[work.kind];
    if (program === undefined) throw new Unsupported(`${name} does not offer it`);
    const arrays = Object.entries(work.inputs()).map(([key, input]) => [key, peer.array(input)] as const);
    inputs = arrays.map(([, array]) => array);
    run = program(Object.fromEntries(arrays), work.sizes);
  }

  /** The first call, and whether it is right. */
  async function first(work: Work): Promise<Ready> {
    const start = performance.now();
    const outputs = await call();
    const elapsed = performance.now() - start;
    const error = errorOf(await peer.read(outputs), expectedOf(work, cache));
    peer.free(outputs);
    return { first: elapsed, error };
  }

  async function setup(work: Work): Promise<Ready> {
    prepare(work);
    const ready = await first(work);
    const start = performance.now();
    let count = 0;
    while (ready.first < long && (count < 2 || (performance.now() - start < 500 && count < 20_000))) {
      await loop(1);
      count++;
    }
    const ms = ready.first >= long ? ready.first : await loop(Math.max(1, Math.ceil(count / 10)));
    calls = Math.max(1, Math.ceil(atLeast / ms));
    return ready;
  }

  async function once(work: Work): Promise<Once> {
    // Starting the library is measured elsewhere: one operation on a scalar starts it.
    prepare(workOf("scalar/add"));
    peer.free(await call());
    prepare(work);
    const ready = await first(work);
    const samples: number[] = [];
    const start = performance.now();
    while (samples.length < 3 || (samples.length < 15 && performance.now() - start < 1_500))
      samples.push(await loop(1));
    return { ...ready, steady: median(samples) };
  }

  function end(): Record<string, never> {
    peer.free(inputs);
    [run, inputs] = [unprepared, []];
    (globalThis as { gc?: () => void }).gc?.();
    return {};
  }

  return async (request: Request): Promise<Reply> => {
    switch (request.op) {
      case "setup":
        return setup(workOf(request.work));
      case "time":
        return { ms: await loop(calls) } satisfies Sample;
      case "once":
        return once(workOf(request.work));
      case "end":
        return end();
    }
  };
}

const answer = (reply: Reply): void => void process.send?.(reply);

const failure = (error: unknown): Failure => ({
  failed: (error instanceof Error ? error.message : String(error)).slice(0, 200),
  ...(error instanceof Unsupported ? { missing: true } : {}),
});

await withPeer(name as PeerName, async (peer) => {
  await peer.start(Number(threads));
  const serve = server(peer);
  process.on("message", (request: Request) => serve(request).then(answer, (e) => answer(failure(e))));
  process.on("disconnect", () => process.exit(0));
  answer({ major: Number(process.versions.node.split(".")[0]) } satisfies Hello);
});
