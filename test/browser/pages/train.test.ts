/** The page that trains a perceptron: on each device it learns, and shows what it does. */
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isolation, type Served, serve } from "./server.js";
import type { Training } from "./train.js";
import { openBrowser, screenshot, visit } from "./visit.js";

let browser: Browser;
let served: Served;
beforeAll(async () => {
  browser = await openBrowser();
  served = await serve(isolation);
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
});

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

test.each([
  ["wasm", "device=wasm"],
  ["webgpu", "device=webgpu&software"],
])("learns digits on %s", async (device, query) => {
  const { page, errors } = await visit(browser, `${served.origin}/train.html?${query}`);
  await page.waitForFunction("'training' in globalThis");
  const { losses, accuracy, ...rest } = (await page.evaluate("training")) as Training;
  await screenshot(page, `train-${device}`);
  expect(rest.device).toBe(device);
  expect(await page.textContent("#device")).toContain(device);
  expect(losses).toHaveLength(400);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses[0]).toBeGreaterThan(2); // about ln 10: nothing is known yet
  expect(mean(losses.slice(-50))).toBeLessThan(0.2);
  expect(accuracy).toBeGreaterThan(0.88);
  expect(await page.textContent("#accuracy")).toBe(`${(100 * accuracy).toFixed(1)} %`);
  const points = await page.getAttribute("#curve .each", "points");
  expect(points?.split(" ")).toHaveLength(losses.length);
  expect(await page.locator("#digits figure").count()).toBe(28);
  expect(errors).toEqual([]);
  await page.close();
});

test("says what is wrong with its address", async () => {
  const { page } = await visit(browser, `${served.origin}/train.html?device=abacus`);
  await page.waitForFunction("document.querySelector('[role=alert]').textContent !== ''");
  expect(await page.textContent("[role=alert]")).toMatch(
    /"abacus" is not a device; there are .*wasm, webgpu/,
  );
  await page.close();
});
