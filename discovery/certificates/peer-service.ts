import { X509Certificate } from 'node:crypto';

import type { TrustBundle } from '../certificate.ts';
import { readSpiffeId, type SpiffeId } from './spiffe-id.ts';
import { uriNames } from './uri-names.ts';

/** Whether the holder of a certificate is a service of this mesh, and which; else why not, as half a sentence about it. */
export type PeerVerdict =
  | { readonly kind: 'trusted'; readonly id: SpiffeId }
  | { readonly kind: 'refused'; readonly why: string };

/** A leaf, and two authorities between it and a root; Consul uses one. */
const MAX_CHAIN = 4;

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Who is at the other end of a TLS connection. TLS alone does not know: any service of the mesh has a good chain, and Node
 * asks nothing of a resumed session. The holder must have proved in the handshake that it has the leaf's key.
 *
 * @param chain as the peer sent it, its own certificate first; the order of the rest does not matter
 * @param followedByTls whether TLS followed the chain to one of these roots in this very handshake (`authorized`, and not
 *   `isSessionReused()`). Node shows a server nothing of a client's chain but the leaf, so where a root is being rotated,
 *   and another one lies between, only TLS can
 */
export function peerService(chain: readonly X509Certificate[], { trustDomain, roots }: TrustBundle, nowMs: number, followedByTls = false): PeerVerdict {
  const [leaf, ...authorities] = chain;
  if (!leaf) return refused('it shows no certificate');
  if (chain.length > MAX_CHAIN) return refused(`it shows ${chain.length} certificates; ${MAX_CHAIN} are the most that are read`);
  const untrusted = followedByTls ? timeFault(leaf, nowMs) : chainFault(leaf, authorities, roots.map((pem) => new X509Certificate(pem)), nowMs);
  const fault = untrusted ?? usageFault(leaf);
  if (fault !== undefined) return refused(fault);
  const uris = uriNames(leaf);
  if (uris?.length !== 1) return refused('its certificate does not name exactly one identity');
  const [uri = ''] = uris;
  const id = readSpiffeId(uri);
  if (!id) return refused('the identity in its certificate is not that of a service');
  if (id.trustDomain !== trustDomain) return refused(`its certificate is of the trust domain ${id.trustDomain}, this mesh is ${trustDomain}`);
  return { kind: 'trusted', id };
}

/** Follows the signatures from the leaf to a root. */
function chainFault(leaf: X509Certificate, sent: readonly X509Certificate[], roots: readonly X509Certificate[], nowMs: number): string | undefined {
  const untried = new Set(sent);
  let current = leaf;
  for (;;) {
    const untimely = timeFault(current, nowMs);
    if (untimely !== undefined) return untimely;
    if (roots.some((root) => isIssuer(root, current) && timeFault(root, nowMs) === undefined)) return undefined;
    const issuer = [...untried].find((authority) => isIssuer(authority, current));
    if (!issuer) return 'no root of this mesh stands behind its certificate';
    untried.delete(issuer);
    current = issuer;
  }
}

function isIssuer(authority: X509Certificate, certificate: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function timeFault({ validFromDate, validToDate }: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < validFromDate.getTime()) return `its certificate is not valid before ${validFromDate.toISOString()}`;
  return nowMs > validToDate.getTime() ? `its certificate expired at ${validToDate.toISOString()}` : undefined;
}

/** Consul gives every leaf both usages; one without is from somewhere else. */
function usageFault({ ca, keyUsage }: X509Certificate): string | undefined {
  if (ca) return 'its certificate is that of an authority, not of a service';
  // Node declares it as always there; where a certificate names no usage it is undefined.
  const usages: readonly string[] = keyUsage ?? [];
  const isBoth = usages.includes(SERVER_AUTH) && usages.includes(CLIENT_AUTH);
  return isBoth ? undefined : 'its certificate is not made for both ends of a connection';
}

function refused(why: string): PeerVerdict {
  return { kind: 'refused', why };
}
