import type { Meter } from '@opentelemetry/api';

import type { CertificateCounts, LeafCertificate } from '#discovery';

import { createWatch, type Figure, type Point, type Watch } from './watch.ts';

/** The certificates of a process. */
export interface CertificateFigures extends CertificateCounts {
  /** The latest of each service as which the process shows itself. */
  readonly leaves: readonly Pick<LeafCertificate, 'service' | 'notAfterMs'>[];
}

/** At one moment. */
interface Reading extends CertificateFigures {
  /** Wall clock, as the ends of the leaves are. */
  readonly nowMs: number;
}

const FIGURES: readonly Figure<Reading>[] = [
  {
    ...{ kind: 'gauge', name: 'mesh.certificate.expires_in', unit: 's' },
    description: 'How long the latest leaf of a service is still good; below 0 once it has expired.',
    value: ({ leaves, nowMs }) => leaves.map(({ service, notAfterMs }): Point => [(notAfterMs - nowMs) / 1_000, { 'mesh.service': service }]),
  },
  {
    ...{ kind: 'total', name: 'mesh.certificate.renewals', unit: '{certificate}' },
    description: 'Leaves that took the place of an earlier one.',
    value: ({ renewals }) => renewals,
  },
  {
    ...{ kind: 'total', name: 'mesh.certificate.failures', unit: '{attempt}' },
    description: 'Tries to get a leaf or the roots that failed: of a first one, and of renewals.',
    value: ({ failures }) => failures,
  },
  {
    ...{ kind: 'total', name: 'mesh.certificate.expired', unit: '{certificate}' },
    description: 'Leaves that expired before there was another.',
    value: ({ expired }) => expired,
  },
];

/** Of this process, whichever of its services; the gauge has the attribute `mesh.service`. */
export function watchCertificates(meter: Meter): Watch<Reading> {
  return createWatch(meter, FIGURES);
}
