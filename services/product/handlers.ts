import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Tracer } from '@opentelemetry/api';

import { createReadGroup, type Database } from '#database';
import { type Clock, cutPage, fromProtoMoney, type MeshError, type Money, type ProtoMoney, readPage, refusal, toProtoMoney } from '#kit';
import { type Handlers, once } from '#mesh';
import type { ProductSchema, ProductService } from '#proto/shop/product/v1/product_pb.js';

import { findProduct, findProducts, insertProduct, listProducts, type Product, updateProduct } from './store.ts';

interface Given {
  readonly database: Database;
  readonly clock: Clock;
  readonly tracer: Tracer;
}

export function productHandlers({ database, clock, tracer }: Given): Handlers<typeof ProductService> {
  const readProducts = createReadGroup({ name: 'product.find_several', tracer, clock }, (productIds) => findProducts(database, productIds));

  return {
    async createProduct({ productId, name, category, price }) {
      const now = new Date(clock.now());
      const wanted = { productId, name, category, price: readPrice(price), createTime: now, updateTime: now };
      const product = (await insertProduct(database, wanted)) ?? (await existing(database, wanted));
      return { product: toProto(product) };
    },

    async getProduct({ productId }) {
      const product = await findProduct(database, productId);
      if (!product) throw noProduct(productId);
      return { product: toProto(product) };
    },

    async batchGetProducts({ productIds }) {
      const products = await readProducts(productIds);
      const known = new Set(products.map(({ productId }) => productId));
      const [first, ...others] = productIds.filter((productId) => !known.has(productId));
      if (first !== undefined) throw noProduct(first, ...others);
      return { products: products.map(toProto) };
    },

    async listProducts({ category, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const { entries, nextPageToken } = cutPage(await listProducts(database, category, page), page, ({ productId }) => productId);
      return { products: entries.map(toProto), nextPageToken };
    },

    async updateProduct({ productId, name, price }, call) {
      const change = { name, price: price && fromProtoMoney(price), updateTime: new Date(clock.now()) };
      return database.transaction('product.update', (tx) =>
        once(call, tx, async () => {
          const product = await updateProduct(tx, productId, change);
          if (!product) throw noProduct(productId);
          return { product: toProto(product) };
        }),
      );
    },
  };
}

/** The product that has this id already, if it is the one the caller means. */
async function existing(database: Database, wanted: Product): Promise<Product> {
  const product = await findProduct(database, wanted.productId);
  if (product && sameContent(product, wanted)) return product;
  const sentence = `product ${wanted.productId} exists with other content; choose another product_id, or call UpdateProduct`;
  throw refusal('PRODUCT_EXISTS', sentence, { metadata: { product_id: wanted.productId } });
}

function sameContent(one: Product, other: Product): boolean {
  const samePrice = one.price.minor === other.price.minor && one.price.currency === other.price.currency;
  return samePrice && one.name === other.name && one.category === other.category;
}

function noProduct(first: string, ...others: string[]): MeshError {
  const sentence = others.length === 0 ? `there is no product ${first}; create it first` : `there are no products ${[first, ...others].join(', ')}; create them first`;
  return refusal('PRODUCT_NOT_FOUND', sentence, { metadata: { product_id: first } });
}

/** The contract requires a price; the generated type does not say so. */
function readPrice(price: ProtoMoney | undefined): Money {
  if (!price) throw refusal('INVALID_ARGUMENT', 'price is missing; say what one piece costs');
  return fromProtoMoney(price);
}

function toProto({ price, createTime, updateTime, ...product }: Product): MessageInitShape<typeof ProductSchema> {
  return { ...product, price: toProtoMoney(price), createTime: timestampFromDate(createTime), updateTime: timestampFromDate(updateTime) };
}
