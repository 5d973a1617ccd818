import { Channel, type ChannelCredentials, credentials } from '@grpc/grpc-js';

import type { ConsulControlPlane } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { type Client, createIntentionGuard, createMesh, type Handlers, type IntentionGuardOptions, meshCredentials } from '#mesh';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';

import { createTelemetry } from '../mesh/support/telemetry.ts';

/** A payment service behind its guard, registered with the control plane. */
export interface GuardedPayment {
  /** Its stub for a service that has a certificate of the mesh. */
  as(service: string): Promise<Client<typeof PaymentService>>;
  /** Its stub for somebody who shows no certificate. */
  inPlaintext(): Client<typeof PaymentService>;
  stop(): Promise<void>;
}

type GuardOptions = Pick<IntentionGuardOptions, 'permissive' | 'defaultAction'>;

export async function serveGuardedPayment(plane: ConsulControlPlane, { permissive = false, defaultAction = 'allow' }: Partial<GuardOptions> = {}): Promise<GuardedPayment> {
  const tracer = createTelemetry().tracer('payment');
  const guard = createIntentionGuard({ intentions: plane.intentions, defaultAction, permissive, clock: systemClock, log: silentLog });
  const nobody = () => {
    throw new Error('it calls nobody');
  };
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel: nobody, guards: (method, service) => [guard.link(method, service)], guarded: guard.read });
  // The other methods are called by no test.
  const handlers = { getPayment: async () => ({}), charge: async () => ({}) } as unknown as Handlers<typeof PaymentService>;
  const id = 'payment-127-0-0-1-1-guarded';
  const hosted = mesh.host({ contract: PaymentService, handlers, instance: { id, version: '1' }, tracer, log: silentLog, check: async () => undefined });
  const listening = await hosted.listen('127.0.0.1', 0, { kind: 'mtls', identity: await plane.certificates.identity('payment'), permissive });
  const { port } = listening;
  const registration = await plane.register({ service: 'payment', id, address: '127.0.0.1', port, version: '1', zone: '', metadata: {}, healthService: PaymentService.typeName });
  const callers: (() => Promise<void>)[] = [];
  await guard.ready('payment');
  function call(service: string, credential: ChannelCredentials): Client<typeof PaymentService> {
    const options = { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': 'payment' };
    const caller = createMesh({ clock: systemClock, log: silentLog, openChannel: () => new Channel(`127.0.0.1:${port}`, credential, options) });
    callers.push(caller.stop);
    return caller.client(PaymentService, { tracer, service });
  }

  return {
    as: async (service) => call(service, meshCredentials(await plane.certificates.identity(service), 'payment')),
    inPlaintext: () => call('', credentials.createInsecure()),
    async stop() {
      await registration.stop();
      await guard.stop();
      for (const stop of [...callers, mesh.stop, listening.stop]) await stop();
    },
  };
}
