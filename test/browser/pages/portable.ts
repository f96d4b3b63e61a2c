/** A program that the tests run in pages, in workers and in Node. */
import { defaultDevice, grad, jit, type NDArray, numpy as np, random, vmap } from "fluxion";

export const points = [0.5, 1, 2, -3];

const f = (x: NDArray): NDArray => np.sum(np.sin(x).mul(x));

const list = async (x: NDArray): Promise<number[]> => [...(await x.data())];

export interface Answers {
  readonly device: string;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
}

export async function answers(): Promise<Answers> {
  const x = np.array(points);
  const squares = np.arange(16, { dtype: "float32" }).reshape(4, 4);
  return {
    device: defaultDevice(),
    numbers: {
      "grad(jit(f))": await list(grad(jit(f))(x)),
      "jit(grad(f))": await list(jit(grad(f))(x)),
      "vmap(grad(grad(f)))": await list(vmap(grad(grad(f)))(x)),
      matmul: await list(jit((a: NDArray) => a.matmul(a.T))(squares)),
      bits: await list(random.bits(random.key(1701), [3])),
    },
  };
}
