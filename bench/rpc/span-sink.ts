import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { answerParent } from './parent.ts';
import { countSpans } from './count-spans.ts';

/**
 * Takes spans, counts them and forgets them: sending them is part of what is measured, keeping them is not. Each sender has a
 * base address of its own, `/<sender>`, so that it can be seen that its spans arrive.
 */
const counts: Record<string, number> = {};
const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const sender = req.url?.split('/')[1] ?? '';
    counts[sender] = (counts[sender] ?? 0) + countSpans(Buffer.concat(chunks), req.headers['content-type'] ?? '');
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
server.listen(0, '127.0.0.1', () => {
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  answerParent({ port }, { counts: async () => counts });
});
