import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { systemClock, systemRandom } from '#kit';

import { chooseChannel } from '../../services/notification/channel/choose-channel.ts';
import { isMailAddress } from '../../services/notification/channel/mail-address.ts';
import { readSmtpUrl, type SmtpServer } from '../../services/notification/channel/smtp-server.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { MAIL } from './test-channel.ts';

describe('SMTP_URL', () => {
  const login = { user: 'shop@example.com', password: 'p:ss/w@rd%' };
  const readings: Readonly<Record<string, SmtpServer>> = {
    'smtp://mail.example.com': { host: 'mail.example.com', port: 587, security: 'starttls', login: undefined },
    'smtp://mail.example.com:2525': { host: 'mail.example.com', port: 2525, security: 'starttls', login: undefined },
    'smtps://mail.example.com': { host: 'mail.example.com', port: 465, security: 'tls', login: undefined },
    'smtps://shop%40example.com:p%3Ass%2Fw%40rd%25@mail.example.com': { host: 'mail.example.com', port: 465, security: 'tls', login },
    'smtp://shop%40example.com:p%3Ass%2Fw%40rd%25@mail.example.com': { host: 'mail.example.com', port: 587, security: 'starttls', login },
    'smtp://mailpit:1025?tls=off': { host: 'mailpit', port: 1025, security: 'none', login: undefined },
    'smtp://localhost:1025': { host: 'localhost', port: 1025, security: 'none', login: undefined },
    'smtp://127.0.0.1:1025': { host: '127.0.0.1', port: 1025, security: 'none', login: undefined },
    'smtp://[::1]:1025': { host: '::1', port: 1025, security: 'none', login: undefined },
    'smtps://127.0.0.1': { host: '127.0.0.1', port: 465, security: 'tls', login: undefined },
    'smtp://127.example.com': { host: '127.example.com', port: 587, security: 'starttls', login: undefined },
  };
  for (const [text, server] of Object.entries(readings)) {
    it(`${text} is ${server.security} to ${server.host}:${server.port}${server.login ? ' with a login' : ''}`, () => {
      expect(readSmtpUrl(text)).to.deep.equal(server);
    });
  }

  const refused: Readonly<Record<string, string>> = {
    'is no address': 'mail.example.com s3cret',
    'is for something else': 'http://shop:s3cret@mail.example.com',
    'names no server': 'smtp://',
    'has an option that is none': 'smtp://shop:s3cret@mail.example.com?pool=true',
    'turns off what smtps is': 'smtps://shop:s3cret@mail.example.com?tls=off',
    'would send a password in the clear': 'smtp://shop:s3cret@mail.example.com?tls=off',
    'has a % that encodes nothing': 'smtp://shop:s3cret%@mail.example.com',
  };
  for (const [what, text] of Object.entries(refused)) {
    it(`that ${what} is refused, and not repeated: it may hold a password`, async () => {
      const { message } = await expectRefusal('INVALID_SETTING', Promise.resolve().then(() => readSmtpUrl(text)));
      expect(message).to.contain('SMTP_URL').and.not.contain('s3cret');
    });
  }
});

describe('the way to send mail', () => {
  const choose = (settings: Partial<Parameters<typeof chooseChannel>[0]>) => chooseChannel({ SMTP_URL: '', MAIL_FROM: '', MESH_MAIL_DIR: '', ...settings }, systemClock, systemRandom);

  it('is none when neither a server nor a folder is set', () => {
    expect(choose({})).to.equal(undefined);
  });

  it('is a server before a folder: only a folder could tell what became of a mail', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shopmesh-mail-'));
    let to: string | undefined;
    const handOver = async (place?: string): Promise<void> => void (to = place);
    await choose({ MESH_MAIL_DIR: folder })?.send(MAIL, { handOver, signal: new AbortController().signal });
    expect(await choose({ MESH_MAIL_DIR: folder })?.wasTaken(MAIL.id, to)).to.equal(true);
    expect(await choose({ SMTP_URL: 'smtp://localhost', MAIL_FROM: 'shop@example.com', MESH_MAIL_DIR: folder })?.wasTaken(MAIL.id, to)).to.equal(undefined);
    await rm(folder, { recursive: true });
  });

  it('needs a sender that is an address', async () => {
    for (const from of ['', 'shop', 'Shop <shop@example.com>', 'shop@example.com\r\nBcc: all@example.com']) {
      const { message } = await expectRefusal('INVALID_SETTING', Promise.resolve().then(() => choose({ SMTP_URL: 'smtp://localhost', MAIL_FROM: from })));
      expect(message).to.contain('MAIL_FROM');
    }
  });
});

describe('an address', () => {
  for (const good of ['buyer@example.com', "o'neil+shop@mail.example.co.uk", 'grüße@exämple.de', 'a@b']) {
    it(`${good} can be mailed to`, () => {
      expect(isMailAddress(good)).to.equal(true);
    });
  }

  const others = ['', 'buyer', '@example.com', 'buyer@', 'a@b@c', 'a b@c', 'a,b@c', 'a@b,c@d', '<a@b>', 'a@b\nBcc: c@d', 'a@b\r\nRCPT TO:<c@d>', 'a@b\u0000', 'a@b\u2028', `${'a'.repeat(250)}@b.de`, 'a@b\ud800'];
  for (const other of others) {
    it(`${JSON.stringify(other.slice(0, 30))} cannot`, () => {
      expect(isMailAddress(other)).to.equal(false);
    });
  }
});
