/** `<LiveModes />`: what both modes cost for a function and a number that the reader chooses. */
import { computed, onBeforeUnmount, onMounted, ref, watch } from "vue";
import type { Answer, Part } from "../playground/protocol.js";
import { Runner } from "../playground/runner.js";

interface LiveFunction {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  args(n: number): string;
}

export const functions: readonly LiveFunction[] = [
  {
    name: "scalar",
    title: "sum(sin(x)·x), n inputs",
    source: "const f = (x) => np.sum(np.sin(x).mul(x));",
    args: (n) => `float32[${n}]`,
  },
  {
    name: "curve",
    title: "sin(k·t), n outputs",
    source: "const f = (t, k) => np.sin(k.mul(t));",
    args: (n) => `float32[], int32[${n}]`,
  },
  {
    name: "perceptron",
    title: "a perceptron's loss, n hidden units",
    source:
      "const f = ({ W1, W2 }, x, y) => np.mean(np.square(np.tanh(x.matmul(W1.T)).matmul(W2.T).sub(stopGradient(y))));",
    args: (n) => `{ W1: float32[${n},64], W2: float32[10,${n}] }, float32[32,64], float32[32,10]`,
  },
  {
    name: "square",
    title: "x·sin(x), n inputs and n outputs",
    source: "const f = (x) => x.mul(np.sin(x));",
    args: (n) => `float32[${n}]`,
  },
];

/** Ten steps of the slider are a factor of ten. */
const atStep = (position: number): number => Math.round(10 ** (position / 10));

export function useLiveModes() {
  const name = ref(functions[0].name);
  const position = ref(30);
  const n = computed(() => atStep(position.value));
  const [result, measured, problem] = [ref(""), ref(""), ref("")];
  const busy = ref(false);
  const element = ref<HTMLElement>();
  let runner: Runner | undefined;
  let observer: IntersectionObserver | undefined;

  function hear(answer: Answer): void {
    if (answer.kind === "sections") {
      const text = answer.sections.map((section) => section.text).join("\n");
      if (answer.part === "measured") measured.value = text;
      else result.value = text;
    } else if (answer.kind === "problem") problem.value = answer.problem.message;
  }

  function ask(part: Part): void {
    const chosen = functions.find((candidate) => candidate.name === name.value) ?? functions[0];
    problem.value = "";
    measured.value = "";
    const { source } = chosen;
    const texts = { source, args: chosen.args(n.value), tangents: "", cotangents: "" };
    runner?.run({ ...texts, graph: "plain", parts: [part] });
  }

  onMounted(() => {
    // Who does not scroll to it does not load the library.
    observer = new IntersectionObserver((entries) => {
      if (runner !== undefined || !entries.some((entry) => entry.isIntersecting)) return;
      runner = new Runner({ answer: hear, busy: (now) => (busy.value = now) });
      ask("costs");
      watch([name, n], () => ask("costs"));
    });
    if (element.value) observer.observe(element.value);
  });
  onBeforeUnmount(() => {
    observer?.disconnect();
    runner?.close();
  });
  return { name, position, n, result, measured, busy, problem, element, measure: () => ask("measured") };
}
