import type { Meter } from '@opentelemetry/api';

import type { DoorFigures } from '../server/server-instruments.ts';
import { createWatch, type Figure, type Watch } from './watch.ts';

const FIGURES: readonly Figure<DoorFigures>[] = [
  {
    ...{ kind: 'level', name: 'mesh.door.connections', unit: '{connection}' },
    description: 'Connections that are open.',
    value: ({ counts }) => counts.connections,
  },
  {
    ...{ kind: 'total', name: 'mesh.door.accepted', unit: '{connection}' },
    description: 'Connections that were let in.',
    value: ({ counts }) => counts.accepted,
  },
  {
    ...{ kind: 'total', name: 'mesh.door.refused', unit: '{refusal}' },
    description: 'Connections and calls that were refused or ended at the door, by the limit that they were over.',
    value: ({ counts: { connections: _open, accepted: _in, ...notices } }) => Object.entries(notices).map(([limit, count]) => [count, { 'mesh.door.limit': limit }]),
  },
  {
    ...{ kind: 'level', name: 'mesh.server.open_calls', unit: '{call}' },
    description: 'Calls that a stop would wait for, health watchers’ streams included.',
    value: ({ openCalls }) => openCalls,
  },
  {
    ...{ kind: 'level', name: 'mesh.server.draining', unit: '{instance}' },
    description: '1 from NOT_SERVING until the port is closed.',
    value: ({ draining }) => Number(draining),
  },
];

/** The ports of this process; attributes `mesh.service` and `mesh.door`: one service may have a port with TLS and one without. */
export function watchDoors(meter: Meter): Watch<DoorFigures> {
  return createWatch(meter, FIGURES);
}
