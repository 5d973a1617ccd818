import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import type { Tracer } from '@opentelemetry/api';

import type { Database } from '#database';
import { systemClock, systemRandom } from '#kit';
import { type Client, type ClientInterceptor, describeMethod, type Mesh } from '#mesh';

import { createAccessTokens, type IssuedToken } from '../../services/user/accounts/access-tokens.ts';
import { createSigningKeys } from '../../services/user/accounts/signing-keys.ts';

/** As whom tests call what is public, or for people. */
export const TEST = 'test';

/** Somebody of the shop's staff, who has no account. */
const STAFF = 'staff-of-tests';

/** Ids that a token can be of. */
const MAX_ID_CHARACTERS = 64;

/** A token is not used for longer: it is good for 5 minutes. */
const REUSE_MS = 120_000;

/** The service that calls a method in tests: one that its contract lets, where it is for no people; else the tests themselves. */
export function callerOf(desc: DescMethod): string {
  const access = describeMethod(desc).access;
  if (!access || access.everybody || access.asksWho) return TEST;
  const [first = TEST] = access.services;
  return first === '*' ? 'order' : first;
}

/** A stub whose calls come from whom their contract lets, as far as services go; {@link signedIn} does it for people. */
export function stubOf<S extends DescService>(contract: S, mesh: Pick<Mesh, 'client'>, tracer: Tracer): Client<S> {
  const stubs = new Map<string, Client<S>>();
  const as = (service: string): Client<S> => {
    const stub = stubs.get(service) ?? mesh.client(contract, { tracer, service });
    stubs.set(service, stub);
    return stub;
  };
  // Each method of the contract, from a stub of this very contract.
  return Object.fromEntries(contract.methods.map((desc) => [desc.localName, as(callerOf(desc))[desc.localName as keyof Client<S>]])) as Client<S>;
}

/** Gives somebody's access token, with these roles. */
export type TokenOf = (userId: string, ...roles: string[]) => Promise<string>;

/** Issues tokens as one more instance of the user service would: its key is published in the tables of that service. */
export function createTokenOf(users: Database): TokenOf {
  const common = { clock: systemClock, random: systemRandom };
  const issue = createAccessTokens({ keys: createSigningKeys({ database: users, ...common }), ...common });
  const issued = new Map<string, { readonly atMs: number; readonly token: Promise<IssuedToken> }>();
  return async (userId, ...roles) => {
    const whose = [userId, ...roles].join(' ');
    let known = issued.get(whose);
    if (!known || systemClock.now() - known.atMs > REUSE_MS) {
      known = { atMs: systemClock.now(), token: issue({ userId, roles, generation: 0n }) };
      // A database that is away may be back at the next call.
      known.token.catch(() => issued.delete(whose));
      issued.set(whose, known);
    }
    return (await known.token).token;
  };
}

/** Puts a token on each call that is for people: of the user whom the request names, where that decides, with the rights of staff. A token that a test has set stays. */
export function signedIn(tokenOf: TokenOf): ClientInterceptor {
  return (next) => async (call) => {
    const { method, request, headers } = call;
    const access = method.access;
    if (access?.asksWho && headers['authorization'] === undefined) {
      // Methods that take streams have no such rule.
      const named = access.owner?.kind === 'request' ? access.owner.ownerOf(request as Message) : '';
      const userId = named !== '' && named.length <= MAX_ID_CHARACTERS ? named : STAFF;
      headers['authorization'] = `Bearer ${await tokenOf(userId, 'staff')}`;
    }
    return next(call);
  };
}
