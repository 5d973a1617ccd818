import type { Log } from '#kit';

import type { Endpoint } from './endpoint.ts';
import type { Outlier } from './outlier.ts';

/** Why an instance is left out. */
export type Cause = Outlier | 'failures-in-a-row' | 'failed-probe' | 'circuit-open';

/** What an operator is told of the instances of one service. */
export interface EjectionLog {
  leftOut(endpoint: Endpoint, cause: Cause): void;
  back(endpoint: Endpoint): void;
  opened(): void;
  closed(): void;
}

export function createEjectionLog(log: Log, service: string): EjectionLog {
  return {
    leftOut: ({ id, figures }, cause) => log.warn({ service, instance: id, cause, figures }, 'an instance is left out for a while'),
    back: ({ id }) => log.info({ service, instance: id }, 'an instance is called again'),
    opened: () => log.warn({ service }, 'no instance of a service may be called; calls fail at once until a probe is answered'),
    closed: () => log.info({ service }, 'a service is called again'),
  };
}
