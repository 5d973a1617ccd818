import { join, resolve } from 'node:path';

import { isGiven, type Resolved } from '../settings.ts';
import type { DataFolder } from './data-folder.ts';
import type { Environment } from './environment.ts';

export interface MailPlaceOptions {
  readonly settings: Resolved;
  readonly folder: DataFolder;
  readonly report: (name: string, what: string) => void;
}

/** Where mails go: what stands in for a mail server is a folder of files. Its maker is whoever writes the first one. */
export function mailPlace({ settings, folder, report }: MailPlaceOptions): Environment {
  const { SMTP_URL: url, MESH_MAIL_DIR: given } = settings.values;
  if (isGiven('SMTP_URL', settings)) {
    // Host and port only: it may hold a password.
    report('mail', `through ${URL.parse(url)?.host || 'SMTP_URL'}`);
    return {};
  }
  const mails = given ? resolve(given) : join(folder.path, 'mail');
  report('mail', `${mails} (set SMTP_URL to send it)`);
  return given ? {} : { MESH_MAIL_DIR: mails };
}
