import { expect } from 'chai';

import { loadModule, MODULE_NAMES } from '#modules';
import { contractsOf } from '#service-module';

import { type IntentionsShop, type Listed, PAYMENT, startIntentionsShop } from './intentions-shop.ts';

interface Explained {
  readonly allowed: boolean;
  readonly path: string;
  readonly decidedBy: { readonly default?: string; readonly intention?: Listed; readonly permission?: number };
  readonly change: readonly string[];
}

describe('mesh why', function () {
  this.timeout(20_000);
  let shop: IntentionsShop;
  before(async () => {
    shop = await startIntentionsShop();
  });
  after(() => shop.stop());
  afterEach(() => shop.clear());
  const why = async (...args: string[]) => JSON.parse(await shop.ok('why', '--json', ...args)) as Explained;

  it('names what decides, what that shadows, and what would change it', async () => {
    await shop.ok('intentions', 'deny', '*', '*');
    await shop.ok('intentions', 'deny', '*', 'payment');
    await shop.ok('intentions', 'allow', 'order', 'payment.Charge', '--description', 'placing orders');
    expect(await shop.ok('why', 'order', 'payment.Charge')).to.equal(
      [
        'order may call payment.Charge',
        'decided by order => payment (precedence 9), permission 1',
        `which says allow path ${PAYMENT}/Charge`,
        'because: placing orders',
        'shadowed by it:',
        '  * => payment (precedence 8): deny',
        '  * => * (precedence 5): deny',
        'what would change it:',
        '  npx mesh intentions deny order payment.Charge',
        '  npx mesh intentions deny order payment --replace',
        '',
      ].join('\n'),
    );
    expect((await why('user', 'payment.Charge')).decidedBy.intention).to.include({ source: '*', destination: 'payment' });
  });

  it('answers from the default where no intention fits', async () => {
    expect(await why('order', 'payment.Charge')).to.deep.include({ allowed: true, path: `${PAYMENT}/Charge`, decidedBy: { default: 'allow' } });
    expect(await shop.ok('why', 'order', 'payment.Charge')).to.include('order may call payment.Charge\ndecided by the default, allow: no intention fits\n');
  });

  it('proposes changes that do change it, each by itself', async () => {
    const states: readonly (readonly string[][])[] = [
      [],
      [['deny', '*', 'payment']],
      [['allow', 'order', 'payment']],
      [['deny', 'order', 'payment']],
      [['allow', 'order', 'payment.Charge'], ['deny', 'order', 'payment', '--path-prefix', '/']],
      [['deny', 'order', 'payment.Charge']],
    ];
    for (const state of states) {
      const { change } = await why('order', 'payment.Charge');
      for (const [index] of change.entries()) {
        for (const { source, destination } of await shop.plane.intentions.list()) await shop.plane.intentions.delete(source, destination);
        for (const args of state) await shop.run('intentions', ...args);
        const before = await why('order', 'payment.Charge');
        const command = (before.change[index] ?? '').replaceAll('\'', '').split(' ').slice(2);
        await shop.ok(...command);
        expect((await why('order', 'payment.Charge')).allowed, `${JSON.stringify(state)}: ${command.join(' ')}`).to.equal(!before.allowed);
      }
    }
  });

  it('asks about headers and paths', async () => {
    await shop.ok('intentions', 'deny', 'order', 'payment.Charge', '--header', 'x-region=eu');
    expect((await why('order', 'payment.Charge', '--header', 'X-Region: eu')).allowed).to.equal(false);
    expect((await why('order', 'payment.Charge', '--header', 'x-region:us')).allowed).to.equal(true);
    expect((await why('order', 'payment', '--path', `${PAYMENT}/Charge`, '-H', 'x-region:eu')).decidedBy.permission).to.equal(1);
  });

  it('goes through the methods of a whole service', async () => {
    await shop.ok('intentions', 'deny', 'order', 'payment.Refund');
    const stdout = await shop.ok('why', 'order', 'payment');
    expect(stdout).to.match(/^METHOD +ALLOWED +DECIDED BY$/m).and.match(/^payment\.Charge +yes +the default, allow: no permission of order => payment fits$/m);
    expect(stdout).to.match(/^payment\.Refund +no +order => payment \(precedence 9\), permission 1$/m);
  });

  it('knows a service\'s second contract, too', async () => {
    await shop.ok('intentions', 'deny', 'product', 'user.signin');
    expect(await shop.ok('why', 'product', 'user.SignIn')).to.include('product may not call user.SignIn').and.include('/shop.user.v1.AccountService/SignIn');
    const methods = await shop.ok('why', 'product', 'user');
    expect(methods).to.match(/^user\.GetUser +yes/m).and.match(/^user\.SignIn +no/m);
    expect((await shop.run('why', 'product', 'user', '--check')).exitCode).to.equal(3);
    expect(await shop.ok('why', 'operator', 'order')).to.include('order.PlaceOrder').and.include('order.RetrySaga');
  });

  it('can tell methods by their names, as no service has two of one name', async () => {
    for (const name of MODULE_NAMES) {
      const methods = contractsOf(await loadModule(name)).flatMap((contract) => contract.methods.map((method) => method.name.toLowerCase()));
      expect(methods, name).to.have.lengthOf(new Set(methods).size);
    }
  });

  it('ends with exit code 3 for a no, when it is asked to', async () => {
    await shop.ok('intentions', 'deny', 'order', 'payment.Refund');
    expect((await shop.run('why', 'order', 'payment.Refund', '--check')).exitCode).to.equal(3);
    expect((await shop.run('why', 'order', 'payment', '--check')).exitCode).to.equal(3);
    expect((await shop.run('why', 'order', 'payment.Charge', '--check')).exitCode).to.equal(0);
    expect((await shop.run('why', 'order', 'payment.Refund')).exitCode).to.equal(0);
  });

  const misasked: readonly [args: readonly string[], says: string][] = [
    [['*', 'payment.Charge'], 'name the services: * is a rule and calls nobody'],
    [['order', 'billing'], 'the methods of billing are not known here: say which with --path'],
    [['order', 'payment.Charge', '--path', '/a'], 'a call has one path'],
    [['order', 'payment.Chrge'], 'did you mean payment.Charge?'],
    [['order', 'payment.Charge', '-H', 'x'], '"x" is not a header'],
  ];
  for (const [args, says] of misasked) {
    it(`refuses \`mesh why ${args.join(' ')}\` and says why`, async () => {
      const { exitCode, stderr } = await shop.run('why', ...args);
      expect(exitCode).to.equal(1);
      expect(stderr).to.include(says);
    });
  }
});
