import { Admin } from '@platformatic/kafka';

import { type Kafka, startKafka } from '../backends/kafka.ts';
import { locateBackend, requireBackend } from '../backends/locate.ts';
import { busConformance } from './bus-conformance.ts';
import { kafkaLeaving } from './kafka-leaving.ts';
import { kafkaMembers } from './kafka-members.ts';
import { kafkaSpecifics } from './kafka-specifics.ts';
import { opener } from './kafka-test-bus.ts';

describe('the event bus on Kafka', function () {
  this.timeout(120_000);
  let kafka: Kafka;
  let admin: Admin;
  const given = {
    get brokers() {
      return kafka.brokers;
    },
    get admin() {
      return admin;
    },
  };

  before(async function () {
    if (process.env['CI'] === 'true') await requireBackend('kafka');
    else if ((await locateBackend('kafka')) === undefined) this.skip();
    kafka = await startKafka();
    admin = new Admin({ clientId: 'test', bootstrapBrokers: [kafka.brokers] });
  });
  after(async () => {
    await admin?.close();
    await kafka?.stop();
  });

  busConformance('as any adapter', async () => ({
    address: kafka.brokers,
    opener,
    kill: () => kafka.kill(),
    restart: () => kafka.restart(),
    stop: async () => {},
  }));
  describe('as Kafka', () => kafkaSpecifics(given));
  describe('as a member', () => kafkaLeaving(given));
  describe('between processes', () => kafkaMembers(given));
});
