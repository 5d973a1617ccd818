import { isIP } from 'node:net';

import type { CallContext } from '#mesh';

/** The service at the edge, which sees the devices of people. */
const EDGE = 'gateway';
/** Set by the edge, which drops what its own callers say under this name. */
const HEADER = 'mesh-client-address';

/**
 * Where a call of a person began, as far as it is known: as the edge says, if it is the edge that calls; else where the call
 * comes from, if no service makes it. Undefined for other services: an address of theirs would stand for everybody behind them.
 */
export function clientAddress(call: Pick<CallContext, 'peer' | 'header'>): string | undefined {
  const { peer } = call;
  const isService = peer.proof === 'certificate' || peer.proof === 'process';
  if (!isService) return peer.address;
  const address = peer.service === EDGE ? call.header(HEADER) : undefined;
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}
