import type { Headers, HeaderValue } from '#mesh';
import type { Header } from '#proto/connectrpc/conformance/v1/service_pb.js';

/** Headers or trailers as the suite writes them down: bytes in base64 without padding. */
export type HeaderList = readonly Pick<Header, 'name' | 'value'>[];

export function toHeaderList(headers: Headers): { name: string; value: string[] }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value: valuesOf(value).map(asText) }));
}

export function fromHeaderList(list: HeaderList): Headers {
  const headers: Headers = {};
  for (const { name, value } of list) {
    const key = name.toLowerCase();
    headers[key] = valuesOf(headers[key] ?? []).concat(key.endsWith('-bin') ? value.map((each) => Buffer.from(each, 'base64')) : value);
  }
  return headers;
}

function valuesOf(value: HeaderValue): (string | Uint8Array)[] {
  return typeof value === 'string' || value instanceof Uint8Array ? [value] : [...value];
}

function asText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('base64').replace(/=+$/, '');
}
