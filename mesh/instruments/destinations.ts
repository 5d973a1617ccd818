import type { Attributes, Meter } from '@opentelemetry/api';

import { REASON_ATTRIBUTE } from '#tracing';

import type { DestinationFigures } from '../client/client-instruments.ts';
import { createLastingSum } from './lasting-sum.ts';
import { createWatch, type Figure, type Point, type Watch } from './watch.ts';

type Figures = DestinationFigures & { readonly ejections: number };

/** A series of each state, also of those that nobody is in: a level that is not told of keeps its last value. */
const STATES = ['healthy', 'slow-start', 'ejected', 'probing'] as const;

const FIGURES: readonly Figure<Figures>[] = [
  {
    // gRFC A91. Without `grpc.lb.outlier_detection.detection_method`: ejections are counted, their causes logged.
    ...{ kind: 'total', name: 'grpc.lb.outlier_detection.ejections_enforced', unit: '{ejection}' },
    description: 'How often an instance was left out for a while.',
    value: ({ ejections }) => ejections,
  },
  {
    ...{ kind: 'level', name: 'mesh.client.instances', unit: '{instance}' },
    description: 'Instances that are listed, by state.',
    value: ({ endpoints }) => STATES.map((state): Point => [endpoints.filter((endpoint) => endpoint.state === state).length, { 'mesh.instance.state': state }]),
  },
  {
    ...{ kind: 'level', name: 'mesh.client.attempts_in_flight', unit: '{attempt}' },
    description: 'Attempts that are on their way.',
    value: ({ inFlight }) => inFlight,
  },
  {
    ...{ kind: 'level', name: 'mesh.circuit.open', unit: '{circuit}' },
    description: '1 while no instance may be called.',
    value: ({ open }) => Number(open),
  },
  {
    ...{ kind: 'total', name: 'mesh.circuit.openings', unit: '{opening}' },
    description: 'How often it came that no instance may be called.',
    value: ({ openings }) => openings,
  },
  {
    ...{ kind: 'total', name: 'mesh.circuit.refused', unit: '{attempt}' },
    description: 'Attempts that were refused before they left, by reason.',
    value: ({ refused }) => [
      [refused.circuitOpen, { [REASON_ATTRIBUTE]: 'CIRCUIT_OPEN' }],
      [refused.tooManyCalls, { [REASON_ATTRIBUTE]: 'TOO_MANY_CALLS' }],
    ],
  },
  {
    ...{ kind: 'total', name: 'mesh.retry_budget.spent', unit: '{attempt}' },
    description: 'Further attempts that the budget paid for: retries and hedges.',
    value: ({ budget }) => budget.taken,
  },
  {
    ...{ kind: 'total', name: 'mesh.retry_budget.refused', unit: '{attempt}' },
    description: 'Further attempts that were wanted and not paid for.',
    value: ({ budget }) => budget.refused,
  },
  {
    ...{ kind: 'total', name: 'mesh.hedges.won', unit: '{hedge}' },
    description: 'Hedges whose answer was the call’s.',
    value: ({ hedgesWon }) => hedgesWon,
  },
];

/** The services that this process calls; attribute `grpc.target`. */
export function watchDestinations(meter: Meter): Watch<DestinationFigures> {
  const { add, stop } = createWatch(meter, FIGURES);
  return {
    add(attributes: Attributes, read) {
      const sum = createLastingSum();
      return add(attributes, () => {
        const figures = read();
        return { ...figures, ejections: sum(figures.endpoints) };
      });
    },
    stop,
  };
}
