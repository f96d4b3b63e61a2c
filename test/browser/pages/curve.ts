/** The curve of a loss: every value, and their mean over some steps. */

const [width, height, left, bottom, top, right] = [832, 300, 44, 40, 10, 12];
const smoothing = 20;

const element = (
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text = "",
): SVGElement => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
};

/** The mean of each value and those before it, at most `smoothing` of them. */
const means = (values: readonly number[]): number[] =>
  values.map((_, i) => {
    const window = values.slice(Math.max(0, i + 1 - smoothing), i + 1);
    return window.reduce((a, b) => a + b, 0) / window.length;
  });

/** A step of 1, 2 or 5 times a power of ten that gives an axis at most six marks. */
function markEvery(extent: number): number {
  const power = 10 ** Math.floor(Math.log10(extent / 6));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => extent / step <= 6)!;
}

/** Draws the values so far; the axis of steps goes to `steps`. */
export function drawCurve(svg: SVGElement, losses: readonly number[], steps: number): void {
  const most = Math.max(...losses) * 1.05;
  const x = (step: number) => left + (step / steps) * (width - left - right);
  const y = (loss: number) => height - bottom - (loss / most) * (height - bottom - top);
  const line = (values: readonly number[], kind: string) =>
    element("polyline", {
      class: kind,
      points: values.map((v, i) => `${x(i + 1).toFixed(1)},${y(v).toFixed(1)}`).join(" "),
    });
  const parts: SVGElement[] = [];
  const everyLoss = markEvery(most);
  for (let k = 0; k * everyLoss <= most; k++) {
    const at = y(k * everyLoss);
    parts.push(element("line", { class: "grid", x1: left, x2: width - right, y1: at, y2: at }));
    const text = (k * everyLoss).toFixed(everyLoss < 1 ? 1 : 0);
    parts.push(element("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, text));
  }
  const everyStep = markEvery(steps);
  for (let step = 0; step <= steps; step += everyStep)
    parts.push(
      element("text", { x: x(step), y: height - bottom + 18, "text-anchor": "middle" }, String(step)),
    );
  parts.push(
    element("text", { x: left, y: height - 4 }, `loss of each step, and its mean over ${smoothing}`),
    element("text", { x: width - right, y: height - 4, "text-anchor": "end" }, "step"),
    line(losses, "each"),
    line(means(losses), "mean"),
  );
  svg.replaceChildren(...parts);
}
