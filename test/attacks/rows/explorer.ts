import { Duplex } from 'node:stream';

import { create } from '@bufbuild/protobuf';
import { Channel, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { silentLog, systemClock, systemRandom } from '#kit';
import { createIntentionGuard, createMesh, describeMethod, type Handlers, type IntentionGuard, type MeshOptions, type Peer, type ServerInterceptor } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import type { Connection } from '../../../mesh/server/door/connections.ts';
import type { EntranceOptions } from '../../../mesh/server/door/entrance.ts';
import { createPlaintextEntrance } from '../../../mesh/server/door/plaintext-entrance.ts';
import { createServerCall } from '../../mesh/support/server-call.ts';
import { createTelemetry } from '../../mesh/support/telemetry.ts';
import { attempt } from '../attempt.ts';
import { type Attack, type Attempt, succeeded } from '../attack.ts';
import { explorerAt, takingAllForExplorer } from '../mesh/careless.ts';
import { addressElsewhere, relayFrom } from '../mesh/from-elsewhere.ts';
import type { Grounds } from '../mesh/grounds.ts';
import { createTraces, orderHandlers } from '../mesh/target-handlers.ts';

/** An address of nobody (RFC 5737), as of a caller on another machine. */
const NOWHERE = '192.0.2.66';

const REFUSAL = { code: 'UNAUTHENTICATED', reason: 'CERTIFICATE_REQUIRED' };

/** The port in plaintext, for people who explore a shop on their own machine. */
export function explorerAttacks(grounds: () => Grounds): readonly Attack[] {
  return [
    {
      name: 'explorer-elsewhere',
      attack: "a caller who is not on loopback, at the explorer's port",
      must: 'is refused as UNAUTHENTICATED, CERTIFICATE_REQUIRED',
      guard: 'a look at where the caller is',
      run: (guard) => explore(grounds(), guard === 'on'),
    },
  ];
}

async function explore({ plane: { intentions } }: Grounds, looks: boolean): Promise<Attempt> {
  const guard = createIntentionGuard({ intentions, defaultAction: 'allow', permissive: false, clock: systemClock, log: silentLog });
  try {
    await guard.ready('order');
    const address = addressElsewhere();
    const outcome = await attempt(address === undefined ? callWithoutSocket(guard, looks) : callFrom(address, guard, looks), REFUSAL);
    return outcome.state === 'succeeded' ? succeeded('served as explorer') : outcome;
  } finally {
    await guard.stop();
  }
}

/** A whole call, to a port that listens on loopback. */
async function callFrom(address: string, guard: IntentionGuard, looks: boolean): Promise<void> {
  const parts = { clock: systemClock, log: silentLog };
  const tracer = createTelemetry().tracer('order');
  const guards: Required<MeshOptions>['guards'] = (method, service) => [seenAt(address), ...(looks ? [] : [takingAllForExplorer]), guard.link(method, service)];
  const serving = createMesh({ ...parts, guards, openChannel: nobody });
  // No attack calls the methods that are left out.
  const handlers = orderHandlers(createTraces()) as Handlers<typeof OrderService>;
  const hosted = serving.host({ contract: OrderService, handlers, tracer, log: silentLog, check: async () => undefined });
  const listening = await hosted.listen('127.0.0.1', 0, { kind: 'plaintext', peer: 'explorer' });
  const relay = await relayFrom(address, listening.port);
  const calling = createMesh({ ...parts, openChannel: () => new Channel(`127.0.0.1:${relay.port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 }) });
  try {
    await calling.client(OrderService, { tracer, service: '' }).getOrder({ orderId: 'order-of-ada' });
  } finally {
    await calling.stop();
    await relay.stop();
    listening.hurry();
    await listening.stop();
    await serving.stop();
  }
}

/** Else the attack would be another one. */
function seenAt(address: string): ServerInterceptor {
  return (next) => (call) => {
    expect(call.peer.address).to.equal(address);
    return next(call);
  };
}

/** The same through entrance and guard alone. */
async function callWithoutSocket(guard: IntentionGuard, looks: boolean): Promise<void> {
  const method = describeMethod(OrderService.method.getOrder);
  const peer = looks ? peerAtEntrance(NOWHERE) : explorerAt(NOWHERE);
  const handle = guard.link(method, 'order')(async () => create(method.desc.output));
  await handle({ ...createServerCall(method, create(method.desc.input)), peer });
}

/** Who somebody at this address is to the entrance of the explorer's port. */
function peerAtEntrance(address: string): Peer {
  // It looks at nothing else before the first byte.
  const options = { letIn: nobody, notices: { note: nobody }, clock: systemClock, random: systemRandom, log: silentLog } as unknown as EntranceOptions;
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() });
  const connection = { address, socket } as unknown as Connection;
  createPlaintextEntrance('explorer', options).enter(connection);
  socket.destroy();
  return connection.peer;
}

function nobody(): never {
  throw new Error('nobody was to be called, and nothing was sent');
}
