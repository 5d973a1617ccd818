import { expect } from 'chai';

import { clientAddress } from '../../../services/user/accounts/client-address.ts';

const HEADER = '192.0.2.7';
const from = (service: string, proof: 'certificate' | 'process' | 'loopback' | 'none', said: string | undefined = HEADER) =>
  clientAddress({ peer: { service, proof, address: '198.51.100.1' }, header: () => said });

describe('where a person is', () => {
  it('is what the edge says, if that is an address', () => {
    expect(from('gateway', 'certificate')).to.equal(HEADER);
    expect(from('gateway', 'process')).to.equal(HEADER);
    expect(from('gateway', 'certificate', 'nowhere')).to.equal(undefined);
  });

  it('is believed of nobody else: there it is where the call comes from', () => {
    expect(from('explorer', 'loopback')).to.equal('198.51.100.1');
    expect(from('', 'none')).to.equal('198.51.100.1');
    expect(from('gateway', 'none'), 'without a certificate').to.equal('198.51.100.1');
  });

  it('is not known of a call that another service makes: its address would stand for everybody behind it', () => {
    expect(from('order', 'certificate')).to.equal(undefined);
  });
});
