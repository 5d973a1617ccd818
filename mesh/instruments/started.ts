import type { Attributes, Meter } from '@opentelemetry/api';

import { createWatch } from './watch.ts';

/** What has been started, ended or not, by attributes. */
export interface Started {
  /** Returns how to count one more. */
  counter(attributes: Attributes): () => void;
  stop(): void;
}

/** A counter that is read at each collection: counting costs an addition. */
export function createStarted(meter: Meter, name: string, unit: string, description: string): Started {
  const { add, stop } = createWatch<number>(meter, [{ kind: 'total', name, unit, description, value: (count) => count }]);
  return {
    counter(attributes) {
      let count = 0;
      add(attributes, () => count);
      return () => void (count += 1);
    },
    stop,
  };
}
