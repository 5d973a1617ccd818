import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import { openOtlpSender } from '../../tracing/sdk/otlp-sender.ts';

/** What a receiver gets when these spans are exported by OTLP, parsed. */
export async function exportedBody(spans: readonly ReadableSpan[]): Promise<unknown> {
  let body = '';
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
    request.on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const sender = await openOtlpSender({ url: `http://127.0.0.1:${port}/v1/traces`, timeoutMs: 5_000 });
  try {
    await sender.send([...spans], 'once');
    return JSON.parse(body);
  } finally {
    await sender.close();
    await new Promise((closed) => server.close(closed));
  }
}
