import type { KeyObject } from 'node:crypto';
import type { Stoppable } from '#kit';

/** What a process shows to prove that it is a service. The private key exists in memory only, and nothing prints it. */
export interface LeafCertificate {
  readonly service: string;
  /** `spiffe://<trust domain>/ns/default/dc/<datacenter>/svc/<service>`. */
  readonly spiffeId: string;
  /** The leaf, then what leads from it to a root. */
  readonly chainPem: string;
  readonly privateKey: KeyObject;
  /** Wall clock, as the next one. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Whom the mesh believes. */
export interface TrustBundle {
  /** Such as `11111111-2222-3333-4444-555555555555.consul`. */
  readonly trustDomain: string;
  /** PEM, one certificate each, the one that signs first. While roots are rotated there are several, and all count. */
  readonly roots: readonly string[];
}

/**
 * A service as which this process can show itself. It renews its certificate and follows
 * the roots until it is stopped; while the control plane is away, what was got last goes on.
 */
export interface ServiceIdentity extends Stoppable {
  readonly service: string;
  /** The latest, also when it has expired. */
  leaf(): LeafCertificate;
  trust(): TrustBundle;
  /** Tells of each new leaf and each change of the roots, until the function that it returns is called. */
  onChange(listener: () => void): () => void;
}

/** Since the start of the process; for metrics. */
export interface CertificateCounts {
  /** Leaves that took the place of an earlier one. */
  readonly renewals: number;
  /** Tries to get a leaf or the roots that failed. */
  readonly failures: number;
  /** Leaves that expired before there was another. */
  readonly expired: number;
}

/** Certificates of this process's services, from the authority of the control plane. */
export interface Certificates {
  /**
   * Shows this process as the service, once it has a leaf and the roots. All that ask for one service share one leaf.
   * Fails with CONTROL_PLANE_UNAVAILABLE when the authority refuses, or has not answered for 10 s.
   */
  identity(service: string, signal?: AbortSignal): Promise<ServiceIdentity>;
  counts(): CertificateCounts;
}
