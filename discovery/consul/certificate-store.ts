import type { Stoppable } from '#kit';

import type { Certificates } from '../certificate.ts';
import type { Caller } from './caller.ts';
import { certificateCalls } from './certificate-calls.ts';
import { type ChosenSourceOptions, createCertificateSource } from './certificate-source.ts';
import { createCertificates } from './certificates.ts';

/** The certificates of a control plane on Consul. Asks nothing before an identity is asked for. */
export function createCertificateStore(caller: Caller, options: Omit<ChosenSourceOptions, 'consul'>): Certificates & Stoppable {
  const { clock, log } = options;
  const source = createCertificateSource({ ...options, consul: certificateCalls(caller, clock, options.certificates.leafTtlMs) });
  const certificates = createCertificates({ source, clock, log });
  return {
    ...certificates,
    stop: async () => {
      await certificates.stop();
      source.close();
    },
  };
}
