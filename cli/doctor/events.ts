import type { Database } from '#database';
import { eventsMigrations, inboxMigrations, listDeadLetters, readOutboxLag } from '#events';
import type { ModuleName } from '#modules';

import { modulesWith } from '../serving/modules-with.ts';
import { roughTime } from '../status/rough-time.ts';
import { type Check, fail, type Finding, ok, orElse, type Scene, skip, warn } from './check.ts';
import { readTables } from './databases.ts';

/** As many are counted; whoever has more has one trouble many times. */
const MOST = 100;

/** Relays publish within a second, and begin again within seconds of an outage. */
const MAX_WAIT_MS = 60_000;

/** Events that nobody publishes, and those that a consumer has given up. */
export const events: Check = {
  name: 'events',
  async run({ settings }: Scene) {
    const looks = [
      ...(await modulesWith(eventsMigrations)).map((name) => ({ name, look: lookAtOutbox })),
      ...(await modulesWith(inboxMigrations)).map((name) => ({ name, look: lookForDead })),
    ].filter(({ name }) => settings.databaseUrls[name] !== '');
    if (looks.length === 0) return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const found = await Promise.all(looks.map(async ({ name, look }) => ({ name, sight: await readTables(settings.ownerUrls[name], name, (database) => look(name, database)) })));
    const unread = new Set(found.flatMap(({ name, sight }) => (sight ? [] : [name])));
    const troubles = [...found.flatMap(({ sight }) => sight?.found ?? []), ...(unread.size > 0 ? [skip(`those of ${[...unread].join(', ')} cannot be read`)] : [])];
    return orElse(troubles, ok('all are published, and none is given up'));
  },
};

async function lookAtOutbox(name: ModuleName, database: Database): Promise<Finding[]> {
  const { events: waiting, oldestMs, refused } = await readOutboxLag(database);
  const late = `${waiting} ${waiting === 1 ? 'event' : 'events'} of ${name} ${waiting === 1 ? 'waits' : 'wait'} to be published, the oldest for ${roughTime(oldestMs)}`;
  const apart = `${refused} ${refused === 1 ? 'event' : 'events'} of ${name} ${refused === 1 ? 'is' : 'are'} set aside, since the bus will never take ${refused === 1 ? 'it' : 'them'}`;
  return [
    ...(oldestMs > MAX_WAIT_MS ? [warn(late, `see the log of ${name}; most often the event log or Kafka is away`)] : []),
    ...(refused > 0 ? [fail(apart, `column "refused" of the table ${name}.outbox says why; mend what writes such events`)] : []),
  ];
}

async function lookForDead(name: ModuleName, database: Database): Promise<Finding[]> {
  const dead = await listDeadLetters(database, { status: 'DEAD' }, { size: MOST, after: undefined });
  const [first] = dead;
  if (!first) return [];
  const count = dead.length > MOST ? `more than ${MOST} events` : `${dead.length} ${dead.length === 1 ? 'event' : 'events'}`;
  const says = `${name} has given up ${count}, such as ${first.type} of ${first.subject} for ${first.reason}`;
  return [fail(says, 'see `npx mesh events dead`; `npx mesh events replay` hands them to it again, `discard` gives them up')];
}
