import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { startAgent } from '#discovery/agent';
import { startEmbeddedPostgres } from '#database/embedded';
import { createLifecycle, silentLog, type Stoppable, systemClock, systemRandom } from '#kit';

import { makeFolder } from '../orders/make-folder.ts';
import { readPostgresSettings } from '../orders/postgres-settings.ts';
import { type Program, startProgram } from '../rpc/program.ts';
import { writeAccounts } from './made-up-accounts.ts';
import type { SignInArgument } from './sign-in-program.ts';
import { startUserService } from './user-service.ts';

/** A user service with accounts, on a Postgres and an agent of its own, and who signs in there. */
export interface SignInPlace extends Stoppable {
  /** Of the service. */
  readonly pid: number;
  readonly people: Program<unknown>;
  /** How durable its Postgres is. */
  readonly postgres: string;
}

export async function openSignInPlace(accounts: number): Promise<SignInPlace> {
  const lifecycle = createLifecycle(silentLog);
  try {
    const folder = await makeFolder();
    lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
    const common = { log: silentLog, clock: systemClock, random: systemRandom };
    const [postgres, agent] = await Promise.all([
      startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), log: silentLog }),
      startAgent({ ...common, dataDir: join(folder, 'agent'), host: '127.0.0.1', port: 0 }),
    ]);
    lifecycle.onStop('postgres', postgres.stop);
    lifecycle.onStop('agent', agent.stop);
    const databaseUrl = postgres.url('shop');
    const service = await startUserService({ registry: agent.url, databaseUrl, folder: join(folder, 'shop') });
    lifecycle.onStop('user', service.stop);
    await writeAccounts(databaseUrl, accounts);
    const argument: SignInArgument = { registry: agent.url, port: service.port, accounts };
    const people = await startProgram<unknown>('../identity/sign-in-program', argument);
    lifecycle.onStop('people', people.stop);
    return { pid: service.pid, people, postgres: await readPostgresSettings(databaseUrl), stop: lifecycle.stop };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}
