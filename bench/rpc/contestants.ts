import type { PeerName } from './load-peer.ts';
import { EVERYTHING, MECHANISMS } from './mechanisms.ts';

/** What takes part in a comparison: a peer, and how it is set up. */
export interface ContestantSpec {
  /** As it is named in results. */
  readonly title: string;
  readonly peer: PeerName;
  /** Share of the calls that are traced; 0 unless the peer traces. */
  readonly sampleRatio: number;
  /** Spans that each traced call is to leave at the receiver: one of the caller and one of the callee. */
  readonly spansPerCall: number;
  /** The mechanism of our runtime that is off. */
  readonly without?: string;
  /** Our runtime has a meter. */
  readonly isMetered?: true;
  /** Caller and callee are one process. */
  readonly isLocal?: true;
  /** Calls go through a pair of Envoy sidecars, and it is those that trace. */
  readonly hasSidecars?: true;
}

const ours = { title: 'ours', peer: 'mesh', sampleRatio: 1, spansPerCall: 2 } as const;
const plain = { sampleRatio: 0, spansPerCall: 0 } as const;

const COMPARED = {
  ours,
  'ours-untraced': { ...ours, ...plain, title: 'ours, untraced' },
  'ours-secured': { ...ours, title: 'ours, with certificates, intentions and tokens', peer: 'secured' },
  local: { ...ours, title: 'ours, within a process', peer: 'local', isLocal: true },
  'local-untraced': { ...ours, ...plain, title: 'ours, within a process, untraced', peer: 'local', isLocal: true },
  'grpc-js': { ...plain, title: 'bare grpc-js', peer: 'grpc-js' },
  'grpc-js-wide': { ...plain, title: 'bare grpc-js, windows of 4 MB', peer: 'grpc-js-wide' },
  'nice-grpc': { ...plain, title: 'nice-grpc', peer: 'nice-grpc' },
  'connect-node': { ...plain, title: 'connect-node', peer: 'connect-node' },
  'auto-instrumented': { title: 'auto-instrumented grpc-js', peer: 'auto-instrumented', sampleRatio: 1, spansPerCall: 2 },
  envoy: { title: 'grpc-js behind Envoy sidecars', peer: 'grpc-js', sampleRatio: 1, spansPerCall: 2, hasSidecars: true },
} as const satisfies Record<string, ContestantSpec>;

export type ContestantName = keyof typeof COMPARED;

export const CONTESTANTS: Readonly<Record<ContestantName, ContestantSpec>> = COMPARED;

/** Ours with everything on, with a meter besides, without tracing, without each mechanism, and without all of them. */
export const ABLATED: Readonly<Record<string, ContestantSpec>> = {
  ours,
  'with metrics': { ...ours, isMetered: true },
  'without tracing': { ...ours, ...plain },
  ...Object.fromEntries([...MECHANISMS, EVERYTHING].map((without) => [`without ${without}`, { ...ours, without }])),
};
