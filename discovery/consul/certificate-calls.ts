import { createPrivateKey } from 'node:crypto';
import type { Clock } from '#kit';

import { readLeaf } from '../certificates/read-leaf.ts';
import type { LeafCertificate, TrustBundle } from '../certificate.ts';
import type { Caller } from './caller.ts';
import { unavailable } from './failure.ts';
import type { PackageOptions, PackageResponse } from './package.ts';
import { answeredIndex, type BlockingAnswer, type BlockingRead } from './query.ts';
import { toTrustBundle } from './trust-bundle.ts';

/** The authority as the agent shows it (https://developer.hashicorp.com/consul/api-docs/agent/connect), and the way to its gRPC port. */
export interface CertificateCalls {
  /** The agent makes the key, keeps the leaf, and renews it in time. */
  leaf(service: string, read: BlockingRead): Promise<BlockingAnswer<LeafCertificate>>;
  roots(read: BlockingRead): Promise<BlockingAnswer<TrustBundle>>;
  /** The agent's own datacenter. Needs no token. */
  datacenter(signal: AbortSignal): Promise<string>;
  /** Undefined when the agent has none, or does not tell this token. */
  grpcPorts(): Promise<GrpcPorts | undefined>;
}

/** 0 where there is none. */
export interface GrpcPorts {
  readonly plaintext: number;
  readonly tls: number;
}

interface LeafAnswer {
  readonly CertPEM: string;
  readonly PrivateKeyPEM: string;
}

interface SelfAnswer {
  readonly xDS?: { readonly Ports?: { readonly Plaintext?: number; readonly TLS?: number } };
}

export function certificateCalls({ call, read, consul }: Caller, clock: Clock, leafTtlMs?: number): CertificateCalls {
  const lifetime = leafTtlMs === undefined ? {} : { ttl: `${Math.ceil(leafTtlMs / 1_000)}s` };
  // The package knows nothing of certificates.
  const get = ({ ctx, timeout }: PackageOptions, path: string, more: { readonly params?: Record<string, string>; readonly query?: Record<string, string> }) =>
    consul._get({ path, ...more, ctx, timeout });
  return {
    leaf: (service, blocking) =>
      read(blocking, async (options) => {
        const response = await get(options, '/agent/connect/ca/leaf/{service}', { params: { service }, query: { ...lifetime, ...waitFor(blocking) } });
        return { index: answeredIndex(response), value: toLeaf(service, response, clock.now()) };
      }),
    roots: (blocking) =>
      read(blocking, async (options) => {
        const response = await get(options, '/agent/connect/ca/roots', { query: waitFor(blocking) });
        return { index: answeredIndex(response), value: toTrustBundle(response.body) };
      }),
    datacenter: async (signal) => {
      const { body } = await call((options) => get(options, '/catalog/datacenters', {}), signal);
      const nearest: unknown = Array.isArray(body) ? body[0] : undefined;
      if (typeof nearest !== 'string') throw unavailable('unreachable', 'Consul does not say in which datacenter it is');
      return nearest;
    },
    grpcPorts: async () => {
      const { statusCode, body } = await call((options) => get(options, '/agent/self', {}).catch(refusedAnswer));
      // Documented shape; the conformance suite holds Consul to it, and the embedded agent has no such port.
      const ports = statusCode === 200 ? (body as SelfAnswer).xDS?.Ports : undefined;
      return ports && { plaintext: Math.max(0, ports.Plaintext ?? 0), tls: Math.max(0, ports.TLS ?? 0) };
    },
  };
}

function waitFor({ index, waitMs }: BlockingRead): Record<string, string> {
  return index > 0 ? { index: String(index), wait: `${waitMs}ms` } : {};
}

function toLeaf(service: string, { body }: PackageResponse, nowMs: number): LeafCertificate {
  try {
    // Documented shape; what is not of it fails below.
    const { CertPEM, PrivateKeyPEM } = body as LeafAnswer;
    return readLeaf(service, CertPEM, createPrivateKey(PrivateKeyPEM), nowMs);
  } catch (thrown) {
    // The text of a parser may hold what it was given, which is a key.
    const why = thrown instanceof Error && !('code' in thrown) ? thrown.message : 'it is no certificate and key in PEM';
    throw unavailable('unreachable', `the leaf of ${service} that Consul answered cannot be used: ${why}`);
  }
}

/** To be refused is an answer to the question whether the agent tells. */
function refusedAnswer(thrown: unknown): Pick<PackageResponse, 'statusCode' | 'body'> {
  if (typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown && thrown.statusCode === 403) return { statusCode: 403 };
  throw thrown;
}
