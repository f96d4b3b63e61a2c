/**
 * The unit tests on the devices that are not the default. In Node alone: in pages they run on the default device (see
 * test/browser).
 */
import type { TestProjectInlineConfiguration } from "vitest/config";

const files = ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts"];

/** These are about the compiler and the devices themselves, or run the command in processes of its own: they say what they run on. */
const ofDevices = ["test/unit/compiler/**", "test/unit/backends/**", "test/unit/cli/**"];

/** These range over all primitives, of which other files define some of their own, or look at what is printed. */
const alone = ["test/unit/{check,debugPrint,effects,jaxprParse,passes,primitiveErrors}.test.ts"];

/** Chooses its devices itself, before and after its tests. */
const choosing = ["test/unit/profile/profile.test.ts"];

type Resolve = TestProjectInlineConfiguration["resolve"];

/** Everything by the `evaluate` rules. */
const onReference = (resolve: Resolve): TestProjectInlineConfiguration => ({
  resolve,
  test: {
    name: "everywhere-reference",
    include: files,
    exclude: ofDevices,
    setupFiles: "test/everywhere/reference.ts",
    env: { FLUXION_DEVICE: "reference" },
    testTimeout: 60_000,
  },
});

/** On an emulated GPU, which files share while they can: to find one and to compile shaders takes time. */
const onWebgpu = (resolve: Resolve, isolate: boolean): TestProjectInlineConfiguration => ({
  resolve,
  test: {
    name: isolate ? "everywhere-webgpu-alone" : "everywhere-webgpu",
    include: isolate ? alone : files,
    exclude: isolate ? ofDevices : [...ofDevices, ...choosing, ...alone],
    setupFiles: "test/everywhere/webgpu.ts",
    globalSetup: isolate ? [] : "test/everywhere/globalSetup.ts",
    /* The GPU driver is chosen by an environment variable, which only the main thread of a process can set. */
    pool: "forks",
    isolate,
    env: { FLUXION_RUNS: "30" },
    testTimeout: 120_000,
  },
});

export const everywhere = (resolve: Resolve): TestProjectInlineConfiguration[] => [
  onReference(resolve),
  onWebgpu(resolve, false),
  onWebgpu(resolve, true),
];
