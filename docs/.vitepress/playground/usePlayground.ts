/** The state of the playground's page, and what happens in it. */
import { computed, onBeforeUnmount, onMounted, reactive, ref, shallowRef, watch } from "vue";
import type { Editor } from "./editor.js";
import { examples } from "./examples.js";
import type { Answer, DeviceChoice, GraphKind, Part, Problem, Section } from "./protocol.js";
import { Runner } from "./runner.js";
import { exampleOf, firstState, hashOf, type State, stateFrom } from "./state.js";

export interface Panel {
  sections?: readonly Section[];
  svg?: string;
  note?: string;
  problem?: Problem;
  loading?: string;
  /** Whether what is shown belongs to an older text. */
  stale: boolean;
}

/** What is computed after every edit; the graph follows, with a library of its own. */
const atOnce: readonly Part[] = ["program", "forward", "reverse", "costs"];
const panelNames: readonly Part[] = [...atOnce, "graph", "plot", "measured", "plan"];

/** How long nothing has to be typed, in ms. */
const pause = 250;

const savesData = (): boolean =>
  (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;

export function usePlayground() {
  const state = reactive<{ -readonly [K in keyof State]: State[K] }>({ ...firstState });
  const panels = reactive(
    Object.fromEntries(panelNames.map((name) => [name, { stale: false }])) as Record<Part, Panel>,
  );
  const problem = ref<Problem>();
  const busy = ref(true);
  const started = ref(false);
  const device = ref("");
  const graphWanted = ref(false);
  const copied = ref(false);
  const editorElement = ref<HTMLElement>();
  const editor = shallowRef<Editor>();
  let language: typeof import("./language.js") | undefined;
  let runner: Runner | undefined;
  let deviceName: string | undefined;
  let lookedForGpu = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let shownHash = "";

  function show(part: Part, content: Partial<Panel>): void {
    const empty: Panel = { stale: false };
    panels[part] = { ...empty, ...content };
  }

  function showProblem(found: Problem, part: Part | undefined): void {
    const isSyntax = found.name === "SyntaxError" && found.where === undefined;
    const line = isSyntax ? language?.lineOfSyntaxError(state.source) : found.line;
    const place = isSyntax && line !== undefined ? { line, where: "source" as const } : {};
    const known: Problem = { ...found, ...place };
    if (known.where === "source") editor.value?.markLine(known.line);
    if (part === undefined) problem.value = known;
    else show(part, { problem: known });
  }

  function hear(answer: Answer): void {
    switch (answer.kind) {
      case "device":
        device.value = `${answer.name}: ${answer.description}`;
        // What is shown was computed elsewhere.
        if (started.value && answer.name !== deviceName) runAll();
        deviceName = answer.name;
        return;
      case "loading":
        panels[answer.part].loading = answer.what;
        return;
      case "sections":
        started.value = true;
        show(answer.part, { sections: answer.sections });
        // What is loaded after this does not keep the visitor waiting.
        if (answer.part === "costs") performance.mark("fluxion-shown");
        return;
      case "picture":
        show(answer.part, { svg: answer.svg, note: answer.note });
        return;
      case "problem":
        started.value = true;
        showProblem(answer.problem, answer.part);
        return;
      case "done":
        if (language === undefined && started.value) void loadLanguage();
        if (!lookedForGpu && started.value && state.device === "auto") {
          lookedForGpu = true;
          runner?.choose("auto");
        }
        if (runner?.waiting === false && graphWanted.value && panels.graph.stale && !problem.value)
          request(["graph"]);
    }
  }

  /** Colours, and types to leave out, come when there is something to see. */
  async function loadLanguage(): Promise<void> {
    const before = problem.value;
    language = await import("./language.js");
    editor.value?.read(language.typescript);
    if (before !== undefined) runAll();
  }

  function request(parts: readonly Part[]): void {
    const { source, args, tangents, cotangents, graph } = state;
    const plain = language?.withoutTypes(source) ?? source;
    runner?.run({ source: plain, args, tangents, cotangents, graph, parts });
  }

  function runAll(): void {
    problem.value = undefined;
    editor.value?.markLine(undefined);
    for (const part of panelNames) panels[part].stale = true;
    // They belong to what was there before, and are made when asked for.
    for (const part of ["plot", "measured", "plan"] as const) show(part, {});
    request(atOnce);
  }

  function runSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      shownHash = hashOf(state);
      history.replaceState(history.state, "", shownHash);
      runAll();
    }, pause);
  }

  function take(next: State): void {
    Object.assign(state, next);
    if (editor.value !== undefined && editor.value.text !== next.source) editor.value.show(next.source);
    runSoon();
  }

  const example = computed({
    get: () => exampleOf(state) ?? "",
    set: (name: string) => {
      const found = examples.find((candidate) => candidate.name === name);
      if (found === undefined) return;
      const { source, args, graph } = found;
      take({ ...state, source, args, graph, tangents: "", cotangents: "" });
    },
  });

  /** A link that was followed within the page. */
  const follow = (): void => {
    if (location.hash === shownHash) return;
    const next = stateFrom(location.hash);
    if (next.device !== state.device) runner?.choose(next.device);
    take(next);
  };

  onMounted(async () => {
    Object.assign(state, stateFrom(location.hash));
    graphWanted.value = !savesData();
    // A GPU takes time to load and to open; who did not ask for it sees results before that.
    const first = state.device === "auto" ? "wasm" : state.device;
    runner = new Runner({ answer: hear, busy: (now) => (busy.value = now) }, first);
    // The worker loads the library while the page loads the editor.
    runner.load();
    const { openEditor } = await import("./editor.js");
    if (editorElement.value === undefined) return;
    editor.value = openEditor(editorElement.value, state.source, (text) => {
      if (text === state.source) return;
      state.source = text;
      runSoon();
    });
    addEventListener("hashchange", follow);
    watch(() => [state.args, state.tangents, state.cotangents], runSoon);
    runAll();
  });
  onBeforeUnmount(() => {
    removeEventListener("hashchange", follow);
    clearTimeout(timer);
    runner?.close();
    editor.value?.close();
  });

  return {
    state,
    panels,
    problem,
    busy,
    started,
    device,
    graphWanted,
    copied,
    editorElement,
    example,
    chooseDevice(choice: DeviceChoice): void {
      state.device = choice;
      device.value = "";
      lookedForGpu = true;
      runner?.choose(choice);
      runSoon();
    },
    chooseGraph(kind: GraphKind): void {
      state.graph = kind;
      graphWanted.value = true;
      panels.graph.stale = true;
      runSoon();
    },
    drawGraph(): void {
      graphWanted.value = true;
      request(["graph"]);
    },
    ask: (part: Part) => {
      panels[part].loading = "";
      request([part]);
    },
    stop: () => runner?.stop(),
    async copyLink(): Promise<void> {
      history.replaceState(history.state, "", hashOf(state));
      try {
        await navigator.clipboard.writeText(location.href);
      } catch {
        // Without https the clipboard is out of reach: the link is in the address bar.
        return;
      }
      copied.value = true;
      setTimeout(() => (copied.value = false), 2000);
    },
  };
}
