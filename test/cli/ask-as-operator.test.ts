import { expect } from 'chai';

import { askAsOperator } from '../../cli/status/ask-as-operator.ts';

describe('asking instances', () => {
  it('fails without a certificate, or tells it once', async () => {
    const trouble = new Error('no');
    const nobody = { certificates: { identity: () => Promise.reject(trouble), counts: () => ({ renewals: 0, failures: 0, expired: 0 }) } };
    const instance = { id: 'user-1', service: 'user', address: '127.0.0.1', port: 1, version: '', zone: '', weight: 1, metadata: {} };
    expect(await askAsOperator(nobody)(instance).catch((thrown: unknown) => thrown)).to.equal(trouble);
    const told: string[] = [];
    const asking = askAsOperator(nobody, ({ message }) => told.push(message));
    expect(await Promise.all([asking(instance), asking(instance)])).to.deep.equal([undefined, undefined]);
    expect(told).to.have.length(1);
  });
});
