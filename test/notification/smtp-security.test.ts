import { expect } from 'chai';

import type { MailChannel } from '../../services/notification/channel/mail-channel.ts';
import { startMailServer } from './mail-server.ts';
import { channelTo, freely, MAIL } from './test-channel.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './test-certificate.ts';

describe('the SMTP channel with TLS', () => {
  const secured = { key: TEST_KEY, cert: TEST_CERTIFICATE };

  it('encrypts from the first byte, or before anything is said', async () => {
    for (const security of ['tls', 'starttls'] as const) {
      const safe = await startMailServer({ ...secured, secure: security === 'tls', hideSTARTTLS: false });
      const trusting = channelTo({ port: safe.port, security }, { ca: TEST_CERTIFICATE });
      expect(await trusting.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
      await trusting.stop();
      await safe.stop();
    }
  });

  it('sends nothing to a server that it does not trust, or that does not encrypt', async () => {
    const stranger = await startMailServer({ ...secured, hideSTARTTLS: false });
    const open = await startMailServer();
    for (const port of [stranger.port, open.port]) {
      expect((await channelTo({ port, security: 'starttls' }).send(MAIL, freely())).kind).to.equal('not-now');
    }
    expect([...stranger.heard, ...open.heard]).to.deep.equal([]);
    await Promise.all([stranger.stop(), open.stop()]);
  });

  it('logs in, and tells nobody the password when that is refused', async () => {
    const guarded = await startMailServer({
      ...{ ...secured, secure: true, authOptional: false },
      onAuth: ({ username, password }, _session, callback) =>
        username === 'shop' && password === 's3cret!' ? callback(null, { user: username }) : callback(new Error(`not ${password}`)),
    });
    const as = (password: string): MailChannel => channelTo({ port: guarded.port, security: 'tls', login: { user: 'shop', password } }, { ca: TEST_CERTIFICATE });
    const known = as('s3cret!');
    expect(await known.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    await known.stop();
    const refused = await as('wr0ng!').send(MAIL, freely());
    expect(refused).to.deep.equal({ kind: 'not-now', reason: 'the mail server refuses our login (535)' });
    await guarded.stop();
  });
});
