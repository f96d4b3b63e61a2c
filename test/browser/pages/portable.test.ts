/**
 * The built library on pages as servers send them: with SharedArrayBuffer and without, and under a policy that forbids
 * `eval`.
 */
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answers, answers, points } from "./portable.js";
import { isolation, type Served, serve, strictPolicy } from "./server.js";
import { openBrowser, visit } from "./visit.js";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

// f(x) = Σ sin(xᵢ)·xᵢ
const first = points.map((x) => Math.sin(x) + x * Math.cos(x));
const second = points.map((x) => 2 * Math.cos(x) - x * Math.sin(x));

describe.each([
  ["plain", {}, true],
  ["isolated", isolation, true],
  ["strict", strictPolicy, false],
  ["isolated and strict", { ...isolation, ...strictPolicy }, false],
])("on a page that is %s", (_, headers: Record<string, string>, evalAllowed) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(headers);
  });
  afterAll(() => served?.close());

  test("the library works, and so it does in a worker", async () => {
    const { page, errors } = await visit(browser, `${served.origin}/portable.html`);
    const wanted = await answers();
    await page.waitForFunction("'portable' in globalThis");
    const given = (await page.evaluate("portable")) as Answers[];
    expect(given).toHaveLength(2);
    for (const { device, numbers } of given) {
      expect(device).toBe("wasm");
      expect(Object.keys(numbers)).toEqual(Object.keys(wanted.numbers));
      for (const [i, x] of points.entries()) {
        expect(numbers["grad(jit(f))"][i], `f′(${x})`).toBeCloseTo(first[i], 5);
        expect(numbers["jit(grad(f))"][i], `f′(${x})`).toBeCloseTo(first[i], 5);
        expect(numbers["vmap(grad(grad(f)))"][i], `f″(${x})`).toBeCloseTo(second[i], 5);
      }
      expect(numbers.matmul).toEqual(wanted.numbers.matmul);
      expect(numbers.bits).toEqual(wanted.numbers.bits);
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test("the page is what it is said to be", async () => {
    const { page } = await visit(browser, `${served.origin}/portable.html`);
    expect(await page.evaluate("typeof SharedArrayBuffer")).toBe(
      "Cross-Origin-Opener-Policy" in headers ? "function" : "undefined",
    );
    // A string that is evaluated by the page itself, not by the debugger, which no policy binds.
    const evaluates = `new Promise((resolve) => setTimeout(() => {
      try { resolve(new Function("return true")()); } catch { resolve(false); }
    }))`;
    expect(await page.evaluate(evaluates)).toBe(evalAllowed);
    await page.close();
  });
});
