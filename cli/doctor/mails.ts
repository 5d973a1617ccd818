import { type FailingMails, findFailingMails } from '#books/notification';

import { roughTime } from '../status/rough-time.ts';
import { type Check, type Finding, ok, type Scene, skip, warn } from './check.ts';
import { readTables } from './databases.ts';

/** One counts: servers that only ask to come again take a mail at the next try, a second later. */
const MIN_ATTEMPTS = 1;

/** Mails that the mail server, or the folder, does not take. */
export const mails: Check = {
  name: 'mails',
  async run({ settings }: Scene) {
    const url = settings.ownerUrls.notification;
    if (url === '') return [skip('no database is named here; the one of `mesh up` runs with the shop')];
    const sight = await readTables(url, 'notification', (database) => findFailingMails(database, MIN_ATTEMPTS));
    if (!sight) return [skip('those of notification cannot be read')];
    return [sight.found ? waiting(sight.found) : ok('none waits for another try')];
  },
};

function waiting({ count, reason, attempt, oldestMs }: FailingMails): Finding {
  const they = count === 1 ? '1 mail fails and is' : `${count} mails fail and are`;
  const says = `${they} tried again, for ${roughTime(oldestMs)} now; the last one, after ${attempt} ${attempt === 1 ? 'try' : 'tries'}: ${reason}`;
  return warn(says, 'each is tried for a day; check SMTP_URL, or MESH_MAIL_DIR, and what it names');
}
