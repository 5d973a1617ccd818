import { expect } from 'chai';

import { amountInWords, fromProtoMoney, moneyInWords, toProtoMoney } from '#kit';

import { refusalOf, seededRandom } from './support.ts';

const money = (currencyCode: string, units: bigint, nanos = 0) => ({ currencyCode, units, nanos });

describe('money', () => {
  for (const [proto, minor] of [
    [money('EUR', 19n, 990_000_000), 1999n],
    [money('EUR', 0n, 10_000_000), 1n],
    [money('JPY', 500n), 500n],
    [money('KWD', 1n, 234_000_000), 1234n],
    [money('IQD', 1n, 234_000_000), 1234n],
    [money('HUF', 1_999n), 199_900n],
    [money('EUR', -1n, -500_000_000), -150n],
    [money('EUR', 0n, -500_000_000), -50n],
    [money('EUR', 0n), 0n],
    [money('EUR', 9_223_372_036_854_775_807n, 990_000_000), 922_337_203_685_477_580_799n],
  ] as const) {
    it(`${proto.currencyCode} ${proto.units} and ${proto.nanos} nanos is ${minor} of its smallest unit, and back`, () => {
      const read = fromProtoMoney(proto);
      expect(read).to.deep.equal({ minor, currency: proto.currencyCode });
      expect(toProtoMoney(read)).to.deep.equal(proto);
    });
  }

  for (const [currency, nanos, digits] of [
    ['EUR', 999_000_000, 2],
    ['EUR', 1, 2],
    ['JPY', 500_000_000, 0],
    ['KWD', 100_000, 3],
  ] as const) {
    it(`refuses ${nanos} nanos of ${currency}, which has ${digits} decimals`, () => {
      const refused = refusalOf(() => fromProtoMoney(money(currency, 1n, nanos)));
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(refused.message).to.contain(`${currency} has ${digits} decimals`);
    });
  }

  for (const currency of ['', 'EURO', 'eur', 'ABC', 'constructor']) {
    it(`refuses the currency "${currency}" in both directions`, () => {
      expect(refusalOf(() => fromProtoMoney(money(currency, 1n))).message).to.contain('is not a currency');
      expect(refusalOf(() => toProtoMoney({ minor: 1n, currency })).code).to.equal('INVALID_ARGUMENT');
    });
  }

  for (const [what, units, nanos] of [
    ['a unit or more in nanos', 0n, 1_000_000_000],
    ['a unit or more in negative nanos', 0n, -1_000_000_000],
    ['nanos of another sign', 1n, -500_000_000],
    ['units of another sign', -1n, 500_000_000],
  ] as const) {
    it(`refuses ${what}, which would be another amount than it seems`, () => {
      expect(refusalOf(() => fromProtoMoney(money('EUR', units, nanos))).message).to.contain('nanos');
    });
  }

  for (const [minor, currency, words] of [
    [123_450n, 'EUR', '1234.50 EUR'],
    [1n, 'EUR', '0.01 EUR'],
    [0n, 'EUR', '0.00 EUR'],
    [-5n, 'EUR', '-0.05 EUR'],
    [500n, 'JPY', '500 JPY'],
    [50_000n, 'HUF', '500.00 HUF'],
    [-1_005n, 'KWD', '-1.005 KWD'],
    [500n, 'ABC', '500 ABC'],
    [-500n, '', '-500'],
  ] as const) {
    it(`of ${minor} in "${currency}" is ${words} in words`, () => {
      expect(moneyInWords({ minor, currency })).to.equal(words);
      expect(amountInWords({ minor, currency })).to.equal(words.split(' ')[0]);
    });
  }

  it('is the same after there and back, for any amount of any currency', () => {
    const random = seededRandom(1);
    for (const currency of Intl.supportedValuesOf('currency')) {
      for (let round = 0; round < 50; round += 1) {
        const minor = BigInt(Math.trunc((random.number() - 0.5) * 10 ** Math.ceil(random.number() * 15)));
        const proto = toProtoMoney({ minor, currency });
        expect(Math.abs(proto.nanos)).to.be.below(1e9);
        expect(fromProtoMoney(proto), `${minor} ${currency}`).to.deep.equal({ minor, currency });
      }
    }
  });

  it('adds up in the smallest unit as it does in units and nanos', () => {
    const random = seededRandom(2);
    for (let round = 0; round < 1_000; round += 1) {
      const cents = [0, 0].map(() => BigInt(Math.floor(random.number() * 1e9)));
      const nanos = cents.map((minor) => toProtoMoney({ minor, currency: 'EUR' })).map((proto) => proto.units * 1_000_000_000n + BigInt(proto.nanos));
      const sum = (parts: readonly bigint[]): bigint => parts.reduce((total, part) => total + part, 0n);
      expect(sum(nanos)).to.equal(sum(cents) * 10_000_000n);
    }
  });
});
