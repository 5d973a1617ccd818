import { status as grpcStatus, type StatusObject } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';

import { MeshError, type Reason } from '#kit';

import type { ClientCall } from '../call.ts';
import { fromStatus, hasDetails } from '../status.ts';
import { noInstanceInWords } from './balancing/refusals.ts';
import { isUnprovedServer, unprovedServerInWords } from './server-identity.ts';

/** A deadline that this side has not noticed yet may be this near by the wall clock. */
const EARLY_MS = 2;

/** How grpc-js words it when a call ends because its connection did. */
const CONNECTION_BROKE = /^Received RST_STREAM with code \d+ triggered by internal client error: /;

/**
 * A call's status as an error. One without details was made by grpc-js on this side or by a foreign server: says what the
 * caller can do. Where a connection could not be made is told in the call's span and in the cause: whoever called may
 * hand the sentence on to somebody outside, who is not to learn our addresses.
 */
export function errorOf(ended: StatusObject, call: ClientCall): MeshError {
  const { method, attempt } = call;
  const status = { ...ended, code: codeOf(ended, call) };
  const error = fromStatus(status, { service: method.destination, instance: attempt.instance });
  const why = whyUnreachable(error, status, method.destination);
  if (why !== undefined) trace.getSpan(call.context)?.addEvent('unreachable', { 'mesh.unreachable.cause': why });
  else if (hasDetails(status)) return error;
  const reason = why !== undefined && isUnprovedServer(why) ? ('SERVER_IDENTITY' satisfies Reason) : error.reason;
  const sentence = sentenceOf(reason, method.fullName, method.destination);
  if (!sentence) return error;
  const { code, metadata, violations, retry, answeredBy, foreign } = error;
  const cause = why === undefined ? undefined : new Error(why);
  return new MeshError(code, reason, sentence, { metadata, violations, retry, answeredBy, foreign, cause });
}

/** What grpc-js or our balancer says of a connection, or a foreign server of itself; undefined when one of our servers answered. */
function whyUnreachable({ reason, message }: MeshError, status: StatusObject, service: string): string | undefined {
  if (reason !== ('UNREACHABLE' satisfies Reason)) return undefined;
  const [, why] = message.split(`${service} could not be reached: `);
  return why ?? (hasDetails(status) ? undefined : message);
}

/** The code as it is meant: grpc-js has INTERNAL for a connection that broke in any way but a reset by the network. */
function codeOf(ended: StatusObject, call: ClientCall): grpcStatus {
  if (isLate(ended, call)) return grpcStatus.DEADLINE_EXCEEDED;
  return ended.code === grpcStatus.INTERNAL && CONNECTION_BROKE.test(ended.details) ? grpcStatus.UNAVAILABLE : ended.code;
}

/** Whether a server that keeps the deadline too was first, and reset the call at it, which grpc-js reads as CANCELLED. */
function isLate({ code, metadata }: StatusObject, { deadline, signals }: ClientCall): boolean {
  if (code !== grpcStatus.CANCELLED || Date.now() + EARLY_MS < deadline) return false;
  return Object.keys(metadata.getMap()).length === 0 && !signals.some(({ aborted }) => aborted);
}

function sentenceOf(reason: string, method: string, service: string): string | undefined {
  // A name that is not among ours falls to the default.
  switch (reason as Reason) {
    case 'DEADLINE_EXCEEDED':
      return `${method} did not answer within its deadline; try again, or allow it more time`;
    case 'NO_INSTANCE':
      return noInstanceInWords(service);
    case 'SERVER_IDENTITY':
      return unprovedServerInWords(service);
    case 'UNREACHABLE':
      return `${service} could not be reached; try again in a moment`;
    default:
      return undefined;
  }
}
