import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

import type { Shown } from '../../../discovery/support/held-identity.ts';

/** Any gRPC client with TLS, which shows what it likes and asks nothing of the server but a chain to these roots. */
export function strangerWith(roots: readonly string[], shown?: Shown): ChannelCredentials {
  const { keyPem, chainPem } = shown ?? {};
  const asBytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return credentials.createSsl(Buffer.from(roots.join('\n')), asBytes(keyPem), asBytes(chainPem), { checkServerIdentity: () => undefined });
}
