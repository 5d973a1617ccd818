import { expect } from 'chai';

import { type Kafka, startKafka } from '../backends/kafka.ts';
import { locateBackend, requireBackend } from '../backends/locate.ts';
import { until } from '../database/until.ts';
import type { ServingProcess } from '../../cli/serving/serve.ts';
import { type EventsShop, makeEventsShop, placeRefusedOrder } from './events-shop.ts';
import { meshHere } from './support/in-process.ts';

describe('mesh events of a shop whose events Kafka carries', function () {
  this.timeout(60_000);
  this.slow(20_000);

  let kafka: Kafka;
  let shop: EventsShop;
  let running: ServingProcess;
  before(async function () {
    if (process.env['CI'] === 'true') await requireBackend('kafka');
    else if ((await locateBackend('kafka')) === undefined) this.skip();
    kafka = await startKafka();
    shop = await makeEventsShop();
    await meshHere(['migrate'], shop.environment);
    running = await shop.start({ KAFKA_BROKERS: kafka.brokers });
  });
  after(async () => {
    await running?.stop();
    await shop?.remove();
    await kafka?.stop();
  });

  const here = (...args: string[]) => meshHere(['events', ...args], { ...shop.environment, KAFKA_BROKERS: kafka.brokers });

  it('lists what happened to an order, in its order', async () => {
    const orderId = await placeRefusedOrder(shop, running);
    const rows = async () => (await here('list', '--topic', 'order', '--subject', orderId)).stdout.trimEnd().split('\n').slice(1);
    await until('its events are there', async () => (await rows()).length === 2);
    expect((await rows()).map((row) => row.split(/ +/)[1])).to.deep.equal(['OrderPlaced', 'OrderFailed']);
  });

  it('shows when consumers have caught up', async () => {
    await until('nobody is behind', async () => /^notification +shop\.order\.v1 +0$/m.test((await here('lag')).stdout));
    expect((await here('lag')).exitCode).to.equal(0);
  });
});
