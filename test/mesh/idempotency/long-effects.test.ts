import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { type Client, effectOf, type Handlers } from '#mesh';
import type { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';

import { until } from '../../database/until.ts';
import { failureOf } from '../support/outcome.ts';
import { type CountingShop, startCountingShop } from './counting-shop.ts';

const HELD = { name: 'test.held', text: 'SELECT count(*)::int AS count FROM idempotency_key WHERE key = $1 AND answer IS NULL' };
const LOCKS = { name: 'test.locks', text: `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()` };
const LET_GO = { name: 'test.let_go', text: 'UPDATE idempotency_key SET held_until = now() WHERE key = $1' };

/** A handler whose effect takes two transactions; between them it waits for `between`. */
function instanceOf(shop: CountingShop, between: () => Promise<void>): Client<typeof InventoryService> {
  const setStock: Handlers<typeof InventoryService>['setStock'] = async ({ productId, available }, call) => {
    const effect = effectOf(call);
    await shop.database.transaction('test.begin', (tx) => effect.begin(tx));
    await between();
    return shop.database.transaction('test.end', async (tx) => {
      const answer = await shop.set(tx, productId, available);
      await effect.conclude(tx, answer);
      return answer;
    });
  };
  return shop.open({ handlers: { setStock } });
}

describe('an effect of several transactions', () => {
  let shop: CountingShop;
  before(async function () {
    this.timeout(20_000);
    shop = await startCountingShop();
  });
  after(() => shop.stop());

  const request = () => ({ productId: randomUUID(), available: 5n, requestId: randomUUID() });
  const count = async (statement: typeof HELD, ...values: string[]): Promise<number> =>
    (await shop.database.query<{ count: number }>(statement, values))[0]?.count ?? -1;
  const isHeld = async (key: string): Promise<boolean> => (await count(HELD, key)) === 1;

  it('lets a repeat wait for its answer', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let begun = 0;
    const slow = instanceOf(shop, async () => {
      begun += 1;
      await gate;
    });
    const given = request();
    const first = slow.setStock(given);
    await until('the key is held', () => isHeld(given.requestId));
    const repeats = [slow.setStock(given), instanceOf(shop, async () => {}).setStock(given)];
    expect((await failureOf(slow.setStock(given, { deadlineMs: 100 }))).reason).to.equal('DEADLINE_EXCEEDED');
    open();
    const answer = await first;
    for (const repeat of await Promise.all(repeats)) expect(repeat).to.deep.equal(answer);
    expect([begun, await shop.effects(given.productId)]).to.deep.equal([1, [5n]]);
  });

  it('is gone on with by a repeat when its process died, and is not concluded twice when it was only slow', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const dead = instanceOf(shop, () => gate);
    const given = request();
    const late = dead.setStock(given);
    late.catch(() => undefined);
    await until('the key is held', () => isHeld(given.requestId));
    const repeat = instanceOf(shop, async () => {}).setStock(given);
    await shop.database.query(LET_GO, [given.requestId]);
    const answer = await repeat;
    open();
    expect((await failureOf(late)).reason).to.equal('DEADLINE_EXCEEDED');
    expect(await dead.setStock(given)).to.deep.equal(answer);
    expect(await shop.effects(given.productId)).to.deep.equal([5n]);
  });

  it('waits no longer for the claim of another transaction than its deadline, and then holds no connection', async () => {
    const given = request();
    await shop.database.transaction('test.blocker', async (tx) => {
      const text = `INSERT INTO idempotency_key (method, caller, key, request_hash, resource_id) VALUES ('shop.inventory.v1.InventoryService/SetStock', '', $1, '', '')`;
      await tx.query({ name: 'test.block', text }, [given.requestId]);
      const call = instanceOf(shop, async () => {}).setStock(given, { deadlineMs: 250 });
      call.catch(() => undefined);
      await until('it waits', async () => (await count(LOCKS)) === 1);
      expect((await failureOf(call)).reason).to.equal('DEADLINE_EXCEEDED');
      await until('it waits no more', async () => (await count(LOCKS)) === 0);
    });
  });
});
