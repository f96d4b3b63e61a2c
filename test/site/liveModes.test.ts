/** `<LiveModes />` of the page on modes. */
import { type NDArray, numpy as np, ShapeDtype } from "fluxion";
import { compareModes } from "fluxion/analysis";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { base, folder } from "./places.js";
import { type Site, serveSite } from "./server.js";
import { openBrowser, visit } from "./visit.js";

let browser: Browser;
let site: Site;
beforeAll(async () => {
  browser = await openBrowser();
  site = await serveSite(folder, base);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("the table of a function and a number that the reader chooses", async () => {
  const { page, complaints } = await visit(browser, `${site.origin}${base}which-mode.html`);
  await page.locator("[data-test=live-table]").scrollIntoViewIfNeeded();
  const table = async (n: number, text: string) => {
    await page.waitForFunction(
      ([wanted, shown]) =>
        document.querySelector("[data-test=live-table]")?.textContent?.includes(wanted) &&
        document.querySelector("[data-test=live-n]")?.textContent === shown,
      [text, n.toLocaleString("en")],
    );
    return page.textContent("[data-test=live-table]");
  };
  const f = (x: NDArray): NDArray => np.sum(np.sin(x).mul(x));
  const counted = async (n: number) => String(await compareModes(f, new ShapeDtype([n])));
  expect(await table(1000, "1,000 inputs")).toBe(await counted(1000));
  await page.fill("[data-test=live-slider]", "60");
  expect(await table(1_000_000, "1,000,000 inputs")).toBe(await counted(1_000_000));
  await page.fill("[data-test=live-slider]", "20");
  await table(100, "100 inputs");
  await page.click("[data-test=live-measure]");
  await page.waitForFunction(() =>
    /\d (µs|ms)/.test(document.querySelector("[data-test=live-table]")?.textContent ?? ""),
  );
  await page.locator(".live").screenshot({ path: `${import.meta.dirname}/screenshots/live-modes.png` });
  expect(complaints).toEqual([]);
  await page.context().close();
});
