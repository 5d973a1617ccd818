import { trace } from '@opentelemetry/api';

import { openDatabase } from '#database';
import { silentLog, systemClock, systemRandom } from '#kit';

import { createAccessTokens } from '../../services/user/accounts/access-tokens.ts';
import { createSigningKeys } from '../../services/user/accounts/signing-keys.ts';

/** Gives the header that brings somebody's access token along. */
export type BearerOf = (userId: string, ...roles: string[]) => Promise<string>;

/** A token is used for 2 of the 5 minutes for which it is good. */
const REUSE_MS = 120_000;

/**
 * Tokens as their owners would have them from signing in, issued beside the user service, on its tables: what sign-ins cost is
 * another measurement. Each buyer has one, which services verify as any other.
 */
export function openTokens(usersUrl: string): { readonly bearerOf: BearerOf; stop(): Promise<void> } {
  const database = openDatabase({ url: usersUrl, schema: 'user', maxConnections: 1, applicationName: 'bench', tracer: trace.getTracer('bench'), log: silentLog });
  const common = { clock: systemClock, random: systemRandom };
  const issue = createAccessTokens({ keys: createSigningKeys({ database, ...common }), ...common });
  const issued = new Map<string, { readonly atMs: number; readonly header: Promise<string> }>();
  return {
    bearerOf(userId, ...roles) {
      let known = issued.get(userId);
      if (!known || systemClock.now() - known.atMs > REUSE_MS) {
        known = { atMs: systemClock.now(), header: issue({ userId, roles, generation: 0n }).then(({ token }) => `Bearer ${token}`) };
        issued.set(userId, known);
      }
      return known.header;
    },
    stop: database.stop,
  };
}
