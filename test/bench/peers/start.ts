/** A whole program: a library is loaded, adds two numbers, and the process ends. Arguments: the library. */
import type { PeerName } from "./contract.js";
import { withPeer } from "./peers.js";

await withPeer(process.argv[2] as PeerName, async (peer) => {
  await peer.start();
  const run = peer.programs.scalarAdd?.({ X: peer.array({ values: Float32Array.of(0.7), shape: [] }) }, {});
  const [sum] = await peer.read(run?.() ?? []);
  process.exit(Math.abs(sum[0] - 1.7) < 1e-6 ? 0 : 1);
});
