/** The page's side of the worker: one request at a time, only the latest of those that wait, and an end to what takes too long. */
import type { Answer, DeviceChoice, Problem, Request, RunRequest } from "./protocol.js";

export type RunInput = Omit<RunRequest, "kind" | "id">;

export interface RunnerEvents {
  /** Everything the worker says about the latest request. */
  answer(answer: Answer): void;
  /** Whether something is being computed. */
  busy(busy: boolean): void;
}

/** How long the worker may be silent, in ms. */
export interface Patience {
  readonly computing: number;
  /** While something comes over the network, or a GPU is opened. */
  readonly loading: number;
  /** While it measures. */
  readonly measuring: number;
}

const usual: Patience = { computing: 5000, loading: 60_000, measuring: 90_000 };

export class Runner {
  private worker: Worker | undefined;
  private ready = false;
  private count = 0;
  private current: Request | undefined;
  private next: RunInput | undefined;
  private nextDevice: DeviceChoice | undefined;
  private device: DeviceChoice;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly events: RunnerEvents,
    device: DeviceChoice = "auto",
    private readonly patience: Patience = usual,
  ) {
    this.device = device;
  }

  /** Whether something was asked for that has not begun. */
  get waiting(): boolean {
    return this.next !== undefined || this.nextDevice !== undefined;
  }

  /** Starts the worker, which takes as long as the network does. */
  load(): void {
    this.go();
  }

  /** Runs this as soon as what is running has ended, unless something else is asked for before. */
  run(input: RunInput): void {
    this.next = input;
    this.go();
  }

  choose(device: DeviceChoice): void {
    this.device = device;
    this.nextDevice = device;
    this.go();
  }

  /** Ends what is running. */
  stop(message = "stopped"): void {
    const { current } = this;
    this.close();
    if (current !== undefined) this.fail(current, message);
    this.events.busy(false);
    if (this.next !== undefined) this.go();
  }

  close(): void {
    clearTimeout(this.timer);
    this.worker?.terminate();
    this.worker = undefined;
    this.ready = false;
    this.current = undefined;
  }

  private start(): void {
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.nextDevice = this.device;
    this.worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.hear(data));
    this.worker.addEventListener("error", (event) => {
      // Nothing that was said can be answered if the script itself does not load.
      this.close();
      const problem = { name: "Error", message: event.message || "the worker could not be loaded" };
      this.events.answer({ kind: "problem", id: this.count, part: undefined, problem });
      this.events.busy(false);
    });
  }

  private go(): void {
    if (this.worker === undefined) this.start();
    this.events.busy(true);
    if (!this.ready || this.current !== undefined) return;
    const id = ++this.count;
    if (this.nextDevice !== undefined) {
      this.current = { kind: "device", id, device: this.nextDevice };
      this.nextDevice = undefined;
    } else if (this.next !== undefined) {
      this.current = { kind: "run", id, ...this.next };
      this.next = undefined;
    } else {
      this.events.busy(false);
      return;
    }
    this.worker?.postMessage(this.current);
    this.wait(this.current.kind === "device" ? this.patience.loading : this.patienceOf(this.current));
  }

  private patienceOf({ parts }: RunRequest): number {
    return parts.includes("measured") ? this.patience.measuring : this.patience.computing;
  }

  private wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () =>
        this.stop(
          `stopped after ${Math.round(ms / 1000)} s without an end: is there an endless loop, or too much to compute?`,
        ),
      ms,
    );
  }

  private hear(data: Answer): void {
    if (data.kind === "ready") {
      this.ready = true;
      this.go();
      return;
    }
    if (this.current === undefined || data.id !== this.current.id) return;
    // What is about to be asked again is not shown in between.
    this.events.answer(data);
    if (data.kind === "done") {
      clearTimeout(this.timer);
      this.current = undefined;
      this.go();
    } else if (data.kind === "loading") this.wait(this.patience.loading);
    else if (this.current.kind === "run") this.wait(this.patienceOf(this.current));
  }

  private fail({ id }: Request, message: string): void {
    const problem: Problem = { name: "Stopped", message };
    this.events.answer({ kind: "problem", id, part: undefined, problem });
  }
}
