import { expect } from 'chai';
import fc from 'fast-check';

import { MeshError } from '#kit';

import { readFaultHeader } from '../../../mesh/server/fault-header.ts';
import { refusalOf } from '../../kit/support.ts';

describe('the header mesh-fault', () => {
  it('orders a delay, a failure or both, for every call that carries it or a share of them', () => {
    expect(readFaultHeader('delay=2s;abort=UNAVAILABLE;percent=30')).to.deep.equal({ delayMs: 2_000, abort: 'UNAVAILABLE', percent: 30, untilMs: Infinity });
    expect(readFaultHeader(' abort = ABORTED ')).to.deep.include({ delayMs: 0, abort: 'ABORTED', percent: 100 });
    expect(readFaultHeader('percent=0.5;delay=60s')).to.deep.include({ delayMs: 60_000, abort: undefined, percent: 0.5 });
  });

  const BAD: Readonly<Record<string, string>> = {
    '': '"" is not a part of it',
    'percent=30': 'it asks for nothing',
    'delay=61s': 'longer than 60s',
    'delay=soon': 'not a time span',
    'abort=OK': 'not the code of a failed call',
    'abort=unavailable': 'not the code of a failed call',
    'abort=ABORTED;percent=0': 'above 0',
    'abort=ABORTED;percent=101': 'up to 100',
    'abort=ABORTED;percent=1e1': 'up to 100',
    'abort=ABORTED;': '"" is not a part of it',
    'abort=ABORTED=1': 'not a part of it',
    'constructor=1': 'not a part of it',
  };
  for (const [header, why] of Object.entries(BAD)) {
    it(`is refused as "${header}"`, () => {
      const { code, message, violations } = refusalOf(() => readFaultHeader(header));
      expect(code).to.equal('INVALID_ARGUMENT');
      expect(message).to.include('mesh-fault').and.include(why).and.include('delay=2s;abort=UNAVAILABLE;percent=30');
      expect(violations.map(({ field }) => field)).to.deep.equal(['mesh-fault']);
    });
  }

  it('is read or refused, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (header) => {
        try {
          expect(readFaultHeader(header).delayMs).to.be.within(0, 60_000);
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(MeshError);
        }
      }),
    );
  });
});
