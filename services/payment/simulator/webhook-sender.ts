import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';

import type { Clock } from '#kit';

import type { WebhookTarget } from './webhook-target.ts';

/** Tells one endpoint. */
export interface WebhookSender {
  /** Resolves with the status of the answer; rejects when none came within 5 s, or the signal aborts. */
  send(payload: string, signal: AbortSignal): Promise<number>;
  /** Closes the connections that are kept. */
  close(): void;
}

const TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 8;

export function createWebhookSender({ url, secret }: WebhookTarget, clock: Clock): WebhookSender {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  return {
    async send(payload, stopped) {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(TIMEOUT_MS)]);
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(payload),
        'stripe-signature': signatureOf(payload, secret, Math.floor(clock.now() / 1000)),
      };
      const post = request(url, { method: 'POST', agent, headers, signal });
      // once() listens until the answer begins; what breaks later is no news.
      post.on('error', () => {});
      post.end(payload);
      const [response] = await once(post, 'response');
      response.resume();
      return response.statusCode ?? 0;
    },
    close: () => agent.destroy(),
  };
}

/**
 * The `Stripe-Signature` header: the time of this attempt and an HMAC of it with the body
 * (https://docs.stripe.com/webhooks#verify-manually).
 */
export function signatureOf(payload: string, secret: string, timeS: number): string {
  return `t=${timeS},v1=${createHmac('sha256', secret).update(`${timeS}.${payload}`).digest('hex')}`;
}
