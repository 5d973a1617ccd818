/** Keys of the documents that steer the runtime, below which the control plane is watched. */
export const DOCUMENTS_PREFIX = 'mesh/';

/** What a document is about, as the second part of its key. */
export type DocumentKind = 'policy' | 'fault';

/** Such as `mesh/policy/order.PlaceOrder`; the target as `targetText` writes it. */
export function documentKey(kind: DocumentKind, target: string): string {
  return `${DOCUMENTS_PREFIX}${kind}/${target}`;
}
