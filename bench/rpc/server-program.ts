import { loadPeer, type PeerName } from './load-peer.ts';
import type { PeerOptions } from '../peers/peer.ts';
import { answerParent } from './parent.ts';

/** What a server program is told. */
export interface ServerArgument extends PeerOptions {
  readonly peer: PeerName;
}

/** The server of one peer, in a process of its own. */
const { peer, ...options }: ServerArgument = JSON.parse(process.argv[2] ?? '{}');
const { port, settle } = await (await loadPeer(peer)).serve(options);
answerParent({ port }, { settle });
