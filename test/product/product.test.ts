import { join } from 'node:path';

import { expect } from 'chai';

import { migrate } from '#database';
import { MeshError, silentLog } from '#kit';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';

import { findProducts } from '../../services/product/store.ts';
import { planOf } from '../database/plan-of.ts';
import { createTestDatabase, runSql } from '../database/postgres-fixture.ts';
import { serveAlone, type ServiceAlone } from '../new-service/serve-alone.ts';

const MIGRATIONS = { name: 'product', directory: join(import.meta.dirname, '..', '..', 'services', 'product', 'migrations') };

describe('products that are asked for at the same moment', function () {
  this.timeout(20_000);

  it('are found by their primary key, also when that was planned while the table was empty', async () => {
    const place = await createTestDatabase();
    await migrate({ url: place.url, schema: 'shop', components: [MIGRATIONS], log: silentLog });
    const finding = (): Promise<string> => planOf(place.url, (db) => findProducts(db, ['beans']));
    expect(await finding()).to.include('Index Scan using products_pkey').and.not.include('Seq Scan');
    await runSql(
      place.url,
      `INSERT INTO shop.products SELECT 'p' || n, 'P', '', 100, 'EUR', now(), now() FROM generate_series(1, 10000) AS n; ANALYZE shop.products`,
    );
    expect(await finding()).to.include('Index Scan using products_pkey').and.not.include('Seq Scan');
    await place.drop();
  });

  describe('through the contract', () => {
    const price = { currencyCode: 'EUR', units: 3n, nanos: 0 };
    let alone: ServiceAlone<typeof ProductService>;
    before(async () => {
      alone = await serveAlone('product', ProductService);
      for (const productId of ['a', 'b', 'c']) await alone.client.createProduct({ productId, name: productId.toUpperCase(), price });
    });
    after(() => alone?.stop());

    /** What a caller of BatchGetProducts learns. */
    async function ask(...productIds: string[]): Promise<string[] | string> {
      try {
        return (await alone.client.batchGetProducts({ productIds })).products.map(({ name }) => name);
      } catch (thrown) {
        const { reason, metadata } = MeshError.from(thrown);
        return `${reason} ${metadata['product_id']}`;
      }
    }

    it('come to each in the order of its request; one that there is not is nobody else’s trouble', async () => {
      const answers = await Promise.all([ask('c', 'a'), ask('b', 'nowhere', 'a'), ask('a', 'b', 'c'), ask('nothing')]);
      expect(answers).to.deep.equal([['C', 'A'], 'PRODUCT_NOT_FOUND nowhere', ['A', 'B', 'C'], 'PRODUCT_NOT_FOUND nothing']);
    });

    it('are as they are when they are asked for, also while others are being read', async () => {
      const before = ask('new');
      await alone.client.createProduct({ productId: 'new', name: 'New', price });
      expect(await ask('new')).to.deep.equal(['New']);
      await before;
    });
  });
});
