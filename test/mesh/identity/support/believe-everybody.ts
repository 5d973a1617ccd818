import type { ProvePeer } from '../../../../mesh/server/door/prove-peer.ts';

/** The check that keeps strangers out, left out: whoever shows a certificate is the service `order`. */
export const believeEverybody: ProvePeer = (socket, { address }) => {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return { kind: 'refused', why: 'it shows nothing' };
  return { kind: 'service', peer: { service: 'order', proof: 'certificate', address }, leaf };
};
