import { type Admin, type BaseOptions, Consumer } from '@platformatic/kafka';

import type { Clock, Log, Random } from '#kit';

import type { Deliver } from '../bus.ts';
import { createAssignment } from './assignment.ts';
import { createCommits } from './commits.ts';
import { closeClient } from './connection.ts';
import { startFetching } from './fetching.ts';
import { createMembership } from './membership.ts';
import { settlesWithin } from './settles-within.ts';
import type { Topics } from './topics.ts';

export interface GroupSessionOptions {
  readonly client: BaseOptions;
  readonly admin: Admin;
  readonly topicCatalogue: Topics;
  readonly group: string;
  readonly topics: readonly string[];
  readonly deliver: Deliver;
  readonly sessionTimeoutMs: number;
  readonly retentionMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How long a delivery may take to end when it is asked to; after that the member leaves without it. */
const DELIVERY_END_WITHIN_MS = 5_000;

/**
 * Consumes as one member of a group until the signal aborts, and then leaves in order: deliveries end, what was taken is
 * committed, the group hears of it at once. Rejects when it has lost its place in the group.
 */
export async function runGroupSession(options: GroupSessionOptions, stop: AbortSignal): Promise<void> {
  const stopped = aborted(stop);
  await Promise.race([options.topicCatalogue.ensure(options.topics), stopped]);
  if (stop.aborted) return;
  const ending = new AbortController();
  const lost = Promise.withResolvers<never>();
  const session = openSession(options, AbortSignal.any([stop, ending.signal]), lost.reject);
  try {
    await Promise.race([session.join().then(() => lost.promise), lost.promise, stopped]);
  } finally {
    ending.abort();
    await session.leave();
  }
}

interface GroupSession {
  join(): Promise<void>;
  /** After the signal has aborted. */
  leave(): Promise<void>;
}

function openSession(options: GroupSessionOptions, signal: AbortSignal, onLost: (why: Error) => void): GroupSession {
  const { client, group, topics, clock, log } = options;
  const fetchClient = new Consumer({ ...client, groupId: group, retries: 0 });
  for (const topic of topics) fetchClient.topics.track(topic);
  const membership = createMembership({
    ...options,
    signal,
    onAssigned: (assigned) => void assignment.change(assigned),
    onRebalance: () => void commits.now(),
    onLost,
  });
  const assignment = createAssignment({
    ...options,
    signal,
    isMember: membership.isMember,
    onTaken: () => commits.request(),
    onRoom: () => fetching.wake(),
  });
  const commits = createCommits({ ...options, signal, consumer: membership.consumer, isInRound: membership.isInRound, assigned: assignment.all });
  const fetching = startFetching({ ...options, signal, client: fetchClient, assigned: assignment.all });

  return {
    join: membership.join,
    async leave() {
      const ended = settlesWithin(assignment.stop(), DELIVERY_END_WITHIN_MS, clock);
      await Promise.all([closeClient(fetchClient, clock), fetching.ended]);
      if (!(await ended)) log.warn({ group }, 'a delivery goes on although it was asked to end; its event comes again');
      await commits.now();
      await membership.leave();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
