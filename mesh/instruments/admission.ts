import type { Meter } from '@opentelemetry/api';

import type { AdmissionState } from '../server/admission/admission.ts';
import { createWatch, type Figure, type Watch } from './watch.ts';

const FIGURES: readonly Figure<AdmissionState>[] = [
  {
    ...{ kind: 'level', name: 'mesh.admission.limit', unit: '{call}' },
    description: 'Calls that may be worked on at once, now.',
    value: ({ limit }) => Math.floor(limit),
  },
  {
    ...{ kind: 'level', name: 'mesh.admission.in_flight', unit: '{call}' },
    description: 'Calls that are worked on.',
    value: ({ inFlight }) => inFlight,
  },
  {
    ...{ kind: 'level', name: 'mesh.admission.queued', unit: '{call}' },
    description: 'Calls that wait to be let in.',
    value: ({ queued }) => queued,
  },
  {
    ...{ kind: 'total', name: 'mesh.admission.admitted', unit: '{call}' },
    description: 'Calls that were let in, at once or after they had waited.',
    value: ({ admitted }) => admitted,
  },
  {
    ...{ kind: 'total', name: 'mesh.admission.shed', unit: '{call}' },
    description: 'Calls that were refused because there were too many, by how much they matter.',
    value: ({ shedBy }) => Object.entries(shedBy).map(([criticality, count]) => [count, { 'mesh.criticality': criticality }]),
  },
  {
    ...{ kind: 'total', name: 'mesh.admission.expired', unit: '{call}' },
    description: 'Calls whose deadline passed while they waited.',
    value: ({ expired }) => expired,
  },
  {
    ...{ kind: 'total', name: 'mesh.admission.abandoned', unit: '{call}' },
    description: 'Calls whose handlers did not end, long after their deadlines.',
    value: ({ abandoned }) => abandoned,
  },
];

/** The services of this process; attribute `mesh.service`. */
export function watchAdmission(meter: Meter): Watch<AdmissionState> {
  return createWatch(meter, FIGURES);
}
