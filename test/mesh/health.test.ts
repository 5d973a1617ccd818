import { expect } from 'chai';
import { Channel, credentials } from '@grpc/grpc-js';

import { silentLog, systemClock } from '#kit';
import { type Client, createMesh, type Listening, type Mesh } from '#mesh';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '#proto/grpc/health/v1/health_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../discovery/support/until.ts';
import { useFleet } from './support/fleet.ts';
import { failureOf, forever } from './support/outcome.ts';
import { createTelemetry } from './support/telemetry.ts';

const USERS = 'shop.user.v1.UserService';
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

describe('health', () => {
  const fleet = useFleet('remote');
  let check: () => Promise<void>;
  let checks: number;
  let listening: Listening;
  let mesh: Mesh;
  let health: Client<typeof Health>;

  beforeEach(async () => {
    check = async () => undefined;
    checks = 0;
    const counted = (): Promise<void> => {
      checks += 1;
      return check();
    };
    listening = await fleet().host(UserService, () => ({}), { check: counted });
    const openChannel = () => new Channel(`127.0.0.1:${listening.port}`, credentials.createInsecure(), {});
    mesh = createMesh({ clock: systemClock, log: silentLog, openChannel });
    health = mesh.client(Health, { service: '', tracer: createTelemetry().tracer('agent') });
  });
  afterEach(() => mesh.stop());

  const statusOf = async (service: string): Promise<ServingStatus> => (await health.check({ service })).status;

  /** Follows a watch until the test ends it. */
  function follow(service: string) {
    const reader = new AbortController();
    const heard: ServingStatus[] = [];
    const over = (async () => {
      for await (const { status } of health.watch({ service }, { signal: reader.signal })) heard.push(status);
    })();
    return { heard, over, leave: () => reader.abort() };
  }

  it('is SERVING for the server and for its service', async () => {
    expect(await statusOf('')).to.equal(SERVING);
    expect(await statusOf(USERS)).to.equal(SERVING);
    const { statuses } = await health.list({});
    expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).to.have.deep.members([
      ['', SERVING],
      [USERS, SERVING],
    ]);
  });

  it('is NOT_SERVING while the service’s own check fails, and comes back with it', async () => {
    check = () => Promise.reject(new Error('the database is gone'));
    expect(await statusOf('')).to.equal(NOT_SERVING);
    expect(await statusOf(USERS)).to.equal(NOT_SERVING);
    expect((await health.list({})).statuses['']?.status).to.equal(NOT_SERVING);
    check = async () => undefined;
    await until('it serves again', async () => (await statusOf(USERS)) === SERVING);
  });

  it('is NOT_SERVING in bounded time when the check hangs', async () => {
    check = forever;
    const started = performance.now();
    expect(await statusOf(USERS)).to.equal(NOT_SERVING);
    expect(performance.now() - started).to.be.within(900, 3_000);
  });

  it('is NOT_SERVING when the check throws at once', async () => {
    check = () => {
      throw new Error('not even a promise');
    };
    expect(await statusOf('')).to.equal(NOT_SERVING);
  });

  it('asks the check once for many that want to know', async () => {
    await Promise.all(Array.from({ length: 100 }, () => statusOf(USERS)));
    expect(checks).to.equal(1);
  });

  it('is NOT_SERVING from the moment the service drains, whatever the check says', async () => {
    expect(await statusOf('')).to.equal(SERVING);
    listening.drain();
    expect(await statusOf('')).to.equal(NOT_SERVING);
    expect(await statusOf(USERS)).to.equal(NOT_SERVING);
  });

  it('knows nothing of other services', async () => {
    const refused = await failureOf(health.check({ service: 'shop.cart.v1.CartService' }));
    expect(refused).to.include({ code: 'NOT_FOUND', reason: 'UNKNOWN_SERVICE' });
    expect(refused.message).to.contain(USERS);
    const watch = follow('shop.cart.v1.CartService');
    await until('the watch has answered', () => watch.heard.length > 0);
    watch.leave();
    expect(await failureOf(watch.over)).to.include({ code: 'CANCELLED' });
    expect(watch.heard).to.deep.equal([SERVICE_UNKNOWN]);
  });

  it('tells a watcher of every change, and of nothing else', async () => {
    const watch = follow(USERS);
    await until('it serves', () => watch.heard.length === 1);
    check = () => Promise.reject(new Error('gone'));
    await until('it serves no more', () => watch.heard.length === 2);
    check = async () => undefined;
    await until('it serves again', () => watch.heard.length === 3);
    watch.leave();
    await failureOf(watch.over);
    expect(watch.heard).to.deep.equal([SERVING, NOT_SERVING, SERVING]);
  });

  it('lets go of watchers when it drains, so that they do not hold up the stop', async () => {
    const watches = [follow(USERS), follow('')];
    await until('both have been answered', () => watches.every(({ heard }) => heard.length === 1));
    listening.drain();
    const started = performance.now();
    await listening.stop();
    expect(performance.now() - started).to.be.below(4_000);
    await Promise.all(watches.map(({ over }) => over));
    for (const { heard } of watches) expect(heard).to.deep.equal([SERVING, NOT_SERVING]);
  });
});
