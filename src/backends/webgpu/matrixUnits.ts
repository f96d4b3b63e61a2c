/** The sizes of matrices that subgroups of a GPU multiply in one operation, an experiment of Dawn that may change. */
import type { MatrixUnit } from "../../core/ir/tiling.js";

/** The feature of a device. */
export const matrixFeature = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** What Dawn says of one size: M by N sums of K products. */
interface Config {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Those that add up in f32, whose sums are as exact as those of the other kernels. */
export function unitsOf(info: GPUAdapterInfo): MatrixUnit[] {
  const { subgroupMatrixConfigs: configs = [] } = info as { subgroupMatrixConfigs?: readonly Config[] };
  return configs.flatMap(({ componentType: type, resultComponentType, M, N, K }) =>
    (type === "f16" || type === "f32") && resultComponentType === "f32"
      ? [{ type, rows: M, columns: N, terms: K }]
      : [],
  );
}
