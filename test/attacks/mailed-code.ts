import { simpleParser } from 'mailparser';

import { until } from '../database/until.ts';
import type { Shop } from '../shop/shop-fixture.ts';
import { readMails } from './shop-places.ts';

/** The code in the mail to this address. One that a test asks for itself would end when the mail is sent, or end the mail's. */
export async function mailedCode(shop: Shop, email: string): Promise<string> {
  let code: string | undefined;
  await until(`a code is mailed to ${email}`, async () => (code = await findCode(shop, email)) !== undefined);
  return code ?? '';
}

async function findCode(shop: Shop, email: string): Promise<string | undefined> {
  const mail = (await readMails(shop)).findLast((text) => text.includes(email));
  if (mail === undefined) return undefined;
  const { text = '' } = await simpleParser(mail);
  return /makes your account:\s+(\S+)/.exec(text)?.[1];
}
