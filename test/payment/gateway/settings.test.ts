import { expect } from 'chai';

import { MeshError } from '#kit';

import { openGateway } from './gateway-fixture.ts';

function refusalOf(create: () => unknown): MeshError {
  try {
    create();
  } catch (thrown) {
    if (thrown instanceof MeshError) return thrown;
  }
  return expect.fail('it was not refused');
}

describe("the Stripe gateway's settings", () => {
  for (const apiKey of ['', 'hush', 'pk_test_hush', 'sk_test_hush\nx', 'sk test hush']) {
    it(`refuse ${JSON.stringify(apiKey)} as STRIPE_API_KEY, and do not repeat it`, () => {
      const error = refusalOf(() => openGateway('http://127.0.0.1:1', { apiKey }));

      expect(error.reason).to.equal('INVALID_SETTING');
      expect(error.message).to.include('STRIPE_API_KEY').and.not.include('hush');
    });
  }

  it('refuse to send a live key in clear text', () => {
    const error = refusalOf(() => openGateway('http://stripe.example', { apiKey: 'sk_live_hush' }));

    expect(error.reason).to.equal('INVALID_SETTING');
    expect(error.message).to.include('clear text').and.not.include('hush');
  });

  for (const address of ['http://hush@127.0.0.1', 'https://:hush@127.0.0.1', 'ftp://127.0.0.1', 'http://127.0.0.1/v1', 'http://127.0.0.1/?a=1']) {
    it(`refuse ${address} as MESH_STRIPE_URL`, () => {
      expect(refusalOf(() => openGateway(address)).message).to.include('MESH_STRIPE_URL').and.not.include('hush');
    });
  }
});
