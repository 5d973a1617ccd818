import { connect } from 'node:net';

import { expect } from 'chai';

import { silentLog, systemClock, systemRandom } from '#kit';
import { startStripeSimulator } from '#stripe-simulator';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { createTestDatabase } from '../../database/postgres-fixture.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { payment, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

const INTENTS = '/v1/payment_intents';

describe('card-payment simulator: start and stop', () => {
  let simulator: SimulatorFixture;
  const { log, lines } = captureLog();

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture({ log });
  });

  after(() => simulator.remove());

  it('says in one line that it is a stand-in', () => {
    const said = lines.filter(({ msg }) => msg.includes('stands in for Stripe'));
    expect(said).to.have.length(1);
    expect(said[0]).to.include({ url: simulator.url() });
  });

  it('knows every payment and every key after a restart', async () => {
    const request = { key: 'kept', form: payment({ 'metadata[order_id]': 'kept' }) };
    const first = await send(simulator.url(), 'POST', INTENTS, request);
    const before = await simulator.ledger('kept');
    await simulator.restart();
    const again = await send(simulator.url(), 'POST', INTENTS, request);

    expect(again.headers.get('idempotent-replayed')).to.equal('true');
    expect(again.text).to.equal(first.text);
    expect(await simulator.ledger('kept')).to.deep.equal(before);
    expect(before).to.have.length(1);
  });

  it('charges once also when two simulators share a ledger', async () => {
    const second = await startStripeSimulator({
      databaseUrl: simulator.database.url, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom,
    });
    try {
      const request = { key: 'shared', form: payment({ 'metadata[order_id]': 'shared' }) };
      const urls = Array.from({ length: 10 }, (_, n) => (n % 2 ? second.url : simulator.url()));
      const answers = await Promise.all(urls.map((url) => send(url, 'POST', INTENTS, request)));

      expect(answers.every(({ status }) => status === 200 || status === 409)).to.equal(true);
      expect(await simulator.ledger('shared')).to.have.length(1);
    } finally {
      await second.stop();
    }
  });

  it('names the port when it is taken', async () => {
    const port = Number(new URL(simulator.url()).port);
    const database = await createTestDatabase();
    const options = { databaseUrl: database.url, host: '127.0.0.1', log: silentLog, clock: systemClock, random: systemRandom };
    const error = await expectRefusal('PORT_IN_USE', startStripeSimulator({ ...options, port }));
    await database.drop();

    expect(error.message).to.include(String(port));
  });

  it('stops although a client keeps its connection, and twice is once', async () => {
    const database = await createTestDatabase();
    const other = await startStripeSimulator({
      databaseUrl: database.url, host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom,
    });
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    const closed = new Promise((settle) => socket.once('close', settle));
    await new Promise((settle) => socket.once('connect', settle));
    socket.write('GET /v1/refunds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_x\r\n\r\n');
    await new Promise((settle) => socket.once('data', settle));
    await Promise.all([other.stop(), other.stop(), closed]);
    await database.drop();
  });
});
