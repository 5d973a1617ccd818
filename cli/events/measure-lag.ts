import { eventsMigrations, inboxMigrations, type Lag, type OutboxLag, readOutboxLag } from '#events';
import { MeshError } from '#kit';
import type { ModuleName } from '#modules';

import { modulesWith } from '../serving/modules-with.ts';
import type { Resolved } from '../settings.ts';
import { withServiceTables } from './service-tables.ts';
import { withShopBus } from './shop-bus.ts';
import { publishedTopics } from './topics.ts';

/** What waits in a service's outbox; `trouble` is a sentence where it cannot be told. */
export type ServiceLag = { readonly service: ModuleName } & (OutboxLag | { readonly trouble: string });

/** How far a group of consumers is behind in one topic. */
export interface GroupLag extends Lag {
  readonly group: string;
}

/** What waits anywhere on the way of events. */
export type EventLag = { readonly outboxes: readonly ServiceLag[] } & (
  | { readonly groups: readonly GroupLag[] }
  /** The bus cannot be asked; `why` is a sentence. */
  | { readonly groups: undefined; readonly why: string }
);

/** The outboxes are asked also while the bus is away: then it is they that grow. */
export async function measureLag(settings: Resolved): Promise<EventLag> {
  const [outboxes, groups] = await Promise.all([measureOutboxes(settings), measureGroups(settings)]);
  return groups instanceof MeshError ? { outboxes, groups: undefined, why: groups.message } : { outboxes, groups };
}

async function measureOutboxes(settings: Resolved): Promise<readonly ServiceLag[]> {
  const names = await modulesWith(eventsMigrations);
  return Promise.all(names.map(async (service) => ({ service, ...(await measureOutbox(service, settings)) })));
}

/** One by one: where the database of one is away, the others can be told nevertheless. */
async function measureOutbox(service: ModuleName, settings: Resolved): Promise<OutboxLag | { trouble: string }> {
  try {
    return await withServiceTables(service, settings, readOutboxLag);
  } catch (thrown) {
    return { trouble: MeshError.from(thrown).message };
  }
}

/** A consuming service is one group, called like it, and is asked about every topic but its own. */
async function measureGroups(settings: Resolved): Promise<readonly GroupLag[] | MeshError> {
  const [names, published] = await Promise.all([modulesWith(inboxMigrations), publishedTopics()]);
  try {
    return await withShopBus(settings, async (bus) => {
      const lags = await Promise.all(
        names.map(async (group) => {
          const topics = published.filter(({ service }) => service !== group).map(({ topic }) => topic);
          return (await bus.lag(group, topics)).map((lag): GroupLag => ({ group, ...lag }));
        }),
      );
      return lags.flat();
    });
  } catch (thrown) {
    const error = MeshError.from(thrown);
    if (error.code !== 'UNAVAILABLE') throw thrown;
    return error;
  }
}
