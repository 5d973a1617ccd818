import type { Meter } from '@opentelemetry/api';

import { type ServerInterceptor, whenDone } from '../call.ts';
import type { Method } from '../method.ts';
import { createDurations, type Stopwatch } from './durations.ts';
import { serverAttributes } from './method-attributes.ts';
import { createStarted } from './started.ts';

export interface ServerCalls {
  link(method: Method): ServerInterceptor;
  stop(): void;
}

/**
 * Calls that a service was asked for (gRFC A66), those among them that were refused: outermost in the server's chain. Not
 * those of health, reflection and the instance's own contract, which come all the time by nobody's order.
 */
export function createServerCalls(meter: Meter, stopwatch: Stopwatch): ServerCalls {
  const started = createStarted(meter, 'grpc.server.call.started', '{call}', 'Calls that came in.');
  const durations = createDurations(meter, 'grpc.server.call.duration', 'How long calls took to be answered, or refused.');
  return {
    link(method) {
      const attributes = serverAttributes(method);
      const count = started.counter(attributes);
      const note = durations(attributes);
      return (next) => (call) => {
        const beganMs = stopwatch();
        count();
        return whenDone(next, call, (error) => note(stopwatch() - beganMs, error, call.context));
      };
    },
    stop: started.stop,
  };
}
