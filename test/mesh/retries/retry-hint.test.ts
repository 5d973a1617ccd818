import { expect } from 'chai';

import type { ErrorDetails, RetryHint } from '#kit';

import { retryHintOf } from '../../../mesh/retry-hint.ts';
import { failure } from './support/calls.ts';

const answeredBy = { service: 'payment', instance: 'payment-1' };
const shed: RetryHint = { kind: 'not-started', afterMs: 50 };

describe('retry hint of an answer', () => {
  const hintOf = (details?: ErrorDetails): RetryHint | undefined => retryHintOf(failure('UNAVAILABLE', details));

  it('is none for a failure of the server’s own: the code decides', () => {
    expect(hintOf()).to.equal(undefined);
    expect(hintOf({ cause: new Error('the disk is full') })).to.equal(undefined);
  });

  it('is the server’s own where it gives one', () => {
    expect(hintOf({ retry: shed })).to.equal(shed);
  });

  it('is never for a failed call of the server’s own: the hop below has tried', () => {
    expect(hintOf({ answeredBy })).to.deep.equal({ kind: 'never' });
  });

  it('is never also when that hop would have had it sent again: this one has begun', () => {
    expect(hintOf({ answeredBy, retry: shed })).to.deep.equal({ kind: 'never' });
  });

  it('is never when the failed call is a cause, however it was wrapped', () => {
    const below = failure('UNAVAILABLE', { answeredBy, retry: shed });
    expect(hintOf({ cause: below })).to.deep.equal({ kind: 'never' });
    expect(hintOf({ cause: new Error('the step failed', { cause: failure('INTERNAL', { cause: below }) }) })).to.deep.equal({ kind: 'never' });
  });

  it('is what a handler says on purpose of a failed call', () => {
    expect(hintOf({ cause: failure('UNAVAILABLE', { answeredBy }), retry: shed })).to.equal(shed);
  });

  it('ends with causes that go round in a circle', () => {
    const cause = new Error('first');
    cause.cause = new Error('second', { cause });
    expect(hintOf({ cause })).to.equal(undefined);
  });
});
