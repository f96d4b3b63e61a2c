/** Compiled shaders. They are remembered by their text: to compile one costs milliseconds. */
import { InternalError } from "../../core/errors.js";
import { timed } from "../../core/profiler.js";
import { type Counters, counterBytes } from "./counters.js";
import type { Faults } from "./faults.js";
import { ShaderStage } from "./flags.js";
import type { Chunk } from "./pool.js";
import type { Shader } from "./wgsl.js";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: Layout;
  /** Why it cannot be run; known some time after it was made. */
  error: InternalError | undefined;
}

/** How buffers are bound: which are read and which written, and whether counters follow. */
interface Layout {
  readonly counted: boolean;
  readonly bindings: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
  readonly groups: Map<string, GPUBindGroup>;
}

/** Bind groups of one layout that are remembered. */
const mostGroups = 4096;

export class Pipelines {
  private readonly pipelines = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, Layout>();

  constructor(
    private readonly device: GPUDevice,
    private readonly faults: Faults,
    private readonly counters: Counters,
  ) {}

  get size(): number {
    return this.pipelines.size;
  }

  /** The pipeline of a shader. Errors in the shader are found later: they go to the faults, and to `error`. */
  of(shader: Shader, name: string): Pipeline {
    let made = this.pipelines.get(shader.code);
    if (made === undefined) {
      made = timed("compile", "make pipelines", () => this.make(shader, name));
      this.pipelines.set(shader.code, made);
    }
    return made;
  }

  private make({ code, written, counted }: Shader, name: string): Pipeline {
    const { device } = this;
    const layout = this.layoutOf(written, counted);
    device.pushErrorScope("internal");
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code, label: name });
    const pipeline = device.createComputePipeline({
      label: name,
      layout: layout.pipeline,
      compute: { module, entryPoint: "main" },
    });
    const made: Pipeline = { pipeline, layout, error: undefined };
    const scopes = [device.popErrorScope(), device.popErrorScope()];
    this.faults.watch(
      (async () => {
        // Where the device is lost nothing is known about the shader.
        const errors = await Promise.all(scopes.map((scope) => scope.catch(() => null)));
        const error = errors.find((e) => e !== null);
        if (error === undefined || error === null) return;
        made.error = new InternalError(
          await explain(module, code, name, error.message).catch(() => error.message),
        );
        this.faults.add(made.error, 0);
      })(),
    );
    return made;
  }

  private layoutOf(written: readonly boolean[], counted: boolean): Layout {
    const key = written.map((w) => (w ? "w" : "r")).join("") + (counted ? "c" : "");
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      const buffers = written.map(
        (w): GPUBufferBindingLayout => ({ type: w ? "storage" : "read-only-storage" }),
      );
      if (counted) buffers.push({ type: "uniform", hasDynamicOffset: true });
      const bindings = this.device.createBindGroupLayout({
        entries: buffers.map((buffer, binding) => ({ binding, visibility: ShaderStage.COMPUTE, buffer })),
      });
      const pipeline = this.device.createPipelineLayout({ bindGroupLayouts: [bindings] });
      layout = { counted, bindings, pipeline, groups: new Map() };
      this.layouts.set(key, layout);
    }
    return layout;
  }

  /** Binds chunks, the first so many bytes of each. */
  bind({ layout }: Pipeline, chunks: readonly Chunk[], bytes: readonly number[]): GPUBindGroup {
    let key = "";
    for (let i = 0; i < chunks.length; i++) key += `${chunks[i].id}:${bytes[i]},`;
    let group = layout.groups.get(key);
    if (group === undefined) {
      const resources = chunks.map(({ buffer }, i): GPUBufferBinding => ({ buffer, size: bytes[i] }));
      if (layout.counted) resources.push({ buffer: this.counters.buffer, size: counterBytes });
      group = this.device.createBindGroup({
        layout: layout.bindings,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
      if (layout.groups.size >= mostGroups) layout.groups.clear();
      layout.groups.set(key, group);
    }
    return group;
  }
}

/** Where in the shader an error is, with the lines around it. */
async function explain(
  module: GPUShaderModule,
  code: string,
  name: string,
  message: string,
): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const first = messages.find(({ type }) => type === "error");
  if (first === undefined) return `the GPU refuses kernel ${name}: ${message}`;
  const lines = code.split("\n");
  const at = first.lineNum - 1;
  const excerpt = lines
    .slice(Math.max(0, at - 2), at + 3)
    .map((line, i) => `  ${Math.max(0, at - 2) + i + 1} | ${line}`)
    .join("\n");
  return `the shader of kernel ${name} is not valid WGSL: ${first.message} (line ${first.lineNum}, column ${first.linePos})\n${excerpt}`;
}
