import type { Context } from 'hono';
import type { Random } from '#kit';

import type { Changes } from './changes.ts';
import { parseGoDurationMs } from './duration.ts';
import { badRequest } from './fields.ts';
import { DEFAULT_WAIT_MS, LIMITS } from './limits.ts';

/** Holds a request until what it reads is newer than the index it has, or its wait is over. */
export type Blocking = (context: Context, index: () => number) => Promise<void>;

/**
 * Blocking queries (https://developer.hashicorp.com/consul/api-docs/features/blocking).
 * An index that is ahead of ours is from a life whose state is lost, and is
 * answered at once; Consul lets it wait.
 */
export function createBlocking(changes: Changes, random: Random): Blocking {
  return async (context, index) => {
    const asked = readIndex(context.req.query('index'));
    const waitMs = readWait(context.req.query('wait'));
    const jitteredMs = waitMs + (waitMs / 16) * random.number();
    if (asked > 0) await changes.until(() => index() !== asked, jitteredMs, context.req.raw.signal);
    answerIndex(context, index());
  };
}

/** The headers of every answer that can be waited on. */
function answerIndex(context: Context, index: number): void {
  context.header('X-Consul-Index', String(Math.max(1, index)));
  context.header('X-Consul-Knownleader', 'true');
  context.header('X-Consul-Lastcontact', '0');
  context.header('X-Consul-Query-Backend', 'blocking-query');
}

function readIndex(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const index = Number(text);
  if (!Number.isSafeInteger(index) || index < 0) throw badRequest('Invalid index');
  return index;
}

function readWait(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_WAIT_MS;
  const waitMs = parseGoDurationMs(text);
  if (waitMs === undefined) throw badRequest('Invalid wait time');
  return Math.min(waitMs, LIMITS.waitMs);
}
