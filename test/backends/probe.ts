import { request } from 'node:http';

export type Answer = { readonly status: number; readonly body: string };

const timeoutMs = 2_000;

/**
 * One GET on a connection of its own, which is closed afterwards, so that a
 * test that counts sockets sees none left. Undefined when nothing answers.
 */
export function probe(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer | undefined> {
  return new Promise((settle) => {
    const call = request(url, { agent: false, timeout: timeoutMs, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => settle({ status: response.statusCode ?? 0, body }));
      response.on('error', () => settle(undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => settle(undefined));
    call.end();
  });
}
