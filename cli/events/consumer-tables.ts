import type { Database } from '#database';
import { findDeadLetter, inboxMigrations } from '#events';
import { MeshError, refusal } from '#kit';

import { modulesWith } from '../serving/modules-with.ts';
import type { Resolved } from '../settings.ts';
import { withServiceTables } from './service-tables.ts';

/** Uses the tables of every service that consumes events: what it gave up is there. */
export async function inEachConsumer<T>(settings: Resolved, use: (database: Database) => Promise<T>): Promise<readonly T[]> {
  const names = await modulesWith(inboxMigrations);
  return Promise.all(names.map((name) => withServiceTables(name, settings, use)));
}

/** Uses the tables of the service that has given up this event. DEAD_LETTER_NOT_FOUND. */
export async function whereDead(deadLetterId: string, settings: Resolved, use: (database: Database) => Promise<void>): Promise<void> {
  const found = await inEachConsumer(settings, async (database) => {
    if (!(await isThere(database, deadLetterId))) return false;
    await use(database);
    return true;
  });
  if (!found.includes(true)) throw refusal('DEAD_LETTER_NOT_FOUND', `no service has a dead letter ${deadLetterId}; \`mesh events dead\` shows their ids`);
}

async function isThere(database: Database, deadLetterId: string): Promise<boolean> {
  try {
    await findDeadLetter(database, deadLetterId);
    return true;
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'DEAD_LETTER_NOT_FOUND') throw thrown;
    return false;
  }
}
