import type { Meter } from '@opentelemetry/api';

import type { ServerFaults } from '../server/faults.ts';
import { createWatch, type Figure, type Watch } from './watch.ts';

type FaultFigures = ReturnType<ServerFaults['read']>;

const FIGURES: readonly Figure<FaultFigures>[] = [
  {
    ...{ kind: 'total', name: 'mesh.faults.injected', unit: '{call}' },
    description: 'Calls that were delayed or failed on purpose.',
    value: ({ injected }) => injected,
  },
];

/** The methods that this process serves; attribute `grpc.method`. */
export function watchFaults(meter: Meter): Watch<FaultFigures> {
  return createWatch(meter, FIGURES);
}
