import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { refusal } from '#kit';
import type { ClientInterceptor } from '#mesh';

import { type CountingShop, startCountingShop } from './counting-shop.ts';

describe('a call whose caller chose no key', () => {
  let shop: CountingShop;
  before(async function () {
    this.timeout(20_000);
    shop = await startCountingShop();
  });
  after(() => shop.stop());

  /** The answers of the first `lost` attempts are lost on their way. */
  function losing(lost: number): ClientInterceptor {
    let attempts = 0;
    return (next) => async (call) => {
      const answer = await next(call);
      attempts += 1;
      if (attempts <= lost) throw refusal('UNREACHABLE', 'the connection broke');
      return answer;
    };
  }

  it('gets one from its client, so that what the client sends again has one effect', async () => {
    const productId = randomUUID();
    const { stock } = await shop.open({ client: [losing(2)] }).setStock({ productId, available: 5n });
    expect(stock?.available).to.equal(5n);
    expect(await shop.effects(productId)).to.deep.equal([5n]);
  });

  it('is another one each time', async () => {
    const productId = randomUUID();
    const client = shop.open();
    for (let twice = 0; twice < 2; twice += 1) await client.setStock({ productId, available: 5n });
    expect(await shop.effects(productId)).to.deep.equal([5n, 5n]);
  });

  it('leaves the request of its caller as it was', async () => {
    const request = { productId: randomUUID(), available: 5n };
    await shop.open().setStock(request);
    expect(request).not.to.have.property('requestId');
  });
});
