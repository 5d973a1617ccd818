import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { refusal } from '#kit';
import { type Client, effectOf, type Handlers, type IdempotencyStore } from '#mesh';
import type { InventoryService, ReserveRequest } from '#proto/shop/inventory/v1/inventory_pb.js';

import { failureOf } from '../support/outcome.ts';
import { type CountingShop, startCountingShop } from './counting-shop.ts';

const PRODUCT = 'beans';

describe('a method that answers a repeat with its resource', () => {
  let shop: CountingShop;
  let instances: Client<typeof InventoryService>[];
  let hasBeans = true;

  before(async function () {
    this.timeout(20_000);
    shop = await startCountingShop();
    instances = [instanceOf(shop.store), instanceOf(shop.store)];
  });
  beforeEach(() => {
    hasBeans = true;
  });
  after(() => shop.stop());

  /** Each reservation is one effect, and has an id of its own. The order of lines counts as nothing. */
  function instanceOf(store: IdempotencyStore): Client<typeof InventoryService> {
    const reserve: Handlers<typeof InventoryService>['reserve'] = async (request, call) => {
      const effect = effectOf(call);
      effect.readAs(sorted(request));
      if (!hasBeans) return answer((await effect.findResource()) ?? fail());
      const wanted = randomUUID();
      const made = await shop.database.transaction('test.reserve', async (tx) => {
        const id = await effect.claimFor(tx, wanted);
        if (id === wanted) await shop.set(tx, request.orderId, 1n);
        return id;
      });
      return answer(made);
    };
    return shop.open({ store, handlers: { reserve } });
  }

  const sorted = (request: ReserveRequest): ReserveRequest => ({ ...request, lines: request.lines.toSorted((a, b) => (a.productId < b.productId ? -1 : 1)) });
  const answer = (orderId: string) => ({ reservation: { orderId } });
  const request = () => ({ orderId: randomUUID(), lines: [{ productId: PRODUCT, quantity: 1 }, { productId: 'tea', quantity: 1 }] });

  function fail(): never {
    throw refusal('OUT_OF_STOCK', 'there are none');
  }

  /** The different resources that eight calls at once were answered with. */
  async function sendAtOnce(to: readonly Client<typeof InventoryService>[], given: ReturnType<typeof request>): Promise<number> {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => to[index % to.length]?.reserve(given)));
    return new Set(answers.map((each) => each?.reservation?.orderId)).size;
  }

  it('makes it once when it is called eight times at once, at two instances', async () => {
    const given = request();
    expect(await sendAtOnce(instances, given)).to.equal(1);
    expect(await shop.effects(given.orderId)).to.have.length(1);
  });

  it('makes it each time when keys are not claimed', async () => {
    const unclaimed: IdempotencyStore = { ...shop.store, claim: async () => ({ claimed: true, hold: 0n }) };
    const given = request();
    expect(await sendAtOnce([instanceOf(unclaimed), instanceOf(unclaimed)], given)).to.equal(8);
    expect(await shop.effects(given.orderId)).to.have.length(8);
  });

  it('finds it also when it could not be made any more, and refuses who never made it', async () => {
    const [one] = instances as [Client<typeof InventoryService>];
    const [given, late] = [request(), request()];
    const first = await one.reserve(given);
    hasBeans = false;
    expect(await one.reserve(given)).to.deep.equal(first);
    expect((await failureOf(one.reserve(late))).reason).to.equal('OUT_OF_STOCK');
    hasBeans = true;
    expect((await one.reserve(late)).reservation?.orderId).not.to.equal(first.reservation?.orderId);
  });

  it('does not take the key of an older version, which kept an answer, for one of a resource', async () => {
    const [one] = instances as [Client<typeof InventoryService>];
    const given = request();
    await one.reserve(given);
    await shop.database.query({ name: 'test.older', text: `UPDATE idempotency_key SET answer = 'bytes', resource_id = '' WHERE key = $1` }, [given.orderId]);
    for (hasBeans of [true, false]) expect((await failureOf(one.reserve(given))).reason).to.equal('IDEMPOTENCY_ANSWER_GONE');
    expect(await shop.effects(given.orderId)).to.have.length(1);
  });

  it('refuses another request under the same key, whether it looks or claims; what is not read makes no other request', async () => {
    const [one] = instances as [Client<typeof InventoryService>];
    const given = request();
    const first = await one.reserve(given);
    expect(await one.reserve({ ...given, lines: given.lines.toReversed() })).to.deep.equal(first);
    const other = { ...given, lines: given.lines.slice(1) };
    for (hasBeans of [true, false]) expect((await failureOf(one.reserve(other))).reason).to.equal('IDEMPOTENCY_KEY_REUSED');
    expect(await shop.effects(given.orderId)).to.have.length(1);
  });
});
