import { Channel, type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { expect } from 'chai';

import { discoveryChannelOptions } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { createMesh, type ListenAs, type Mesh, meshCredentials } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { CLUSTER, createTestAuthority, type TestAuthority } from '../../discovery/support/authority.ts';
import { fakeControlPlane } from '../../discovery/support/fake-control-plane.ts';
import { holdIdentity, type HeldIdentity, type Shown } from '../../discovery/support/held-identity.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry, type Telemetry } from '../support/telemetry.ts';
import { makeOdd } from './support/odd-certificates.ts';
import { startUserServer } from './support/user-server.ts';

const USER = `spiffe://${CLUSTER}.consul/ns/default/dc/dc1/svc/user`;

describe('whom a caller finds where a service is registered', () => {
  const stops: (() => Promise<void>)[] = [];
  let ours: TestAuthority;
  let order: HeldIdentity;
  let telemetry: Telemetry;
  before(async () => void (ours = await createTestAuthority()));
  beforeEach(async () => {
    telemetry = createTelemetry();
    order = holdIdentity('order', await ours.leaf('order'), ours.trust);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function serve(as?: ListenAs): Promise<number> {
    const { port, stop } = await startUserServer(as);
    stops.push(stop);
    return port;
  }

  async function showing(shown: Shown, trust = ours.trust): Promise<number> {
    return serve({ kind: 'mtls', identity: holdIdentity('user', shown, trust), permissive: false });
  }

  /** The service `order`, which asks for a user where it is told that the service is. */
  function call(port: number, by: ChannelCredentials = meshCredentials(order, 'user')): Promise<unknown> {
    const openChannel = (): Channel => new Channel(`127.0.0.1:${port}`, by, { 'grpc.enable_http_proxy': 0, 'grpc.ssl_target_name_override': 'user' });
    return ask(createMesh({ clock: systemClock, log: silentLog, openChannel }));
  }

  function ask(mesh: Mesh): Promise<unknown> {
    stops.push(mesh.stop);
    return mesh.client(UserService, { tracer: telemetry.tracer('order'), service: 'order' }).getUser({ userId: 'demo' });
  }

  it('is that service', async () => {
    await call(await showing(await ours.leaf('user')));
  });

  /** What an impostor shows, what the span says of it, and whether TLS itself would let it pass. */
  const impostors: readonly (readonly [who: string, shows: () => Promise<Shown>, why: RegExp, passesTls: boolean])[] = [
    ['another service of the mesh', () => ours.leaf('inventory'), /its certificate is that of inventory/, true],
    ['a service of another trust domain', () => makeOdd({ uris: [USER.replace('1111', '9999')], issuer: ours }), /of the trust domain 9999/, true],
    ['an agent', () => makeOdd({ uris: [`spiffe://${CLUSTER}.consul/agent/client/dc/dc1/id/user`], issuer: ours }), /not that of a service/, true],
    ['a certificate with two identities', () => makeOdd({ uris: [USER, USER.replace('user', 'order')], issuer: ours }), /exactly one identity/, true],
    ['a certificate of another authority', async () => (await createTestAuthority()).leaf('user'), /unable to/, false],
    ['a certificate signed by itself', () => makeOdd({ uris: [USER] }), /self-signed certificate/, false],
    ['an expired certificate', () => makeOdd({ uris: [USER], issuer: ours, expiresMs: Date.now() - 1_000 }), /certificate has expired/, false],
    ['a certificate for clients alone', () => makeOdd({ uris: [USER], issuer: ours, usages: ['1.3.6.1.5.5.7.3.2'] }), /certificate purpose/, false],
  ];

  for (const [who, shows, why, passesTls] of impostors) {
    it(`is not called when it is ${who}`, async () => {
      const failure = await failureOf(call(await showing(await shows())));
      expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'SERVER_IDENTITY' });
      expect(failure.message).to.match(/^whoever answers where user is registered does not prove to be user/);
      const [told] = telemetry.spans()[0]?.events.filter(({ name }) => name === 'unreachable') ?? [];
      expect(String(told?.attributes?.['mesh.unreachable.cause'])).to.match(why);
    });

    it(`would be called when it is ${who}, if nobody looked`, async () => {
      const careless = passesTls
        ? meshCredentials(order, 'user', { checkServer: () => undefined })
        : credentials.createSsl(null, null, null, { rejectUnauthorized: false });
      await call(await showing(await shows()), careless);
    });
  }

  it('is not called in plaintext', async () => {
    const failure = await failureOf(call(await serve()));
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    await call(await serve(), credentials.createInsecure());
  });

  it('is looked at in the same way where calls are balanced', async () => {
    const port = await showing(await ours.leaf('inventory'));
    const at = { id: 'user-1', service: 'user', address: '127.0.0.1', port, version: '1', zone: '', weight: 1, metadata: {} };
    const { controlPlane, set } = fakeControlPlane();
    set(at);
    const mesh = createMesh({
      ...{ clock: systemClock, log: silentLog },
      openChannel: (service, options) => new Channel(`consul:///${service}`, meshCredentials(order, service), { ...options, ...discoveryChannelOptions(controlPlane) }),
    });
    const failure = await failureOf(ask(mesh));
    expect(failure).to.include({ code: 'UNAVAILABLE', reason: 'SERVER_IDENTITY' });
    expect(String(failure.cause)).to.contain('its certificate is that of inventory');
  });

  it('is looked at as long as there are connections, and the identity no longer followed then', async () => {
    await call(await showing(await ours.leaf('user')));
    expect(order.listeners()).to.be.above(0);
    await stops.pop()?.();
    expect(order.listeners()).to.equal(0);
  });
});
