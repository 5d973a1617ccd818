import type { Code } from '#kit';

import { type Done, type ServerCall, type ServerInterceptor, whenDone } from '../call.ts';

/** Is told of each call that is over; of the error too when it failed. */
export type Witness = Done<ServerCall>;

/** Codes that are the server's fault; the others are an answer (OpenTelemetry RPC conventions). */
const SERVER_FAULTS: ReadonlySet<Code> = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

export const isServerFault = (code: Code): boolean => SERVER_FAULTS.has(code);

/** Tells how each call ended, a stream when it is over. One link for all who want to know: each link costs a promise a call. */
export function serverOutcome(...witnesses: readonly Witness[]): ServerInterceptor {
  const tell: Witness = (error, call) => {
    for (const witness of witnesses) witness(error, call);
  };
  return (next) => (call) => whenDone(next, call, tell);
}
