import { Metadata, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { type ErrorDetails, MeshError, refusal } from '#kit';

import { outcomeOf, type Patience } from '../../../mesh/client/balancing/call-outcome.ts';
import { toStatus } from '../../../mesh/status.ts';

const none = new Metadata();
const usual: Patience = { usualMs: 4, factor: 5 };
const unknown: Patience = { usualMs: undefined, factor: 5 };

const ended = (code: status, ms = 1, patience = usual): string => outcomeOf(code, '', none, ms, patience);

/** The outcome of a call that our own server has ended with this error. */
function answeredWith(error: MeshError): string {
  const { code, details, metadata } = toStatus(error);
  return outcomeOf(code, details, metadata, 1, usual);
}

const unavailable = (retry?: ErrorDetails['retry']): MeshError => refusal('DATABASE_UNAVAILABLE', 'no database', { retry });

describe('what the end of a call says of the instance', () => {
  it('is that it works, whatever it says of the request', () => {
    for (const code of [status.OK, status.NOT_FOUND, status.FAILED_PRECONDITION, status.UNAUTHENTICATED, status.UNIMPLEMENTED, status.ABORTED]) {
      expect(ended(code), status[code]).to.equal('answered');
    }
  });

  it('is that it fails, when the fault is on its side', () => {
    for (const code of [status.UNAVAILABLE, status.INTERNAL, status.UNKNOWN, status.DATA_LOSS]) {
      expect(ended(code), status[code]).to.equal('failed');
    }
    expect(answeredWith(unavailable({ kind: 'after', afterMs: 50 }))).to.equal('failed');
  });

  it('is no failure when it turned the call away on purpose', () => {
    expect(ended(status.RESOURCE_EXHAUSTED)).to.equal('shed');
    expect(answeredWith(refusal('DRAINING', 'it stops', { retry: { kind: 'not-started', afterMs: 0 } }))).to.equal('shed');
  });

  it('is no failure of this instance when it comes from further down', () => {
    expect(answeredWith(unavailable({ kind: 'never' }))).to.equal('answered');
    const below = new MeshError('UNAVAILABLE', 'UNREACHABLE', 'payment is down', { answeredBy: { service: 'payment', instance: 'p-1' } });
    expect(answeredWith(refusal('INTERNAL', 'something went wrong', { cause: below }))).to.equal('answered');
  });

  it('depends, for a call that has expired, on how long the caller would wait', () => {
    expect(ended(status.DEADLINE_EXCEEDED, 5)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 19)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 20)).to.equal('failed');
    expect(ended(status.DEADLINE_EXCEEDED, 999, unknown)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 1_000, unknown)).to.equal('failed');
  });

  it('is nothing for a cancelled call, unless the caller gave up after far longer than usual', () => {
    expect(ended(status.CANCELLED, 9)).to.equal('unclear');
    expect(ended(status.CANCELLED, 10)).to.equal('given-up');
    expect(ended(status.CANCELLED, 60_000, unknown)).to.equal('unclear');
  });
});
