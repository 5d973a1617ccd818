import { PassThrough } from 'node:stream';

import { expect } from 'chai';

import { askPassword } from '../../cli/calling/ask-password.ts';
import { readCredentials } from '../../cli/calling/credentials.ts';
import { serve } from '../../cli/serving/serve.ts';
import { loadSettings } from '../../cli/settings.ts';
import { silentLog } from '#kit';
import { DEMO_ACCOUNTS } from '#modules';

import { expectRefusal } from '../database/expect-refusal.ts';

const NO_PASSWORD = { MESH_PASSWORD: '' };
const nobodyToAsk = (): Promise<string> => Promise.reject(new Error('it has asked'));

/** A terminal in the hands of a test, and what it has shown. */
function createTerminal() {
  const [input, screen] = [Object.assign(new PassThrough(), { isTTY: true }), new PassThrough({ encoding: 'utf8' })];
  return { input, screen, shown: (): string => screen.read() as string };
}

describe('who signs in', () => {
  it('is a demo account by its name, and nobody is asked', async () => {
    for (const { userId, email, password } of DEMO_ACCOUNTS) {
      expect(await readCredentials(userId, NO_PASSWORD, nobodyToAsk)).to.deep.equal({ email, password, isDemo: true });
    }
  });

  it('is an address, whose password is in MESH_PASSWORD', async () => {
    const given = { MESH_PASSWORD: 'correct horse battery' };
    expect(await readCredentials('ada@example.com', given, nobodyToAsk)).to.deep.equal({ email: 'ada@example.com', password: given.MESH_PASSWORD, isDemo: false });
  });

  it('is asked for the password otherwise', async () => {
    expect(await readCredentials('ada@example.com', NO_PASSWORD, async (whose) => `of ${whose}`)).to.include({ password: 'of ada@example.com' });
  });

  it('is somebody that there can be', async () => {
    expect((await expectRefusal('INVALID_ARGUMENT', readCredentials('staf', NO_PASSWORD, nobodyToAsk))).message).to.contain('did you mean staff?');
  });

  it('types a password of which nothing is shown', async () => {
    const { input, screen, shown } = createTerminal();
    const asking = askPassword('ada@example.com', { input, screen });
    input.write('correct horsf\u007fe battery\r');
    expect(await asking).to.equal('correct horse battery');
    expect(shown()).to.equal('Password of ada@example.com: \n');
  });

  for (const [key, typed] of [['Ctrl-C', '\u0003'], ['Ctrl-D', '\u0004']] as const) {
    it(`may think better of it: ${key}`, async () => {
      const { input, screen } = createTerminal();
      const asking = askPassword('ada@example.com', { input, screen });
      input.write(typed);
      await expectRefusal('CANCELLED', asking);
    });
  }

  it('is asked only at a terminal', async () => {
    expect((await expectRefusal('INVALID_ARGUMENT', askPassword('ada@example.com', { input: new PassThrough(), screen: new PassThrough() }))).message).to.contain('MESH_PASSWORD');
  });
});

describe('demo accounts, whose passwords everybody knows,', () => {
  it('are not made where other machines reach the services', async () => {
    for (const address of ['192.0.2.1', '0.0.0.0', '::']) {
      const refused = await expectRefusal('INVALID_SETTING', loadSettings({ MESH_DEMO_ACCOUNTS: 'true', MESH_ADVERTISE: address }).then((settings) => serve(['user'], settings, silentLog)));
      expect(refused.message).to.contain('MESH_DEMO_ACCOUNTS').and.to.contain(address);
    }
  });

  it('are made by nobody who does not say so', async () => {
    expect((await loadSettings()).values.MESH_DEMO_ACCOUNTS).to.equal(false);
  });
});
