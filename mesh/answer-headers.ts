import type { Metadata } from '@grpc/grpc-js';

import { refusal } from '#kit';

import { addHeader, type HeaderValue, UnpaddedMetadata } from './headers.ts';

/** gRPC over HTTP/2, "Custom-Metadata". */
const NAME = /^[0-9a-z_.-]+$/;
/** Printable ASCII, no space at either end (RFC 9113, 8.2.1). */
const TEXT = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/** What HTTP/2 has no place for (RFC 9113, 8.2.2), and what tells how the answer itself is to be read. */
const TRANSPORTS_OWN: ReadonlySet<string> = new Set([
  ...['connection', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'],
  ...['content-encoding', 'content-length', 'content-type', 'host', 'trailer'],
]);

/** Fields of HTTP that have one value; Node throws for a second one. */
const SINGLE: ReadonlySet<string> = new Set([
  ...['access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age', 'authorization'],
  ...['content-language', 'content-location', 'content-md5', 'content-range', 'date', 'dnt', 'etag', 'expires', 'from'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'location'],
  ...['max-forwards', 'proxy-authorization', 'range', 'referer', 'retry-after', 'tk', 'upgrade-insecure-requests'],
  ...['user-agent', 'x-content-type-options'],
]);

/**
 * Adds a header or trailer to those of an answer; undefined stands for none so far. INTERNAL for one that cannot go out,
 * where its handler sets it: what is found when trailers are written ends the process, for nobody can catch it there.
 */
export function addAnswerHeader(metadata: Metadata = new UnpaddedMetadata(), name: string, value: HeaderValue): Metadata {
  const lowered = name.toLowerCase();
  const fault = faultOfName(lowered) ?? faultOfValue(lowered, value, metadata.get(lowered).length > 0);
  if (fault) throw refusal('INTERNAL', `the handler set the header ${JSON.stringify(lowered.slice(0, 100))}, ${fault}`);
  addHeader(metadata, lowered, value);
  return metadata;
}

function faultOfName(name: string): string | undefined {
  if (!NAME.test(name)) return 'which is no name of a header; use letters, digits and - _ . in it';
  if (name.startsWith('grpc-')) return "which is gRPC's own; set one of another name";
  return TRANSPORTS_OWN.has(name) ? "which is HTTP's own; set one of another name" : undefined;
}

function faultOfValue(name: string, value: HeaderValue, isSet: boolean): string | undefined {
  const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (SINGLE.has(name) && (values.length > 1 || isSet)) return 'which has one value in HTTP, more than once; set it once';
  if (name.endsWith('-bin')) {
    return values.every((each) => each instanceof Uint8Array) ? undefined : 'whose name says bytes, to something else; give it a Uint8Array';
  }
  return values.every((each) => typeof each === 'string' && TEXT.test(each))
    ? undefined
    : 'to something that is no printable ASCII text without spaces around it; put other bytes into one whose name ends in -bin';
}
