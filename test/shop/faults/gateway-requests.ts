import { channel } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

/** What the shop asks of Stripe; nothing else that it calls over HTTP has such paths. */
const STRIPE = /^\/v1\/(payment_intents|refunds)\b/;

/**
 * Hears of each request to the card company: `send gateway POST v1 refunds` before its bytes leave, `receive gateway …` when
 * its answer is there and nobody has read it. By Node's own channels (https://nodejs.org/api/diagnostics_channel.html#http),
 * so that the gateway needs no line for it.
 */
export function onGatewayRequests(hear: (point: string) => void): void {
  const on = (name: string, when: string): void => {
    channel(name).subscribe((message) => {
      // As Node documents both channels.
      const { request } = message as { request: ClientRequest };
      if (STRIPE.test(request.path)) hear(`${when} gateway ${request.method} ${withoutIds(request.path)}`);
    });
  };
  on('http.client.request.start', 'send');
  on('http.client.response.finish', 'receive');
}

/** `/v1/payment_intents/pi_123?limit=1` is `v1 payment_intents ID`: points are names of files. */
function withoutIds(path: string): string {
  const [, ...parts] = (path.split('?')[0] ?? '').split('/');
  return parts.map((part) => (/^(pi|re)_/.test(part) ? 'ID' : part)).join(' ');
}
