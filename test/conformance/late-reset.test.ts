import { Metadata, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { ConformanceService } from '#proto/connectrpc/conformance/v1/service_pb.js';

import type { ClientCall } from '../../mesh/call.ts';
import { errorOf } from '../../mesh/client/wire-error.ts';

const MINUTE_MS = 60_000;

/** What a caller sees when its call is reset, with so much time left and these signals. */
function seen(leftMs: number, signals: readonly AbortSignal[] = [], metadata = new Metadata()): string {
  const call = { method: describeMethod(ConformanceService.method.unary), deadline: Date.now() + leftMs, signals, attempt: {} };
  // What is read of the call is there.
  return errorOf({ code: status.CANCELLED, details: 'Call cancelled', metadata }, call as unknown as ClientCall).code;
}

describe('a call that its server resets', () => {
  it('at the deadline, which the server noticed first, is late and not cancelled', () => {
    expect(seen(-1)).to.equal('DEADLINE_EXCEEDED');
    expect(seen(MINUTE_MS)).to.equal('CANCELLED');
  });

  it('is cancelled where its caller went away, or the server said so in trailers', () => {
    expect(seen(-1, [AbortSignal.abort()])).to.equal('CANCELLED');
    const trailers = new Metadata();
    trailers.set('x-note', 'on purpose');
    expect(seen(-1, [], trailers)).to.equal('CANCELLED');
  });
});
