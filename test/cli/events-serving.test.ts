import { expect } from 'chai';

import { eventPlace } from '../../cli/serving/event-place.ts';
import { shopEnvironment } from '../../cli/local/environment.ts';
import { loadSettings } from '../../cli/settings.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import { failureOf } from '../mesh/support/outcome.ts';
import { captureLog } from '../tracing/captured-log.ts';
import { type EventsShop, makeEventsShop, openSilentPort, placeRefusedOrder } from './events-shop.ts';
import { meshHere } from './support/in-process.ts';
import { inherited } from './support/shop-folder.ts';

const NOBODY = 'postgres://shop:hunter2@127.0.0.1:1/events';

describe('the events of services that start', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let shop: EventsShop;
  before(async () => {
    shop = await makeEventsShop();
    await meshHere(['migrate'], shop.environment);
  });
  after(() => shop?.remove());

  const events = async (subject: string): Promise<string> => (await meshHere(['events', 'list', '--subject', subject], shop.environment)).stdout;

  it('wait in the outbox while the log is away, and orders are taken; published they are when it is back', async () => {
    const { log, lines } = captureLog('warn');
    const away = await shop.start({ MESH_EVENTS_URL: NOBODY }, undefined, log);
    const orderId = await placeRefusedOrder(shop, away);
    const lag = await meshHere(['events', 'lag'], { ...shop.environment, MESH_EVENTS_URL: NOBODY });
    await away.stop();
    expect(lag.exitCode).to.equal(1);
    expect(lag.stdout).to.match(/^order +2 +\d+ s +0$/m);
    expect(lag.stderr).to.include('how far consumers are behind cannot be told').and.not.include('hunter2');
    expect(JSON.stringify(lines)).to.include('events wait in the outbox').and.not.include('hunter2');
    expect(await events(orderId)).to.equal('there are none\n');

    const back = await shop.start();
    await until('they are published', async () => (await events(orderId)).includes('OrderFailed'));
    await back.stop();
    expect((await events(orderId)).trimEnd().split('\n').map((line) => line.split(/ +/)[1])).to.deep.equal(['TYPE', 'OrderPlaced', 'OrderFailed']);
  });

  it('wait there as well while Kafka is away, and the end of the services does not wait for it', async () => {
    const kafka = { KAFKA_BROKERS: '127.0.0.1:1' };
    const away = await shop.start(kafka);
    const orderId = await placeRefusedOrder(shop, away);
    const lag = await meshHere(['events', 'lag'], { ...shop.environment, ...kafka });
    await away.stop();
    expect(lag).to.include({ exitCode: 1 });
    expect(lag.stdout).to.match(/^order +2 +\d+ s +0$/m);
    expect((await meshHere(['events', 'list'], { ...shop.environment, ...kafka })).stderr).to.include('EVENT_BUS_UNAVAILABLE');
    const back = await shop.start();
    await until('they are published', async () => (await events(orderId)).includes('OrderFailed'));
    await back.stop();
  });

  it('do not hold up the end of services when the bus takes connections and never answers, which would be minutes', async () => {
    const silent = await openSilentPort();
    const running = await shop.start({ KAFKA_BROKERS: `127.0.0.1:${silent.port}` });
    await placeRefusedOrder(shop, running);
    await until('the relay tries', () => silent.connections() > 0);
    await running.stop();
    await silent.close();
  });

  it('have a log that is made at the start', async () => {
    await runSql(shop.databaseUrl, 'DROP SCHEMA event_log CASCADE');
    const refused = await failureOf(shop.start({ MESH_MIGRATE: 'false' }));
    expect(refused).to.include({ reason: 'SCHEMA_OUTDATED' });
    expect(refused.message).to.include('schema "event_log" lacks migrations').and.include('mesh migrate');
    const running = await shop.start();
    const orderId = await placeRefusedOrder(shop, running);
    await until('its events are published', async () => (await events(orderId)).includes('OrderFailed'));
    await running.stop();
  });

  it('need a place, which services without events do not', async () => {
    const own = { DATABASE_URL: '', DATABASE_URL_ORDER: shop.databaseUrl, DATABASE_URL_PRODUCT: shop.databaseUrl };
    const refused = await failureOf(shop.start(own, ['order']));
    expect(refused).to.include({ reason: 'INVALID_SETTING' });
    expect(refused.message).to.include('no place for the events of order').and.include('MESH_EVENTS_URL').and.include('KAFKA_BROKERS');
    const alone = await shop.start(own, ['product']);
    await alone.stop();
  });

  it('make no line in the log of services that start and stop in peace', async () => {
    const { log, lines } = captureLog('warn');
    const running = await shop.start({}, undefined, log);
    await placeRefusedOrder(shop, running);
    await running.stop();
    // That of the order, which is refused.
    expect(lines.filter(({ msg }) => msg !== 'step failed')).to.deep.equal([]);
  });
});

