import { loadPeer, type PeerName } from './load-peer.ts';
import type { PeerOptions } from '../peers/peer.ts';
import { type Load, measureLoad } from './load.ts';
import { answerParent } from './parent.ts';

/** What a client program is told. */
export interface ClientArgument extends PeerOptions {
  readonly peer: PeerName;
  readonly port: number;
}

/** The client of one peer, in a process of its own: neither its garbage nor what the compiler learned of it is another's. */
const { peer, port, ...options }: ClientArgument = JSON.parse(process.argv[2] ?? '{}');
const client = await (await loadPeer(peer)).connect(port, options);
answerParent({}, { measure: (load: Load) => measureLoad(client, load), settle: client.settle });
