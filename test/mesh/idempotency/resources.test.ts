import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { MeshError, refusal } from '#kit';
import { claimResources, type Client, effectOf, type Handlers, type IdempotencyStore, type ResourceClaim } from '#mesh';
import type { InventoryService, ReserveRequest } from '#proto/shop/inventory/v1/inventory_pb.js';

import { failureOf } from '../support/outcome.ts';
import { type CountingShop, startCountingShop } from './counting-shop.ts';

const PRODUCT = 'beans';

interface Entry {
  readonly orderId: string;
  readonly claim: ResourceClaim;
}

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

  /** Each reservation is one effect, and has an id of its own. The order of lines counts as nothing. @param size calls that are written together */
  function instanceOf(store: IdempotencyStore, size = 1): Client<typeof InventoryService> {
    const write = inGroupsOf(size);
    const reserve: Handlers<typeof InventoryService>['reserve'] = async (request, call) => {
      const effect = effectOf(call);
      effect.readAs(sorted(request));
      if (!hasBeans) return answer((await effect.findResource()) ?? fail());
      const made = await write({ orderId: request.orderId, claim: effect.claimOf(randomUUID()) });
      if (made instanceof MeshError) throw made;
      return answer(made);
    };
    return shop.open({ store, handlers: { reserve } });
  }

  /** Waits until there are so many, and writes them in one transaction. */
  function inGroupsOf(size: number): (entry: Entry) => Promise<string | MeshError> {
    let [group, written] = [[] as Entry[], Promise.withResolvers<readonly (string | MeshError)[]>()];
    return async (entry) => {
      const [index, { promise, resolve }] = [group.push(entry) - 1, written];
      if (group.length === size) {
        resolve(writeGroup(group));
        [group, written] = [[], Promise.withResolvers()];
      }
      return (await promise)[index] ?? fail();
    };
  }

  const writeGroup = (group: readonly Entry[]) =>
    shop.database.transaction('test.reserve', async (tx) => {
      const ids = await claimResources(tx, group.map(({ claim }) => claim));
      for (const [index, { orderId, claim }] of group.entries()) if (ids[index] === claim.resourceId) await shop.set(tx, orderId, 1n);
      return ids;
    });

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

  it('makes it once when it is called eight times at once, and all of them are written together', async () => {
    const given = request();
    expect(await sendAtOnce([instanceOf(shop.store, 8)], given)).to.equal(1);
    expect(await shop.effects(given.orderId)).to.have.length(1);
  });

  it('refuses another request under the same key and none of those that are written with it', async () => {
    const [first, ...others] = [request(), request(), request()] as const;
    const together = instanceOf(shop.store, 4);
    const answers = await Promise.allSettled([together.reserve(first), together.reserve({ ...first, lines: first.lines.slice(1) }), ...others.map((one) => together.reserve(one))]);
    expect(answers.map((one) => one.status === 'fulfilled' || MeshError.from(one.reason).reason)).to.deep.equal([true, 'IDEMPOTENCY_KEY_REUSED', true, true]);
    for (const { orderId } of [first, ...others]) expect(await shop.effects(orderId)).to.have.length(1);
  });

  it('waits for another transaction until the first deadline of those that are written together', async () => {
    const given = request();
    const text = `INSERT INTO idempotency_key (method, caller, key, request_hash, resource_id) VALUES ('shop.inventory.v1.InventoryService/Reserve', '', $1, '', 'id')`;
    const [waited, left] = await shop.database.transaction('test.blocker', async (tx) => {
      await tx.query({ name: 'test.block_resource', text }, [given.orderId]);
      const together = instanceOf(shop.store, 2);
      return Promise.all([failureOf(together.reserve(given, { deadlineMs: 10_000 })), failureOf(together.reserve(request(), { deadlineMs: 250 }))]);
    });
    expect([waited.reason, left.reason]).to.deep.equal(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });

  it('makes it each time when keys are not claimed', async () => {
    const unclaimed: IdempotencyStore = { ...shop.store, claimResources: async (_tx, requests) => requests.map(() => undefined) };
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
