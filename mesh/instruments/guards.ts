import type { Meter } from '@opentelemetry/api';

import type { GuardState } from '../intentions/guard-state.ts';
import { createWatch, type Figure, type Point, type Watch } from './watch.ts';

const ACTIONS = ['allow', 'deny'] as const;
const VOICES = ['intention', 'default'] as const;

const FIGURES: readonly Figure<GuardState>[] = [
  {
    ...{ kind: 'total', name: 'mesh.intentions.checks', unit: '{call}' },
    description: 'Calls that were let in or refused, by the answer and by whose word: that of an intention, or the default.',
    value: ({ checks }) =>
      ACTIONS.flatMap((action) => VOICES.map((voice): Point => [checks[action][voice], { 'mesh.intentions.allowed': action === 'allow', 'mesh.intentions.decided_by': voice }])),
  },
  {
    ...{ kind: 'level', name: 'mesh.intentions.held', unit: '{call}' },
    description: 'Calls that wait until it is known who may call.',
    value: ({ held }) => held,
  },
  {
    ...{ kind: 'total', name: 'mesh.intentions.ended_streams', unit: '{call}' },
    description: 'Streams that were ended because what had let them in was gone.',
    value: ({ endedStreams }) => endedStreams,
  },
  {
    ...{ kind: 'total', name: 'mesh.calls_without_certificate', unit: '{call}' },
    description: 'Calls whose caller showed no certificate, by whether they were refused or let through to the intentions.',
    value: ({ permissive, withoutCertificate: { listed, others } }) => [[listed.reduce((sum, { count }) => sum + count, others), { 'mesh.refused': !permissive }]],
  },
];

/** The services of this process that are guarded; attribute `mesh.service`. */
export function watchGuards(meter: Meter): Watch<GuardState> {
  return createWatch(meter, FIGURES);
}
