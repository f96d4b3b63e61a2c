/** The playground: what it shows is what the library says, and what goes wrong in a visitor's function is told and ends. */
import {
  ConcretizationError,
  grad,
  jit,
  jvp,
  makeJaxpr,
  type NDArray,
  numpy as np,
  ShapeDtype,
} from "fluxion";
import { compareModes } from "fluxion/analysis";
import type { Browser, BrowserContextOptions, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { base, folder } from "./places.js";
import { type Site, serveSite } from "./server.js";
import { openBrowser, screenshot, type Visit, visit } from "./visit.js";

let browser: Browser;
let site: Site;
let address: string;
beforeAll(async () => {
  browser = await openBrowser();
  site = await serveSite(folder, base);
  address = `${site.origin}${base}playground.html`;
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const open = (hash = "", options: BrowserContextOptions = {}): Promise<Visit> =>
  visit(browser, address + hash, options);

/** A section of a panel, once it is there and belongs to what was typed last. */
async function section(page: Page, panel: string, title: string): Promise<string> {
  const found = page.locator(`[data-panel=${panel}]:not(.pg-stale) [data-section="${title}"]`);
  await found.waitFor({ timeout: 20_000 });
  return (await found.textContent()) ?? "";
}

/** The graph's picture, once it is there and belongs to what was typed last. */
async function graph(page: Page): Promise<string> {
  const found = page.locator("[data-panel=graph]:not(.pg-stale) svg");
  await found.waitFor({ timeout: 30_000 });
  return (await found.textContent()) ?? "";
}

async function write(page: Page, code: string): Promise<void> {
  await page.click(".cm-content");
  await page.keyboard.press("Control+A");
  // As if pasted: typed text would get closing brackets and indentation.
  await page.keyboard.insertText(code);
}

const problem = async (page: Page): Promise<string> => {
  await page.waitForSelector(".pg-problem", { timeout: 20_000 });
  return (await page.textContent(".pg-problem")) ?? "";
};

/** The number behind `name = `. */
function numberIn(text: string, name: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} = `));
  return Number(line?.slice(name.length + 3).split(" ")[0]);
}

const float = new ShapeDtype([], "float32");

describe("at first", () => {
  test("page, editor, program and costs take less than 500 KB; Graphviz comes after", async () => {
    const before = site.sent.length;
    const { page, complaints } = await open();
    await section(page, "costs", "Counted");
    const shown = await page.evaluate(
      () => performance.timeOrigin + performance.getEntriesByName("fluxion-shown")[0].startTime,
    );
    expect(await page.textContent(".cm-content")).toContain("a.add(b)");
    const first = site.sent.slice(before).filter(({ at }) => at <= shown);
    const bytes = first.reduce((sum, file) => sum + file.bytes, 0);
    await graph(page);
    const all = site.sent.slice(before).reduce((sum, file) => sum + file.bytes, 0);
    console.log(`the playground: ${bytes} bytes before the first result, ${all} with the graph`);
    expect(first.some(({ path }) => path.includes("worker"))).toBe(true);
    expect(bytes).toBeLessThan(500_000);
    expect(complaints).toEqual([]);
    await screenshot(page, "playground");
    await page.context().close();
  });

  test("without the headers that a shared memory needs", async () => {
    const { page } = await open();
    expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe("undefined");
    await page.context().close();
  });
});

describe("an edit", () => {
  const code = "const f = (x: NDArray, y: NDArray): NDArray => {\n  return x.mul(y).add(np.sin(y));\n};";
  const f = (x: NDArray, y: NDArray): NDArray => x.mul(y).add(np.sin(y));

  test("gives a new program, new numbers and a new graph", async () => {
    const { page, complaints } = await open();
    expect(await graph(page)).toContain("5");
    await write(page, code);
    await page.fill("[data-test=args]", "0.5, 3");
    await page.waitForFunction(() =>
      document.querySelector("[data-panel=program]")?.textContent?.includes("sin"),
    );
    expect(await section(page, "program", "f, as a jaxpr")).toBe(String(makeJaxpr(f)(float, float)));
    const at: [NDArray, NDArray] = [
      np.full([], 0.5, { dtype: "float32" }),
      np.full([], 3, { dtype: "float32" }),
    ];
    const value = await section(page, "program", "f at this point");
    expect(numberIn(value, "f(…)")).toBeCloseTo(f(...at).item() as number, 4);

    const pushed = makeJaxpr(([x, y]: NDArray[], [v, w]: NDArray[]) => jvp(f, [x, y], [v, w]));
    expect(await section(page, "forward", "jvp, as a jaxpr")).toBe(
      String(pushed([float, float] as never, [float, float] as never)),
    );
    const one = np.ones([]);
    const [, tangent] = jvp(f, at, [one, one]);
    const forward = await section(page, "forward", "Numbers");
    expect(numberIn(forward, "derivative in the direction of the tangents")).toBeCloseTo(
      tangent.item() as number,
      4,
    );

    const [dx, dy] = grad(f, { argnums: [0, 1] })(...at);
    const reverse = await section(page, "reverse", "Numbers");
    expect(numberIn(reverse, "∂/∂x")).toBeCloseTo(dx.item() as number, 4);
    expect(numberIn(reverse, "∂/∂y")).toBeCloseTo(dy.item() as number, 4);

    expect(await section(page, "costs", "Counted")).toBe(String(await compareModes(f, ...at)));
    expect(await graph(page)).toContain("sin");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a direction of one's own", async () => {
    const { page } = await open("#example=olah");
    await section(page, "forward", "Numbers");
    await page.click(".pg-more summary");
    await page.fill("[data-test=tangents]", "0, 1");
    await page.waitForFunction(() =>
      document.querySelector('[data-panel=forward] [data-section="Numbers"]')?.textContent?.includes("= 5"),
    );
    await page.fill("[data-test=cotangents]", "10");
    await page.waitForFunction(() =>
      document
        .querySelector('[data-panel=reverse] [data-section="Numbers"]')
        ?.textContent?.includes("∂/∂a = 20"),
    );
    await page.context().close();
  });

  test("derivatives have the names of the arguments", async () => {
    const { page } = await open();
    await section(page, "costs", "Counted");
    await page.fill("[data-test=args]", "{ w: np.ones([2]), b: 3 }, 2");
    await write(page, "const f = ({ w, b }: P, x) => np.sum(w).mul(x).add(b);");
    await page.waitForFunction(() =>
      document.querySelector('[data-panel=reverse] [data-section="Numbers"]')?.textContent?.includes("∂/∂w"),
    );
    const numbers = await section(page, "reverse", "Numbers");
    expect(numbers).toContain("∂/∂w = [2, 2]");
    expect(numberIn(numbers, "∂/∂b")).toBe(1);
    expect(numberIn(numbers, "∂/∂x")).toBe(2);
    await page.context().close();
  });

  test("types instead of values, for what is large", async () => {
    const { page } = await open("#example=mlp");
    const text = await section(page, "costs", "Counted");
    expect(text).toContain("reverse mode");
    expect(await section(page, "program", "f at this point")).toContain("float32[]");
    await page.waitForSelector("[data-panel=graph]:not(.pg-stale) svg", { timeout: 30_000 });
    await screenshot(page, "playground-mlp");
    await page.context().close();
  });

  test.each(["product", "banded", "curve", "scan", "rule"])("the example %s has no problem", async (name) => {
    const { page, complaints } = await open(`#example=${name}`);
    await section(page, "reverse", "Numbers");
    await section(page, "costs", "Counted");
    await page.waitForSelector("[data-panel=graph]:not(.pg-stale) svg", { timeout: 30_000 });
    expect(await page.locator(".pg-problem").count()).toBe(0);
    expect(complaints).toEqual([]);
    await screenshot(page, `playground-${name}`);
    await page.context().close();
  });
});

