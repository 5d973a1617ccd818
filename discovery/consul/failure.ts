import { errorCode, MeshError, refusal } from '#kit';

import type { PackageResponse } from './package.ts';

/** Why Consul did not do what it was asked. */
export type FailureKind =
  /** Nobody answers, or Consul cannot answer at the moment (no leader, overloaded). Passes by itself. */
  | 'unreachable'
  /** Consul answers and says no: a token without the right, a request it does not take. */
  | 'refused';

/**
 * What the package threw as an error of ours. The package's error carries the
 * response, and through it the request with the token: none of that may get into
 * a log, so only texts are taken over.
 */
export function consulFailure(thrown: unknown, url: string): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const response = responseOf(thrown);
  if (response) return answeredFailure(response, url);
  const cause = plainCause(thrown);
  return unavailable('unreachable', `nobody answers for Consul at ${url} (CONSUL_HTTP_ADDR): ${cause.message}`, cause);
}

/** Where the token comes from, in the words of people who set it. */
export const TOKEN_SETTING = 'CONSUL_HTTP_TOKEN (or the file of CONSUL_HTTP_TOKEN_FILE)';

/** What to do about a token that is refused; `right` is what it lacks, unless Consul has said that there is no such token. */
export function tokenAdvice(said: string, right: string): string {
  if (said.includes('ACL not found')) return `the token in ${TOKEN_SETTING} was deleted or has expired: put in another one`;
  return `give the token in ${TOKEN_SETTING} ${right}`;
}

/** A failure with a sentence of its own. */
export function unavailable(kind: FailureKind, message: string, cause?: Error): MeshError {
  return refusal('CONTROL_PLANE_UNAVAILABLE', message, { metadata: { kind }, ...(cause && { cause }) });
}

export function failureKind(error: MeshError): FailureKind {
  return error.metadata['kind'] === 'refused' ? 'refused' : 'unreachable';
}

function answeredFailure({ statusCode, body }: PackageResponse, url: string): MeshError {
  const said = `${statusCode} ${excerpt(body)}`.trim();
  if (statusCode === 401 || statusCode === 403) {
    return unavailable('refused', `Consul at ${url} refuses: ${said}; ${tokenAdvice(said, 'the right to do this')}`);
  }
  // Overload answers 429; a rate limit passes by itself just as a missing leader does.
  const passes = statusCode >= 500 || statusCode === 429;
  return unavailable(passes ? 'unreachable' : 'refused', `Consul at ${url} answers ${said}`);
}

function excerpt(body: unknown): string {
  const text = Buffer.isBuffer(body) ? body.toString() : typeof body === 'string' ? body : '';
  return text.trim().slice(0, 200);
}

function responseOf(thrown: unknown): PackageResponse | undefined {
  // Only its ResponseError means that Consul said no; others carry the response as well.
  if (typeof thrown !== 'object' || thrown === null || !('isResponse' in thrown) || !('response' in thrown)) return undefined;
  // The package has no declaration of its errors.
  return thrown.response as PackageResponse;
}

function plainCause(thrown: unknown): Error & { code?: string } {
  const text = thrown instanceof Error && thrown.message !== '' ? thrown.message : undefined;
  const code = errorCode(thrown);
  // A connection refused on every address of a name is an AggregateError without a message.
  const plain: Error & { code?: string } = new Error(text ?? code ?? 'no answer');
  if (code !== undefined) plain.code = code;
  return plain;
}
