import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { spawnChild } from '../../cli/local/child.ts';
import { createLifecycle, silentLog } from '#kit';
import { MODULE_NAMES } from '#modules';

import { describeRepeats } from './behaviour/repeats.ts';
import { expectBooksAgree } from './books-agree.ts';
import { type Shop, startShop } from './shop-fixture.ts';

describe('the shop with two instances of each service', function () {
  this.timeout(60_000);
  let shop: Shop;
  const lifecycle = createLifecycle(silentLog);
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shopmesh-second-'));
    lifecycle.onStop('folder', () => rmSync(folder, { recursive: true, force: true }));
    shop = await startShop({ topology: 'monolith' });
    lifecycle.onStop('shop', shop.stop);
    const second = spawnChild({
      name: 'second',
      services: MODULE_NAMES,
      logFolder: folder,
      stopTimeoutMs: 5_000,
      environment: { ...process.env, ...shop.environment },
    });
    lifecycle.onStop('second instances', () => second.stop());
    await second.start(shop.environment);
  });
  after(() => lifecycle.stop());

  describeRepeats(() => shop);

  describe('in the end', () => {
    it('has books that agree', () => expectBooksAgree(shop, { directCalls: true }));
  });
});
