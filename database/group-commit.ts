import { context, type Context, ROOT_CONTEXT } from '@opentelemetry/api';

import { MeshError } from '#kit';

/** An entry with the context of whoever wants it written. */
export interface Waiting<Entry> {
  readonly entry: Entry;
  readonly context: Context;
}

/** Writes a group of entries in one commit and answers each, in their order. */
export type WriteGroup<Entry, Answer> = (group: readonly Waiting<Entry>[]) => Promise<readonly Answer[]>;

interface Queued<Entry, Answer> extends Waiting<Entry> {
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

/** Big enough that the cost of a commit is shared by many, small enough that no statement takes long. */
const MAX_GROUP = 100;

/**
 * Group commit: while one group is on its way to the disk, whatever becomes ready joins the next. When nothing is on
 * its way, an entry is written at once; under load a commit is shared by as many as got ready during the one before. Resolves with the entry's answer, undefined when there was none.
 * A group that fails for another reason than an outage is written one by one: one bad entry
 * spoils no other. A group of one is written in the context, and so in the trace, of its entry;
 * one of many in nobody's.
 */
export function createGroupCommit<Entry, Answer>(write: WriteGroup<Entry, Answer>): (entry: Entry) => Promise<Answer | undefined> {
  const queue: Queued<Entry, Answer>[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    isWriting = true;
    // Those that get ready in the same turn of the event loop go together.
    await new Promise(setImmediate);
    while (queue.length > 0) await writeGroup(queue.splice(0, MAX_GROUP));
    isWriting = false;
  }

  async function writeGroup(group: readonly Queued<Entry, Answer>[]): Promise<void> {
    try {
      const within = (group.length === 1 && group[0]?.context) || ROOT_CONTEXT;
      const answers = await context.with(within, write, undefined, group);
      group.forEach(({ resolve }, index) => resolve(answers[index]));
    } catch (thrown) {
      if (group.length > 1 && MeshError.from(thrown).code !== 'UNAVAILABLE') for (const one of group) await writeGroup([one]);
      else for (const { reject } of group) reject(thrown);
    }
  }

  return (entry) =>
    new Promise((resolve, reject) => {
      queue.push({ entry, context: context.active(), resolve, reject });
      if (!isWriting) void writeAll();
    });
}
