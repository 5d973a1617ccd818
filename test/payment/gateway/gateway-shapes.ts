import { expect } from 'chai';

import type { StripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { chargeOf, openGateway, patience, refundOf } from './gateway-fixture.ts';

/** A server that speaks Stripe's API. */
export interface StripeServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * What every server must make of the gateway's requests, also one that keeps no state:
 * it takes their parameters (stripe-mock checks names and types against Stripe's own
 * description of its API), and the gateway reads its answers.
 *
 * @param start undefined where the server is not installed: the suite is skipped
 */
export function gatewayShapes(name: string, start: () => Promise<StripeServer | undefined>): void {
  describe(`the Stripe gateway's requests, as ${name} takes them`, () => {
    let server: StripeServer | undefined;
    let gateway: StripeGateway;

    before(async function () {
      this.timeout(30_000);
      server = await start();
      if (server === undefined) return this.skip();
      gateway = openGateway(server.url);
    });

    after(async () => {
      await gateway?.stop();
      await server?.stop();
    });

    it('charges', async () => {
      const outcome = await gateway.charge(chargeOf('shape-charge'), patience());
      expect(outcome.paymentIntentId).to.match(/^pi_\w+$/);
      expect(outcome.kind).to.be.oneOf(['captured', 'declined']);
    });

    it('uses up a key', async () => {
      expect(await gateway.useUpKey(chargeOf('shape-used-up'), patience())).to.be.oneOf(['used up', 'used before']);
    });

    it('refunds', async () => {
      const { paymentIntentId } = await gateway.charge(chargeOf('shape-refund'), patience());
      const { stripeRefundId } = await gateway.refund(refundOf('refund-shape', paymentIntentId), patience());
      expect(stripeRefundId).to.match(/^re_\w+$/);
    });

    it('refunds a part', async () => {
      const { paymentIntentId } = await gateway.charge(chargeOf('shape-part'), patience());
      const { stripeRefundId } = await gateway.refund(refundOf('part-shape', paymentIntentId, { amount: { minor: 250n, currency: 'EUR' } }), patience());
      expect(stripeRefundId).to.match(/^re_\w+$/);
    });

    it('looks a charge up, with its refunds', async () => {
      const { paymentIntentId } = await gateway.charge(chargeOf('shape-look'), patience());
      const found = await gateway.lookUp(paymentIntentId, patience());
      expect(found?.paymentIntentId).to.match(/^pi_\w+$/);
      expect(found?.outcome.kind).to.be.oneOf(['captured', 'declined', 'unsettled']);
      for (const refund of found?.refunds ?? []) expect(refund.state).to.be.oneOf(['pending', 'succeeded', 'failed']);
    });

    it('searches for the charges of an order', async () => {
      await gateway.charge(chargeOf('shape-search'), patience());
      const found = await gateway.findCharges('shape-search', patience());
      for (const { paymentIntentId } of found) expect(paymentIntentId).to.match(/^pi_\w+$/);
    });

    it('hears that the key is none', async () => {
      const stranger = openGateway(server?.url ?? '', { apiKey: 'sk_nobody_test_1' });
      const error = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', stranger.charge(chargeOf('shape-key'), patience()));
      await stranger.stop();
      expect(error.message).to.include('STRIPE_API_KEY');
    });
  });
}
