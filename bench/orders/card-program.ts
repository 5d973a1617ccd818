import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { newPaymentIntent, toStripePaymentIntent } from '../../services/payment/simulator/payment-intent.ts';
import { answerParent } from '../rpc/parent.ts';

/**
 * The card company, the same one for everybody. It answers as the simulator does, to the same requests, but keeps its books in
 * memory: the simulator's durable ledger would take its share of the processors and of the disk, while Stripe's work is
 * done elsewhere. A key is charged once; more than one charge for an order is counted, and fails the benchmark.
 */
const answers = new Map<string, string>();
const charged = new Set<string>();
let chargedTwice = 0;

function charge(form: URLSearchParams): string {
  const orderId = form.get('metadata[order_id]') ?? '';
  if (charged.has(orderId)) chargedTwice += 1;
  charged.add(orderId);
  const request = {
    amount: BigInt(form.get('amount') ?? '0'),
    currency: form.get('currency') ?? '',
    paymentMethod: form.get('payment_method') ?? '',
    confirmed: true,
    outcome: { kind: 'approved' },
    metadata: { order_id: orderId },
  } as const;
  return JSON.stringify(toStripePaymentIntent(newPaymentIntent(request, randomUUID().replaceAll('-', ''), new Date())));
}

const server = createServer(async (request, response) => {
  const form = new URLSearchParams(await text(request));
  const isCharge = request.method === 'POST' && request.url === '/v1/payment_intents' && form.get('confirm') === 'true';
  if (!isCharge) return void response.writeHead(501, { 'content-type': 'application/json' }).end('{"error":{"message":"only charges are benchmarked"}}');
  const key = String(request.headers['idempotency-key']);
  const answer = answers.get(key) ?? charge(form);
  answers.set(key, answer);
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_bench' }).end(answer);
});
server.listen(0, '127.0.0.1', () => {
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  answerParent({ port }, { counts: async () => ({ charged: charged.size, chargedTwice }) });
});
