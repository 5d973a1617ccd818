import { expect } from 'chai';

import { MeshError, type Money, requireChargeable } from '#kit';

import { fromStripeAmount, toStripeAmount } from '../../services/payment/stripe-amount.ts';

const CURRENCIES = Intl.supportedValuesOf('currency');

function refusalOf(work: () => unknown): MeshError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof MeshError) return thrown;
  }
  return expect.fail('it was not refused');
}

describe('amounts as Stripe counts them', () => {
  for (const [minor, currency, stripe, what] of [
    [1999n, 'EUR', 1999n, 'cents'],
    [500n, 'JPY', 500n, 'yen, which have no parts'],
    [5n, 'ISK', 500n, 'hundredths, though a króna has none'],
    [5n, 'UGX', 500n, 'hundredths, though a shilling has none'],
    [500n, 'MGA', 5n, 'whole ariary, though ISO 4217 gives them two decimals'],
    [1_234_560n, 'KWD', 1_234_560n, 'thousandths'],
    [199_900n, 'HUF', 199_900n, 'fillér: only payouts are in whole forint'],
    [199_900n, 'TWD', 199_900n, 'hundredths: only payouts are in whole dollars'],
    [500n, 'CLP', 500n, 'pesos, which have no parts'],
  ] as const) {
    it(`count ${currency} in ${what}: ${minor} is ${stripe}`, () => {
      expect(toStripeAmount({ minor, currency })).to.equal(stripe);
      expect(fromStripeAmount(stripe, currency)).to.deep.equal({ minor, currency });
    });
  }

  it('have no parts of an ariary', () => {
    expect(refusalOf(() => toStripeAmount({ minor: 520n, currency: 'MGA' })).reason).to.equal('PAYMENT_REJECTED');
  });
});

describe('what a card payment can be made of', () => {
  for (const [currency, most, tooMuch, words] of [
    ['EUR', 99_999_999n, 100_000_000n, '999999.99 EUR'],
    ['JPY', 99_999_999n, 100_000_000n, '99999999 JPY'],
    ['ISK', 999_999n, 1_000_000n, '999999 ISK'],
    ['UGX', 999_999n, 1_000_000n, '999999 UGX'],
    ['MGA', 9_999_999_900n, 10_000_000_000n, '99999999.00 MGA'],
    ['KWD', 99_999_990n, 100_000_000n, '99999.990 KWD'],
    ['IDR', 999_999_999_999n, 1_000_000_000_000n, '9999999999.99 IDR'],
  ] as const) {
    it(`is at most ${words}`, () => {
      requireChargeable({ minor: most, currency });
      const refused = refusalOf(() => requireChargeable({ minor: tooMuch, currency }));
      expect(refused.reason).to.equal('INVALID_ARGUMENT');
      expect(refused.message).to.contain(words).and.contain('smaller orders');
    });
  }

  for (const [minor, currency, words] of [
    [520n, 'MGA', '1.00 MGA'],
    [5_124n, 'KWD', '0.010 KWD'],
    [5_001n, 'TND', '0.010 TND'],
  ] as const) {
    it(`is not ${minor} of the smallest unit of ${currency}, which cards pay in steps of ${words}`, () => {
      const refused = refusalOf(() => requireChargeable({ minor, currency }));
      expect([refused.reason, refused.code]).to.deep.equal(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
      expect(refused.message).to.contain(words);
    });
  }

  it('has at most the digits that Stripe takes, and all of them, in every currency', () => {
    for (const currency of CURRENCIES) {
      const limit = currency === 'IDR' ? 10n ** 12n : 10n ** 8n;
      const most = largest(currency);
      expect(toStripeAmount(most) < limit, `${most.minor} ${currency}`).to.equal(true);
      // No currency moves in steps of more than 100 of its smallest or of Stripe's unit.
      expect(toStripeAmount(most) >= limit - 100n, `${most.minor} ${currency}`).to.equal(true);
    }
  });

  function largest(currency: string): Money {
    let minor = 0n;
    for (let digit = 10n ** 13n; digit > 0n; digit /= 10n) {
      while (isAtMost({ minor: minor + digit, currency })) minor += digit;
    }
    while (!isChargeable({ minor, currency })) minor -= 1n;
    return { minor, currency };
  }

  function isChargeable(amount: Money): boolean {
    try {
      requireChargeable(amount);
      return true;
    } catch {
      return false;
    }
  }

  /** Whatever its last digits. */
  function isAtMost({ minor, currency }: Money): boolean {
    return isChargeable({ minor: minor - (minor % 100n), currency });
  }
});
