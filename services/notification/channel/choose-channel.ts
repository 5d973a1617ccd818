import { resolve } from 'node:path';

import { type Clock, newId, type Random, refusal, type SettingValues } from '#kit';

import type { notificationSettings } from '../settings.ts';
import { loadLater } from './load-later.ts';
import { isMailAddress } from './mail-address.ts';
import type { MailChannel } from './mail-channel.ts';
import { readSmtpUrl } from './smtp-server.ts';

type MailSettings = Pick<SettingValues<typeof notificationSettings>, 'SMTP_URL' | 'MAIL_FROM' | 'MESH_MAIL_DIR'>;

/** The way to send mail that the settings name: a mail server before a folder. Undefined when they name none. INVALID_SETTING. */
export function chooseChannel({ SMTP_URL: url, MAIL_FROM: from, MESH_MAIL_DIR: folder }: MailSettings, clock: Clock, random: Random): MailChannel | undefined {
  if (url !== '') {
    const server = readSmtpUrl(url);
    requireSender(from);
    return loadLater(async () => (await import('./smtp-channel.ts')).createSmtpChannel({ server, from, clock }));
  }
  if (folder !== '') return loadLater(async () => (await import('./folder-channel.ts')).createFolderChannel(resolve(folder), () => newId(clock, random)));
  return undefined;
}

function requireSender(from: string): void {
  if (from === '') throw refusal('INVALID_SETTING', 'SMTP_URL is set and MAIL_FROM is not; set it to the sender of mails, such as shop@example.com');
  if (!isMailAddress(from)) throw refusal('INVALID_SETTING', `MAIL_FROM is "${from}", which is not an address; write it like shop@example.com`);
}
