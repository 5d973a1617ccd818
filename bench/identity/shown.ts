import type { ServiceIdentity } from '#discovery';

/** An identity as Node and grpc-js take it: PEM. */
export interface Shown {
  readonly roots: Buffer;
  readonly chain: Buffer;
  readonly key: Buffer;
}

export function shownBy(identity: ServiceIdentity): Shown {
  const { chainPem, privateKey } = identity.leaf();
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
  return { roots: Buffer.from(identity.trust().roots.join('\n')), chain: Buffer.from(chainPem), key: Buffer.from(key) };
}
