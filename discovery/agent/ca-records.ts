/** A root of the embedded authority. */
export interface RootRecord {
  readonly id: string;
  readonly certPem: string;
  /** Only of the root that signs: what a retired one has signed is checked with its certificate. */
  readonly keyPem?: string;
  /** The same key under the root before it, so that who has not heard of the new root yet accepts its leaves. */
  readonly crossPem?: string;
  /** Wall clock; 0 while it signs. */
  readonly rotatedOutAtMs: number;
}

/** What outlives a restart of the authority. */
export interface CaState {
  /** The trust domain without its ending. */
  readonly clusterId: string;
  leafTtlMs: number;
  /** The one that signs comes first. */
  roots: readonly RootRecord[];
}

export interface IssuedLeaf {
  readonly service: string;
  readonly spiffeId: string;
  /** With colons, as Consul writes it. */
  readonly serialNumber: string;
  readonly chainPem: string;
  readonly keyPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export function trustDomainOf({ clusterId }: Pick<CaState, 'clusterId'>): string {
  return `${clusterId}.consul`;
}
