import { randomUUID } from 'node:crypto';

import { toBinary } from '@bufbuild/protobuf';
import { SpanKind } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal } from '#kit';
import { type Client, type IdempotencyStore, once } from '#mesh';
import { type InventoryService, type SetStockResponse, SetStockResponseSchema } from '#proto/shop/inventory/v1/inventory_pb.js';

import { failureOf } from '../support/outcome.ts';
import { type CountingShop, startCountingShop } from './counting-shop.ts';

describe('a method that answers a repeat with its first answer', () => {
  let shop: CountingShop;
  let instances: Client<typeof InventoryService>[];

  before(async function () {
    this.timeout(20_000);
    shop = await startCountingShop();
    instances = [shop.open(), shop.open()];
  });
  after(() => shop.stop());

  const request = (available = 5n) => ({ productId: randomUUID(), available, requestId: randomUUID() });
  const bytesOf = (answer: SetStockResponse): string => Buffer.from(toBinary(SetStockResponseSchema, answer)).toString('hex');

  /** Sends a request this often at once, to the instances in turn, and returns the different answers. */
  async function sendAtOnce(to: readonly Client<typeof InventoryService>[], given: ReturnType<typeof request>, times = 8): Promise<string[]> {
    const calls = Array.from({ length: times }, (_, index) => to[index % to.length]?.setStock(given));
    const answers = await Promise.all(calls);
    return [...new Set(answers.map((answer) => bytesOf(answer as SetStockResponse)))];
  }

  it('has its effect once and answers the same bytes, also at another instance and when something else was done in between', async () => {
    const [one, other] = instances as [Client<typeof InventoryService>, Client<typeof InventoryService>];
    const given = request();
    const first = await one.setStock(given);
    await one.setStock({ ...given, requestId: randomUUID(), available: 7n });
    for (const instance of [one, other]) expect(bytesOf(await instance.setStock(given))).to.equal(bytesOf(first));
    expect(await shop.effects(given.productId)).to.deep.equal([5n, 7n]);
  });

  it('has its effect once when it is called eight times at once, at two instances', async () => {
    const given = request();
    expect(await sendAtOnce(instances, given)).to.have.length(1);
    expect(await shop.effects(given.productId)).to.deep.equal([5n]);
  });

  it('says on the span of a repeat that it was one', async () => {
    const given = request();
    shop.telemetry.reset();
    for (const instance of instances) await instance.setStock(given);
    const served = shop.telemetry.spans().filter(({ kind }) => kind === SpanKind.SERVER);
    expect(served.map(({ attributes }) => attributes['mesh.idempotency.repeat'])).to.deep.equal([undefined, true]);
  });

  it('refuses another request under the same key, and says which field that is', async () => {
    const given = request();
    await instances[0]?.setStock(given);
    const error = await failureOf(instances[1]?.setStock({ ...given, available: 6n }) ?? Promise.resolve());
    expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'IDEMPOTENCY_KEY_REUSED' });
    expect(error.message).to.contain(`request_id ${given.requestId}`);
    expect(await shop.effects(given.productId)).to.deep.equal([5n]);
  });

  it('judges a request that was refused anew: errors are never stored', async () => {
    let refusals = 0;
    const moody = shop.open({
      handlers: {
        setStock: ({ productId, available }, call) =>
          shop.database.transaction('test.moody', (tx) =>
            once(call, tx, async () => {
              const answer = await shop.set(tx, productId, available);
              if (refusals++ === 0) throw refusal('OUT_OF_STOCK', 'not just now');
              return answer;
            }),
          ),
      },
    });
    const given = request();
    expect((await failureOf(moody.setStock(given))).reason).to.equal('OUT_OF_STOCK');
    expect((await moody.setStock(given)).stock?.available).to.equal(5n);
    expect(await shop.effects(given.productId)).to.deep.equal([5n]);
  });

  it('leaves a handler that looks first before it asks others, who would refuse the repeat by now', async () => {
    let asked = 0;
    const asking = shop.open({
      handlers: {
        async setStock({ productId, available }, call) {
          await call.effect?.leaveIfTaken();
          if (asked++ > 0) throw refusal('PRODUCT_NOT_FOUND', 'it is gone by now');
          return shop.database.transaction('test.asking', (tx) => once(call, tx, () => shop.set(tx, productId, available)));
        },
      },
    });
    const given = request();
    expect(bytesOf(await asking.setStock(given))).to.equal(bytesOf(await asking.setStock(given)));
    expect((await failureOf(asking.setStock({ ...given, available: 6n }))).reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    expect((await failureOf(asking.setStock({ ...given, requestId: randomUUID() }))).reason).to.equal('PRODUCT_NOT_FOUND');
  });

  it('does not go on with a key that an older version, which answered with a resource, has had the effect of: it says so at once', async () => {
    const given = request();
    await instances[0]?.setStock(given);
    const older = `UPDATE idempotency_key SET answer = NULL, held_until = NULL, resource_id = 'some-id' WHERE key = $1`;
    await shop.database.query({ name: 'test.older', text: older }, [given.requestId]);
    for (const instance of instances) expect((await failureOf(instance.setStock(given))).reason).to.equal('IDEMPOTENCY_ANSWER_GONE');
    expect(await shop.effects(given.productId)).to.deep.equal([5n]);
  });

  it('has its effect again and again when keys are not claimed: the claim is what these tests stand on', async () => {
    const unclaimed: IdempotencyStore = { ...shop.store, claim: async () => ({ claimed: true, hold: 0n }), conclude: async () => true };
    const careless = [shop.open({ store: unclaimed }), shop.open({ store: unclaimed })];
    const given = request();
    expect(await sendAtOnce(careless, given)).to.have.length(8);
    expect(await shop.effects(given.productId)).to.have.length(8);
  });

  it('is refused where its service was hosted without a store, rather than done twice', async () => {
    const given = request();
    const error = await failureOf(shop.open({ store: undefined }).setStock(given));
    expect(error).to.deep.include({ code: 'INTERNAL' });
    expect(await shop.effects(given.productId)).to.deep.equal([]);
  });
});
