import type { RecordsBatch } from '@platformatic/kafka';

import { backoffMs, type Clock, type Log, type Random } from '#kit';

import type { Deliver } from '../bus.ts';
import type { Event } from '../event.ts';
import { toEvent } from './event-record.ts';
import { type FetchedRecord, unpack } from './fetched-records.ts';

export interface AssignedPartitionOptions {
  readonly topic: string;
  readonly index: number;
  /** The offset of the first event that the group has not taken. */
  readonly from: bigint;
  readonly deliver: Deliver;
  /** Whether the group still counts this member in, so that no other has the partition. */
  readonly isMember: () => boolean;
  /** Called when there is something to commit. */
  readonly onTaken: () => void;
  /** Called when more can be fetched. */
  readonly onRoom: () => void;
  /** Records that are older are passed over: inboxes may have forgotten that they were handled. */
  readonly retentionMs: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is fetched ahead of the event being delivered, in one partition. Beside slow consumers the rest waits in the broker. */
const MAX_AHEAD_EVENTS = 256;
const MAX_AHEAD_BYTES = 1_048_576;
/** A rejected event comes again after about 0.1, 0.2, 0.4 … 10 s. */
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 10_000;
const MEMBERSHIP_POLL_MS = 20;

/** A partition that this member has: takes what is fetched and delivers it, one event after the other, until it is stopped. */
export class AssignedPartition {
  readonly topic: string;
  readonly index: number;
  /** Where the group goes on if this member dies now. */
  committed: bigint;
  #taken: bigint;
  #fetchFrom: bigint;
  readonly #options: AssignedPartitionOptions;
  readonly #queue: FetchedRecord[] = [];
  #queuedBytes = 0;
  #isPassingOver = false;
  #arrival = Promise.withResolvers<void>();
  readonly #stopping = new AbortController();
  readonly #delivering: Promise<void>;

  constructor(options: AssignedPartitionOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.index = options.index;
    this.committed = options.from;
    this.#taken = options.from;
    this.#fetchFrom = options.from;
    this.#delivering = this.#deliverAll();
  }

  /** Everything before it has been delivered. */
  get taken(): bigint {
    return this.#taken;
  }

  /** The offset to fetch next; undefined while there is enough to deliver. */
  get wanted(): bigint | undefined {
    const isHalfFull = this.#queue.length > MAX_AHEAD_EVENTS / 2 || this.#queuedBytes > MAX_AHEAD_BYTES / 2;
    return isHalfFull || this.#stopping.signal.aborted ? undefined : this.#fetchFrom;
  }

  /** Takes what was fetched from `from` on, as far as there is room; the rest is fetched again. */
  offer(from: bigint, batches: readonly RecordsBatch[]): void {
    if (from !== this.#fetchFrom) return;
    const { records, next } = unpack(batches, from);
    const firstLeft = records.find((fetched) => !this.#enqueue(fetched));
    this.#fetchFrom = firstLeft?.offset ?? next;
    if (this.#queue.length > 0) this.#arrival.resolve();
  }

  /**
   * The broker no longer has what comes next, and it goes on where it says: behind it, when retention has deleted it, and
   * what is fetched already is still delivered; before it, when the partition was lost and begins anew. Then nothing counts
   * that came of the old one, and the group's place has to go back with it: else new events were taken for old ones.
   */
  resetTo(offset: bigint): void {
    this.#options.log.error({ ...this.#place(), wanted: String(this.#fetchFrom), oldest: String(offset) }, 'events were gone before they were taken');
    const isAnew = offset < this.#fetchFrom;
    this.#fetchFrom = offset;
    if (!isAnew) return;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#taken = offset;
    this.#options.onTaken();
  }

  /** Ends the delivery under way; what it has delivered stays in `taken`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#arrival.resolve();
    await this.#delivering;
  }

  #enqueue(fetched: FetchedRecord): boolean {
    if (this.#queue.length >= MAX_AHEAD_EVENTS || this.#queuedBytes >= MAX_AHEAD_BYTES) return false;
    this.#queue.push(fetched);
    this.#queuedBytes += fetched.record.length;
    return true;
  }

  async #deliverAll(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const next = this.#queue[0];
      if (next === undefined) {
        this.#arrival = Promise.withResolvers();
        await this.#arrival.promise;
      } else if (await this.#deliver(next)) {
        // A partition that has begun anew meanwhile has forgotten it.
        if (this.#queue[0] !== next) continue;
        const hadRoom = this.wanted !== undefined;
        this.#queue.shift();
        this.#queuedBytes -= next.record.length;
        this.#taken = next.offset + 1n;
        this.#options.onTaken();
        if (!hadRoom && this.wanted !== undefined) this.#options.onRoom();
      }
    }
  }

  /** Whether it was delivered; it was not only when the partition is being stopped. */
  async #deliver(fetched: FetchedRecord): Promise<boolean> {
    const { deliver, clock, random, log } = this.#options;
    const { signal } = this.#stopping;
    const event = this.#isTooOld(fetched) ? undefined : this.#read(fetched);
    if (event === undefined) return true;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#untilMember();
        await deliver(event, signal);
        return true;
      } catch (err) {
        if (signal.aborted) return false;
        if (attempt === 1) log.warn({ err, ...this.#place(), event: event.id, type: event.type }, 'an event was not taken; it comes again until it is');
        await clock.sleep(backoffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS, random), signal).catch(() => {});
      }
    }
  }

  /** Says so at the first of several. */
  #isTooOld({ offset, timeMs }: FetchedRecord): boolean {
    const { retentionMs, clock, log } = this.#options;
    const isTooOld = timeMs < clock.now() - retentionMs;
    if (isTooOld && !this.#isPassingOver) log.error({ ...this.#place(), offset: String(offset), time: new Date(timeMs) }, 'events are older than they are kept, and are passed over');
    this.#isPassingOver = isTooOld;
    return isTooOld;
  }

  /** Undefined for a record that is no event: it would come again for ever, and nobody could ever take it. */
  #read({ offset, record }: FetchedRecord): Event | undefined {
    try {
      return toEvent(record);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.log.error({ ...this.#place(), offset: String(offset), why }, 'a record is no event and is passed over');
      return undefined;
    }
  }

  async #untilMember(): Promise<void> {
    const { isMember, clock } = this.#options;
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    while (!isMember()) await clock.sleep(MEMBERSHIP_POLL_MS, signal);
  }

  #place(): { topic: string; partition: number } {
    return { topic: this.topic, partition: this.index };
  }
}
