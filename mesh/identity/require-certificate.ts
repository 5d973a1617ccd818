import { type Clock, type MeshError, refusal } from '#kit';

import type { ServerCall } from '../call.ts';
import type { Audit } from './audit.ts';
import { createSightings, type SightingsRead } from './sightings.ts';

/** A caller that proves nothing, and what it calls. */
export interface UncertifiedCaller {
  /** Its IP address. */
  readonly address: string;
  /** Such as `shop.payment.v1.PaymentService/Charge`. */
  readonly method: string;
}

/** Says who calls without a certificate, and refuses them unless the service is permissive. */
export interface CertificateCheck {
  /** UNAUTHENTICATED; undefined where the call may go on. */
  check(call: ServerCall): MeshError | undefined;
  read(): SightingsRead<UncertifiedCaller>;
}

export interface CertificateCheckOptions {
  /** Let them through, as a caller without a name, and only count them: while callers still move to certificates. */
  readonly permissive: boolean;
  readonly audit: Pick<Audit, 'note'>;
  readonly clock: Clock;
}

export function createCertificateCheck(service: string, { permissive, audit, clock }: CertificateCheckOptions): CertificateCheck {
  const callers = createSightings<UncertifiedCaller>(clock);
  return {
    check({ peer: { proof, address }, method: { fullName } }) {
      if (proof !== 'none') return undefined;
      callers.note(`${address} ${fullName}`, { address, method: fullName });
      if (permissive) return undefined;
      audit.note(`certificate ${service} ${address} ${fullName}`, 'a call without a certificate was refused', { destination: service, method: fullName, address });
      return certificateRequired(service, fullName);
    },
    read: callers.read,
  };
}

function certificateRequired(service: string, method: string): MeshError {
  const sentence =
    `${service} answers only callers with a certificate of its mesh; get one with \`npx mesh cert\` and call with it over TLS, ` +
    `or on one machine call the plaintext port that \`npx mesh ps\` shows`;
  return refusal('CERTIFICATE_REQUIRED', sentence, { metadata: { destination: service, method } });
}
