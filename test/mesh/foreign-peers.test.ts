import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { create, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  Channel,
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
  status,
  type StatusObject,
} from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';
import { type Client, createMesh, type Mesh } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import { useFleet } from './support/fleet.ts';
import { allOf, failureOf, readable } from './support/outcome.ts';
import { createTelemetry } from './support/telemetry.ts';

const PROTO = join(import.meta.dirname, '../../proto');

/** A client of a contract as any grpc-js program has it, from the .proto file alone. */
async function dynamicClient(file: string, service: string, port: number) {
  const definition = await load(file, { includeDirs: [PROTO, join(PROTO, 'vendor')], keepCase: true, longs: String, enums: String });
  let found: unknown = loadPackageDefinition(definition);
  for (const part of service.split('.')) found = (found as Record<string, unknown>)[part];
  return new (found as ServiceClientConstructor)(`127.0.0.1:${port}`, credentials.createInsecure());
}

describe('a foreign client', () => {
  const fleet = useFleet('remote');

  it('calls a service of ours from its .proto file, and can say for how long', async () => {
    let leftMs = 0;
    const { port } = await fleet().host(UserService, () => ({
      async getUser({ userId }, { deadline }) {
        leftMs = deadline - Date.now();
        return { user: { userId, displayName: 'Ada', createTime: { seconds: 1_700_000_000n } } };
      },
    }));
    const client = await dynamicClient('shop/user/v1/user.proto', 'shop.user.v1.UserService', port);
    const answer = await new Promise((resolve, reject) => {
      client['GetUser']?.({ user_id: 'demo' }, new Metadata(), { deadline: Date.now() + 700 }, (error: ServiceError | null, user: unknown) =>
        error ? reject(error) : resolve(user),
      );
    });
    client.close();
    expect(answer).to.have.nested.include({ 'user.user_id': 'demo', 'user.display_name': 'Ada', 'user.create_time.seconds': '1700000000' });
    expect(leftMs).to.be.within(1, 750);
  });

  it('reads a stream of ours, and its status', async () => {
    const { port } = await fleet().host(OrderService, () => ({
      async *watchOrder() {
        yield { sequence: 1n, state: 1 };
        yield { sequence: 2n, state: 2 };
      },
    }));
    const client = await dynamicClient('shop/order/v1/order.proto', 'shop.order.v1.OrderService', port);
    const states: unknown[] = [];
    const call = client['WatchOrder']?.({ order_id: 'o-1' });
    call.on('data', ({ state }: { state: string }) => states.push(state));
    const ended = await new Promise((resolve) => call.on('status', resolve));
    client.close();
    expect(states).to.deep.equal(['ORDER_STATE_PENDING', 'ORDER_STATE_CONFIRMED']);
    expect(ended).to.include({ code: status.OK });
  });
});

type Unary = (call: ServerUnaryCall<Message, Message>, answer: (error: Partial<StatusObject> | null, value?: Message) => void) => void;
type Stream = (call: ServerWritableStream<Message, Message>) => void;

