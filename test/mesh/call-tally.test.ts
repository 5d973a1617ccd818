import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { type Code, CODES, MeshError } from '#kit';
import { describeMethod } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { type CallTally, createCallTally } from '../../mesh/server/call-tally.ts';
import { createServerCall } from './support/server-call.ts';
import { createRuledClock, type RuledClock } from './support/ruled-clock.ts';

const method = describeMethod(UserService.method.getUser);

const someCall = createServerCall(method, create(method.desc.input));

describe('the tally of a method', () => {
  let clock: RuledClock;
  let tally: CallTally;
  beforeEach(() => {
    clock = createRuledClock();
    tally = createCallTally(clock);
  });

  function end(times: number, code?: Code): void {
    const error = code && new MeshError(code, code, 'it failed');
    for (let time = 0; time < times; time += 1) tally.count(error, someCall);
  }

  it('is nothing before the first call', () => {
    expect(tally.read()).to.deep.equal({ calls: 0, errors: 0, callsPerSecond: 0, errorsPerSecond: 0 });
  });

  it('counts every call for ever, and for 10 s in the rates', () => {
    end(20);
    expect(tally.read()).to.deep.equal({ calls: 20, errors: 0, callsPerSecond: 2, errorsPerSecond: 0 });
    clock.advance(9_800);
    end(5, 'INTERNAL');
    expect(tally.read()).to.deep.equal({ calls: 25, errors: 5, callsPerSecond: 2.5, errorsPerSecond: 0.5 });
    clock.advance(200);
    expect(tally.read()).to.deep.equal({ calls: 25, errors: 5, callsPerSecond: 0.5, errorsPerSecond: 0.5 });
    clock.advance(10_000);
    expect(tally.read()).to.deep.equal({ calls: 25, errors: 5, callsPerSecond: 0, errorsPerSecond: 0 });
  });

  it('shows a steady rate as it is, however long it lasts', () => {
    for (let second = 0; second < 60; second += 0.1) {
      end(3);
      clock.advance(100);
    }
    // Between two calls the newest bucket is still empty.
    expect(tally.read().callsPerSecond).to.be.within(29.5, 30);
  });

  it('counts as errors the codes that are a fault of the service, and no others', () => {
    for (const code of CODES) if (code !== 'OK') end(1, code);
    const faults = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'];
    expect(tally.read()).to.include({ calls: CODES.length - 1, errors: faults.length });
    const before = tally.read().errors;
    for (const code of faults) end(1, code as Code);
    expect(tally.read().errors - before).to.equal(faults.length);
  });

  it('goes on when the clock is set back', () => {
    end(10);
    clock.advance(-5_000);
    end(10);
    expect(tally.read()).to.deep.include({ calls: 20, callsPerSecond: 1 });
  });
});
