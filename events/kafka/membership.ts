import { type BaseOptions, Consumer, type ConsumerGroupJoinPayload } from '@platformatic/kafka';

import { backoffMs, type Clock, type Log, type Random } from '#kit';

import { closeClient } from './connection.ts';
import { plainError } from './kafka-errors.ts';
import { settlesWithin } from './settles-within.ts';

export interface MembershipOptions {
  readonly client: BaseOptions;
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  /** The partitions have been dealt out anew. */
  readonly onAssigned: (assigned: Assigned) => void;
  /** They are about to be: the last moment to commit for those that this member has. */
  readonly onRebalance: () => void;
  /** It is no member any more and could not become one again. */
  readonly onLost: (why: Error) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Assigned {
  readonly partitions: readonly { readonly topic: string; readonly index: number }[];
  /** Whether this member was one in the round before too, so that no other can have had what it keeps. */
  readonly isContinued: boolean;
}

/** One member of a consumer group, from joining to leaving. */
export interface Membership {
  readonly consumer: Consumer;
  join(): Promise<void>;
  /** Whether the group counts it in for sure: it does for the session timeout after a heartbeat was sent that it has answered. */
  isMember(): boolean;
  /**
   * Whether the group still is in the round in which the partitions were dealt out. Between the answers to joining and to
   * syncing it is not: what was dealt then may be another's by now, and the broker would take a commit for it all the same.
   */
  isInRound(): boolean;
  /** Says goodbye, so that others take over at once. */
  leave(): Promise<void>;
}

const JOIN_ATTEMPTS = 10;
const JOIN_RETRY_BASE_MS = 100;
const JOIN_RETRY_MAX_MS = 2_000;
/** A request to join waits for the other members, so its answer may take the session timeout longer than any other's. */
const REQUEST_TIMEOUT_MS = 5_000;
const HEARTBEATS_PER_SESSION = 4;
const LEAVE_WITHIN_MS = 2_000;

export function createMembership(options: MembershipOptions): Membership {
  const { client, group, topics, sessionTimeoutMs, clock, random, log, signal } = options;
  const consumer = new Consumer({
    ...client,
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    // Nobody waits with joining until a delivery is over, so members need no more time for it than for a heartbeat.
    rebalanceTimeout: sessionTimeoutMs,
    heartbeatInterval: sessionTimeoutMs / HEARTBEATS_PER_SESSION,
    requestTimeout: REQUEST_TIMEOUT_MS + sessionTimeoutMs,
    // The library would join again inside a commit, and then commit for partitions that have become another's.
    retries: 0,
  });
  for (const topic of topics) consumer.topics.track(topic);
  let heartbeatSentMs = 0;
  let countedInMs = Number.NEGATIVE_INFINITY;
  let last: ConsumerGroupJoinPayload | undefined;

  async function join(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await consumer.joinGroup({});
        return;
      } catch (thrown) {
        if (signal.aborted || attempt === JOIN_ATTEMPTS) throw plainError(thrown);
        log.debug({ err: plainError(thrown), group }, 'the group could not be joined yet');
        await clock.sleep(backoffMs(attempt, JOIN_RETRY_BASE_MS, JOIN_RETRY_MAX_MS, random), signal);
      }
    }
  }

  consumer.on('consumer:heartbeat:start', () => void (heartbeatSentMs = clock.now()));
  consumer.on('consumer:heartbeat:end', () => void (countedInMs = heartbeatSentMs));
  consumer.on('consumer:group:rebalance', options.onRebalance);
  consumer.on('consumer:group:join', (joined) => {
    countedInMs = clock.now();
    options.onAssigned({ partitions: partitionsOf(joined), isContinued: follows(joined, last) });
    last = joined;
  });
  // The library has given up joining again, after a heartbeat that said it must.
  consumer.on('error', () => void join().catch(options.onLost));

  return {
    consumer,
    join,
    isMember: () => consumer.isActive() && clock.now() - countedInMs < sessionTimeoutMs,
    isInRound: () => last !== undefined && consumer.memberId === last.memberId && consumer.generationId === last.generationId,
    async leave() {
      // Closing alone would let a round that is being joined come about, and the library would send heartbeats for ever.
      // It answers with a promise, though its first overload says otherwise.
      await settlesWithin(Promise.resolve(consumer.leaveGroup(true)), LEAVE_WITHIN_MS, clock);
      await closeClient(consumer, clock);
    },
  };
}

function partitionsOf({ assignments = [] }: ConsumerGroupJoinPayload): Assigned['partitions'] {
  return assignments.flatMap(({ topic, partitions }) => partitions.map((index) => ({ topic, index })));
}

function follows(joined: ConsumerGroupJoinPayload, last: ConsumerGroupJoinPayload | undefined): boolean {
  return joined.memberId === last?.memberId && joined.generationId === (last.generationId ?? Number.NaN) + 1;
}
