import { expect } from 'chai';

import { payment, type RawAnswer, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const INTENTS = '/v1/payment_intents';

describe('card-payment simulator: search', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
  });

  after(() => simulator.remove());

  function pay(orderId: string, changes: Record<string, string> = {}): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', INTENTS, { form: payment({ 'metadata[order_id]': orderId, ...changes }) });
  }

  function search(query: string, limit = 10): Promise<RawAnswer> {
    return send(simulator.url(), 'GET', `${INTENTS}/search?${new URLSearchParams({ query, limit: String(limit) })}`);
  }

  it('finds the payments of an order, newest first, and no others', async () => {
    const first = await pay('searched');
    const second = await pay('searched');
    await pay('another');
    const found = await search("metadata['order_id']:'searched'");

    expect(found.json).to.deep.equal({ object: 'search_result', data: [second.json, first.json], has_more: false, next_page: null, url: `${INTENTS}/search` });
    expect((await search('metadata["order_id"]:"searched"', 1)).json).to.deep.include({ data: [second.json], has_more: true });
    expect((await search("metadata['order_id']:'nobody'")).json['data']).to.deep.equal([]);
  });

  it('takes quotes that are escaped for what they stand for', async () => {
    const made = await pay("o'clock");
    expect((await search(String.raw`metadata['order_id']:'o\'clock'`)).json['data']).to.deep.equal([made.json]);
  });
});
