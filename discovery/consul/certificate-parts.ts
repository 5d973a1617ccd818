import type { Clock, Random } from '#kit';

import type { LeafCertificate, TrustBundle } from '../certificate.ts';
import type { CertificateCalls } from './certificate-calls.ts';
import type { Outage } from './outage.ts';
import type { SharedWatch, WatchSink } from './shared-watch.ts';

/** Where leaves and roots come from. Both functions run until the signal aborts, and never reject. */
export interface CertificateSource {
  /** Publishes the leaf of a service, and each one that takes its place. */
  keepLeaf(service: string, trust: SharedWatch<TrustBundle>, sink: WatchSink<LeafCertificate>, signal: AbortSignal): Promise<void>;
  /** Publishes the roots, and each change of them. Never none: a mesh without roots is a wrong answer. */
  keepTrust(sink: WatchSink<TrustBundle>, signal: AbortSignal): Promise<void>;
}

/** What the ways to certificates are built on. */
export interface CertificateParts {
  readonly consul: CertificateCalls;
  readonly outage: Outage;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a watch lets Consul wait for a change. */
  readonly waitMs: number;
}
