/** The site as a reader finds it: every page is reachable, whole, and asks nobody else for anything. */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkInSite } from "../../docs/.vitepress/links.js";
import { groups } from "../../docs/.vitepress/pages.js";
import { filesBelow } from "../docs/blocks.js";
import { base, folder } from "./places.js";
import { type Site, serveSite } from "./server.js";
import { openBrowser, screenshot, visit } from "./visit.js";

const written = filesBelow("docs", ".md")
  .map((file) => file.slice("docs/".length, -".md".length))
  .filter((name) => name !== "README" && name !== "index");
const listed = groups.flatMap(({ pages }) => pages).map(({ name }) => name);
const html = (name: string): string => readFileSync(join(folder, `${name}.html`), "utf8");

test("the sidebar lists every page of docs once", () => {
  expect([...listed].sort()).toEqual([...written].sort());
});

describe("a link of a page in the site", () => {
  test.each([
    ["laws.md", "laws.md", "/laws.md"],
    ["laws.md#shrinking", "design.md", "/laws.md#shrinking"],
    ["#above", "laws.md", "#above"],
    ["../README.md", "laws.md", "/"],
    ["README.md#documentation", "laws.md", "/"],
    ["https://example.org/", "laws.md", "https://example.org/"],
    ["../src/core/jaxpr.ts", "design.md", undefined],
    ["examples/mnist.ts", "design.md", undefined],
    ["../CONTRIBUTING.md", "design.md", undefined],
  ])("%s in %s", (link, page, wanted) => {
    expect(linkInSite(link, page)).toBe(wanted);
  });
});

/** Links of the text of a page, without those of the frame around it. */
const linksOf = (text: string): string[] =>
  [...text.matchAll(/<a [^>]*?href="([^"]*)"/g)].map((match) => match[1].replaceAll("&amp;", "&"));

test.each(["index", ...written])(
  "%s: its links lead to headings that are there, and nothing comes from elsewhere",
  (name) => {
    const text = html(name);
    const missing = linksOf(text)
      .filter((link) => link.startsWith(base) || link.startsWith("#"))
      .filter((link) => {
        const [path, heading] = link.split("#");
        if (heading === undefined || heading === "") return false;
        const file = path === "" ? name : posix.relative(base, path).replace(/\.html$/, "") || "index";
        // Anchors of the page's own headings, and of others.
        return !html(file).includes(`id="${decodeURIComponent(heading)}"`);
      });
    expect(missing.filter((link) => !link.endsWith("#VPContent"))).toEqual([]);
    const loaded = [...text.matchAll(/<(?:script|img|link|iframe)\b[^>]*?(?:src|href)="([^"]*)"/g)];
    expect(loaded.map((match) => match[1]).filter((url) => /^(https?:)?\/\//.test(url))).toEqual([]);
  },
);

test.each([...["index", ...written].map((name) => `${name}.html`), "api/index.html"])(
  "%s: less than 500 KB, compressed, before anything is asked of it",
  (page) => {
    const text = readFileSync(join(folder, page), "utf8");
    const loaded = [...text.matchAll(/<(?:script|img|link)\b[^>]*?(?:src|href)="([^"#]*)"/g)]
      .map((match) => new URL(match[1], `http://localhost${base}${page}`))
      .filter(({ protocol }) => protocol === "http:")
      .map(({ pathname }) => join(folder, decodeURIComponent(pathname.slice(base.length))));
    expect(loaded.length).toBeGreaterThan(2);
    const files = new Set([join(folder, page), ...loaded]);
    const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
    expect(bytes).toBeLessThan(500_000);
  },
);

describe("in a browser", () => {
  let browser: Browser;
  let site: Site;
  let home: string;
  beforeAll(async () => {
    browser = await openBrowser();
    site = await serveSite(folder, base);
    home = `${site.origin}${base}`;
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("every link of the sidebar leads to its page", async () => {
    const { page, complaints } = await visit(browser, home);
    await screenshot(page, "home");
    await page.click(".VPNavBarMenuLink >> text=Guide");
    await page.waitForSelector(".VPSidebar");
    const links = await page
      .locator(".VPSidebarItem a")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    expect(links).toEqual(listed.map((name) => `${base}${name}.html`));
    for (const [i, name] of listed.entries()) {
      // The playground has the whole width, and no sidebar to go on from.
      if (name === "playground") continue;
      await page.locator(".VPSidebarItem a").nth(i).click();
      await page.waitForURL(`**/${name}.html`);
      const title = readTitle(name);
      await page.waitForFunction(
        (wanted) =>
          document.querySelector(".vp-doc h1")?.textContent?.replace("\u200b", "").trim() === wanted,
        title,
      );
      expect(complaints, name).toEqual([]);
    }
    await page.context().close();
  });

  test("in the dark, and on a narrow screen", async () => {
    const { page, complaints } = await visit(browser, `${home}autodiff.html`, {
      colorScheme: "dark",
      viewport: { width: 390, height: 800 },
    });
    expect(await page.evaluate(() => document.documentElement.classList.contains("dark"))).toBe(true);
    // Nothing is wider than the screen, but what scrolls by itself.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.screenshot({ path: join(import.meta.dirname, "screenshots/narrow-dark.png") });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the search finds a page by what it says", async () => {
    const { page, complaints } = await visit(browser, home);
    await page.click(".VPNavBarSearch button");
    await page.fill(".VPLocalSearchBox input", "transpose rule");
    await page.waitForSelector(".VPLocalSearchBox .result");
    const found = await page
      .locator(".VPLocalSearchBox .result")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    expect(found.some((link) => link?.startsWith(`${base}add-a-primitive.html`))).toBe(true);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".vp-doc h1");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the reference has all entry points, and leads back", async () => {
    const { page, complaints } = await visit(browser, home);
    await page.click(".VPNavBarMenuLink >> text=API");
    await page.waitForURL("**/api/index.html");
    const text = await page.textContent("body");
    for (const entry of [
      "fluxion",
      "fluxion/numpy",
      "fluxion/lax",
      "fluxion/analysis",
      "fluxion/laws/vitest",
    ])
      expect(text).toContain(entry);
    await screenshot(page, "api");
    await page.goto(`${home}api/functions/fluxion.grad.html`);
    expect(await page.textContent("h1")).toContain("grad");
    await page.click("text=Guide");
    await page.waitForSelector(".vp-doc h1");
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

/** The heading of a page, as text. */
function readTitle(name: string): string {
  const heading = /<h1[^>]*>(.*?)<a class="header-anchor"/s.exec(html(name))?.[1] ?? "";
  return heading
    .replace(/<[^>]*>/g, "")
    .replaceAll("&amp;", "&")
    .replace("\u200b", "")
    .trim();
}
