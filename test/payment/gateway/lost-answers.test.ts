import { expect } from 'chai';

import { expectRefusal } from '../../database/expect-refusal.ts';
import { type SimulatorFixture, startSimulatorFixture } from '../simulator/simulator-fixture.ts';
import { chargeOf, openGateway, patience, refundOf } from './gateway-fixture.ts';
import { type LosingProxy, startLosingProxy } from './losing-proxy.ts';

describe('the Stripe gateway when an answer is lost', () => {
  let simulator: SimulatorFixture;
  let network: LosingProxy;

  before(async function () {
    this.timeout(20_000);
    simulator = await startSimulatorFixture();
    network = await startLosingProxy(simulator.url());
  });

  afterEach(() => simulator.onCommit({}));
  after(async () => {
    await network.stop();
    await simulator.remove();
  });

  it('sends a charge again by itself, and one capture comes of it', async () => {
    const gateway = openGateway(network.url, { maxRetries: 1 });
    network.loseAnswers(1);
    const outcome = await gateway.charge(chargeOf('cut-once'), patience());
    await gateway.stop();

    expect(network.lost()).to.be.greaterThan(0);
    expect(outcome.kind).to.equal('captured');
    expect(await simulator.ledger('cut-once')).to.have.length(1);
  });

  it('says that the outcome is unknown when it goes on, and a resend brings it to light', async () => {
    const gateway = openGateway(network.url);
    network.loseAnswers(10);
    const error = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('cut-often'), patience()));
    const captured = await simulator.ledger('cut-often');
    network.loseAnswers(0);
    const outcome = await gateway.charge(chargeOf('cut-often'), patience());
    await gateway.stop();

    expect(error.message).to.include('ask again');
    expect(captured).to.have.length(1);
    expect(outcome).to.deep.equal({ kind: 'captured', paymentIntentId: captured[0]?.paymentIntentId });
    expect(await simulator.ledger('cut-often')).to.deep.equal(captured);
  });

  it('does the same for a refund', async () => {
    const gateway = openGateway(network.url);
    const { paymentIntentId } = await gateway.charge(chargeOf('cut-refund'), patience());
    const refund = refundOf('refund-cut', paymentIntentId);
    network.loseAnswers(10);
    await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.refund(refund, patience()));
    network.loseAnswers(0);
    const { stripeRefundId } = await gateway.refund(refund, patience());
    await gateway.stop();

    const entries = await simulator.ledger('cut-refund');
    expect(entries.map(({ kind, objectId }) => (kind === 'refund' ? objectId : kind))).to.deep.equal(['capture', stripeRefundId]);
  });

  it('gives up on a silent Stripe, is told to wait while it is still at work, and then hears of the capture', async () => {
    const hasty = openGateway(simulator.url(), { timeoutMs: 300 });
    const gateway = openGateway(simulator.url());
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    simulator.onCommit({
      beforeCommit() {
        arrived.resolve();
        return goOn.promise;
      },
    });
    await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', hasty.charge(chargeOf('silent'), patience()));
    await arrived.promise;
    const busy = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('silent'), patience()));
    goOn.resolve();
    await hasty.stop();
    await gateway.stop();

    const persistent = openGateway(simulator.url(), { maxRetries: 2 });
    const outcome = await persistent.charge(chargeOf('silent'), patience());
    await persistent.stop();
    expect(busy.metadata).to.include({ stripe_code: 'idempotency_key_in_use' });
    expect(outcome.kind).to.equal('captured');
    expect(await simulator.ledger('silent')).to.have.length(1);
  });

  it('lets go at once when the caller gives up, and cuts the request', async () => {
    const gateway = openGateway(simulator.url(), { timeoutMs: 60_000, maxRetries: 2 });
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    simulator.onCommit({
      afterCommit() {
        arrived.resolve();
        return goOn.promise;
      },
    });
    const caller = new AbortController();
    const charging = expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('given-up'), caller.signal));
    await arrived.promise;
    const why = new Error('the deadline is over');
    caller.abort(why);
    const error = await charging;
    const outcome = await gateway.charge(chargeOf('given-up'), patience());
    goOn.resolve();
    await gateway.stop();

    expect(error.cause).to.equal(why);
    expect(outcome.kind).to.equal('captured');
    expect(await simulator.ledger('given-up')).to.have.length(1);
  });

  it('sends nothing for a caller that has given up already', async () => {
    const gateway = openGateway(simulator.url());
    await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', gateway.charge(chargeOf('too-late'), AbortSignal.abort()));
    await gateway.stop();

    expect(await simulator.ledger('too-late')).to.deep.equal([]);
  });
});
