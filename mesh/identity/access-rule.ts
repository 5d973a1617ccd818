import type { DescMethod } from '@bufbuild/protobuf';

import { type MethodPolicy, Repeat } from '#proto/mesh/v1/options_pb.js';

import { type OwnerRule, readOwnerRule } from './owner-rule.ts';

/** Who may call a method, as its contract says it (`mesh.v1.Access`): whom any one of these lets in, may. */
export interface AccessRule {
  /** Signed in or not. */
  readonly everybody: boolean;
  readonly anyUser: boolean;
  readonly owner: OwnerRule | undefined;
  readonly roles: readonly string[];
  /** Registry names; `*` stands for every service of the mesh. */
  readonly services: ReadonlySet<string>;
  /** Whether a token can make a difference. */
  readonly asksWho: boolean;
}

const EVERYBODY: AccessRule = { everybody: true, anyUser: false, owner: undefined, roles: [], services: new Set(), asksWho: false };

/** Contracts that are not ours, and so cannot say it. What they tell is no secret, and intentions stand before them. */
const FOREIGN: ReadonlyMap<string, AccessRule> = new Map(
  ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'].map((service) => [service, EVERYBODY]),
);

/** Undefined where the contract says nothing. Throws where what it says cannot be meant. */
export function readAccessRule(desc: DescMethod, policy: MethodPolicy | undefined): AccessRule | undefined {
  const access = policy?.access;
  if (!access) return FOREIGN.get(desc.parent.typeName);
  const { public: everybody, user: anyUser, roles } = access;
  const owner = access.owner && readOwnerRule(desc, access.owner);
  const asksWho = anyUser || owner !== undefined || roles.length > 0;
  if (everybody === (asksWho || access.services.length > 0)) {
    throw wrong(desc, `is ${everybody ? 'public, and more' : 'empty'}; say public, or who may call it`);
  }
  if (owner?.kind === 'handler' && policy.repeat === Repeat.ORIGINAL) {
    throw wrong(desc, 'leaves the owner to the handler, which repeats that get the first answer do not reach; use request_field');
  }
  return { everybody, anyUser, owner, roles, services: new Set(access.services), asksWho };
}

function wrong({ parent, name }: DescMethod, why: string): Error {
  return new Error(`${parent.typeName}/${name}: its access ${why}`);
}
