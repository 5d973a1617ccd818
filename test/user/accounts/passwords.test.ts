import { expect } from 'chai';

import { refusal, systemRandom } from '#kit';

import { argon2id, type Argon2id } from '../../../services/user/accounts/argon2id.ts';
import { COMMON_PASSWORDS } from '../../../services/user/accounts/common-passwords.ts';
import { HASH_COST, parseHash } from '../../../services/user/accounts/password-hash.ts';
import { createPasswords } from '../../../services/user/accounts/passwords.ts';
import { createTurnstile } from '../../../services/user/accounts/turnstile.ts';
import { newVerificationCode, normalizeCode } from '../../../services/user/accounts/verification-code.ts';
import { expectRefusal } from '../../database/expect-refusal.ts';

const { signal } = new AbortController();

describe('passwords', () => {
  it('are kept as argon2id of 19 MiB, 2 passes and 1 lane, each under a salt of its own', async () => {
    const passwords = createPasswords({ random: systemRandom });
    const [one, other] = [await passwords.hash('correct horse', signal), await passwords.hash('correct horse', signal)];
    expect(one).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/).and.not.equal(other);
    expect(await passwords.verify('correct horse', one, signal)).to.equal('right');
    expect(await passwords.verify('correct house', one, signal)).to.equal('wrong');
    expect(await passwords.verify('correct horse', undefined, signal)).to.equal('wrong');
  });

  it('are hashed as the reference implementation of argon2 does', async () => {
    // Of its test.c, for version 0x13: t=2, m=64 MiB, p=1, "password", "somesalt".
    const tag = await argon2id({ password: 'password', salt: Buffer.from('somesalt'), cost: { memoryKiB: 65_536, passes: 2, lanes: 1 }, tagBytes: 32 });
    expect(Buffer.from(tag).toString('hex')).to.equal('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7');
  });

  it('are hashed two at a time, and no more than 64 wait', async () => {
    let running = 0;
    let most = 0;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow: Argon2id = async ({ tagBytes }) => {
      most = Math.max(most, (running += 1));
      await gate;
      running -= 1;
      return new Uint8Array(tagBytes);
    };
    const passwords = createPasswords({ random: systemRandom, argon2id: slow });
    const admitted = Array.from({ length: 66 }, () => passwords.verify('some', undefined, signal));
    const { retry } = await expectRefusal('OVERLOADED', passwords.verify('some', undefined, signal));
    expect(retry).to.deep.equal({ kind: 'not-started', afterMs: 200 });
    release();
    expect(await Promise.all(admitted)).to.have.length(66);
    expect(most).to.equal(2);
  });

  it('have no hash that cannot be read back, and none that says another version', () => {
    for (const text of ['', 'plain', '$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$dGFn', '$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$dGFn']) {
      expect(() => parseHash(text)).to.throw('no PHC string');
    }
    expect(HASH_COST).to.deep.equal({ memoryKiB: 19_456, passes: 2, lanes: 1 });
  });

  it('that are guessed first are known in lower case, and only those that are long enough', () => {
    for (const password of COMMON_PASSWORDS) expect(password).to.match(/^\S{8,}$/).and.equal(password.toLowerCase());
    expect(COMMON_PASSWORDS.size).to.be.above(100);
  });
});

describe('a turnstile', () => {
  it('is left by who gives up waiting, and the others keep their order', async () => {
    const turnstile = createTurnstile({ atOnce: 1, maxWaiting: 3, what: 'a test' });
    let release = (): void => {};
    const held = turnstile.run(() => new Promise<void>((resolve) => (release = resolve)), signal);
    const order: string[] = [];
    const giving = new AbortController();
    const enter = (name: string, own = signal): Promise<void> => turnstile.run(async () => void order.push(name), own);
    const waiting = [enter('first'), enter('second', giving.signal), enter('third')];
    const gaveUp = expectRefusal('DEADLINE_EXCEEDED', waiting[1] ?? held);
    giving.abort(refusal('DEADLINE_EXCEEDED', 'too late'));
    await gaveUp;
    release();
    await Promise.all([held, waiting[0], waiting[2]]);
    expect(order).to.deep.equal(['first', 'third']);
    await enter('later');
  });

  it('is free again after work that failed', async () => {
    const turnstile = createTurnstile({ atOnce: 1, maxWaiting: 0, what: 'a test' });
    await expectRefusal('INTERNAL', turnstile.run(() => Promise.reject(refusal('INTERNAL', 'broken')), signal));
    expect(await turnstile.run(async () => 'done', signal)).to.equal('done');
  });

  it('lets nobody in whose time is over', async () => {
    const turnstile = createTurnstile({ atOnce: 1, maxWaiting: 1, what: 'a test' });
    await expectRefusal('CANCELLED', turnstile.run(async () => 'done', AbortSignal.abort(refusal('CANCELLED', 'gone'))));
  });
});

describe('a mailed code', () => {
  it('has 80 random bits, in groups that can be typed', () => {
    const codes = new Set(Array.from({ length: 1_000 }, () => newVerificationCode(systemRandom)));
    expect(codes).to.have.length(1_000);
    for (const code of codes) expect(code).to.match(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  });

  it('is the same in small letters, with blanks, and with letters that look like digits', () => {
    expect(normalizeCode('oil1-abcd 2345-6789')).to.equal('0111ABCD23456789');
  });
});
