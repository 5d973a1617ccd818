import { expect } from 'chai';

import { readHeader } from '../../cli/intentions/permission-flags.ts';
import { type IntentionsShop, startIntentionsShop } from './intentions-shop.ts';

describe('mesh intentions, misused', function () {
  this.timeout(20_000);
  let shop: IntentionsShop;
  before(async () => {
    shop = await startIntentionsShop();
  });
  after(() => shop.stop());
  afterEach(() => shop.clear());

  const refused: readonly [args: readonly string[], says: string][] = [
    [['allow', 'order', 'payment.Chrge'], 'payment has no method Chrge; did you mean payment.Charge?'],
    [['allow', 'order', 'ordr.Charge'], 'there is no service ordr; did you mean order?'],
    [['allow', 'order.PlaceOrder', 'payment'], 'order.PlaceOrder is a method, and a whole service calls: write order'],
    [['allow', 'Order!', 'payment'], '"Order!" names no service'],
    [['deny', 'order', '*', '--path', '/a'], 'permissions are for one destination: name it instead of *'],
    [['deny', 'order', 'payment', '--path', 'a'], 'a path begins with /'],
    [['deny', 'order', 'payment', '--path', '/a', '--path-prefix', '/b'], 'a permission has one path'],
    [['deny', 'order', 'payment.Charge', '--path', '/a'], 'a permission has one path'],
    [['deny', 'order', 'payment', '--path-regex', '(?=a)'], 'its pattern "(?=a)" is none of RE2'],
    [['deny', 'order', 'payment', '--header', 'a b=c'], '"a b=c" is no header; write it like x-role, x-role=staff'],
    [['deny', 'order', 'payment', '--header', 'x-role~=('], 'its pattern "(" is none of RE2'],
    [['deny', 'order', 'payment', '--header', 'x-role', '--ignore-case'], '--ignore-case is for the value of a --header'],
    [['allow', 'order', 'payment', '--description', 'x'.repeat(513)], 'a description has at most 512 characters'],
    [['delete', 'order', 'payment.Charge'], 'an intention is deleted as a whole: write payment'],
  ];
  for (const [args, says] of refused) {
    it(`refuses \`mesh intentions ${args.join(' ').slice(0, 80)}\` and says why`, async () => {
      const { exitCode, stdout, stderr } = await shop.run('intentions', ...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr).to.include(says);
      expect(await shop.list()).to.deep.equal([]);
    });
  }

  it('reads every form of a header', () => {
    const read = (text: string, ignoreCase = false) => {
      const { name, kind, value, ignoreCase: anyCase, invert } = readHeader(text, ignoreCase);
      return `${invert ? '!' : ''}${name} ${kind} ${value}${anyCase ? ' i' : ''}`;
    };
    expect(['X-Role', '!x-role', 'x-role=a=b', 'x-role^=st', 'x-role$=ff', 'x-role*=taf', '!x-role~=st.*', ':path=/a'].map((text) => read(text))).to.deep.equal([
      'x-role present ', '!x-role present ', 'x-role exact a=b', 'x-role prefix st', 'x-role suffix ff', 'x-role contains taf', '!x-role regex st.*', ':path exact /a',
    ]);
    expect(['x-role', 'x-role=a', 'x-role~=a'].map((text) => read(text, true))).to.deep.equal(['x-role present ', 'x-role exact a i', 'x-role regex a']);
  });
});
