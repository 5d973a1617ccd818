import { createHash } from 'node:crypto';

import { createIdempotencyStore, type Database, migrate } from '#database';
import { createLifecycle, silentLog, systemRandom } from '#kit';
import type { Client, Handlers } from '#mesh';
import { AccountService, type Tokens } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { AccountHooks } from '../../../services/user/accounts/accounts.ts';
import type { Argon2id } from '../../../services/user/accounts/argon2id.ts';
import { buildAccounts } from '../../../services/user/accounts/index.ts';
import { createPasswords } from '../../../services/user/accounts/passwords.ts';
import { userHandlers } from '../../../services/user/handlers.ts';
import { service } from '../../../services/user/service.ts';
import { openTestDatabase } from '../../database/open-test-database.ts';
import { createTestDatabase } from '../../database/postgres-fixture.ts';
import { createFleet, type Fleet } from '../../mesh/support/fleet.ts';
import { createRuledClock, type RuledClock } from '../../mesh/support/ruled-clock.ts';
import { captureLog, type LogLine } from '../../tracing/captured-log.ts';

/** The user service on a real Postgres, called through its contracts, under a clock and hashes in the test's hands. */
export interface AccountsBench {
  readonly accounts: Client<typeof AccountService>;
  readonly users: Client<typeof UserService>;
  readonly clock: RuledClock;
  readonly database: Database;
  readonly url: string;
  readonly fleet: Fleet;
  /** What the service wrote. */
  readonly log: readonly LogLine[];
  /** Password hashes made so far. */
  hashes(): number;
  /** Registers and verifies; the password is {@link PASSWORD}. */
  newAccount(email: string): Promise<{ readonly userId: string }>;
  /** Signs in with {@link PASSWORD}. */
  signIn(email: string, from?: string): Promise<Tokens>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  /** Another instance on the tables of this one. */
  readonly beside?: AccountsBench;
  readonly hooks?: AccountHooks;
  readonly withoutDecoy?: boolean;
  /** Whether the demo accounts are made. Default: false. */
  readonly demo?: boolean;
  /** Default: one that costs nothing. */
  readonly argon2id?: Argon2id;
}

export const PASSWORD = 'correct horse battery';
export const ADDRESS_HEADER = 'mesh-client-address';

/** As long, and as different for each input, as the real one. */
export const cheapArgon2id: Argon2id = async ({ password, salt, cost, tagBytes }) =>
  createHash('sha512').update(`${password}\0${JSON.stringify(cost)}\0`).update(salt).digest().subarray(0, tagBytes);

export async function startAccounts({ beside, hooks = {}, withoutDecoy = false, demo = false, argon2id = cheapArgon2id }: BenchOptions = {}): Promise<AccountsBench> {
  const lifecycle = createLifecycle(silentLog);
  const url = beside?.url ?? (await newTables(lifecycle.onStop));
  const fleet = createFleet('fidelity');
  const tracer = fleet.telemetry.tracer('user');
  const database = openTestDatabase({ url, schema: 'user', tracer, maxConnections: 8 });
  lifecycle.onStop('tables', database.stop);
  const clock = beside?.clock ?? createRuledClock();
  const { log, lines } = captureLog('trace');
  let hashes = 0;
  const counted: Argon2id = (input) => {
    hashes += 1;
    return argon2id(input);
  };
  const passwords = createPasswords({ random: systemRandom, argon2id: counted, withoutDecoy });
  const common = { database, clock, random: systemRandom, log };
  const { operations } = buildAccounts({ ...common, passwords, hooks, settings: { MESH_DEMO_ACCOUNTS: demo } });
  const handlers = (): Handlers<typeof UserService> => userHandlers({ ...common, tracer });
  await fleet.host(UserService, handlers, { further: [operations], idempotency: createIdempotencyStore(database) });
  lifecycle.onStop('fleet', fleet.stop);
  // Whom the service believes where a person is.
  const accounts = fleet.clientOf('gateway')(AccountService);

  return {
    ...{ accounts, users: fleet.client(UserService), clock, database, url, fleet, log: lines, stop: lifecycle.stop },
    hashes: () => hashes,
    async newAccount(email) {
      const { verification } = await accounts.register({ email, password: PASSWORD, displayName: 'Some One' });
      const verificationId = verification?.verificationId ?? '';
      const { code } = await accounts.issueVerificationCode({ verificationId });
      const { account } = await accounts.verifyEmail({ verificationId, code });
      return { userId: account?.userId ?? '' };
    },
    async signIn(email, from) {
      const { tokens } = await accounts.signIn({ email, password: PASSWORD }, from === undefined ? {} : { headers: { [ADDRESS_HEADER]: from } });
      if (!tokens) throw new Error('signed in without tokens');
      return tokens;
    },
  };
}

async function newTables(onStop: (name: string, stop: () => Promise<void>) => void): Promise<string> {
  const place = await createTestDatabase();
  onStop('database', place.drop);
  await migrate({ url: place.url, schema: 'user', components: service.migrations, log: silentLog });
  return place.url;
}

/** One bench for the tests of a `describe`. */
export function useAccounts(options: BenchOptions = {}): () => AccountsBench {
  let bench: AccountsBench;
  before(async () => {
    bench = await startAccounts(options);
  });
  after(() => bench?.stop());
  return () => bench;
}

/** An address that no other test has. */
export function newEmail(): string {
  return `p${Buffer.from(systemRandom.bytes(8)).toString('hex')}@example.com`;
}

export function newRequestId(): string {
  return Buffer.from(systemRandom.bytes(16)).toString('hex');
}

/** The rows of a statement that only a test asks. */
export function rowsOf<Row extends object>({ database }: AccountsBench, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  return database.query<Row>({ name: `test.${Buffer.from(systemRandom.bytes(8)).toString('hex')}`, text }, values);
}
