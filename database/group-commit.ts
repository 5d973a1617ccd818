import { context, type Context, ROOT_CONTEXT, SpanKind, trace, type Tracer } from '@opentelemetry/api';

import { type Clock, MeshError } from '#kit';

/** Writes a group of entries in one commit and answers each, in their order. */
export type WriteGroup<Entry, Answer> = (group: readonly Entry[]) => Promise<readonly Answer[]>;

export interface GroupCommitOptions {
  /** What is done, such as `payment.settle`: the span of each of many is called that. */
  readonly name: string;
  readonly tracer: Tracer;
  readonly clock: Clock;
  /** Groups on their way at once, for writers whose groups may wait for locks of others. Default 1, which makes the largest groups. */
  readonly concurrency?: number;
}

interface Queued<Entry, Answer> {
  readonly entry: Entry;
  /** Of whoever wants it written. */
  readonly within: Context;
  readonly sinceMs: number;
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

/** Big enough that the cost of a commit is shared by many, small enough that no statement takes long. */
const MAX_GROUP = 100;

/** A group that takes longer waits, most likely, for a lock that somebody else holds. Shorter than the deadlines of whoever waits behind it. */
const PATIENCE_MS = 500;

/** Groups of one writer that take so long, beside the one that is waited for: the database's pool has others to serve. */
const MAX_SLOW = 3;

/**
 * Group commit: while one group is on its way to the disk, whatever becomes ready joins the next. When nothing is on
 * its way, an entry is written at once; under load a commit is shared by as many as got ready during the one before.
 * Resolves with the entry's answer, undefined when there was none.
 *
 * A group that fails for another reason than an outage is written again, each entry by itself and side by side: one that is
 * bad spoils no other, and holds none up. Behind a group that takes longer than 500 ms nobody waits: the next one goes beside it,
 * as long as there are three such at most. A group of one is written in the context, and so in the trace, of its entry;
 * one of many in nobody's, and each of its entries gets a span in its own trace. A statement that only reads may be shared
 * in the same way: an entry is read after it was asked for.
 */
export function createGroupCommit<Entry, Answer>(options: GroupCommitOptions, write: WriteGroup<Entry, Answer>): (entry: Entry) => Promise<Answer | undefined> {
  const { clock, concurrency = 1 } = options;
  const queue: Queued<Entry, Answer>[] = [];
  let writing = 0;
  let slow = 0;

  async function writeAll(): Promise<void> {
    writing += 1;
    // Those that get ready in the same turn of the event loop go together.
    await new Promise(setImmediate);
    while (queue.length > 0) await unlessSlow(writeGroup(queue.splice(0, MAX_GROUP)));
    writing -= 1;
  }

  /** Resolves when the group is written, or when nobody is to wait for it any longer. */
  function unlessSlow(written: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        if (slow === MAX_SLOW) return;
        slow += 1;
        void written.then(() => void (slow -= 1));
        resolve();
      }, PATIENCE_MS);
      void written.then(() => {
        clearTimeout(patience);
        resolve();
      });
    });
  }

  async function writeGroup(group: readonly Queued<Entry, Answer>[]): Promise<void> {
    const [first] = group;
    try {
      const within = group.length === 1 && first ? first.within : ROOT_CONTEXT;
      const answers = await context.with(within, () => write(group.map(({ entry }) => entry)));
      if (group.length > 1) traceEach(group, options);
      group.forEach(({ resolve }, index) => resolve(answers[index]));
    } catch (thrown) {
      if (group.length > 1 && !isOutage(thrown)) for (const one of group) void writeGroup([one]);
      else for (const { reject } of group) reject(thrown);
    }
  }

  return (entry) =>
    new Promise((resolve, reject) => {
      queue.push({ entry, within: context.active(), sinceMs: clock.now(), resolve, reject });
      if (writing < concurrency) void writeAll();
    });
}

/** Lets each of many show, in its own trace, that it was written with others. */
function traceEach(group: readonly Queued<unknown, unknown>[], { name, tracer }: GroupCommitOptions): void {
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.batch.size': group.length };
  for (const { within, sinceMs } of group) {
    if (trace.getSpan(within)) tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime: sinceMs, attributes }, within).end();
  }
}

/** Whether nobody answers. Who lost a conflict with somebody else may fare better alone. */
function isOutage(thrown: unknown): boolean {
  const { code, metadata } = MeshError.from(thrown);
  return code === 'UNAVAILABLE' && metadata['trouble'] !== 'conflict';
}
