/** A step of the heat equation with a source, for the command: how its Jacobian is best computed. */
import { type NDArray, numpy as np, ShapeDtype } from "fluxion";

/** What Newton's method makes zero: u'' + u² at n inner points of the unit interval, u being 0 at both ends. */
export const residual = (u: NDArray): NDArray => {
  const around = np.pad(u, 1);
  const [left, right] = [around.slice(":-2"), around.slice("2:")];
  return left.add(right).sub(u.mul(2)).mul(100).add(np.square(u));
};

export const residualArgs = [new ShapeDtype([8])];
