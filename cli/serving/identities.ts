import type { Certificates, ServiceIdentity } from '#discovery';
import { refusal, type Stoppable } from '#kit';
import type { MeshOptions } from '#mesh';

/** The services as which this process can show itself. Their certificates are renewed until it stops. */
export interface Identities extends Stoppable {
  /** Asks for the certificate of a service, once however often it is called. Fails as {@link Certificates.identity}. */
  open(service: string): Promise<ServiceIdentity>;
  /** One whose certificate is there. */
  of(service: string): ServiceIdentity;
  /** Their leaves, and what has come of asking for them. */
  readonly read: Required<MeshOptions>['certificates'];
}

export function createIdentities(certificates: Pick<Certificates, 'identity' | 'counts'>): Identities {
  const stopping = new AbortController();
  const asked = new Map<string, Promise<ServiceIdentity>>();
  const there = new Map<string, ServiceIdentity>();

  async function ask(service: string): Promise<ServiceIdentity> {
    const identity = await certificates.identity(service, stopping.signal);
    there.set(service, identity);
    return identity;
  }

  return {
    open: (service) => {
      const asking = asked.get(service) ?? ask(service);
      asked.set(service, asking);
      // Whoever waits for it hears of it, and may have failed before.
      asking.catch(() => undefined);
      return asking;
    },
    of: (service) => {
      const identity = there.get(service);
      if (identity) return identity;
      throw refusal('INTERNAL', `this process calls as "${service}", and has no certificate of it`);
    },
    read: () => ({ ...certificates.counts(), leaves: [...there.values()].map((identity) => identity.leaf()) }),
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(asked.values());
      await Promise.all([...there.values()].map((identity) => identity.stop()));
    },
  };
}
