import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

import { peerService, type TrustBundle } from '#discovery';

import { type Peer, unprovedPeer } from '../../identity/peer.ts';

/** Who is at the other end of a TLS connection, or why it is turned away, as half a sentence about it. */
export type Proof =
  | { readonly kind: 'service'; readonly peer: Peer; readonly leaf: X509Certificate }
  | { readonly kind: 'nobody'; readonly peer: Peer }
  | { readonly kind: 'refused'; readonly why: string };

/** What a connection is judged by. */
export interface ProofOptions {
  readonly address: string;
  readonly trust: TrustBundle;
  /** Whether TLS has followed the peer's chain to the roots of `trust`, and not to those of before. */
  readonly isUpToDate: boolean;
  readonly nowMs: number;
}

export type ProvePeer = (socket: TLSSocket, options: ProofOptions) => Proof;

/**
 * Asked once for each connection. One without a certificate is nobody; one with a certificate that is not of this mesh
 * is refused, for whoever shows one wants to be somebody. A resumed session is judged as any other: its ticket was written
 * under the same roots, the leaf and what TLS found of it are in there, and whether the leaf has expired since is looked at here.
 */
export function provePeer(socket: TLSSocket, { address, trust, isUpToDate, nowMs }: ProofOptions): Proof {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return { kind: 'nobody', peer: unprovedPeer(address) };
  // Node declares an Error; it is the code of one, such as CERT_HAS_EXPIRED.
  if (!socket.authorized) return { kind: 'refused', why: `TLS does not accept its certificate: ${String(socket.authorizationError)}` };
  const verdict = peerService([leaf], trust, nowMs, isUpToDate);
  if (verdict.kind === 'refused') return verdict;
  return { kind: 'service', peer: { service: verdict.id.service, proof: 'certificate', address }, leaf };
}
