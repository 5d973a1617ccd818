import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import type { Product } from '#proto/shop/product/v1/product_pb.js';

import { refusalOf } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

/** What the product service promises. */
export function describeProducts(shopOf: () => Shop): void {
  const euros = (units: bigint, nanos = 0) => ({ currencyCode: 'EUR', units, nanos });
  const content = (productId: string) => ({ productId, name: 'Grinder', category: 'machines', price: euros(99n, 500_000_000) });

  async function create(productId = `p-${randomUUID()}`, category = 'machines'): Promise<Product> {
    const { product } = await shopOf().products.createProduct({ ...content(productId), category });
    if (!product) throw new Error('CreateProduct answered without a product');
    return product;
  }

  async function read(productId: string): Promise<Product | undefined> {
    return (await shopOf().products.getProduct({ productId })).product;
  }

  describe('a product', () => {
    it('created twice with the same content is one', async () => {
      const product = await create();
      expect(await create(product.productId)).to.deep.equal(product);
      expect(await read(product.productId)).to.deep.equal(product);
      expect(product).to.deep.include({ name: 'Grinder', category: 'machines', updateTime: product.createTime });
      expect(product.price).to.deep.include(euros(99n, 500_000_000));
    });

    const others = { name: 'Mill', category: 'tools', price: euros(99n), currency: { currencyCode: 'USD', units: 99n, nanos: 500_000_000 } };
    for (const [what, value] of Object.entries(others)) {
      it(`created again with another ${what} is refused, and stays as it is`, async () => {
        const product = await create();
        const field = what === 'currency' ? 'price' : what;
        const error = await refusalOf(shopOf().products.createProduct({ ...content(product.productId), [field]: value }));
        expect(error).to.deep.include({ code: 'ALREADY_EXISTS', reason: 'PRODUCT_EXISTS', metadata: { product_id: product.productId } });
        expect(await read(product.productId)).to.deep.equal(product);
      });
    }

    it('created by many at once is one, and only they agree on it', async () => {
      const productId = `p-${randomUUID()}`;
      const names = ['A', 'B'].flatMap((name) => Array.from({ length: 5 }, () => name));
      const answers = await Promise.allSettled(names.map((name) => shopOf().products.createProduct({ ...content(productId), name })));
      const winner = (await read(productId))?.name;
      expect(answers.map(({ status }) => status)).to.deep.equal(names.map((name) => (name === winner ? 'fulfilled' : 'rejected')));
    });

    it('needs no category', async () => {
      expect((await create(`p-${randomUUID()}`, '')).category).to.equal('');
    });

    for (const price of [
      { currencyCode: 'JPY', units: 500n, nanos: 0 },
      { currencyCode: 'KWD', units: 1n, nanos: 234_000_000 },
      { currencyCode: 'EUR', units: 0n, nanos: 10_000_000 },
      { currencyCode: 'EUR', units: 99_999_999n, nanos: 990_000_000 },
    ]) {
      it(`keeps the price ${price.currencyCode} ${price.units} and ${price.nanos} nanos to the last digit`, async () => {
        const productId = `p-${randomUUID()}`;
        await shopOf().products.createProduct({ ...content(productId), price });
        expect((await read(productId))?.price).to.deep.include(price);
      });
    }

    it('nobody created is refused, and named', async () => {
      const productId = `p-${randomUUID()}`;
      const { products } = shopOf();
      const calls = [products.getProduct({ productId }), products.updateProduct({ productId, name: 'Mill' })];
      for (const error of await Promise.all(calls.map(refusalOf))) {
        expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'PRODUCT_NOT_FOUND', metadata: { product_id: productId } });
        expect(error.message).to.contain(productId);
      }
    });
  });

  describe('a change of a product', () => {
    it('leaves the rest as it is, also when it is sent again', async () => {
      const before = await create();
      const { productId } = before;
      for (let twice = 0; twice < 2; twice += 1) await shopOf().products.updateProduct({ productId, name: 'Mill' });
      expect(await read(productId)).to.deep.include({ name: 'Mill', category: before.category, price: before.price, createTime: before.createTime });
      for (let twice = 0; twice < 2; twice += 1) await shopOf().products.updateProduct({ productId, price: euros(89n) });
      const after = await read(productId);
      expect(after?.name).to.equal('Mill');
      expect(after?.price).to.deep.include(euros(89n));
    });

    it('can be of name and price at once, and into another currency', async () => {
      const { productId } = await create();
      const price = { currencyCode: 'JPY', units: 9_900n, nanos: 0 };
      const { product } = await shopOf().products.updateProduct({ productId, name: 'Mill', price });
      expect(product?.name).to.equal('Mill');
      expect(product?.price).to.deep.include(price);
      expect(await read(productId)).to.deep.equal(product);
    });

    it('loses nothing to another one at the same time', async () => {
      const { productId } = await create();
      const { products } = shopOf();
      await Promise.all([products.updateProduct({ productId, name: 'Mill' }), products.updateProduct({ productId, price: euros(1n) })]);
      const product = await read(productId);
      expect(product?.name).to.equal('Mill');
      expect(product?.price).to.deep.include(euros(1n));
    });
  });

  describe('several products', () => {
    it('are answered in the order of the request', async () => {
      const ids = [await create(), await create(), await create()].map(({ productId }) => productId);
      for (const productIds of [ids, ids.toReversed()]) {
        const { products } = await shopOf().products.batchGetProducts({ productIds });
        expect(products.map(({ productId }) => productId)).to.deep.equal(productIds);
      }
    });

    it('are refused when some are unknown, naming each of those', async () => {
      const { productId } = await create();
      const [first, second] = [`p-${randomUUID()}`, `p-${randomUUID()}`];
      const error = await refusalOf(shopOf().products.batchGetProducts({ productIds: [first, productId, second] }));
      expect(error).to.deep.include({ code: 'NOT_FOUND', reason: 'PRODUCT_NOT_FOUND', metadata: { product_id: first } });
      expect(error.message).to.contain(first).and.contain(second).and.not.contain(productId);
    });
  });

  describe('a list of products', () => {
    async function listed(category: string, pageSize: number): Promise<string[][]> {
      const pages: string[][] = [];
      let pageToken = '';
      do {
        const page = await shopOf().products.listProducts({ category, pageSize, pageToken });
        pages.push(page.products.map(({ productId }) => productId));
        pageToken = page.nextPageToken;
      } while (pageToken);
      return pages;
    }

    it('of a category is paged by id, and ends with the last full page', async () => {
      const category = `c-${randomUUID()}`;
      for (const productId of ['d', 'b', 'a', 'c']) await create(`${category}-${productId}`, category);
      await create();
      const pages = [['a', 'b'], ['c', 'd']].map((page) => page.map((productId) => `${category}-${productId}`));
      expect(await listed(category, 2)).to.deep.equal(pages);
      expect(await listed(`no-${category}`, 2)).to.deep.equal([[]]);
    });

    it('has those of every category and of none, once each', async () => {
      const mine = [await create(), await create(`p-${randomUUID()}`, ''), await create(`p-${randomUUID()}`, 'tools')];
      const seen = (await listed('', 2)).flat();
      expect(seen).to.include.members(mine.map(({ productId }) => productId));
      expect(seen).to.deep.equal([...new Set(seen)].sort());
    });

    it('refuses a page token it never gave out', async () => {
      const error = await refusalOf(shopOf().products.listProducts({ pageToken: 'not a token' }));
      expect(error).to.deep.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_PAGE_TOKEN' });
    });
  });

  describe('a price that is none', () => {
    const prices = {
      'finer than a cent': { currencyCode: 'EUR', units: 1n, nanos: 1 },
      'with decimals the yen has not': { currencyCode: 'JPY', units: 1n, nanos: 500_000_000 },
      'in a currency that is none': { currencyCode: 'QQQ', units: 1n, nanos: 0 },
      'of zero': { currencyCode: 'EUR', units: 0n, nanos: 0 },
      'below zero': { currencyCode: 'EUR', units: -1n, nanos: 0 },
    };
    for (const [what, price] of Object.entries(prices)) {
      it(`${what} is refused, and nothing is written`, async () => {
        const { products } = shopOf();
        const [productId, { productId: other }] = [`p-${randomUUID()}`, await create()];
        const calls = [products.createProduct({ ...content(productId), price }), products.updateProduct({ productId: other, name: 'Mill', price })];
        for (const error of await Promise.all(calls.map(refusalOf))) {
          expect(error).to.deep.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
        }
        expect((await refusalOf(read(productId))).reason).to.equal('PRODUCT_NOT_FOUND');
        expect((await read(other))?.name).to.equal('Grinder');
      });
    }

    it('is not even there is refused, naming the field', async () => {
      const { productId, name } = content(`p-${randomUUID()}`);
      const error = await refusalOf(shopOf().products.createProduct({ productId, name }));
      expect(error.violations.map(({ field }) => field)).to.deep.equal(['price']);
    });
  });
}
