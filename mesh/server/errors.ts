import { context } from '@opentelemetry/api';

import type { Log } from '#kit';

import type { Witness } from './outcome.ts';

/**
 * The border where errors leave a service: what is our fault is logged here, once, with its
 * cause and in its span. The transports hand on code, reason and sentence and nothing of what lies below.
 */
export function logFaults(log: Log): Witness {
  return (error, call) => {
    if (error?.code !== 'INTERNAL' && error?.code !== 'UNKNOWN') return;
    context.with(call.context, () => log.error({ err: error, method: call.method.fullName }, 'call failed'));
  };
}
