import { expect } from 'chai';

import { idleSettings } from '../../cli/doctor/idle-settings.ts';
import { loadSettings } from '../../cli/settings.ts';
import { systemClock } from '#kit';

describe('mesh doctor, of settings that come in pairs,', () => {
  const troubles = async (given: Readonly<Record<string, string>>): Promise<string[]> => {
    const settings = await loadSettings(given);
    const scene = { given: settings, settings, supervisor: undefined, registry: { kind: 'none', why: 'no shop runs here' }, clock: systemClock } as const;
    return idleSettings(scene).map(({ says }) => says);
  };

  const pairs = [
    ['KAFKA_TLS', 'true', 'KAFKA_BROKERS', '127.0.0.1:1'],
    ['KAFKA_SASL', 'SCRAM-SHA-512:shop:hunter2', 'KAFKA_BROKERS', '127.0.0.1:1'],
    ['MESH_PAYMENT_WEBHOOK_PORT', '4242', 'STRIPE_WEBHOOK_SECRET', 'whsec_some'],
    ['MESH_PAYMENT_WEBHOOK_HOST', '0.0.0.0', 'STRIPE_WEBHOOK_SECRET', 'whsec_some'],
  ] as const;
  for (const [name, value, other, itsValue] of pairs) {
    it(`finds ${name} without ${other}`, async () => {
      const [found, ...more] = await troubles({ [name]: value });
      expect(found).to.include(`${name} does nothing: without ${other}`).and.not.include('hunter2');
      expect(more).to.deep.equal([]);
      expect(await troubles({ [name]: value, [other]: itsValue })).to.deep.equal([]);
    });
  }
});
