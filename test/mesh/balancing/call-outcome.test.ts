import { Metadata, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { type ErrorDetails, MeshError, refusal } from '#kit';

import { type CallOutcome, outcomeOf, type Patience } from '../../../mesh/client/balancing/call-outcome.ts';
import { toStatus } from '../../../mesh/status.ts';

const none = new Metadata();
const usual: Patience = { usualMs: 4, factor: 5 };
const unknown: Patience = { usualMs: undefined, factor: 5 };

const ended = (code: status, ms = 1, patience = usual): string => outcomeOf(code, '', none, ms, patience).kind;

/** The outcome of a call that our own server has ended with this error. */
function answeredWith(error: MeshError, ms: number | undefined = 1): CallOutcome {
  const { code, details, metadata } = toStatus(error);
  return outcomeOf(code, details, metadata, ms, usual);
}

const unavailable = (retry?: ErrorDetails['retry']): MeshError => refusal('DATABASE_UNAVAILABLE', 'no database', { retry });

describe('what the end of a call says of the instance', () => {
  it('is that it works, whatever it says of the request', () => {
    for (const code of [status.OK, status.NOT_FOUND, status.FAILED_PRECONDITION, status.UNAUTHENTICATED, status.UNIMPLEMENTED, status.ABORTED]) {
      expect(ended(code), status[code]).to.equal('answered');
    }
  });

  it('is that it is broken and lives, when it says so itself', () => {
    for (const code of [status.INTERNAL, status.UNKNOWN, status.DATA_LOSS]) expect(ended(code), status[code]).to.equal('broken');
    expect(answeredWith(unavailable({ kind: 'after', afterMs: 50 }))).to.deep.equal({ kind: 'broken' });
    expect(answeredWith(unavailable())).to.deep.equal({ kind: 'broken' });
    expect(answeredWith(refusal('DEADLINE_EXCEEDED', 'its own clock was faster'), 20)).to.deep.equal({ kind: 'broken' });
  });

  it('is that nobody is there, when nobody said anything', () => {
    expect(ended(status.UNAVAILABLE)).to.equal('gone');
  });

  it('is that it lives, and for how long it is to be left alone, when it turned the call away on purpose', () => {
    expect(answeredWith(refusal('OVERLOADED', 'busy', { retry: { kind: 'not-started', afterMs: 300 } }))).to.deep.equal({ kind: 'shed', afterMs: 300 });
    expect(answeredWith(refusal('DRAINING', 'it stops', { retry: { kind: 'not-started', afterMs: 0 } }))).to.deep.equal({ kind: 'shed', afterMs: 0 });
    expect(ended(status.RESOURCE_EXHAUSTED), 'of a foreign server').to.equal('shed');
  });

  it('is no failure of this instance when it comes from further down', () => {
    expect(answeredWith(unavailable({ kind: 'never' })).kind).to.equal('answered');
    const below = new MeshError('UNAVAILABLE', 'UNREACHABLE', 'payment is down', { answeredBy: { service: 'payment', instance: 'p-1' } });
    expect(answeredWith(refusal('INTERNAL', 'something went wrong', { cause: below })).kind).to.equal('answered');
    const shedBelow = new MeshError('RESOURCE_EXHAUSTED', 'OVERLOADED', 'payment is busy', { answeredBy: { service: 'payment', instance: 'p-1' } });
    expect(answeredWith(shedBelow).kind).to.equal('answered');
  });

  it('depends, for a call that has expired, on how long the caller would wait', () => {
    expect(ended(status.DEADLINE_EXCEEDED, 5)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 9)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 10)).to.equal('given-up');
    expect(ended(status.DEADLINE_EXCEEDED, 19)).to.equal('given-up');
    expect(ended(status.DEADLINE_EXCEEDED, 20)).to.equal('expired');
    expect(ended(status.DEADLINE_EXCEEDED, 999, unknown)).to.equal('unclear');
    expect(ended(status.DEADLINE_EXCEEDED, 1_000, unknown)).to.equal('expired');
  });

  it('is nothing for a stream that has expired or lost its reader, and what it says for any other', () => {
    const stream = (code: status): string => outcomeOf(code, '', none, undefined, usual).kind;
    expect([status.DEADLINE_EXCEEDED, status.CANCELLED].map(stream)).to.deep.equal(['unclear', 'unclear']);
    expect([status.OK, status.UNAVAILABLE, status.INTERNAL].map(stream)).to.deep.equal(['answered', 'gone', 'broken']);
  });

  it('is nothing for a cancelled call, unless the caller gave up after far longer than usual', () => {
    expect(ended(status.CANCELLED, 9)).to.equal('unclear');
    expect(ended(status.CANCELLED, 10)).to.equal('given-up');
    expect(ended(status.CANCELLED, 60_000, unknown)).to.equal('unclear');
  });
});
