/**
 * A profile in Chrome's Trace Event Format (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU):
 * complete events, whose times are in microseconds.
 */
import type { Submission } from "../core/profiler.js";
import type { Facts } from "./facts.js";
import { mainLane, namesOf, type Recorder } from "./recorder.js";

/** Something that took a while. */
export interface CompleteEvent {
  readonly ph: "X";
  readonly name: string;
  /** What kind of work it is. */
  readonly cat: string;
  /** In µs since the first event. */
  readonly ts: number;
  /** In µs. */
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a process or a thread is called. */
export interface NameEvent {
  readonly ph: "M";
  readonly name: "process_name" | "thread_name";
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name: string };
}

export interface ChromeTrace {
  readonly displayTimeUnit: "ms";
  readonly traceEvents: readonly (NameEvent | CompleteEvent)[];
  readonly otherData: { readonly droppedEvents: number };
}

const pid = 1;

interface Drawn {
  readonly lane: string;
  readonly kind: string;
  readonly name: string;
  readonly key: object | undefined;
  readonly begin: number;
  readonly end: number;
}

export function chromeTrace({ events, submissions, dropped }: Recorder, facts: Facts): ChromeTrace {
  const drawn: Drawn[] = [...events, ...onGpu(submissions)];
  const start = drawn.reduce((first, { begin }) => Math.min(first, begin), Number.POSITIVE_INFINITY);
  // Those around others come before them.
  drawn.sort((x, y) => x.begin - y.begin || y.end - x.end);
  const lanes = [...new Set([mainLane, ...drawn.map(({ lane }) => lane).sort()])];
  const named = (name: NameEvent["name"], tid: number, text: string): NameEvent => ({
    ph: "M",
    name,
    pid,
    tid,
    args: { name: text },
  });
  return {
    displayTimeUnit: "ms",
    traceEvents: [
      named("process_name", 0, "fluxion"),
      ...lanes.map((lane, tid) => named("thread_name", tid, lane)),
      ...drawn.map(
        ({ lane, kind, name, key, begin, end }): CompleteEvent => ({
          ph: "X",
          name,
          cat: kind,
          ts: 1000 * (begin - start),
          dur: 1000 * (end - begin),
          pid,
          tid: lanes.indexOf(lane),
          args: key === undefined ? {} : { ...facts.of({ kind: "kernel", name, key }) },
        }),
      ),
    ],
    otherData: { droppedEvents: dropped },
  };
}

/**
 * What a GPU did, on the time line of the host. Its clock begins anywhere, but it starts nothing before that is submitted: the
 * earliest times for which this is so are taken.
 */
function onGpu(submissions: readonly Submission[]): Drawn[] {
  const shifts = submissions.flatMap(({ timestamps, submitted, spans }) =>
    timestamps && spans.length > 0 ? [submitted - spans[0].begin] : [],
  );
  const shift = shifts.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
  return submissions.flatMap(({ timestamps, spans }) =>
    spans.map(({ kernels, begin, end }) => ({
      lane: "GPU",
      kind: "kernel",
      name: kernels.length === 1 ? kernels[0].name : namesOf(kernels),
      key: kernels[0].key,
      begin: begin + (timestamps ? shift : 0),
      end: Math.max(begin, end) + (timestamps ? shift : 0),
    })),
  );
}