describe("what goes wrong", () => {
  test("a syntax error, with its line", async () => {
    const { page } = await open();
    await section(page, "costs", "Counted");
    await write(page, "const f = (x) => {\n  return x.mul(;\n};");
    expect(await problem(page)).toMatch(/SyntaxError in line 2/);
    expect(await page.locator(".cm-mistake").textContent()).toBe("  return x.mul(;");
    await screenshot(page, "playground-syntax");
    await page.context().close();
  });

  test("a function that cannot be traced: the library's error, with its line", async () => {
    const { page } = await open();
    await section(page, "costs", "Counted");
    await write(page, "const f = jit((x) => {\n  if (x.item() > 0) return x;\n  return x.neg();\n});");
    await page.fill("[data-test=args]", "1");
    expect(() => jit((x: NDArray) => ((x.item() as number) > 0 ? x : x.neg()))(np.array(1))).toThrow(
      ConcretizationError,
    );
    const text = await problem(page);
    expect(text).toMatch(/ConcretizationError in line 2/);
    expect(text).toContain("lax.cond");
    expect(text).not.toContain("source.js");
    await page.context().close();
  });

  test.each([
    ["no f", "const g = (x) => x;", "1", /must define a function called f/],
    ["arguments that cannot be read", "const f = (x) => x;", "1, , )", /SyntaxError/],
    ["shapes that do not fit", "const f = (x) =>\n  x.matmul(x);", "np.ones([2, 3])", /ShapeError in line 2/],
    [
      "an import from elsewhere",
      'import { x } from "lodash";\nconst f = (x) => x;',
      "1",
      /import from "lodash"/,
    ],
  ])("%s", async (_, code, args, message) => {
    const { page, complaints } = await open();
    await section(page, "costs", "Counted");
    await page.fill("[data-test=args]", args);
    await write(page, code);
    await page.waitForFunction(
      (source) => new RegExp(source).test(document.querySelector(".pg-problem")?.textContent ?? ""),
      message.source,
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("an endless loop is stopped, and the page goes on", async () => {
    const { page, complaints } = await open();
    await section(page, "costs", "Counted");
    await write(page, "const f = (x) => {\n  for (;;) x = x;\n};");
    await page.waitForSelector("[data-test=stop]");
    expect(await problem(page)).toMatch(/stopped after 5 s.*endless loop/);
    await write(page, "const f = (a, b) => a.mul(b);");
    await page.waitForSelector(".pg-problem", { state: "detached", timeout: 20_000 });
    expect(numberIn(await section(page, "program", "f at this point"), "f(…)")).toBe(2);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe("the page", () => {
  test("has what was typed in its address", async () => {
    const { page } = await open();
    await section(page, "costs", "Counted");
    await write(page, "// Grüße: ∂\nconst f = (x) => np.tanh(x);");
    await page.fill("[data-test=args]", "0.25");
    await page.waitForFunction(() => location.hash.includes("args="));
    await page.waitForFunction(() =>
      document.querySelector("[data-panel=program]")?.textContent?.includes("tanh"),
    );
    const link = page.url();
    await page.context().close();
    const again = await visit(browser, link);
    expect(await section(again.page, "program", "f, as a jaxpr")).toContain("tanh");
    expect(await again.page.textContent(".cm-content")).toContain("Grüße: ∂");
    expect(await again.page.inputValue("[data-test=args]")).toBe("0.25");
    await again.page.context().close();
  });

  test("has examples to choose from, with the keyboard alone", async () => {
    const { page, complaints } = await open();
    await section(page, "costs", "Counted");
    await page.focus("[data-test=example]");
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => location.hash === "#example=product");
    expect(await page.textContent(".cm-content")).toContain("np.sin(x)");
    // Tab indents in the editor; after Escape it leaves it.
    await page.focus(".cm-content");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-test"))).toBe("args");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("runs on WebGPU where it is chosen, and says so", async () => {
    const { page, complaints } = await open("#example=product");
    await section(page, "costs", "Counted");
    expect(await page.textContent("[data-test=running-on]")).toContain("wasm");
    const numbers = await section(page, "reverse", "Numbers");
    await page.selectOption("[data-test=device]", "webgpu");
    await page.waitForFunction(
      () => document.querySelector("[data-test=running-on]")?.textContent?.includes("webgpu"),
      undefined,
      { timeout: 30_000 },
    );
    await page.waitForSelector("[data-panel=costs]:not(.pg-stale)", { timeout: 30_000 });
    expect(await section(page, "reverse", "Numbers")).toBe(numbers);
    expect(await page.locator(".pg-problem").count()).toBe(0);
    expect(complaints).toEqual([]);
    await screenshot(page, "playground-webgpu");
    await page.context().close();
  });

  test("measures, and draws a plot, when asked", async () => {
    const { page, complaints } = await open("#example=product");
    await section(page, "costs", "Counted");
    await page.click("[data-test=measure]");
    expect(await section(page, "measured", "Counted, and measured here")).toMatch(/\d (µs|ms)/);
    await page.click("[data-test=plot]");
    await page.waitForSelector("[data-panel=plot] svg", { timeout: 30_000 });
    expect(complaints).toEqual([]);
    await screenshot(page, "playground-plot");
    await page.context().close();
  });

  test("says how jacobian would make all derivatives", async () => {
    const { page, complaints } = await open("#example=banded");
    await section(page, "costs", "Counted");
    await page.click("[data-test=plan]");
    expect(await section(page, "plan", "jacobian(f, { explain: true })")).toMatch(
      /forward, compressed +3 .*chosen/,
    );
    expect(complaints).toEqual([]);
    await screenshot(page, "playground-plan");
    await page.context().close();
  });

  test("in the dark, on a narrow screen", async () => {
    const { page, complaints } = await open("", {
      colorScheme: "dark",
      viewport: { width: 390, height: 800 },
    });
    await section(page, "costs", "Counted");
    await graph(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await screenshot(page, "playground-narrow-dark");
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
