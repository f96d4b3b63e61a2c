/** Whether a picture of a profile can be drawn. */
import type { ChromeTrace } from "fluxion";
import { expect } from "vitest";

/** Times are sums of doubles: in µs. */
const slack = 1e-3;

/** What the lanes are called. */
export const lanesOf = ({ traceEvents }: ChromeTrace): string[] =>
  traceEvents.flatMap((e) => (e.ph === "M" && e.name === "thread_name" ? [e.args.name] : []));

/** Of two events of a lane one is inside of the other, or they have no time in common; and none ends before it begins. */
export function expectNested({ traceEvents }: ChromeTrace): void {
  const lanes = new Map<number, { end: number }[]>();
  for (const event of traceEvents) {
    if (event.ph !== "X") continue;
    expect(event.dur).toBeGreaterThanOrEqual(0);
    expect(event.ts).toBeGreaterThanOrEqual(0);
    const open = lanes.get(event.tid) ?? [];
    lanes.set(event.tid, open);
    while (open.length > 0 && open[open.length - 1].end <= event.ts + slack) open.pop();
    const end = event.ts + event.dur;
    const around = open.at(-1);
    if (around !== undefined) expect(end).toBeLessThanOrEqual(around.end + slack);
    open.push({ end });
  }
  expect(lanes.size).toBeGreaterThan(0);
}
