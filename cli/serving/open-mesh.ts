import type { ControlPlane } from '#discovery';
import { type Lifecycle, type Log, newId, systemClock, systemRandom } from '#kit';
import { createAuthorization, createMesh, type IntentionGuard, type LivePolicies, type Mesh } from '#mesh';
import type { ModuleName } from '#modules';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import type { Tracing } from '#tracing';

import type { Resolved } from '../settings.ts';
import { VERSION } from '../version.ts';
import { connectTokens, type Tokens } from './connect-tokens.ts';
import { channelsThrough } from './control-plane.ts';
import { guardsOf } from './guard.ts';
import type { Identities } from './identities.ts';
import type { ProcessHooks } from './process-hooks.ts';
import { createTokenSource, type TokenSource } from './token-source.ts';

/** What the mesh of a process stands on. */
interface Grounds {
  readonly settings: Resolved;
  readonly hooks: ProcessHooks;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly controlPlane: ControlPlane;
  readonly identities: Identities;
  readonly guard: IntentionGuard;
  readonly policies: LivePolicies;
}

/** The runtime of a process's services. Each call to them, also one of a neighbour in this process, is asked who makes it: which service, and for which person. */
export function openMesh(services: readonly ModuleName[], grounds: Grounds, { onStop }: Lifecycle): Mesh {
  const { settings, hooks, log, tracing, controlPlane, identities, guard, policies } = grounds;
  const { MESH_ZONE: zone, MESH_LOCAL_CALLS: localCalls } = settings.values;
  const common = { clock: systemClock, random: systemRandom, log };
  const authorization = createAuthorization({ verify: (token) => tokens.verify(token), isRevoked: (token) => tokens.isRevoked(token), ...common });
  onStop('authorization', authorization.stop);
  const mesh = createMesh({
    ...{ ...common, zone, localCalls, policies, faults: policies },
    ...guardsOf(guard, authorization),
    certificates: identities.read,
    openChannel: channelsThrough(controlPlane, identities),
    interceptors: { client: hooks.client ?? [], server: hooks.server ?? [] },
  });
  onStop('channels', mesh.stop);
  const accountsOf = (service: ModuleName): TokenSource => {
    const tracer = tracing.tracer({ service, version: VERSION, instanceId: newId(systemClock, systemRandom) });
    return mesh.client(AccountService, { tracer, service });
  };
  const tokens: Tokens = connectTokens({ accounts: createTokenSource(services, accountsOf), ...common });
  onStop('tokens', tokens.stop);
  return mesh;
}
