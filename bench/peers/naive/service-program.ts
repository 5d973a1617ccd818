import { answerParent } from '../../rpc/parent.ts';
import { productHandlers, userHandlers } from './catalogue-services.ts';
import { loadContracts, type ServiceName } from './contracts.ts';
import { openPool } from './database.ts';
import { inventoryHandlers } from './inventory-service.ts';
import { notificationHandlers } from './notification-service.ts';
import { type Peers, resumeSagas } from './order-saga.ts';
import { orderHandlers } from './order-service.ts';
import { relayEvents } from './outbox.ts';
import { paymentHandlers } from './payment-service.ts';
import { connect, type Handlers, serve } from './rpc.ts';
import { shippingHandlers } from './shipping-service.ts';
import { startTelemetry } from './telemetry.ts';

/** What the process of one service is told. */
export interface ServiceArgument {
  readonly name: ServiceName;
  readonly databaseUrl: string;
  readonly otlpEndpoint: string;
  readonly stripeUrl: string;
  readonly stripeKey: string;
  /** Ports of the services that are up already. */
  readonly ports: Readonly<Partial<Record<ServiceName, number>>>;
}

const { name, databaseUrl, otlpEndpoint, stripeUrl, stripeKey, ports }: ServiceArgument = JSON.parse(process.argv[2] ?? '{}');
const { grpc, pg, Stripe } = startTelemetry(name, otlpEndpoint);
const contracts = loadContracts(grpc);
const pool = openPool(pg, databaseUrl);
const peers = Object.fromEntries(
  Object.entries(ports).map(([peer, port]) => [peer, connect(grpc, contracts[peer as ServiceName], port)]),
  // Whoever calls a peer is started after it.
) as Peers;

const HANDLERS: Readonly<Record<ServiceName, () => Handlers>> = {
  user: () => userHandlers(pool),
  product: () => productHandlers(pool),
  inventory: () => inventoryHandlers(pool),
  payment: () => paymentHandlers(pool, Stripe, new URL(stripeUrl), stripeKey),
  shipping: () => shippingHandlers(pool),
  order: () => orderHandlers(pool, peers),
  notification: () => notificationHandlers(pool),
};

const port = await serve(grpc, contracts[name], HANDLERS[name]());
if (['order', 'payment', 'shipping'].includes(name)) void relayEvents(pool, peers.notification);
if (name === 'order') void resumeSagas(pool, peers);
answerParent({ port }, {});
