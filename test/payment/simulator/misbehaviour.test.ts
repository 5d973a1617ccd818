import { expect } from 'chai';

import { systemClock, systemRandom } from '#kit';
import { type Faults, readFaults } from '#stripe-simulator';

import { createMisbehaviour } from '../../../services/payment/simulator/misbehaviour.ts';
import { field, payment, type RawAnswer, send, type SimulatorFixture, startSimulatorFixture } from './simulator-fixture.ts';

describe('card-payment simulator: misbehaviour', () => {
  let simulator: SimulatorFixture;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture({ faults: { loseAnswer: 100 } });
  });

  after(() => simulator.remove());

  function pay(orderId: string): Promise<RawAnswer> {
    return send(simulator.url(), 'POST', '/v1/payment_intents', { key: orderId, form: payment({ 'metadata[order_id]': orderId }) });
  }

  it('loses answers whose effect is done, and gives them to whoever asks again with the key', async () => {
    const lost = await pay('lost').catch((thrown: Error) => thrown);
    simulator.misbehave({});
    const answer = await pay('lost');

    expect(lost).to.be.an('error');
    expect(answer.headers.get('idempotent-replayed')).to.equal('true');
    expect(await simulator.ledger('lost')).to.have.length(1);
  });

  it('answers late', async () => {
    simulator.misbehave({ late: { percent: 100, ms: 200 } });
    const beganMs = performance.now();
    const answer = await pay('late');

    expect(answer.status).to.equal(200);
    expect(performance.now() - beganMs).to.be.at.least(190);
  });

  it('is down for a while: answers 503 or cuts, and carries nothing out', async () => {
    simulator.misbehave({ down: { percent: 100, ms: 60_000 }, seed: 5 });
    const answers = await Promise.all(Array.from({ length: 16 }, () => pay('down').catch((thrown: Error) => thrown)));
    simulator.misbehave({});

    const refused = answers.flatMap((answer) => (answer instanceof Error ? [] : [answer]));
    expect(refused.map(({ status }) => status)).to.deep.equal(refused.map(() => 503));
    expect(refused.map((answer) => field(answer, 'error.type'))).to.deep.equal(refused.map(() => 'api_error'));
    expect(refused.length).to.be.within(1, 15);
    expect(await simulator.ledger('down')).to.deep.equal([]);
    expect((await pay('down')).status).to.equal(200);
  });

  it('keeps an outage up for as long as it is told to', () => {
    let nowMs = 0;
    const misbehaviour = createMisbehaviour({ clock: { ...systemClock, now: () => nowMs }, random: systemRandom }, { down: { percent: 100, ms: 50 } });
    expect(misbehaviour.admit()).not.to.equal('admitted');
    misbehaviour.set({ down: { percent: 0 } });
    expect(misbehaviour.admit()).to.equal('admitted');

    misbehaviour.set({ down: { percent: 10, ms: 50 }, seed: 2 });
    const admissions = Array.from({ length: 2_000 }, () => {
      nowMs += 1;
      return misbehaviour.admit();
    });
    // About ten calls between outages of fifty.
    const share = admissions.filter((admission) => admission === 'admitted').length / admissions.length;
    expect(share).to.be.within(0.08, 0.3);
  });

  it('rolls the dice in the same way for the same seed, and as often as it says', () => {
    const roll = (faults: Faults): boolean[] => {
      const { answer } = createMisbehaviour({ clock: systemClock, random: systemRandom }, faults);
      return Array.from({ length: 2_000 }, () => answer().isLost);
    };
    const first = roll({ loseAnswer: 10, seed: 7 });
    expect(roll({ loseAnswer: 10, seed: 7 })).to.deep.equal(first);
    expect(roll({ loseAnswer: 10, seed: 8 })).not.to.deep.equal(first);
    for (const seed of [0, 1, 2, 2 ** 31, 2 ** 32 - 1]) expect(roll({ loseAnswer: 10, seed }).filter(Boolean).length, String(seed)).to.be.within(140, 260);
  });

  it('reads its setting, and says what is wrong with it', () => {
    const faults = { loseAnswer: 10, late: { percent: 5, ms: 3000 }, twice: 5, outOfOrder: 10, down: { percent: 1 }, seed: 7 };
    expect(readFaults(JSON.stringify(faults))).to.deep.equal(faults);
    expect(readFaults('')).to.deep.equal({});
    const bad = ['{', '[]', 'null', '1', '{"lose": 1}', '{"loseAnswer": 101}', '{"twice": -1}', '{"late": 5}', '{"late": {"percent": 5}}', '{"late": {"percent": 5, "ms": 60001}}', '{"down": {"percent": "1"}}', '{"seed": 4294967296}'];
    for (const text of bad) expect(() => readFaults(text), text).to.throw('MESH_STRIPE_SIMULATOR_FAULTS cannot be used').with.property('reason', 'INVALID_SETTING');
    expect(() => simulator.misbehave({ loseAnswer: 1_000 })).to.throw('loseAnswer must be a number from 0 to 100');
  });
});
