/** The libraries, each loaded only by the process that measures it. */
import type { Peer, PeerName } from "./contract.js";

/** Calls `f` with the library, whatever the type of its arrays. */
export async function withPeer(name: PeerName, f: <A>(peer: Peer<A>) => Promise<void>): Promise<void> {
  switch (name) {
    case "fluxion":
      return f((await import("./fluxion.js")).peer);
    case "jax-js":
      return f((await import("./jaxjs.js")).peer);
    case "tfjs":
      return f((await import("./tfjs.js")).peer);
  }
}
