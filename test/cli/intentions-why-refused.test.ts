import { expect } from 'chai';

import { MeshError } from '#kit';

import { until } from '../discovery/support/until.ts';
import { failureOf } from '../mesh/support/outcome.ts';
import { type GuardedPayment, serveGuardedPayment } from './intentions-guarded.ts';
import { type IntentionsShop, startIntentionsShop } from './intentions-shop.ts';

const GET_PAYMENT = 'shop.payment.v1.PaymentService/GetPayment';

describe('what the instances have refused', function () {
  this.timeout(20_000);
  let shop: IntentionsShop;
  let payment: GuardedPayment;
  before(async () => {
    shop = await startIntentionsShop();
    payment = await serveGuardedPayment(shop.plane);
    await shop.ok('intentions', 'deny', 'cart', 'payment.GetPayment', '--description', 'carts charge nothing');
    const [cart, order] = [await payment.as('cart'), await payment.as('order')];
    // The agent's news are on their way.
    await until('carts are refused', async () => (await cart.getPayment({ orderId: 'o-1' }).catch(MeshError.from)) instanceof MeshError);
    await failureOf(cart.getPayment({ orderId: 'o-1' }));
    await order.getPayment({ orderId: 'o-1' });
  });
  after(async () => {
    await payment?.stop();
    await shop.stop();
  });

  it('is told to a service that is refused, with the command that says more', async () => {
    const refused = await failureOf((await payment.as('cart')).getPayment({ orderId: 'o-1' }));
    expect(refused).to.deep.include({ code: 'PERMISSION_DENIED', reason: 'INTENTION_DENIED' });
    expect(refused.metadata).to.deep.equal({ source: 'cart', destination: 'payment', method: GET_PAYMENT, intention: 'cart => payment', permission: '1' });
    const [, command = ''] = /`npx mesh (why [^`]+)`/.exec(refused.message) ?? [];
    expect(await shop.ok(...command.split(' '))).to.include('because: carts charge nothing');
  });

  it('stands in the answer of `mesh why`', async () => {
    expect(await shop.ok('why', 'cart', 'payment.GetPayment')).to.match(/^refused so far \(1 of 1 instance answered\):\n {2}\d+ calls, the last \d+ s ago, by cart => payment, permission 1$/m);
    expect(await shop.ok('why', 'order', 'payment.GetPayment')).to.match(/^refused so far: none \(1 of 1 instance answered\)$/m);
    expect(await shop.ok('why', 'cart', 'payment')).to.match(/^METHOD +ALLOWED +REFUSED +DECIDED BY$/m).and.match(/^payment\.GetPayment +no +\d+ +cart => payment/m).and.match(/^payment\.Charge +yes +0 /m);
  });

  it('is there for programs', async () => {
    const { refused } = JSON.parse(await shop.ok('why', 'cart', 'payment.GetPayment', '--json')) as { refused: { asked: number; answered: number; denials: readonly Record<string, unknown>[] } };
    expect(refused).to.include({ asked: 1, answered: 1 });
    expect(refused.denials).to.have.length(1);
    expect(refused.denials[0]).to.include({ intention: 'cart => payment', permission: 1 });
    expect(Date.parse(String(refused.denials[0]?.['lastTime']))).to.be.closeTo(Date.now(), 60_000);
  });

  it('is in the report', async () => {
    const report = await shop.ok('intentions', 'report');
    expect(report).to.match(/^cart +payment +shop\.payment\.v1\.PaymentService\/GetPayment +cart => payment, permission 1 +\d+ +\d+ s ago$/m);
    expect(report).to.include('nobody has called without a certificate').and.include('1 of 1 instance answered');
    expect(await shop.ok('intentions', 'report', '--destination', 'user')).to.include('0 of 0 instances answered');
  });

  it('is not known where the instances let the operator not in, which is said', async () => {
    await shop.ok('intentions', 'deny', 'operator', 'payment');
    await until('it is refused', async () => (await shop.run('why', 'cart', 'payment.GetPayment')).stderr.includes('operator may not call mesh.v1.InstanceService/GetInstance'));
    expect(await shop.ok('why', 'cart', 'payment.GetPayment')).to.include('whether such calls were refused is not known: 0 of 1 instance answered');
    await shop.ok('intentions', 'delete', 'operator', 'payment');
  });
});

describe('an instance that is permissive, and denies by default', function () {
  this.timeout(20_000);
  let shop: IntentionsShop;
  let payment: GuardedPayment;
  before(async () => {
    shop = await startIntentionsShop();
    payment = await serveGuardedPayment(shop.plane, { permissive: true, defaultAction: 'deny' });
  });
  after(async () => {
    await payment?.stop();
    await shop.stop();
  });

  it('has its own default in the answer of `mesh why`, which says that Consul has another', async () => {
    // Who asks is denied by default too, and told what to do.
    expect((await shop.run('why', 'order', 'payment.Charge')).stderr).to.include('`npx mesh intentions allow operator payment --path /mesh.v1.InstanceService/GetInstance` would allow it');
    await shop.ok('intentions', 'allow', 'operator', 'payment', '--path', '/mesh.v1.InstanceService/GetInstance');
    await until('it may ask', async () => (await shop.ok('why', 'order', 'payment.Charge')).includes('1 of 1 instance answered'));
    const { stdout, stderr } = await shop.run('why', 'order', 'payment.Charge');
    expect(stdout).to.include('order may not call payment.Charge\ndecided by the default, deny: no intention fits');
    expect(stderr).to.include('the default of Consul is allow; the instances go by MESH_INTENTIONS_DEFAULT, deny');
  });

  it('tells in the report who calls it without a certificate', async () => {
    await shop.ok('intentions', 'allow', '*', 'payment');
    await until('it has heard of that', () => payment.inPlaintext().getPayment({ orderId: 'o-1' }).then(() => true, () => false));
    expect(await shop.ok('intentions', 'report')).to.match(/^127\.0\.0\.1 +payment +shop\.payment\.v1\.PaymentService\/GetPayment +\d+ +let in +\d+ s ago +\d+ s ago$/m);
    const { withoutCertificate } = JSON.parse(await shop.ok('intentions', 'report', '--json')) as { withoutCertificate: readonly object[] };
    expect(withoutCertificate[0]).to.include({ address: '127.0.0.1', destination: 'payment', method: GET_PAYMENT, refused: false });
  });
});