describe('the settings of events', () => {
  const placeWith = async (settings: Readonly<Record<string, string>>) => eventPlace((await loadSettings(settings)).values);

  it('lead to Kafka, else to a log of its own, else to the services\' database', async () => {
    const all = { KAFKA_BROKERS: 'a:9092, b:9092', MESH_EVENTS_URL: 'postgres://x/events', DATABASE_URL: 'postgres://x/shop' };
    expect(await placeWith(all)).to.deep.equal({ kind: 'kafka', brokers: ['a:9092', 'b:9092'], isEncrypted: false, login: undefined });
    expect(await placeWith({ ...all, KAFKA_BROKERS: '' })).to.deep.equal({ kind: 'postgres', url: 'postgres://x/events' });
    expect(await placeWith({ DATABASE_URL: 'postgres://x/shop' })).to.deep.equal({ kind: 'postgres', url: 'postgres://x/shop' });
    expect(await placeWith({})).to.equal(undefined);
  });

  for (const brokers of ['kafka', 'kafka:0', 'kafka:70000', 'http://kafka:9092', ',']) {
    it(`refuse brokers such as ${brokers}`, async () => {
      expect(await failureOf(placeWith({ KAFKA_BROKERS: brokers }))).to.include({ reason: 'INVALID_SETTING' });
    });
  }

  it('say how Kafka is reached, and by whom', async () => {
    const given = { KAFKA_BROKERS: 'a:9092', KAFKA_TLS: 'true', KAFKA_SASL: 'plain:shop:hunter2:with:colons' };
    const login = { mechanism: 'PLAIN', username: 'shop', password: 'hunter2:with:colons' };
    expect(await placeWith(given)).to.deep.equal({ kind: 'kafka', brokers: ['a:9092'], isEncrypted: true, login });
    const unencrypted = await placeWith({ KAFKA_BROKERS: 'a:9092', KAFKA_SASL: 'SCRAM-SHA-512:shop:hunter2' });
    expect(unencrypted).to.deep.include({ isEncrypted: false, login: { mechanism: 'SCRAM-SHA-512', username: 'shop', password: 'hunter2' } });
  });

  for (const [what, login] of [['is none', 'hunter2'], ['has another mechanism', 'GSSAPI:shop:hunter2'], ['has no user', 'PLAIN::hunter2'], ['would send its password in the clear', 'PLAIN:shop:hunter2']] as const) {
    it(`refuse a login that ${what}, and do not repeat it`, async () => {
      const refused = await failureOf(placeWith({ KAFKA_BROKERS: 'a:9092', KAFKA_SASL: login }));
      expect(refused).to.include({ reason: 'INVALID_SETTING' });
      expect(refused.message).to.include('KAFKA_SASL').and.not.include('hunter2');
    });
  }

  it('are passed on to processes beside a running shop, wherever they were said', async () => {
    const given = await loadSettings({ DATABASE_URL: 'postgres://x/shop', KAFKA_BROKERS: 'a:9092' });
    expect(shopEnvironment(given, {})).to.include({ MESH_EVENTS_URL: 'postgres://x/shop', KAFKA_BROKERS: 'a:9092' });
    const brought = { MESH_EVENTS_URL: 'postgres://x/shop_events' };
    expect(shopEnvironment(await loadSettings({}), brought)).to.include(brought).and.not.have.property('KAFKA_BROKERS');
  });

  it('are shown without their secret', async () => {
    const { stdout } = await meshHere(['config'], { ...inherited(), MESH_EVENTS_URL: NOBODY, KAFKA_BROKERS: 'a:9092', KAFKA_SASL: 'SCRAM-SHA-512:shop:hunter2' });
    expect(stdout).to.match(/^MESH_EVENTS_URL +postgres:\/\/\*{8}@127\.0\.0\.1:1\/events +environment /m).and.not.include('hunter2');
    expect(stdout).to.match(/^KAFKA_BROKERS +a:9092 +environment /m);
  });
});
