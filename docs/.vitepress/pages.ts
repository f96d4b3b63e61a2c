/** The pages of the site, in the order of the sidebar. */
import { fileURLToPath } from "node:url";

export const docs = fileURLToPath(new URL("..", import.meta.url));

export interface Page {
  readonly text: string;
  /** Without `.md`. */
  readonly name: string;
}

const page = (name: string, text: string): Page => ({ name, text });

/** What README.md lists on GitHub; the home page is not listed. */
export const groups: readonly { readonly text: string; readonly pages: readonly Page[] }[] = [
  {
    text: "Begin",
    pages: [page("start", "Start in five minutes"), page("playground", "Playground")],
  },
  {
    text: "Derivatives",
    pages: [
      page("modes", "Forward and reverse mode"),
      page("mlp", "The perceptron line by line"),
      page("autodiff", "How it works here"),
      page("control-flow", "Control flow"),
      page("custom-rules", "Rules of your own"),
      page("add-a-primitive", "Adding a primitive"),
    ],
  },
  {
    text: "See what it costs",
    pages: [
      page("which-mode", "Which mode should I use"),
      page("jacobians", "Jacobians, dense and sparse"),
      page("graphs", "Computational graphs"),
      page("memory", "Memory of training"),
      page("checkpoint", "Memory for the way back"),
      page("command", "The command"),
    ],
  },
  {
    text: "Is it right",
    pages: [
      page("laws", "The laws"),
      page("mutations", "Faults and laws"),
      page("numerics", "Numbers on the devices"),
      page("errors", "Errors"),
    ],
  },
  {
    text: "Speed and devices",
    pages: [
      page("devices", "Devices and memory"),
      page("compiler", "How a program is compiled"),
      page("profiling", "Where the time goes"),
      page("performance", "Performance"),
      page("gpu-performance", "Performance on a GPU"),
    ],
  },
  {
    text: "Coming from",
    pages: [page("from-jax", "JAX"), page("from-tensorflow", "TensorFlow.js"), page("from-jax-js", "jax-js")],
  },
  { text: "Inside", pages: [page("design", "The design")] },
];

/** The sidebar as vitepress wants it. */
export const sidebar = groups.map(({ text, pages }) => ({
  text,
  items: pages.map(({ name, text }) => ({ text, link: `/${name}` })),
}));
