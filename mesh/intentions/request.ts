import type { Headers, HeaderValue } from '../headers.ts';

/** What an intention may ask of a call. */
export interface IntentionRequest {
  /** As on the wire, such as `/shop.payment.v1.PaymentService/Charge`. */
  readonly target: string;
  /** The target up to query or fragment: what Envoy holds against a path. */
  readonly path: string;
  /** Upper case; a gRPC call is a POST. */
  readonly method: string;
  /** By lower-case name; undefined where the call has no such header. */
  header(name: string): string | undefined;
}

/** A gRPC call. Headers are turned into text only where a rule asks for them: most never do. */
export function intentionRequest(target: string, headers: Readonly<Headers>): IntentionRequest {
  const end = target.search(/[?#]/);
  return { target, path: end < 0 ? target : target.slice(0, end), method: 'POST', header: (name) => headerText(headers[name]) };
}

/** Several values of one name are one text, with commas between, as Envoy and RFC 9110 5.3 have it; bytes as they are on the wire. */
export function headerText(value: HeaderValue | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64').replace(/=+$/, '');
  return value.map(headerText).join(',');
}
