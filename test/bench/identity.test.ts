import { expect } from 'chai';

import type { Figure } from '../../bench/figure.ts';
import { bench } from '../../bench/identity/bench.ts';
import { FIGURES } from '../../bench/identity/figures.ts';

const silent = (): void => {};

// How fast is no test's business. That callers were recognized, sessions resumed, people signed in and every leaf renewed, the benchmark checks itself.
describe('npm run bench identity', function () {
  this.timeout(120_000);

  let figures: readonly Figure[] = [];
  // One of each group, side by side: most of their time they wait for each other's start.
  before(async () => {
    const groups = Object.values(FIGURES).map((group) => bench({ quick: true, progress: silent, only: Object.keys(group).slice(0, 1) }));
    figures = (await Promise.all(groups)).flat();
  });
  const startingWith = (start: string): Figure[] => figures.filter(({ figure }) => figure.startsWith(`identity.${start}`));
  const named = (start: string): Figure => startingWith(start)[0] ?? expect.fail(`${start} is not among ${figures.map(({ figure }) => figure).join(', ')}`);
  function expectBeside({ value, peerValue, ratio }: Figure): void {
    for (const number of [value, peerValue, ratio]) expect(number).to.be.above(0);
  }

  it('measures connections to our door beside those to grpc-js, and those of clients that offer a session', () => {
    const handshakes = startingWith('handshakes_');
    expect(handshakes).to.have.length(3);
    for (const figure of handshakes) {
      expect(figure).to.include({ unit: 'connections/s', aim: null });
      expectBeside(figure);
    }
    expect(named('handshakes_full')).to.include({ peer: 'grpc-js with the same certificates' });
    expect(named('handshakes_resumed (')).to.include({ peer: 'a session offered to grpc-js' });
    expect(named('handshakes_resumed_vs_full')).to.include({ peer: 'the same client without a session' });
  });

  it('measures checks of ten intentions and of a thousand, and what a change of them costs', () => {
    for (const level of ['L4', 'L7']) {
      // A difference, which noise can make anything.
      expect(named(`intention_check (${level})`)).to.include({ unit: 'us', peer: null, aim: '<= 5' });
      expect(named(`intention_check_1000 (${level})`)).to.include({ unit: 'us', peer: '10 intentions', aim: '<= 1.1' });
    }
    const changes = startingWith('intention_change');
    expect(changes.map(({ unit }) => unit)).to.deep.equal(['ms', 'ms', 'ms']);
    for (const { value } of changes) expect(value).to.be.above(0);
  });

  it('measures access tokens that were seen before and others', () => {
    expect(named('token_check (seen before)')).to.include({ unit: 'us', peer: null });
    expectBeside(named('token_check (not seen before)'));
  });

  it('measures sign-ins at the user service, one of them alone, and its memory', () => {
    expect(named('sign_ins').figure).to.match(/^identity\.sign_ins \(\d+ at once, argon2id 19456 KiB, 2 passes, 1 lane\)$/);
    expect(named('sign_ins')).to.include({ unit: 'sign-ins/s', peer: 'the hash alone, 2 at once' });
    expectBeside(named('sign_ins'));
    expect(named('sign_in_ms')).to.include({ unit: 'ms', peer: null }).and.to.have.property('value').that.is.above(0);
    const memory = named('sign_in_memory');
    expect(memory).to.include({ unit: 'MiB', peer: 'idle' });
    expectBeside(memory);
  });

  it('counts the calls that fail while every leaf and the root are renewed', () => {
    const figure = named('rotation_failed_calls');
    expect(figure).to.include({ aim: '<= 0' }).and.to.have.property('value').that.is.at.least(0);
    const [, calls, connections, leaves] = /^failed \(of (\d+) calls, (\d+) connections, (\d+) leaves, 1 roots renewed\)$/.exec(figure.unit) ?? expect.fail(figure.unit);
    expect([calls, connections, leaves].map(Number).every((count) => count > 0)).to.equal(true);
  });

  it('names the figures when asked for one there is not', async () => {
    const failure = await bench({ quick: true, progress: silent, only: ['speed'] }).catch((thrown: Error) => thrown);
    expect(failure).to.be.an('error').with.property('message').that.includes('there is no figure speed').and.includes('handshakes_full');
  });
});