/** A grpc-js server that knows nothing of this runtime, with one method of a contract. */
async function startForeign(method: DescMethod, handler: Unary | Stream, serialize = (message: Message): Uint8Array => toBinary(method.output, message)) {
  const server = new Server();
  const definition = {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
    responseSerialize: (message: Message) => Buffer.from(serialize(message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
  };
  server.addService({ [method.localName]: definition }, { [method.localName]: handler });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, stop: () => server.forceShutdown() };
}

describe('a foreign server', () => {
  let mesh: Mesh;
  let server: { port: number; stop(): void };

  afterEach(async () => {
    await mesh.stop();
    server.stop();
  });

  function connect(): { users: Client<typeof UserService>; orders: Client<typeof OrderService> } {
    mesh = createMesh({
      clock: systemClock,
      log: silentLog,
      openChannel: () => new Channel(`127.0.0.1:${server.port}`, credentials.createInsecure(), {}),
    });
    const caller = { tracer: createTelemetry().tracer('caller'), service: '' };
    return { users: mesh.client(UserService, caller), orders: mesh.client(OrderService, caller) };
  }

  async function callOf(handler: Unary, serialize?: (message: Message) => Uint8Array) {
    server = await startForeign(UserService.method.getUser, handler, serialize);
    return connect().users.getUser({ userId: 'demo' }, { deadlineMs: 500 });
  }

  it('is called as one of ours, and told the deadline', async () => {
    let deadline = 0;
    const { user } = await callOf((call, answer) => {
      deadline = Number(call.getDeadline());
      answer(null, create(GetUserResponseSchema, { user: { userId: 'demo' } }));
    });
    expect(user?.userId).to.equal('demo');
    expect(deadline - Date.now()).to.be.within(-200, 750);
  });

  const withoutDetails: readonly [string, string, { code: number; details: string }][] = [
    ['NOT_FOUND', 'NOT_FOUND', { code: status.NOT_FOUND, details: 'no such user' }],
    ['UNIMPLEMENTED', 'UNKNOWN_METHOD', { code: status.UNIMPLEMENTED, details: 'not yet' }],
    ['UNAVAILABLE', 'UNREACHABLE', { code: status.UNAVAILABLE, details: 'busy' }],
    ['RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED', { code: status.RESOURCE_EXHAUSTED, details: 'too many calls' }],
    ['UNKNOWN', 'UNKNOWN', { code: 99, details: 'of its own invention' }],
  ];
  for (const [code, reason, error] of withoutDetails) {
    it(`that answers ${code} without details gives the reason ${reason}`, async () => {
      const failure = await failureOf(callOf((_call, answer) => answer(error)));
      expect(readable(failure)).to.deep.equal({ code, reason, metadata: {}, violations: [] });
      // What it says may be an address, as from a proxy: for this process, not for whoever called it.
      expect(reason === 'UNREACHABLE' ? String(failure.cause) : failure.message).to.contain(error.details);
    });
  }

  it('whose details are broken still gives its status', async () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from('no status'));
    const failure = await failureOf(callOf((_call, answer) => answer({ code: status.NOT_FOUND, details: 'no such user', metadata })));
    expect(failure).to.include({ code: 'NOT_FOUND', reason: 'NOT_FOUND', message: 'no such user' });
  });

  it('that answers with other bytes is INTERNAL, and says that the contracts differ', async () => {
    const failure = await failureOf(callOf((_call, answer) => answer(null, create(GetUserResponseSchema)), () => Buffer.from('nonsense')));
    expect(failure).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
    expect(failure.message).to.contain('contract');
  });

  it('that answers with more than 4 MB is refused with a reason', async () => {
    const large = create(GetUserResponseSchema, { user: { displayName: 'x'.repeat(5 * 1024 * 1024) } });
    expect(await failureOf(callOf((_call, answer) => answer(null, large)))).to.include({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' });
  });

  it('that never answers is left at the deadline', async () => {
    let cancelled: Promise<unknown> | undefined;
    const failure = await failureOf(callOf((call) => (cancelled = new Promise((resolve) => call.on('cancelled', resolve)))));
    expect(failure).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
    await cancelled;
  });

  it('that breaks the connection is UNREACHABLE', async () => {
    const broken = createServer().on('stream', ({ session }) => session?.destroy()).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    // A TCP server's address is never a path.
    server = { port: (broken.address() as AddressInfo).port, stop: () => broken.close() };
    const { users, orders } = connect();
    expect(await failureOf(users.getUser({ userId: 'demo' }))).to.include({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(await failureOf(allOf(orders.watchOrder({ orderId: 'o-1' })))).to.include({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
  });

  it('whose stream holds other bytes ends it, and is told that nobody reads on', async () => {
    let cancelled: Promise<unknown> | undefined;
    const handler: Stream = (call) => {
      cancelled = new Promise((resolve) => call.on('cancelled', resolve));
      call.write(create(GetUserResponseSchema));
    };
    server = await startForeign(OrderService.method.watchOrder, handler, () => Buffer.from('nonsense'));
    expect(await failureOf(allOf(connect().orders.watchOrder({ orderId: 'o-1' })))).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
    await cancelled;
  });
});
