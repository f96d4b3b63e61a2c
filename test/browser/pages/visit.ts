/** Opening pages in the tests' browser. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { launchOptions, unpackChromium } from "../chromium.js";

const screenshots = fileURLToPath(new URL("../screenshots/", import.meta.url));
const built = fileURLToPath(new URL("../../../dist/index.js", import.meta.url));

export function openBrowser(): Promise<Browser> {
  if (!existsSync(built)) throw new Error("dist is missing: run `npm run build` first");
  unpackChromium();
  return chromium.launch(launchOptions);
}

/** A page and what it complained of: errors nobody caught, and what its console shows as errors. */
export async function visit(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 960, height: 720 } });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}

/** Saves what the page shows, whole, as `test/browser/screenshots/<name>.png`. */
export const screenshot = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true });
