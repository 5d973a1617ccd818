import { expect } from 'chai';

import { createNotices } from '../../../mesh/server/door/notices.ts';
import { createRefusedCertificates } from '../../../mesh/server/door/refused-certificates.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { createRuledClock } from '../support/ruled-clock.ts';

const MINUTE_MS = 60_000;

describe('what the log says of certificates that are refused', () => {
  function open() {
    const clock = createRuledClock();
    const { log, lines } = captureLog('warn');
    const notices = createNotices(log, clock);
    const refuse = createRefusedCertificates(notices, clock, log);
    return { clock, refuse, notices, told: () => lines.filter((line) => 'why' in line).map(({ peer }) => String(peer)) };
  }

  it('is said once in ten minutes of each peer', () => {
    const { clock, refuse, told } = open();
    for (let minute = 0; minute < 20; minute += 1, clock.advance(MINUTE_MS)) refuse('10.0.0.1', 'it has expired');
    expect(told()).to.have.lengthOf(2);
  });

  it('is no more than 256 lines in ten minutes, however many addresses show one, and all are counted', () => {
    const { clock, refuse, notices, told } = open();
    for (let address = 0; address < 100_000; address += 1) refuse(`peer-${address}`, 'it has expired');
    expect(told()).to.have.lengthOf(256);
    expect(notices.read()['bad-certificate']).to.equal(100_000);
    clock.advance(11 * MINUTE_MS);
    for (let address = 0; address < 1_000; address += 1) refuse(`later-${address}`, 'it has expired');
    expect(told()).to.have.lengthOf(512);
    expect(told().at(-1)).to.equal('later-255');
  });
});
