import { expect } from 'chai';

import { CODES, errorCode, MeshError, REASONS, refusal } from '#kit';

describe('an error', () => {
  it('has the code of its reason, a sentence, and what a program can read', () => {
    const cause = new Error('row 7');
    const error = refusal('OUT_OF_STOCK', 'only 2 are left; order fewer', {
      metadata: { product_id: 'beans' },
      violations: [{ field: 'lines[0].quantity', description: 'at most 2' }],
      cause,
    });
    expect(error).to.be.instanceOf(Error).and.include({
      name: 'MeshError',
      code: 'FAILED_PRECONDITION',
      reason: 'OUT_OF_STOCK',
      message: 'only 2 are left; order fewer',
      cause,
    });
    expect(error.metadata).to.deep.equal({ product_id: 'beans' });
    expect(error.violations).to.deep.equal([{ field: 'lines[0].quantity', description: 'at most 2' }]);
  });

  it('has no details unless given some', () => {
    const error = refusal('CANCELLED', 'the caller went away');
    expect([error.metadata, error.violations, error.cause]).to.deep.equal([{}, [], undefined]);
  });

  it('stays itself on its way up', () => {
    const error = refusal('USER_NOT_FOUND', 'there is no user demo');
    expect(MeshError.from(error)).to.equal(error);
  });

  for (const thrown of [new TypeError('secret'), 'secret', { secret: true }, undefined, null]) {
    it(`made of ${thrown instanceof Error ? 'a bug' : JSON.stringify(thrown)} is INTERNAL, shows nothing of it and keeps it as its cause`, () => {
      const error = MeshError.from(thrown);
      expect(error).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
      expect(error.message).not.to.contain('secret');
      expect(error.cause).to.be.instanceOf(Error);
      if (thrown) expect(String(error.cause)).to.contain('secret');
    });
  }

  it('has a reason from a catalogue in which every name has a gRPC code', () => {
    for (const [reason, code] of Object.entries(REASONS)) {
      expect(reason).to.match(/^[A-Z][A-Z_]+$/);
      expect(CODES).to.include(code);
    }
    expect(CODES.indexOf('UNAUTHENTICATED')).to.equal(16);
  });
});

describe('the code of a system error', () => {
  for (const [thrown, expected] of [
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [{ code: '23505' }, '23505'],
    [{ code: 14 }, undefined],
    [new Error('none'), undefined],
    ['ECONNREFUSED', undefined],
    [undefined, undefined],
    [null, undefined],
  ] as const) {
    it(`of ${JSON.stringify(thrown)} is ${expected}`, () => {
      expect(errorCode(thrown)).to.equal(expected);
    });
  }
});
