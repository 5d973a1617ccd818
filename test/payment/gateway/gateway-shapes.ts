import { expect } from 'chai';

import type { StripeGateway } from '../../../services/payment/stripe-gateway.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';
import { chargeOf, openGateway, patience } from './gateway-fixture.ts';

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

    it('refunds', async () => {
      const { paymentIntentId } = await gateway.charge(chargeOf('shape-refund'), patience());
      const { refundId } = await gateway.refund({ idempotencyKey: 'refund-shape', paymentIntentId }, patience());
      expect(refundId).to.match(/^re_\w+$/);
    });

    it('hears that the key is none', async () => {
      const stranger = openGateway(server?.url ?? '', { apiKey: 'sk_nobody_test_1' });
      const error = await expectRefusal('PAYMENT_PROVIDER_UNAVAILABLE', stranger.charge(chargeOf('shape-key'), patience()));
      await stranger.stop();
      expect(error.message).to.include('STRIPE_API_KEY');
    });
  });
}
