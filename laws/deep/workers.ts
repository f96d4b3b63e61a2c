/** Hands chunks of a run to processes, and starts a new one where one has grown large, crashed or fallen silent. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { emptyTally, type Tally } from "./tally.js";
import { kindOf } from "./trial.js";
import type { Chunk, Message } from "./worker.js";

/** A program that takes longer than this, in milliseconds, does not end. */
const patience = 120_000;

/** A process that has come to use so much memory makes room for a new one. */
const largest = 1_500_000_000;

const script = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** What is told of a program that ended its process. */
function lost(index: number, how: string): Tally {
  const tally = emptyTally();
  tally.programs = 1;
  tally.laws["every law comes to an end"] = { tried: 1, abstained: 0, failed: 1, milliseconds: 0 };
  tally.failures.push({
    index,
    kind: kindOf(index),
    law: "every law comes to an end",
    statement: "trying the laws ends, with a verdict",
    verdict: {
      kind: "fails",
      left: { name: "the process", value: how },
      right: { name: "wanted", value: "an answer" },
      where: "",
    },
    size: 0,
    program: "",
    snippet: "",
    shrunkFrom: 0,
  });
  return tally;
}

interface Done {
  readonly tallies: readonly Tally[];
  readonly bytes: number;
  /** What is left to be done where a program has ended the process. */
  readonly rest: readonly Chunk[];
}

function runChunk(child: ChildProcess, chunk: Chunk, onProgram: () => void): Promise<Done> {
  return new Promise((resolve) => {
    let current = chunk.start;
    let timer: NodeJS.Timeout | undefined;
    const end = (done: Done): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(done);
    };
    // What the programs before it gave is lost with the process: they are done again.
    const broken = (how: string): void => {
      const index = current;
      child.kill("SIGKILL");
      end({
        tallies: [lost(index, how)],
        bytes: Number.POSITIVE_INFINITY,
        rest: [
          { ...chunk, end: index },
          { ...chunk, start: index + 1 },
        ].filter(({ start, end }) => start < end),
      });
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => broken(`did not end within ${patience / 1000} s`), patience);
    };
    child.on("message", (message: Message) => {
      wait();
      if (message.kind === "done") end({ tallies: [message.tally], bytes: message.bytes, rest: [] });
      else {
        current = message.index;
        onProgram();
      }
    });
    child.on("exit", (code, signal) => broken(`ended with ${signal ?? `code ${code}`}`));
    wait();
    child.send(chunk);
  });
}

/** Does all chunks with `jobs` processes. */
export async function runChunks(
  chunks: readonly Chunk[],
  jobs: number,
  onProgram: () => void,
  onDone: (chunk: Chunk, tallies: readonly Tally[]) => void,
): Promise<void> {
  const todo = [...chunks];
  const children = new Set<ChildProcess>();
  const work = async (): Promise<void> => {
    let child: ChildProcess | undefined;
    for (let chunk = todo.shift(); chunk !== undefined; chunk = todo.shift()) {
      const tallies: Tally[] = [];
      const parts = [chunk];
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        if (child === undefined) {
          child = fork(script);
          children.add(child);
        }
        const done = await runChunk(child, part, onProgram);
        tallies.push(...done.tallies);
        parts.push(...done.rest);
        if (done.bytes > largest) {
          child.kill();
          children.delete(child);
          child = undefined;
        }
      }
      onDone(chunk, tallies);
    }
    child?.kill();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, todo.length) }, work));
  } finally {
    for (const child of children) child.kill();
  }
}
