import { trace } from '@opentelemetry/api';

import { openDatabase } from '#database';
import { silentLog, systemRandom } from '#kit';

import { insertDemoAccount } from '../../services/user/accounts/demo-store.ts';
import { createPasswords } from '../../services/user/accounts/passwords.ts';

/** Of everybody. */
export const PASSWORD = 'correct horse battery';

export function emailOf(index: number): string {
  return `person-${index}@example.com`;
}

/** Writes accounts beside the service into its tables: to hash a password for each would take a minute. */
export async function writeAccounts(url: string, count: number): Promise<void> {
  const database = openDatabase({ url, schema: 'user', maxConnections: 1, applicationName: 'bench', tracer: trace.getTracer('bench'), log: silentLog });
  try {
    const passwordHash = await createPasswords({ random: systemRandom }).hash(PASSWORD, new AbortController().signal);
    await database.transaction('bench.accounts', async (tx) => {
      for (let index = 0; index < count; index += 1) {
        const person = { userId: `person-${index}`, email: emailOf(index), displayName: 'Person', password: PASSWORD, roles: ['customer'] };
        await insertDemoAccount(tx, person, passwordHash, new Date());
      }
    });
  } finally {
    await database.stop();
  }
}
