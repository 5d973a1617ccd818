import type { Peer } from '../peers/peer.ts';
import { startRuntime, userClient, userService } from './mesh-peer.ts';

/** Our runtime with caller and callee in one process: the same chain on both sides, and no wire between them. */
export const localPeer: Peer = {
  async serve() {
    throw new Error('what is called within a process needs no server');
  },
  async connect(_port, options) {
    const { tracing, mesh } = await startRuntime(options);
    mesh.host(userService(tracing));
    return userClient(mesh, tracing);
  },
};
