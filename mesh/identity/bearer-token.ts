import type { ServerCall } from '../call.ts';
import type { HeaderValue } from '../headers.ts';

/** RFC 6750, 2.1. Its value is written nowhere: not into spans, logs, errors or events. */
export const AUTHORIZATION = 'authorization';

/** The name of the scheme in any case (RFC 9110, 11.1), and one token. */
const BEARER = /^bearer +(\S+)$/i;

/**
 * The access token that a call brings; undefined where it has no such header; empty, which is a token of nobody, where the header holds none.
 * Of several such headers Node takes the first and drops the others on the wire, as for all that RFC 9110 has once; within the
 * process several are a token of nobody.
 */
export function bearerToken(call: Pick<ServerCall, 'header' | 'allHeaders'>): string | undefined {
  // Most calls have none, and to read all headers costs microseconds.
  if (call.header(AUTHORIZATION) === undefined) return undefined;
  return tokenIn(call.allHeaders()[AUTHORIZATION]);
}

function tokenIn(value: HeaderValue | undefined): string {
  const [, token = ''] = typeof value === 'string' ? (BEARER.exec(value) ?? []) : [];
  return token;
}
