import { once } from 'node:events';
import { type ClientRequest, get as getInPlaintext, type IncomingMessage } from 'node:http';
import { get as getOverTls } from 'node:https';

/** What a server says in its Date header (RFC 9110, section 6.6.1), in milliseconds since the epoch; NaN where it says nothing. */
export async function dateHeader(url: string, { caPem, signal }: { readonly caPem: string | undefined; readonly signal: AbortSignal }): Promise<number> {
  const options = { agent: false, signal };
  const request: ClientRequest = url.startsWith('https:') ? getOverTls(url, { ...options, ca: caPem }) : getInPlaintext(url, options);
  // What the event of a request carries, by Node's documentation.
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return Date.parse(response.headers.date ?? '');
}
