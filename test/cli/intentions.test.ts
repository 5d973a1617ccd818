import { expect } from 'chai';

import { amendRule } from '../../cli/intentions/amend-rule.ts';
import { changeIntention } from '../../cli/intentions/change-intention.ts';
import { renderIntentions } from '../../cli/intentions/render-intentions.ts';
import { intention, permission } from '../mesh/intentions/intention.ts';
import { type IntentionsShop, PAYMENT, startIntentionsShop } from './intentions-shop.ts';

describe('mesh intentions', function () {
  this.timeout(20_000);
  let shop: IntentionsShop;
  before(async () => {
    shop = await startIntentionsShop();
  });
  after(() => shop.stop());
  afterEach(() => shop.clear());

  it('lists none, and then the strongest first', async () => {
    expect(await shop.ok('intentions', 'list')).to.equal('there are none: the default holds for every call\n');
    await shop.ok('intentions', 'deny', '*', '*');
    await shop.ok('intentions', 'allow', 'order', 'payment', '--description', 'charges');
    await shop.ok('intentions', 'deny', '*', 'payment.refund', '--header', 'x-role=staff');
    const stdout = await shop.ok('intentions', 'list');
    expect(stdout).to.match(/^SOURCE +DESTINATION +SAYS +PRECEDENCE +WHY$/m);
    expect(stdout).to.match(/^order +payment +allow +9 +charges\n\* +payment +1 deny path \/shop\.payment\.v1\.PaymentService\/Refund, header x-role = staff +8 +-\n\* +\* +deny +5 +-\n$/m);
    expect((await shop.list('--destination', 'payment', '--source', '*')).map(({ precedence }) => precedence)).to.deep.equal([8]);
    expect(await shop.ok('intentions', 'list', '--source', 'user')).to.equal('there are none of these\n');
  });

  it('changes one, and keeps its description', async () => {
    await shop.ok('intentions', 'allow', 'order', 'payment', '--description', 'charges');
    expect(await shop.ok('intentions', 'deny', 'order', 'payment')).to.equal('order => payment (precedence 9): deny\n');
    expect(await shop.list()).to.have.length(1);
    expect((await shop.list())[0]).to.deep.include({ action: 'deny', description: 'charges', precedence: 9 });
  });

  it('makes what held for every call the last permission', async () => {
    await shop.ok('intentions', 'allow', 'order', 'payment');
    expect(await shop.ok('intentions', 'deny', 'order', 'payment.Refund')).to.equal(
      `order => payment (precedence 9):\n  1 deny path ${PAYMENT}/Refund\n  2 allow path prefix /\n`,
    );
  });

  it('puts a denial first, and what is allowed behind it but before the rest', async () => {
    await shop.ok('intentions', 'allow', 'order', 'payment.Charge');
    await shop.ok('intentions', 'deny', 'order', 'payment', '--path-prefix', '/');
    await shop.ok('intentions', 'allow', 'order', 'payment.GetPayment');
    await shop.ok('intentions', 'deny', 'order', 'payment.Refund');
    expect(await shop.permissions()).to.deep.equal(['deny /Refund', 'allow /Charge', 'allow /GetPayment', 'deny /']);
    await shop.ok('intentions', 'deny', 'order', 'payment.Charge');
    expect(await shop.permissions(), 'the same condition is there once').to.deep.equal(['deny /Charge', 'deny /Refund', 'allow /GetPayment', 'deny /']);
    await shop.ok('intentions', 'delete', 'order', 'payment', '--permission', '3');
    expect(await shop.permissions()).to.deep.equal(['deny /Charge', 'deny /Refund', 'deny /']);
  });

  it('loses no permission of two that are added at once', async () => {
    const pair = { source: 'order', destination: 'payment' };
    const add = (value: string) => changeIntention(shop.plane, pair, undefined, (existing) => amendRule(existing, { action: 'deny', permission: permission('deny', { path: { kind: 'exact', value } }), replace: false }));
    await Promise.all(['/a', '/b', '/c'].map(add));
    expect((await shop.permissions()).toSorted()).to.deep.equal(['deny /a', 'deny /b', 'deny /c']);

    // Without the check of what was read, the last to write wins.
    const blind = { ...shop.plane, intentions: { ...shop.plane.intentions, set: (wanted: Parameters<typeof shop.plane.intentions.set>[0]) => shop.plane.intentions.set(wanted) } };
    await shop.plane.intentions.delete('order', 'payment');
    const addBlindly = (value: string) => changeIntention(blind, pair, undefined, (existing) => amendRule(existing, { action: 'deny', permission: permission('deny', { path: { kind: 'exact', value } }), replace: false }));
    await Promise.all(['/a', '/b', '/c'].map(addBlindly));
    expect(await shop.permissions()).to.have.length(1);
  });

  it('says what a permission does to the other calls of the pair', async () => {
    await shop.ok('intentions', 'allow', '*', 'payment');
    const { exitCode, stderr } = await shop.run('intentions', 'deny', 'order', 'payment.Refund');
    expect({ exitCode, stderr }, 'the default allows, as before').to.deep.equal({ exitCode: 0, stderr: '' });
    await shop.ok('intentions', 'delete', 'order', 'payment');
    await shop.ok('intentions', 'deny', '*', 'payment');
    const opened = await shop.run('intentions', 'allow', 'order', 'payment.Charge');
    expect(opened.stderr).to.equal(
      'other calls of this pair were denied by * => payment (precedence 8), and are now allowed by the default, allow: ' +
        'no permission of order => payment fits; to have that back: npx mesh intentions deny order payment --path-prefix /\n',
    );
    await shop.ok('intentions', 'deny', 'order', 'payment', '--path-prefix', '/');
    expect((await shop.run('why', 'order', 'payment.Refund', '--check')).exitCode).to.equal(3);
    expect((await shop.run('why', 'order', 'payment.Charge', '--check')).exitCode).to.equal(0);
  });

  it('says when what is allowed stays denied, and how that ends', async () => {
    await shop.ok('intentions', 'deny', 'order', 'payment', '--path-prefix', `${PAYMENT}/`);
    const { stderr } = await shop.run('intentions', 'allow', 'order', 'payment.Charge');
    expect(stderr).to.equal(
      `this changes nothing: ${PAYMENT}/Charge is denied by order => payment (precedence 9), permission 1, which goes first; ` +
        'to take that out: npx mesh intentions delete order payment --permission 1\n',
    );
    await shop.ok('intentions', 'delete', 'order', 'payment', '--permission', '1');
    expect((await shop.run('intentions', 'allow', 'order', 'payment.Refund')).stderr).to.equal('');
  });

  it('deletes, also what is not there', async () => {
    await shop.ok('intentions', 'deny', '*', 'payment');
    expect(await shop.ok('intentions', 'delete', '*', 'payment')).to.equal('deleted: * => payment\n');
    expect(await shop.ok('intentions', 'delete', '*', 'payment')).to.equal('there is no intention * => payment\n');
  });

  it('takes names that this shop has not, and says so', async () => {
    const { exitCode, stderr } = await shop.run('intentions', 'allow', 'ordr', 'payment');
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: 'no service ordr is known here; did you mean order?\n' });
    expect((await shop.run('intentions', 'allow', 'billing-portal', 'payment')).stderr).to.equal('no service billing-portal is known here\n');
  });

  it('loses nothing without --replace', async () => {
    await shop.ok('intentions', 'deny', 'order', 'payment.Refund');
    const lost = await shop.run('intentions', 'allow', 'order', 'payment');
    expect([lost.exitCode, lost.stderr]).to.deep.equal([1, 'error: order => payment has 1 permission, which would be lost; say --replace if they may, or delete it first (INVALID_ARGUMENT)\n']);
    await shop.ok('intentions', 'allow', 'order', 'payment', '--replace');
    const same = await shop.run('intentions', 'allow', 'order', 'payment.Charge');
    expect(same.stderr).to.include('order => payment allows every call already; say --replace to allow only these');
    await shop.ok('intentions', 'allow', 'order', 'payment.Charge', '--replace');
    expect(await shop.permissions()).to.deep.equal(['allow /Charge']);
    expect((await shop.run('intentions', 'delete', 'order', 'payment', '--permission', '1')).stderr).to.include('it is the only permission of order => payment');
    expect((await shop.run('intentions', 'delete', 'order', 'payment', '--permission', '2')).stderr).to.include('order => payment has 1 permission;');
    expect((await shop.run('intentions', 'delete', 'order', 'payment', '--permission', 'x')).exitCode).to.equal(2);
  });

  it('shows what cannot be used, and what comes from elsewhere', () => {
    const jwt = intention('web', 'payment', { kind: 'unusable', problem: 'it asks for a JWT' });
    const foreign = intention('web', 'payment', 'allow', { elsewhere: 'peer east' });
    expect(renderIntentions([jwt, foreign])).to.match(/^web +payment +deny, for it cannot be used: it asks for a JWT +9 +-$/m).and.match(/^peer east\/web +payment +allow +9 +-$/m);
  });
});
