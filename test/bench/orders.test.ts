import { expect } from 'chai';

import { bench } from '../../bench/orders/bench.ts';
import type { Figure } from '../../bench/figure.ts';

const silent = (): void => {};

// How fast is no test's business. That every order was CONFIRMED and charged once, and every event had one effect, the benchmark checks itself.
describe('npm run bench orders', function () {
  this.timeout(180_000);

  function measure(...only: string[]): Promise<readonly Figure[]> {
    return bench({ quick: true, progress: silent, only });
  }

  it('measures our shop in both topologies beside the one that is usually written', async () => {
    const figures = await measure('micro_vs_naive');

    expect(figures.map(({ figure }) => figure)).to.deep.equal([
      'orders.micro_vs_naive',
      'orders.monolith_vs_naive',
      'orders.cpu_micro_vs_naive',
      'orders.cpu_monolith_vs_naive',
      'orders.p99_at_half_capacity (micro)',
      'orders.spans_per_order (naive)',
      'orders.spans_per_order (micro)',
      'orders.spans_per_order (monolith)',
    ]);
    for (const { figure, value, peer, peerValue } of figures) {
      expect(value, figure).to.be.above(0);
      if (peer !== null) expect(peerValue, figure).to.be.above(0);
    }
    // The buyer's call has one side; six calls below it and four deliveries have two each: 21. 82 statements, one request to the card company.
    expect(figures.find(({ figure }) => figure === 'orders.spans_per_order (naive)')?.value).to.be.within(103, 105);
  });

  it('measures the saga runner alone beside DBOS', async () => {
    const [figure] = await measure('saga_steps_vs_dbos');
    expect(figure).to.include({ figure: 'orders.saga_steps_vs_dbos', unit: 'steps/s', peer: '@dbos-inc/dbos-sdk', aim: '>= 5' });
    expect(figure?.value).to.be.above(0);
    expect(figure?.peerValue).to.be.above(0);
  });

  it('measures events from the outbox to their effect', async () => {
    const [figure] = await measure('events_postgres');
    expect(figure?.figure).to.equal('orders.events_postgres');
    expect(figure?.unit).to.match(/^events\/s \(limit: /);
    expect(figure?.value).to.be.above(0);
  });

  it('names the figures when asked for one there is not', async () => {
    const failure = await measure('speed').catch((thrown: Error) => thrown);
    expect(failure).to.be.an('error').with.property('message').that.includes('there is no figure speed').and.includes('full_vs_empty');
  });
});
