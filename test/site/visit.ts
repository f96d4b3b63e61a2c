/** A browser that reaches nothing but the site, and what its pages complain of. */
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { launchOptions } from "../browser/chromium.js";

const screenshots = fileURLToPath(new URL("./screenshots/", import.meta.url));

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...launchOptions,
    args: [...launchOptions.args, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"],
  });

export interface Visit {
  readonly page: Page;
  /** Errors nobody caught, errors on the console, requests that failed or went elsewhere. */
  readonly complaints: string[];
}

export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  context.on("request", (request) => {
    const asked = new URL(request.url());
    if (/^(http|ws)s?:$/.test(asked.protocol) && asked.origin !== origin)
      complaints.push(`asked ${asked.origin} for something`);
  });
  context.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Saves what the page shows, whole, as `test/site/screenshots/<name>.png`. */
export const screenshot = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true });
