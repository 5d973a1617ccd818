import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import type { Clock, MeshError } from '#kit';
import { fetchTrace, isWhole, settledTrace, waitForTrace } from '#tracing';

import { TRACE_ID, traceOf } from './trace-json.ts';

/** A clock that sleeps no longer than it takes to say so. */
function fastClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  let nowMs = 0;
  return {
    slept,
    now: () => nowMs,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      nowMs += ms;
    },
  };
}

describe('reading a trace', () => {
  let server: Server;
  let url = '';

  async function serve(listener: RequestListener): Promise<void> {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  const json = (body: unknown): string => JSON.stringify(body);
  const failure = (work: Promise<unknown>): Promise<MeshError> =>
    work.then(
      () => expect.fail('it did not fail'),
      (thrown: MeshError) => thrown,
    );

  it('asks again until the trace is complete, less and less often', async () => {
    let asked = 0;
    await serve((_, response) => {
      asked += 1;
      if (asked === 1) return void response.writeHead(503).end('not yet');
      if (asked === 2)
        return void response.writeHead(404).end(json({ data: null, errors: [{ code: 404, msg: 'trace not found' }] }));
      const spans = asked < 8 ? [{ id: 'child', parent: 'root' }] : [{ id: 'root' }, { id: 'child', parent: 'root' }];
      response.end(json({ data: [traceOf(...spans)] }));
    });
    const clock = fastClock();
    const tree = await waitForTrace(url, TRACE_ID, isWhole, { deadlineMs: 10_000, clock });
    expect(tree.spanCount).to.equal(2);
    expect(clock.slept).to.deep.equal([20, 40, 80, 160, 200, 200, 200]);
  });

  it('gives up at its deadline and shows what it saw', async () => {
    await serve((_, response) => void response.end(json({ data: [traceOf({ id: 'lonely', parent: 'gone' })] })));
    const error = await failure(waitForTrace(url, TRACE_ID, isWhole, { deadlineMs: 1_000, clock: fastClock() }));
    expect(error).to.include({ reason: 'DEADLINE_EXCEEDED' });
    expect(error.message).to.contain('lonely').and.contain('1000 ms');
  });

  it('takes what there is when the time is up, if it is told to', async () => {
    const answers = [
      json({ data: null, errors: [{ code: 404, msg: 'trace not found' }] }),
      json({ data: [traceOf({ id: 'lonely', parent: 'gone' })] }),
    ];
    await serve((_, response) => {
      const isLast = answers.length === 1;
      response.writeHead(isLast ? 200 : 404).end(isLast ? answers[0] : answers.shift());
    });
    const tree = await settledTrace(url, TRACE_ID, isWhole, { deadlineMs: 1_000, clock: fastClock() });
    expect(tree?.roots[0]?.missingParent).to.equal('gone');
  });

  it('gives nothing for a trace that does not come, and says at once that nobody answers', async () => {
    await serve((_, response) => void response.writeHead(404).end(json({ data: null, errors: [] })));
    const clock = fastClock();
    expect(await settledTrace(url, TRACE_ID, isWhole, { deadlineMs: 1_000, clock })).to.equal(undefined);
    expect(clock.slept.length).to.be.greaterThan(3);
    const nobody = settledTrace('http://127.0.0.1:1', TRACE_ID, isWhole, { deadlineMs: 1_000, clock: fastClock() });
    expect((await failure(nobody)).reason).to.equal('UNREACHABLE');
  });

  it('says that nobody answers, or somebody else', async () => {
    await serve(
      (request, response) => void response.end(request.url?.startsWith('/json') ? '{"hello":"world"}' : '<html>'),
    );
    expect((await failure(fetchTrace(url, TRACE_ID))).reason).to.equal('UNREACHABLE');
    expect((await failure(fetchTrace(`${url}/json`, TRACE_ID))).reason).to.equal('UNREACHABLE');
    expect((await failure(fetchTrace('http://127.0.0.1:1', TRACE_ID))).reason).to.equal('UNREACHABLE');
  });

  it('stops asking when it is told to', async () => {
    const abort = new AbortController();
    await serve(() => abort.abort(new Error('enough')));
    const thrown = await failure(
      waitForTrace(url, TRACE_ID, isWhole, { deadlineMs: 1_000, clock: fastClock(), signal: abort.signal }),
    );
    expect(thrown.message).to.equal('enough');
  });
});
