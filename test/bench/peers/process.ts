/** The parent's side of a process that measures a library. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Failure, Hello, PeerName, Reply, Request } from "./contract.js";

/** Who is measured: a library, on a Node, with so many threads. */
export interface Side {
  readonly peer: PeerName;
  readonly node: string;
  readonly threads: number;
}

/** No call that is waited for takes longer; in milliseconds. */
const patience = 45_000;

export const hasFailed = (reply: Reply): reply is Failure => "failed" in reply;

export class Measurer {
  private child: ChildProcess | undefined;
  private errors = "";
  private hello: Promise<Reply> | undefined;

  constructor(
    readonly side: Side,
    private readonly program: string,
    private readonly cache: string,
  ) {}

  /** The next message, or why there is none: the process ended, or it took too long and was ended. */
  private next(child: ChildProcess): Promise<Reply> {
    return new Promise((resolve) => {
      const done = (reply: Reply): void => {
        clearTimeout(timer);
        child.off("message", done).off("close", ended).off("error", failed);
        resolve(reply);
      };
      const ended = (code: number | null, signal: string | null): void => {
        const last = this.errors.trim().split("\n").at(-1) ?? "";
        done({ failed: `the process ended with ${code ?? signal}: ${last}`.slice(0, 200) });
      };
      const failed = ({ message }: Error): void => done({ failed: message });
      const timer = setTimeout(() => {
        this.stop();
        done({ failed: `no answer within ${patience / 1000} s` });
      }, patience);
      child.on("message", done).on("close", ended).on("error", failed);
    });
  }

  private start(): ChildProcess {
    const { node, peer, threads } = this.side;
    this.errors = "";
    this.child = spawn(node, ["--expose-gc", this.program, peer, String(threads), this.cache], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.on("data", (text) => {
      this.errors = (this.errors + String(text)).slice(-2000);
    });
    this.hello = this.next(this.child);
    return this.child;
  }

  /** A process that has ended is started again. */
  async ask<R extends Reply>(request: Request): Promise<R | Failure> {
    const living = this.child !== undefined && this.child.exitCode === null && this.child.connected;
    const child = living && this.child !== undefined ? this.child : this.start();
    const hello = (await this.hello) as Hello | Failure;
    if (hasFailed(hello)) return hello;
    const reply = this.next(child);
    // A channel that closes meanwhile is heard of as the end of the process.
    child.send(request, () => undefined);
    return (await reply) as R | Failure;
  }

  stop(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }
}
