import type { Meter } from '@opentelemetry/api';

import { type ClientInterceptor, whenDone } from '../call.ts';
import type { Method } from '../method.ts';
import { progressOf } from './call-progress.ts';
import { createDurations, type Stopwatch } from './durations.ts';
import { clientAttributes } from './method-attributes.ts';
import { createStarted } from './started.ts';

export interface ClientAttempts {
  link(method: Method): ClientInterceptor;
  stop(): void;
}

/**
 * Attempts of calls, with the time it takes to pick an instance (gRFC A66). One whose answer is not wanted any more, since
 * another was first, ends CANCELLED. The sizes of messages, which A66 has too, are not measured: the transports
 * keep no count of bytes, and a call within the process has none.
 */
export function createClientAttempts(meter: Meter, stopwatch: Stopwatch): ClientAttempts {
  const started = createStarted(meter, 'grpc.client.attempt.started', '{attempt}', 'Attempts of calls that were started.');
  const durations = createDurations(meter, 'grpc.client.attempt.duration', 'How long attempts of calls took, each by itself.');
  return {
    link(method) {
      const attributes = clientAttributes(method);
      const count = started.counter(attributes);
      const note = durations(attributes);
      return (next) => (attempt) => {
        const progress = progressOf(attempt.context);
        const beganMs = stopwatch();
        count();
        progress?.started(beganMs);
        return whenDone(next, attempt, (error) => {
          const endedMs = stopwatch();
          note(endedMs - beganMs, error, attempt.context);
          progress?.ended(endedMs);
        });
      };
    },
    stop: started.stop,
  };
}
