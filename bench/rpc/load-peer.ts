import type { Peer } from '../peers/peer.ts';

const LOADERS = {
  /** Our runtime, over the network. */
  mesh: async () => (await import('./mesh-peer.ts')).meshPeer,
  /** Our runtime, over the network, with certificates, intentions and tokens. */
  secured: async () => (await import('./secured-peer.ts')).securedPeer,
  /** Our runtime, with caller and callee in one process. */
  local: async () => (await import('./local-peer.ts')).localPeer,
  'grpc-js': async () => (await import('../peers/grpc-js.ts')).grpcJsPeer,
  'grpc-js-wide': async () => (await import('../peers/grpc-js-wide.ts')).grpcJsWidePeer,
  'nice-grpc': async () => (await import('../peers/nice-grpc.ts')).niceGrpcPeer,
  'connect-node': async () => (await import('../peers/connect-node.ts')).connectNodePeer,
  'auto-instrumented': async () => (await import('../peers/auto-instrumented.ts')).autoInstrumentedPeer,
} satisfies Record<string, () => Promise<Peer>>;

export type PeerName = keyof typeof LOADERS;

/** Loads one peer and none of the others: instrumentation, for one, must come before what it instruments. */
export function loadPeer(name: PeerName): Promise<Peer> {
  return LOADERS[name]();
}
