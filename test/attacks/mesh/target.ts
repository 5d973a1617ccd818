import type { DescService } from '@bufbuild/protobuf';
import { Channel, type ChannelCredentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { type Client, createMesh, type Handlers, type Mesh, meshCredentials, type MeshOptions, serviceName } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';

import type { HeldIdentity } from '../../discovery/support/held-identity.ts';
import { createTelemetry } from '../../mesh/support/telemetry.ts';
import type { Grounds } from './grounds.ts';
import { createTraces, orderHandlers, paymentHandlers, productHandlers, type Traces } from './target-handlers.ts';

export interface TargetOptions extends Pick<MeshOptions, 'guards' | 'outgoing'> {
  /** Plaintext is taken too. Default: it is not. */
  readonly permissive?: boolean | undefined;
}

/** Orders, payments and products, each a service with a certificate and a port of its own, which answer whoever gets as far as that. */
export interface Target {
  readonly traces: Pick<Traces, 'done' | 'shownToProducts'>;
  portOf(service: string): number;
  /** The stub of a service, with its certificate. */
  as<S extends DescService>(caller: string, contract: S): Promise<Client<S>>;
  /** The stub of somebody who connects as these credentials say. */
  by<S extends DescService>(credentials: ChannelCredentials, contract: S): Client<S>;
  /** Every order that is watched changes. */
  change(): void;
  stop(): Promise<void>;
}

export async function startTarget(grounds: Grounds, { permissive = false, ...meshOptions }: TargetOptions = {}): Promise<Target> {
  const { tracer } = createTelemetry();
  const ports = new Map<string, number>();
  const toStop: (() => Promise<void>)[] = [];
  const traces = createTraces();

  function openMesh(credentialsFor: (service: string) => ChannelCredentials, options: TargetOptions = {}): Mesh {
    const openChannel: MeshOptions['openChannel'] = (service) =>
      new Channel(`127.0.0.1:${ports.get(service)}`, credentialsFor(service), { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': service });
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, ...options });
    toStop.unshift(mesh.stop);
    return mesh;
  }
  const openAs = (identity: HeldIdentity, options?: TargetOptions): Mesh => openMesh((service) => meshCredentials(identity, service), options);

  async function host<S extends DescService>(contract: S, build: (mesh: Mesh) => Partial<Handlers<S>>): Promise<void> {
    const name = serviceName(contract);
    const identity = await grounds.identity(name);
    const mesh = openAs(identity, meshOptions);
    // No attack calls the methods that are left out.
    const handlers = build(mesh) as Handlers<S>;
    const hosted = mesh.host({ contract, handlers, tracer: tracer(name), log: silentLog, check: async () => undefined });
    const { port, hurry, stop } = await hosted.listen('127.0.0.1', 0, { kind: 'mtls', identity, permissive });
    toStop.push(() => (hurry(), stop()));
    ports.set(name, port);
  }

  await host(OrderService, () => orderHandlers(traces));
  await host(ProductService, () => productHandlers(traces));
  await host(PaymentService, (mesh) => paymentHandlers(traces, mesh.client(ProductService, { tracer: tracer('payment'), service: 'payment' })));

  return {
    traces,
    portOf: (service) => ports.get(service) ?? 0,
    async as(caller, contract) {
      return openAs(await grounds.identity(caller)).client(contract, { tracer: tracer(caller), service: caller });
    },
    by: (credentials, contract) => openMesh(() => credentials).client(contract, { tracer: tracer('stranger'), service: '' }),
    change() {
      traces.changes += 1;
      traces.change.dispatchEvent(new Event('change'));
    },
    async stop() {
      for (const stop of toStop) await stop();
    },
  };
}
