/** Pictures of what both modes cost. */

import { showTime } from "../../core/table.js";
import { colours, drawPlot, type Plot } from "../plot.js";
import { plural, rounded } from "../table.js";
import type { ModeComparison } from "./comparison.js";
import type { ModeScaling } from "./scaling.js";

/** Operations against the number of inputs, for a function whose passes cost what those of this one do. */
export function comparisonPlot(modes: ModeComparison): Promise<string> {
  const { inputs, crossover, forwardLine, name } = modes;
  const reverse = modes.find("reverse");
  const most =
    10 ** Math.ceil(Math.log10(Math.max(10, 2 * inputs, Number.isFinite(crossover) ? 2 * crossover : 1)));
  const xs = powersTo(most);
  const plot: Plot = {
    title: `${name}: all derivatives with ${plural(modes.outputs, "output")}`,
    x: { name: "inputs" },
    left: { name: "operations" },
    series: [
      ...(forwardLine === undefined
        ? []
        : [
            {
              name: "forward mode",
              kind: "line" as const,
              colour: colours.blue,
              points: xs.map((k) => [k, forwardLine.shared + k * forwardLine.perPass] as const),
            },
          ]),
      ...(reverse === undefined
        ? []
        : [
            {
              name: "reverse mode",
              kind: "line" as const,
              colour: colours.orange,
              points: xs.map((k) => [k, reverse.operations] as const),
            },
          ]),
      {
        name: `this function (${plural(inputs, "input")})`,
        kind: "points",
        colour: colours.grey,
        points: modes.jacobians.map(({ operations }) => [inputs, operations]),
      },
    ],
    marks:
      reverse !== undefined && crossover >= 1 && Number.isFinite(crossover)
        ? [
            {
              x: crossover,
              y: reverse.operations,
              text: `the same at ${rounded(crossover)}`,
              below: crossover * crossover < most,
            },
          ]
        : [],
  };
  return drawPlot(plot, "ModeComparison.svg");
}

/** From 1 to a power of ten, eight to a decade: lines that are not straight between them. */
const powersTo = (most: number): number[] => {
  const count = 8 * Math.round(Math.log10(most));
  return Array.from({ length: count + 1 }, (_, i) => 10 ** (i / 8));
};

/** Operations of both modes for functions of many sizes, and the times of those that were measured. */
export function scalingPlot(scaling: ModeScaling): Promise<string> {
  const { comparisons, name, device } = scaling;
  const modes = ["forward", "reverse"] as const;
  const label = { forward: "forward mode", reverse: "reverse mode" };
  const colour = { forward: colours.blue, reverse: colours.orange };
  const plot: Plot = {
    title: `${name}: all derivatives in both modes`,
    x: { name: "inputs" },
    left: { name: device === undefined ? "operations" : "operations (lines)" },
    ...(device === undefined
      ? {}
      : { right: { name: `time on ${device} (points)`, label: (ms: number) => showTime(ms) } }),
    series: [
      ...modes.map((mode) => ({
        name: label[mode],
        kind: "line" as const,
        colour: colour[mode],
        points: comparisons.flatMap((c) => {
          const row = c.find(mode);
          return row === undefined ? [] : [[c.inputs, row.operations] as const];
        }),
      })),
      ...(device === undefined
        ? []
        : modes.map((mode) => ({
            name: `${mode}, measured`,
            kind: "points" as const,
            axis: "right" as const,
            colour: colour[mode],
            points: comparisons.flatMap((c) => {
              const ms = c.find(mode)?.ms;
              return ms === undefined ? [] : [[c.inputs, ms] as const];
            }),
          }))),
    ],
  };
  return drawPlot(plot, "ModeScaling.svg");
}
