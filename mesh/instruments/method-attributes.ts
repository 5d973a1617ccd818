import type { Attributes } from '@opentelemetry/api';

import type { Code } from '#kit';

import type { Method } from '../method.ts';

/**
 * What tells the series of a method apart (gRFC A66, "Attributes"). Bounded: only methods of contracts that this process
 * knows have a chain to count in; a call of any other is answered UNIMPLEMENTED without.
 */
export function serverAttributes({ fullName }: Method): Attributes {
  return { 'grpc.method': fullName };
}

/** The target is the service's name in the registry, such as `inventory`, also for one in this process: never an address. */
export function clientAttributes(method: Method): Attributes {
  return { ...serverAttributes(method), 'grpc.target': method.destination };
}

/** The attributes of each status, built when it first occurs and not once a call. */
export function withStatus(base: Attributes): (status: Code | 'OK') => Attributes {
  const built: Partial<Record<Code | 'OK', Attributes>> = {};
  return (status) => (built[status] ??= { ...base, 'grpc.status': status });
}
