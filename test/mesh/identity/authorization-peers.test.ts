import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { MeshError, silentLog, systemClock } from '#kit';
import { createAuthorization, describeMethod, type Method, type Peer, processPeer, unprovedPeer } from '#mesh';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';

import { createServerCall } from '../support/server-call.ts';
import { createPeople, type People } from './people.ts';

const charge = describeMethod(PaymentService.method.charge);
const listRevocations = describeMethod(AccountService.method.listRevocations);
const getPayment = describeMethod(PaymentService.method.getPayment);

describe('authorization by who calls', () => {
  let people: People;
  before(async () => {
    people = await createPeople();
  });

  async function outcomeOf(method: Method, peer: Peer, header?: string): Promise<string> {
    const authorization = createAuthorization({ verify: people.verify, clock: systemClock, log: silentLog });
    const answer = create(method.desc.output);
    const named = header === undefined ? {} : { header: () => header, allHeaders: () => ({ authorization: header }) };
    const call = { ...createServerCall(method, create(method.desc.input)), peer, ...named };
    try {
      await authorization.link(method)(async () => answer)(call);
      return 'let in';
    } catch (thrown) {
      return MeshError.from(thrown).reason;
    } finally {
      await authorization.stop();
    }
  }

  const certificate = (service: string): Peer => ({ service, proof: 'certificate', address: '127.0.0.1' });
  const explorer: Peer = { service: 'explorer', proof: 'loopback', address: '127.0.0.1' };
  const cases: readonly (readonly [who: string, peer: Peer, charge: string, listRevocations: string])[] = [
    ['the service that is listed, by its certificate', certificate('order'), 'let in', 'let in'],
    ['that service within the process', processPeer('order'), 'let in', 'let in'],
    ['another service', certificate('shipping'), 'SERVICES_ONLY', 'let in'],
    ['an operator', certificate('operator'), 'SERVICES_ONLY', 'let in'],
    ['the explorer', explorer, 'SERVICES_ONLY', 'SERVICES_ONLY'],
    ['whoever comes to the explorer\'s port under the listed name', { ...explorer, service: 'order' }, 'SERVICES_ONLY', 'SERVICES_ONLY'],
    ['nobody, from anywhere', unprovedPeer('192.0.2.1'), 'SERVICES_ONLY', 'SERVICES_ONLY'],
    ['the listed name, unproved', { ...unprovedPeer('192.0.2.1'), service: 'order' }, 'SERVICES_ONLY', 'SERVICES_ONLY'],
    ['a process without a name', processPeer(''), 'SERVICES_ONLY', 'SERVICES_ONLY'],
    ['a service called *', certificate('*'), 'SERVICES_ONLY', 'let in'],
  ];
  for (const [who, peer, ofCharge, ofListRevocations] of cases) {
    it(`finds ${who}`, async () => {
      expect([await outcomeOf(charge, peer), await outcomeOf(listRevocations, peer)]).to.deep.equal([ofCharge, ofListRevocations]);
    });
  }

  it('lets no token open what is for services', async () => {
    const header = `Bearer ${await people.token('sam', 'staff', 'order', '*')}`;
    expect(await outcomeOf(charge, unprovedPeer('192.0.2.1'), header)).to.equal('SERVICES_ONLY');
  });

  it('refuses a service that sends a bad token along', async () => {
    expect(await outcomeOf(charge, certificate('order'), `Bearer ${await people.forged('ada')}`)).to.equal('ACCESS_TOKEN_REFUSED');
  });

  it('lets no service see what is a person\'s on its own account', async () => {
    expect(await outcomeOf(getPayment, certificate('shipping'))).to.equal('SIGN_IN_REQUIRED');
  });

  it('is not made for a method whose contract does not say who may call it', async () => {
    const authorization = createAuthorization({ verify: people.verify, clock: systemClock, log: silentLog });
    expect(() => authorization.link({ ...charge, access: undefined })).to.throw('the contract of shop.payment.v1.PaymentService/Charge does not say who may call it');
    await authorization.stop();
  });
});
