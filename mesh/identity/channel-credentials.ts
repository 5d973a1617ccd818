import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';

import { type ChannelCredentials, experimental } from '@grpc/grpc-js';

import { peerService, type ServiceIdentity } from '#discovery';
import { type Clock, systemClock } from '#kit';

/** The word that connections which fail for whom they led to are known by: grpc-js hands on nothing but a sentence. */
export const SERVER_IDENTITY = 'SERVER_IDENTITY';

/** Says what is wrong with a server's certificate; undefined: nothing. TLS has followed its chain to a root by then. */
export type CheckServer = (certificate: X509Certificate) => string | undefined;

export interface CredentialOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** For tests of what would be let through without it. Default: the server is `service`, of the identity's trust domain. */
  readonly checkServer?: CheckServer;
}

/**
 * Connects as `identity` to servers that prove to be `service`. A renewed leaf and other roots are for new connections;
 * channels stay open, and calls in flight are not touched. The host name is of no account: what the registry says of an
 * address is not proof, the SPIFFE id is. TLS sessions are not resumed, for a resumed one would skip this check; a handshake
 * costs its two sides about a millisecond each, once for a connection that lives half an hour.
 */
export function meshCredentials(identity: ServiceIdentity, service: string, options: CredentialOptions = {}): ChannelCredentials {
  const { clock = systemClock, checkServer = (certificate) => serverFault(certificate, identity, service, clock) } = options;
  const provider = createProvider(identity);
  return experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity(_, { raw }: PeerCertificate) {
      const fault = checkServer(new X509Certificate(raw));
      return fault === undefined ? undefined : new Error(`${SERVER_IDENTITY}: ${fault}`);
    },
  });
}

function serverFault(certificate: X509Certificate, identity: ServiceIdentity, service: string, clock: Clock): string | undefined {
  const verdict = peerService([certificate], identity.trust(), clock.now(), true);
  if (verdict.kind === 'refused') return verdict.why;
  return verdict.id.service === service ? undefined : `its certificate is that of ${verdict.id.service}`;
}

type Provider = Parameters<typeof experimental.createCertificateProviderChannelCredentials>[0];

/** The identity as grpc-js takes certificates. It is followed as long as somebody listens. */
function createProvider(identity: ServiceIdentity): Provider {
  const stops = new Map<unknown, () => void>();
  function follow(listener: unknown, tell: () => void): void {
    stops.set(listener, identity.onChange(tell));
    tell();
  }
  function leave(listener: unknown): void {
    stops.get(listener)?.();
    stops.delete(listener);
  }
  return {
    addCaCertificateListener: (listener) => follow(listener, () => listener({ caCertificate: Buffer.from(identity.trust().roots.join('\n')) })),
    removeCaCertificateListener: leave,
    addIdentityCertificateListener: (listener) => follow(listener, () => listener(ownCertificate(identity))),
    removeIdentityCertificateListener: leave,
  };
}

function ownCertificate(identity: ServiceIdentity): { readonly certificate: Buffer; readonly privateKey: Buffer } {
  const { chainPem, privateKey } = identity.leaf();
  return { certificate: Buffer.from(chainPem), privateKey: Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })) };
}
