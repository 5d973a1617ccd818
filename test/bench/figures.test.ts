import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { createNoopMeter } from '@opentelemetry/api';
import { expect } from 'chai';

import { judge, median } from '../../bench/figure.ts';
import type { BenchClient } from '../../bench/peers/peer.ts';
import { answerTo, checkAnswer, requestOf } from '../../bench/peers/user.ts';
import { appliedAfterMs } from '../../bench/rpc/applied-after.ts';
import { ABLATED } from '../../bench/rpc/contestants.ts';
import { countSpans } from '../../bench/rpc/count-spans.ts';
import { createInMemoryMeter } from '../../bench/rpc/in-memory-meter.ts';
import { measureLoad } from '../../bench/rpc/load.ts';
import { EVERYTHING, MECHANISMS, policiesWithout } from '../../bench/rpc/mechanisms.ts';
import { DESTINATION_DEFAULTS, METHOD_DEFAULTS, SERVER_DEFAULTS } from '../../mesh/policy/defaults.ts';
import { GetUserResponseSchema } from '#proto/shop/user/v1/user_pb.js';

describe('a figure', () => {
  const peer = { name: 'peer', value: 100 };

  it('is held against its aim by its ratio to the peer', () => {
    expect(judge({ figure: 'f', value: 90, unit: 'calls/s', peer, aim: { atLeast: 0.9 } })).to.include({ ratio: 0.9, aim: '>= 0.9', met: true });
    expect(judge({ figure: 'f', value: 100, unit: 'calls/s', peer, aim: { above: 1 } })).to.include({ aim: '> 1', met: false });
  });

  it('is held against its aim by its value where it has no peer, and against none where it has no aim', () => {
    expect(judge({ figure: 'f', value: 11, unit: 'ms', aim: { atMost: 10 } })).to.include({ ratio: null, aim: '<= 10', met: false });
    expect(judge({ figure: 'f', value: 11, unit: 'ms' })).to.include({ aim: null, met: null });
  });

  it('is the middle of its slices', () => {
    expect(median([9, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
  });
});

describe('the receiver of spans', () => {
  const bytes = (field: number, ...parts: Uint8Array[]): Uint8Array =>
    parts.reduce((writer, part) => writer.tag(field, WireType.LengthDelimited).bytes(part), new BinaryWriter()).finish();

  it('counts those of a JSON request, each once', () => {
    const span = { traceId: 'aa', spanId: 'bb', parentSpanId: 'cc' };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span, span] }, { spans: [span] }] }] });
    expect(countSpans(Buffer.from(body), 'application/json')).to.equal(3);
  });

  it('counts those of a protobuf request', () => {
    const span = bytes(1, Buffer.from('trace id'));
    const scope = bytes(2, span, span);
    const resource = Buffer.concat([bytes(1, Buffer.from('resource')), bytes(2, scope, scope)]);
    expect(countSpans(Buffer.from(bytes(1, resource, resource)), 'application/x-protobuf')).to.equal(8);
    expect(countSpans(Buffer.alloc(0), 'application/x-protobuf')).to.equal(0);
  });
});

describe('the call that is measured', () => {
  it('is answered as large as it is asked', () => {
    const request = requestOf('someone', 4_096);
    const answer = answerTo(request);
    checkAnswer(request, answer);
    expect(toBinary(GetUserResponseSchema, answer).length).to.be.within(4_096, 4_196);
  });

  it('fails the benchmark when the answer is another', () => {
    expect(() => checkAnswer(requestOf('someone', 0), create(GetUserResponseSchema))).to.throw('something else');
    expect(() => checkAnswer(requestOf('someone', 16), answerTo(requestOf('someone', 0)))).to.throw('something else');
  });
});

describe('calls at a pace', () => {
  it('count from when they were due, also where their process was too busy to send them', async () => {
    let made = 0;
    const client: BenchClient = {
      async call(request) {
        made += 1;
        // The first one keeps the only thread, while 450 more become due.
        for (const until = performance.now() + 450; made === 1 && performance.now() < until; );
        return answerTo(request);
      },
      settle: async () => {},
    };
    const { p50Ms, calls } = await measureLoad(client, { pace: { perSecond: 1_000 }, warmUpMs: 0, ms: 500, paddingBytes: 0 });
    expect(calls, 'all that were due').to.be.at.least(499);
    // The middle one of them had waited for half of that time.
    expect(p50Ms).to.be.above(20);
  });
});

describe('an update', () => {
  it('is applied when no call goes any more where it should not', () => {
    const calls = [
      { beganMs: 9, port: 2 },
      { beganMs: 11, port: 2 },
      { beganMs: 13, port: 1 },
      { beganMs: 12, port: 1 },
    ];
    expect(appliedAfterMs(calls, 10, [1])).to.equal(2);
    expect(appliedAfterMs(calls, 10, [1, 2])).to.equal(1);
  });

  it('is not applied as long as no call goes by it', () => {
    expect(appliedAfterMs([{ beganMs: 11, port: 2 }], 10, [1])).to.equal(Infinity);
  });
});

describe('a runtime without a mechanism', () => {
  const defaults = [METHOD_DEFAULTS, DESTINATION_DEFAULTS, SERVER_DEFAULTS].flatMap((policy) => Object.entries(policy));
  const changedBy = (name: string): number => {
    const { policies } = policiesWithout(name);
    const parts = policies && [policies.method('user', 'GetUser'), policies.destination('user'), policies.server('user')];
    const entries = parts?.flatMap(({ current }) => Object.entries(current)) ?? [];
    return entries.filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(Object.fromEntries(defaults)[key])).length;
  };

  for (const name of MECHANISMS) it(`differs in nothing but ${name}`, () => expect(changedBy(name)).to.equal(1));

  it('is measured with a meter, too, which changes nothing else', () => {
    expect(ABLATED['with metrics']).to.deep.equal({ ...ABLATED['ours'], isMetered: true });
    expect(createInMemoryMeter()).not.to.equal(createNoopMeter());
  });

  it('can be one without any', () => {
    expect(changedBy(EVERYTHING)).to.equal(defaults.length);
  });
});
