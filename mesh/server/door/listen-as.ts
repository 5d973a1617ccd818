import type { ServiceIdentity } from '#discovery';

/** How a port tells who calls. */
export type ListenAs =
  /**
   * TLS 1.3, as the service of the identity; follows each renewal of its leaf and each change of the roots. A caller that
   * shows a certificate of this mesh is that service, one that shows another is turned away, one that shows none is
   * nobody. `permissive`: plaintext is taken too, as from nobody; else its calls are refused with a sentence.
   */
  | { readonly kind: 'mtls'; readonly identity: ServiceIdentity; readonly permissive: boolean }
  /** HTTP/2 without TLS. Where `peer` is not empty, such as `explorer`, callers from the same machine are that; all others are nobody. */
  | { readonly kind: 'plaintext'; readonly peer: string };

export const PLAINTEXT: ListenAs = { kind: 'plaintext', peer: '' };
