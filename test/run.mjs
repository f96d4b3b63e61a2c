/**
 * `npm test`: every check of the project, one after the other, each with its output in view. A failing check does not hide
 * the ones after it; the last lines say which failed, and count the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const reports = mkdtempSync(join(tmpdir(), "fluxion-test-"));
const env = { ...process.env, PATH: join(root, "node_modules/.bin") + delimiter + process.env.PATH };

/** Vitest prints as usual and also writes its counts where the summary finds them. */
const vitest = (project, ...more) =>
  `vitest run --project ${[project, ...more].join(" --project ")} --reporter=default --reporter=json --outputFile.json="${join(reports, `${project}.json`)}"`;

/** What of the tests on the other devices takes about a minute; `npm run test:everywhere` runs them all, for some minutes. */
const mostTelling =
  "test/golden test/unit/transforms test/unit/nn test/unit/lax test/unit/semantics test/unit/effects --exclude test/unit/transforms/growth.test.ts";

const checks = [
  { name: "lint, format and import order", command: "biome ci ." },
  { name: "types", command: "npm run --silent typecheck" },
  { name: "imports point one way", command: "npm run --silent imports" },
  { name: "unit tests", command: vitest("unit"), report: "unit.json" },
  {
    name: "unit tests on other devices",
    command: `${vitest("everywhere-reference", "everywhere-webgpu", "everywhere-webgpu-alone")} ${mostTelling}`,
    report: "everywhere-reference.json",
  },
  { name: "WebGPU tests", command: vitest("webgpu"), report: "webgpu.json" },
  { name: "build", command: "npm run --silent build" },
  { name: "in a browser", command: vitest("browser", "pages"), report: "browser.json", mayDie: true },
  { name: "the site", command: vitest("site"), report: "site.json" },
  { name: "the packed package", command: vitest("package"), report: "package.json" },
];

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const count = { passed: 0, failed: 0, skipped: 0 };
const started = performance.now();
const outcomes = [];

const run = (command) =>
  spawnSync(command, { cwd: root, env, shell: true, stdio: ["ignore", "inherit", "inherit"] }).status;

const countsOf = (report) => {
  const counts = JSON.parse(readFileSync(join(reports, report), "utf8"));
  // A file that fails before its first test counts as one failure, which no test would show.
  const isBroken = (file) => file.status === "failed" && file.assertionResults.length === 0;
  return { ...counts, brokenFiles: counts.testResults.filter(isBroken) };
};

/** Whether a run failed though no test did, and not all tests ran: as when the browser that they run in dies. */
const hasDied = (report) => {
  if (!existsSync(join(reports, report))) return false;
  const { numTotalTests, numPassedTests, numFailedTests, numPendingTests, numTodoTests } = countsOf(report);
  return numFailedTests === 0 && numPassedTests + numPendingTests + numTodoTests < numTotalTests;
};

for (const { name, command, report, mayDie } of checks) {
  console.log(`\n=== ${name}: ${command.split(" --reporter")[0]}`);
  const start = performance.now();
  let status = run(command);
  if (status !== 0 && mayDie && hasDied(report)) {
    console.log(`\n=== ${name}: the browser died, and no test failed; once more`);
    status = run(command);
  }
  let passed = status === 0;
  if (report === undefined) {
    count[passed ? "passed" : "failed"] += 1;
  } else if (existsSync(join(reports, report))) {
    const { brokenFiles, ...counts } = countsOf(report);
    passed &&= counts.numTotalTests > 0;
    count.passed += counts.numPassedTests;
    count.failed += counts.numFailedTests + brokenFiles.length;
    count.skipped += counts.numPendingTests + counts.numTodoTests;
  } else {
    passed = false;
    count.failed += 1;
  }
  outcomes.push({ name, passed, time: seconds(start) });
}
rmSync(reports, { recursive: true, force: true });

const width = Math.max(...outcomes.map(({ name }) => name.length));
console.log("");
for (const { name, passed, time } of outcomes)
  console.log(
    ` ${passed ? "✓" : "✗"} ${name.padEnd(width)}  ${passed ? "passed" : "FAILED"}  ${time.padStart(8)}`,
  );
console.log(`\n Duration  ${seconds(started)}`);
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
