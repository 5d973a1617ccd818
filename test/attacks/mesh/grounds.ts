import { connectConsul, type ConsulControlPlane, type TrustBundle } from '#discovery';
import { silentLog, type Stoppable, systemClock, systemRandom } from '#kit';

import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { type HeldIdentity, holdIdentity, type Shown } from '../../discovery/support/held-identity.ts';

/** A control plane's certificates and intentions, which attacks on a mesh are made on. */
export interface Grounds extends Stoppable {
  /** The roots of the control plane, and the one of `ours`. */
  readonly trust: TrustBundle;
  /** Of the same trust domain, and as good: signs what no control plane would sign. */
  readonly ours: TestAuthority;
  readonly plane: ConsulControlPlane;
  /** A leaf that the control plane has made for this service. */
  leaf(service: string): Promise<Shown>;
  /** The service, with that leaf. */
  identity(service: string): Promise<HeldIdentity>;
}

/** @param address of Consul's HTTP API */
export async function openGrounds(address: string): Promise<Grounds> {
  const plane = await connectConsul({ address, clock: systemClock, random: systemRandom, log: silentLog });
  const first = await plane.certificates.identity('user');
  const { trustDomain, roots } = first.trust();
  const ours = await createTestAuthority(trustDomain.replace(/\.consul$/, ''));
  const trust = { trustDomain, roots: [...roots, ...ours.trust.roots] };

  async function leaf(service: string): Promise<Shown> {
    const { chainPem, privateKey } = (await plane.certificates.identity(service)).leaf();
    return { chainPem, keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
  }

  return {
    ...{ trust, ours, leaf, plane },
    identity: async (service) => holdIdentity(service, await leaf(service), trust),
    stop: plane.stop,
  };
}
