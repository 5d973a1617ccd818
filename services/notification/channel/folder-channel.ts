import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { errorCode, writeWhole } from '#kit';

import { composeMail } from './compose-mail.ts';
import { findFolderId, requireFolderId } from './folder-id.ts';
import type { MailChannel } from './mail-channel.ts';

/** Nobody answers to it. */
const FROM = 'shop@localhost';

/**
 * Puts each mail into a folder as `<id>.eml`, which mail programs open. A file is there whole or not at all, also
 * after a crash, so this channel can tell whether a mail was taken: where it was handed over to the same folder, which
 * instances on several machines need not share.
 */
export function createFolderChannel(folder: string, newFolderId: () => string): MailChannel {
  const pathOf = (id: string): string => join(folder, `${id}.eml`);
  const notNow = (thrown: unknown) => ({ kind: 'not-now', reason: `the mail folder cannot be written to (${errorCode(thrown) ?? 'unknown error'})` }) as const;

  async function prepare(): Promise<string> {
    await mkdir(folder, { recursive: true });
    return requireFolderId(folder, newFolderId);
  }

  return {
    async send(mail, { handOver, signal }) {
      const bytes = await composeMail(mail, FROM);
      if (signal.aborted) return { kind: 'not-now', reason: 'the shop is stopping' };
      let folderId: string;
      try {
        folderId = await prepare();
      } catch (thrown) {
        return notNow(thrown);
      }
      await handOver(folderId);
      try {
        await writeWhole(pathOf(mail.id), bytes);
        return { kind: 'taken' };
      } catch (thrown) {
        return notNow(thrown);
      }
    },
    async wasTaken(id, to) {
      try {
        if (to === undefined || (await findFolderId(folder)) !== to) return undefined;
        await access(pathOf(id));
        return true;
      } catch (thrown) {
        return errorCode(thrown) === 'ENOENT' ? false : undefined;
      }
    },
    async stop() {},
  };
}
