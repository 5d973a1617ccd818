import type { KeyObject } from 'node:crypto';

import type { LeafCertificate } from '../certificate.ts';
import { readChain } from './read-chain.ts';
import { readSpiffeId } from './spiffe-id.ts';
import { uriNames } from './uri-names.ts';

/**
 * A leaf as an authority gave it. Throws when it cannot be used: one for another service or with another key would fail
 * every handshake, an expired one too, and the leaf that is held may still be good.
 */
export function readLeaf(service: string, chainPem: string, privateKey: KeyObject, nowMs: number): LeafCertificate {
  const [certificate] = readChain(chainPem);
  if (!certificate) throw new Error(`what was given as the certificate of ${service} is none`);
  const [spiffeId = '', ...others] = uriNames(certificate) ?? [];
  if (readSpiffeId(spiffeId)?.service !== service || others.length > 0) throw new Error(`the certificate given to ${service} is not for it`);
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`the certificate given to ${service} is for another key`);
  const [notBeforeMs, notAfterMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  if (notAfterMs <= nowMs) throw new Error(`the certificate given to ${service} has expired; compare the clocks of this machine and Consul's`);
  return { service, spiffeId, chainPem, privateKey, notBeforeMs, notAfterMs };
}
