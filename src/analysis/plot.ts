/**
 * Plots with two logarithmic axes as SVG text, by echarts. It is loaded when the first plot is drawn, needs no page, and the same
 * data give the same text.
 */
import type { EChartsCoreOption } from "echarts/core";
import { loadPackage } from "./optionalPackage.js";
import { si } from "./table.js";

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A line, or its points alone. */
  readonly kind: "line" | "points";
  /** Which axis its y belongs to. Default: the left one. */
  readonly axis?: "left" | "right";
  readonly colour: string;
  readonly dashed?: boolean;
}

export interface PlotAxis {
  readonly name: string;
  /** How its numbers are written. Default: with SI prefixes. */
  readonly label?: (value: number) => string;
}

/** A place that is pointed out. */
export interface PlotMark {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Whether the text stands to the lower right, not to the upper left. */
  readonly below: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly left: PlotAxis;
  readonly right?: PlotAxis;
  readonly series: readonly PlotSeries[];
  readonly marks?: readonly PlotMark[];
}

/** Colours that are told apart also without seeing red from green (Okabe & Ito, "Color universal design", 2008). */
export const colours = { blue: "#0072b2", orange: "#d55e00", green: "#009e73", grey: "#666666" };

const [width, height] = [760, 460];
const font = "Helvetica, Arial, sans-serif";
const text = { fontFamily: font, fontSize: 13, color: "#333333" };

/** Draws it. Points that a logarithmic axis does not have are left out. */
export async function drawPlot(plot: Plot, what: string): Promise<string> {
  const [{ init, use }, { LineChart, ScatterChart }, components, { SVGRenderer }] = await loadPackage(
    "echarts",
    what,
    () =>
      Promise.all([
        import("echarts/core"),
        import("echarts/charts"),
        import("echarts/components"),
        import("echarts/renderers"),
      ]),
  );
  const { GridComponent, LegendComponent, MarkPointComponent, TitleComponent } = components;
  use([
    LineChart,
    ScatterChart,
    GridComponent,
    LegendComponent,
    MarkPointComponent,
    TitleComponent,
    SVGRenderer,
  ]);
  const chart = init(null, undefined, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(optionOf(plot));
    return withStableIds(chart.renderToSVGString({ useViewBox: true }));
  } finally {
    chart.dispose();
  }
}

function optionOf({ title, x, left, right, series, marks = [] }: Plot): EChartsCoreOption {
  const axis = ({ name, label = short }: PlotAxis) => ({
    type: "log",
    name,
    nameLocation: "middle",
    nameTextStyle: text,
    axisLabel: { ...text, formatter: (value: number) => label(value), hideOverlap: true },
    axisLine: { show: true, lineStyle: { color: "#888888" } },
    splitLine: { lineStyle: { color: "#e4e4e4" } },
    ...range(series, name === x.name ? 0 : 1, name === right?.name ? "right" : "left"),
  });
  return {
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: text,
    title: { text: title, left: "center", top: 10, textStyle: { ...text, fontSize: 16 } },
    legend: {
      top: 40,
      itemGap: 20,
      itemWidth: 22,
      itemHeight: 9,
      textStyle: text,
      data: series.map(({ name, kind }) => ({ name, icon: kind === "line" ? legendLine : "circle" })),
    },
    grid: { left: 80, right: right === undefined ? 40 : 80, top: 80, bottom: 60 },
    xAxis: { ...axis(x), nameGap: 34 },
    yAxis: [
      { ...axis(left), nameGap: 58 },
      ...(right === undefined ? [] : [{ ...axis(right), nameGap: 58, splitLine: { show: false } }]),
    ],
    series: [
      ...series.map(({ name, points, kind, axis: side, colour, dashed }) => ({
        type: kind === "line" ? "line" : "scatter",
        name,
        data: points.filter(isDrawable),
        yAxisIndex: side === "right" ? 1 : 0,
        symbol: kind === "line" ? "none" : "circle",
        symbolSize: 9,
        lineStyle: { width: 2.5, type: dashed === true ? "dashed" : "solid" },
        itemStyle: { color: colour },
        silent: true,
      })),
      {
        type: "scatter",
        data: marks.map(({ x, y, text: label, below }) => ({
          value: [x, y],
          label: {
            show: true,
            formatter: label,
            ...text,
            position: below ? [18, 18] : [-6, -10],
            align: below ? "left" : "right",
          },
        })),
        symbol: "diamond",
        symbolSize: 13,
        itemStyle: { color: "#222222" },
        silent: true,
      },
    ],
  };
}

/** `10 k` and not `10.0 k`: the numbers at an axis are whole. */
const short = (value: number): string => si(value).replace(".0", "");

/** A stroke for lines in the legend. */
const legendLine = "path://M0,3.5L22,3.5L22,5.5L0,5.5Z";

const isDrawable = ([x, y]: readonly [number, number]): boolean =>
  x > 0 && y > 0 && Number.isFinite(x) && Number.isFinite(y);

/** Whole powers of ten around the points. */
function range(series: readonly PlotSeries[], coordinate: 0 | 1, side: "left" | "right") {
  const values = series
    .filter(({ axis = "left" }) => coordinate === 0 || axis === side)
    .flatMap(({ points }) => points.filter(isDrawable).map((p) => p[coordinate]));
  if (values.length === 0) return {};
  const exponent = (x: number): number => Number(Math.log10(x).toFixed(9));
  const low = Math.floor(exponent(Math.min(...values)));
  const high = Math.ceil(exponent(Math.max(...values)));
  // Left alone, an axis of more than ten decades has a number every ten.
  const decades = Math.max(1, high - low);
  const interval = Math.ceil(decades / 8);
  return { min: 10 ** low, max: 10 ** (low + interval * Math.ceil(decades / interval)), interval };
}

/** echarts numbers clip paths and the like through the life of the process. */
function withStableIds(svg: string): string {
  const names = new Map<string, string>();
  return svg.replace(/\bzr\d+-[\w-]+/g, (id) => {
    const known = names.get(id) ?? `plot-${names.size}`;
    names.set(id, known);
    return known;
  });
}
