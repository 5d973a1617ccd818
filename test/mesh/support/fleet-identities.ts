import { Channel } from '@grpc/grpc-js';

import type { ServiceIdentity } from '#discovery';
import { type ListenAs, meshCredentials } from '#mesh';

import { createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { holdIdentity } from '../../discovery/support/held-identity.ts';

/** The certificates of a fleet's services and of its callers, from an authority of its own. */
export interface FleetIdentities {
  /** How the service listens; whoever calls it needs no more than that. */
  listenAs(service: string): Promise<ListenAs>;
  channel(port: number | undefined, service: string, caller: string): Channel;
}

export function createFleetIdentities(): FleetIdentities {
  const identities = new Map<string, ServiceIdentity>();
  let authority: Promise<TestAuthority> | undefined;

  async function make(service: string): Promise<ServiceIdentity> {
    const { leaf, trust } = await (authority ??= createTestAuthority());
    const identity = identities.get(service) ?? holdIdentity(service, await leaf(service), trust);
    identities.set(service, identity);
    return identity;
  }

  return {
    async listenAs(service) {
      await make('caller');
      return { kind: 'mtls', identity: await make(service), permissive: false };
    },
    channel(port, service, caller) {
      const identity = identities.get(caller);
      if (!identity) throw new Error(`${caller} calls before a service was hosted`);
      return new Channel(`127.0.0.1:${port}`, meshCredentials(identity, service), { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': service });
    },
  };
}
