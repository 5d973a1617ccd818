import { create } from '@bufbuild/protobuf';
import { Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import { describeMethod, unprovedPeer } from '#mesh';
import { OrderService, WatchOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import { GetUserRequestSchema, GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import type { Invoke, ServerCall } from '../../mesh/call.ts';
import { OpenCalls } from '../../mesh/server/open-calls.ts';
import { WireCall } from '../../mesh/server/wire-call.ts';
import { until } from '../discovery/support/until.ts';

type Sent = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const UNARY = describeMethod(UserService.method.getUser);
const STREAM = describeMethod(OrderService.method.watchOrder);
const REQUEST = create(GetUserRequestSchema, { userId: 'demo' });
const answered: Invoke<ServerCall> = async (call) => {
  const answer = create(GetUserResponseSchema);
  call.seal?.(answer);
  return answer;
};

describe('a call that came over the wire', () => {
  let open: OpenCalls;
  let statuses: Sent[];
  let served: number;
  beforeEach(() => {
    open = new OpenCalls();
    statuses = [];
    served = 0;
  });

  /** A call that has begun; `broken` says how often its status cannot be sent. */
  function begin(invoke: Invoke<ServerCall> = answered, method = UNARY, broken = 0): WireCall {
    let left = broken;
    const wire = {
      getDeadline: () => Infinity,
      start: () => call.onReceiveMetadata(new Metadata()),
      startRead: () => {},
      sendMetadata: () => {},
      sendMessage: () => {},
      sendStatus(sent: Sent) {
        if ((left -= 1) >= 0) throw new TypeError('this cannot be written');
        statuses.push(sent);
      },
    };
    const counting: Invoke<ServerCall> = (each) => {
      served += 1;
      return invoke(each);
    };
    // No more of it is used.
    const call = new WireCall(method, counting, wire as Partial<ServerInterceptingCallInterface> as ServerInterceptingCallInterface, { open, clock: systemClock }, unprovedPeer(''));
    call.begin();
    return call;
  }
  function send(call: WireCall): void {
    call.onReceiveMessage(REQUEST);
    call.onReceiveHalfClose();
  }
  const hasEnded = (): Promise<void> => until('it has a status', () => statuses.length > 0);

  it('is open from its headers until its answer is out', async () => {
    const call = begin();
    expect(open.size).to.equal(1);
    send(call);
    await hasEnded();
    expect([statuses[0]?.code, open.size]).to.deep.equal([status.OK, 1]);
    call.onCancel();
    expect(open.size).to.equal(0);
  });

  it('is not served when it was over before its request was there', () => {
    const call = begin();
    call.onReceiveMessage(REQUEST);
    call.onCancel();
    call.onReceiveHalfClose();
    expect([served, open.size]).to.deep.equal([0, 0]);
  });

  it('is refused unserved when a drain ends it before its request is there', () => {
    const call = begin();
    expect(open.endAll(refusal('DRAINING', 'the service stopped'))).to.equal(1);
    send(call);
    expect([served, statuses.map(({ code }) => code)]).to.deep.equal([0, [status.UNAVAILABLE]]);
  });

  it('is refused unserved when it is a stream and comes after streams were ended', () => {
    open.endStreams(refusal('DRAINING', 'the service stopped'));
    const call = begin(answered, STREAM);
    call.onReceiveMessage(create(WatchOrderRequestSchema));
    call.onReceiveHalfClose();
    expect([served, statuses.map(({ code }) => code)]).to.deep.equal([0, [status.UNAVAILABLE]]);
    send(begin());
    expect(served).to.equal(1);
  });

  for (const [what, invoke] of [
    ['an interceptor throws', () => {
      throw new TypeError('no promise');
    }],
    ['an interceptor answers and makes no bytes', async () => create(GetUserResponseSchema)],
  ] satisfies [string, Invoke<ServerCall>][]) {
    it(`fails alone when ${what}`, async () => {
      send(begin(invoke));
      await hasEnded();
      expect(statuses.map(({ code }) => code)).to.deep.equal([status.INTERNAL]);
    });
  }

  it('ends with a bare INTERNAL when its status cannot be written', async () => {
    const call = begin(() => Promise.reject(refusal('ORDER_NOT_FOUND', 'it is not there')), UNARY, 1);
    send(call);
    await hasEnded();
    expect(statuses).to.deep.equal([{ code: status.INTERNAL, details: '', metadata: null }]);
    call.onCancel();
    expect(open.size).to.equal(0);
  });

  it('ends with INTERNAL when its answer cannot be written', async () => {
    send(begin(answered, UNARY, 1));
    await hasEnded();
    expect(statuses.map(({ code }) => code)).to.deep.equal([status.INTERNAL]);
  });
});
