import type { DescService } from '@bufbuild/protobuf';
import { TracerProvider } from '@opentelemetry/sdk-trace';

import { silentLog, systemClock } from '#kit';
import { type Client, type Handlers, type Hosting, type Mesh, serviceName } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

/** Spans go nowhere: there are thousands. */
const tracer = new TracerProvider().getTracer('test');

/** A service that answers whoever calls. */
export interface CalledService {
  readonly name: string;
  readonly typeName: string;
  host(mesh: Mesh): Pick<Hosting, 'listen'>;
  /** Calls it over this mesh, as the service `from`. */
  call(mesh: Mesh, from: string): () => Promise<unknown>;
}

/** An order of so few changes that whoever watches it sees the last one soon. */
const SHORT = 'short';
const SHORT_CHANGES = 5n;
const CHANGE_MS = 40;
const RARE_CHANGE_MS = 250;

export const CALLED_SERVICES: readonly CalledService[] = [
  called(OrderService, { getOrder: async () => ({}), watchOrder }, (orders) => orders.getOrder({ orderId: 'any' })),
  called(PaymentService, { getPayment: async () => ({}) }, (payments) => payments.getPayment({ orderId: 'any' })),
  called(ProductService, { getProduct: async () => ({}) }, (products) => products.getProduct({ productId: 'any' })),
  called(UserService, { getUser: async () => ({}) }, (users) => users.getUser({ userId: 'any' })),
];

function called<S extends DescService>(contract: S, answers: Partial<Handlers<S>>, call: (client: Client<S>) => Promise<unknown>): CalledService {
  // Nobody calls the methods that are left out.
  const handlers = answers as Handlers<S>;
  return {
    name: serviceName(contract),
    typeName: contract.typeName,
    host: (mesh) => mesh.host({ contract, handlers, tracer, log: silentLog, check: async () => undefined }),
    call(mesh, from) {
      const client = mesh.client(contract, { tracer, service: from });
      return () => call(client);
    },
  };
}

async function* watchOrder({ orderId, afterSequence }: { readonly orderId: string; readonly afterSequence: bigint }, { signal }: { readonly signal: AbortSignal }) {
  const isShort = orderId === SHORT;
  for (let sequence = afterSequence + 1n; !isShort || sequence <= SHORT_CHANGES; sequence += 1n) {
    yield { sequence };
    await systemClock.sleep(isShort ? CHANGE_MS : RARE_CHANGE_MS, signal);
  }
}

/** Watches an order to its last change. */
export function watchShort(mesh: Mesh, from: string): () => Promise<void> {
  const orders = mesh.client(OrderService, { tracer, service: from });
  return async () => {
    let seen = 0n;
    for await (const { sequence } of orders.watchOrder({ orderId: SHORT })) seen = sequence;
    if (seen !== SHORT_CHANGES) throw new Error(`the stream ended after ${seen} changes`);
  };
}

/** Watches an order that never comes to rest, from the first change or the one after the last that was seen. Ends with its failure, or once it is aborted. */
export function watchForever(mesh: Mesh, from: string, signal: AbortSignal): () => Promise<void> {
  const orders = mesh.client(OrderService, { tracer, service: from });
  let afterSequence = 0n;
  return async () => {
    for await (const { sequence } of orders.watchOrder({ orderId: 'long', afterSequence }, { signal })) {
      if (sequence !== afterSequence + 1n) throw new Error(`change ${sequence} came after ${afterSequence}`);
      afterSequence = sequence;
    }
  };
}
