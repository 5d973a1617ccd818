import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { simpleParser } from 'mailparser';

import { createFolderChannel } from '../../services/notification/channel/folder-channel.ts';
import type { Mail, MailChannel, SendOptions } from '../../services/notification/channel/mail-channel.ts';

const MAIL: Mail = { id: 'some-id', to: { name: 'Buyer', address: 'buyer@example.com' }, subject: 'Your order', text: 'Hello,\nGrüße\n', date: new Date('2026-01-02T03:04:05Z') };

describe('the mail folder', () => {
  let base: string;
  let folder: string;
  let channel: MailChannel;
  /** The folder that the last mail was handed over to. */
  let to: string | undefined;
  const freely = (): SendOptions => ({ handOver: async (place) => void (to = place), signal: new AbortController().signal });
  const mails = async (): Promise<string[]> => (await readdir(folder)).filter((name) => !name.startsWith('.'));
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'shopmesh-mail-'));
    folder = join(base, 'not', 'there', 'yet');
    to = undefined;
    channel = createFolderChannel(folder, randomUUID);
  });
  afterEach(() => rm(base, { recursive: true, force: true }));

  it('gets a file for each mail, which mail programs can open, and nothing else', async () => {
    expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    expect(await mails()).to.deep.equal(['some-id.eml']);
    const mail = await simpleParser(await readFile(join(folder, 'some-id.eml')));
    expect(mail).to.deep.include({ subject: 'Your order', text: 'Hello,\nGrüße\n', messageId: '<some-id@localhost>', date: MAIL.date });
    if (process.platform !== 'win32') expect((await stat(join(folder, 'some-id.eml'))).mode & 0o777).to.equal(0o600);
  });

  it('has one file of a mail that is sent twice', async () => {
    for (let twice = 0; twice < 2; twice += 1) await channel.send(MAIL, freely());
    expect(await mails()).to.deep.equal(['some-id.eml']);
  });

  it('tells which mails it has', async () => {
    await channel.send(MAIL, freely());
    expect(await channel.wasTaken(MAIL.id, to)).to.equal(true);
    expect(await channel.wasTaken('another', to)).to.equal(false);
    expect(await createFolderChannel(folder, randomUUID).wasTaken(MAIL.id, to)).to.equal(true);
  });

  it('cannot tell of a mail that was handed over to another folder, as on another machine', async () => {
    const other = createFolderChannel(join(base, 'other'), randomUUID);
    await channel.send(MAIL, freely());
    expect(await other.wasTaken(MAIL.id, to)).to.equal(undefined);
    await other.send({ ...MAIL, id: 'another' }, { ...freely(), handOver: async () => {} });
    expect(await other.wasTaken(MAIL.id, to)).to.equal(undefined);
    expect(await channel.wasTaken(MAIL.id, undefined)).to.equal(undefined);
  });

  it('takes mails at once from the first on', async () => {
    const sent = await Promise.all(Array.from({ length: 8 }, (_, index) => channel.send({ ...MAIL, id: `mail-${index}` }, freely())));
    expect(sent.map(({ kind }) => kind)).to.deep.equal(sent.map(() => 'taken'));
    expect(await readdir(folder)).to.have.length(8 + 1);
  });

  it('has none of a mail whose process died in the middle of it', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'some-id.eml.tmp'), 'Subject: Your o');
    await channel.send({ ...MAIL, id: 'another' }, freely());
    expect(await channel.wasTaken(MAIL.id, to)).to.equal(false);
    await rm(join(folder, 'another.eml'));
    await channel.send(MAIL, freely());
    expect(await mails()).to.deep.equal(['some-id.eml']);
  });

  it('gets nothing when handing over is refused, or it is given up before', async () => {
    const refused = new Error('somebody else has it');
    expect(await channel.send(MAIL, { ...freely(), handOver: () => Promise.reject(refused) }).catch((thrown: unknown) => thrown)).to.equal(refused);
    expect((await channel.send(MAIL, { ...freely(), signal: AbortSignal.abort() })).kind).to.equal('not-now');
    expect(await mails()).to.deep.equal([]);
  });

  it('that cannot be written to is waited for', async () => {
    await writeFile(join(base, 'not'), 'a file where a folder should be');
    expect(await channel.send(MAIL, freely())).to.deep.include({ kind: 'not-now' });
    await rm(join(base, 'not'));
    expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
  });
});
