/**
 * Steps that are ready to run, and runs. What steps are made of is shared by all runs of a program; a run that is under way has
 * runners of its own, because a function of the host may call the very program that it is called from.
 */
import type { Program } from "../../compiler/program.js";
import type { Launcher } from "./launch.js";
import type { Numbers, Workspaces } from "./layout.js";
import type { Heap } from "./memory.js";

/** What is common to the steps of a run. */
export interface Session {
  readonly heap: Heap;
  /** The address of room for one float16 array as JavaScript keeps it. */
  staging: number;
}

/** Runs a step on buffers at these addresses, by number. */
export type Runner = (addresses: readonly number[]) => void;

export type ReadyStep = (session: Session) => Runner;

/** A program with numbers for its buffers. */
export interface Numbered {
  readonly program: Program;
  readonly numbers: Numbers;
  readonly flows: Workspaces["flows"];
}

/** Makes the steps of a program, or of the body of one, ready; `launchers` gives those of their kernels, in order. */
export type MakeReady = (program: Numbered, launchers: Iterator<Launcher>) => ReadyStep[];
