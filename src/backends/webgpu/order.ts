/**
 * The order of commands where one has to wait for the GPU: a loop whose end the GPU alone knows is recorded a few steps at a
 * time, and what comes after it waits. Callers notice nothing: commands are handed in at once, and happen in their order.
 *
 * Memory is handed out and taken back when commands are handed in, not when they are recorded. Since each comes after those
 * before it, in both cases, one may use memory that another is done with.
 */
import type { Chunk } from "./pool.js";

/** What a recording stops for: words at the beginning of a chunk, as they are after all that was recorded so far. */
export interface Wait {
  readonly chunk: Chunk;
  readonly words: number;
}

/** Records commands; whenever it stops it gets the words that it waits for. */
export type Recording = Generator<Wait, void, Int32Array>;

export interface Command {
  /** Memory that it uses. */
  readonly chunks: readonly Chunk[];
  /** Records the command, or the first part of it. */
  readonly record: () => Recording | undefined;
  /** Called instead if the device is gone before. */
  readonly fail?: (error: Error) => void;
}

export class Order {
  /** The command that waits for the GPU. */
  private open: Command | undefined;
  /** Those after it. */
  private waiting: Command[] = [];
  private count = 0;
  /** Errors of the GPU before the command that waits. */
  private errors = 0;

  constructor(
    /** Words of a chunk, once all that was recorded is done. */
    private readonly read: (wait: Wait) => Promise<Int32Array>,
    /** How many commands the GPU has refused. A loop that it refuses would never end. */
    private readonly refused: () => number,
    /** Is told why a command could not be recorded to its end. */
    private readonly report: (error: Error) => void,
  ) {}

  /** How many times something has waited for the GPU. */
  get waits(): number {
    return this.count;
  }

  /** Whether commands have to wait. */
  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** Records a command, now or after those that wait. */
  add(command: Command): void {
    if (this.open === undefined) {
      this.begin(command);
      return;
    }
    hold(command, 1);
    this.waiting.push(command);
  }

  /** Gives up all that waits. */
  abort(error: Error): void {
    const { open, waiting } = this;
    this.open = undefined;
    this.waiting = [];
    if (open !== undefined) hold(open, -1);
    for (const command of waiting) {
      hold(command, -1);
      command.fail?.(error);
    }
  }

  private begin(command: Command): void {
    const recording = command.record();
    const wait = recording?.next();
    if (recording === undefined || wait === undefined || wait.done === true) return;
    this.open = command;
    this.errors = this.refused();
    hold(command, 1);
    this.waitFor(wait.value, command, recording);
  }

  private waitFor(wait: Wait, command: Command, recording: Recording): void {
    this.count++;
    this.read(wait).then(
      (words) => this.resume(words, command, recording),
      (error: unknown) => this.close(command, error),
    );
  }

  private resume(words: Int32Array, command: Command, recording: Recording): void {
    // It may have been given up.
    if (this.open !== command) return;
    try {
      if (this.refused() > this.errors) throw new Error("the GPU has refused some of its commands");
      const next = recording.next(words);
      if (next.done === true) this.close(command);
      else this.waitFor(next.value, command, recording);
    } catch (error) {
      this.close(command, error);
    }
  }

  /** The command is done, or has failed; those after it follow until one has to wait. */
  private close(command: Command, error?: unknown): void {
    if (this.open !== command) return;
    if (error !== undefined) this.report(error instanceof Error ? error : new Error(String(error)));
    this.open = undefined;
    hold(command, -1);
    const { waiting } = this;
    this.waiting = [];
    let next = 0;
    while (next < waiting.length && this.open === undefined) {
      const follower = waiting[next++];
      hold(follower, -1);
      try {
        this.begin(follower);
      } catch (cause) {
        this.report(cause instanceof Error ? cause : new Error(String(cause)));
      }
    }
    this.waiting = waiting.slice(next);
  }
}

function hold({ chunks }: Command, by: 1 | -1): void {
  for (const chunk of chunks) chunk.awaited += by;
}
