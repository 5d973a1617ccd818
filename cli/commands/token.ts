import { createCaller } from '../calling/caller.ts';
import { readCredentials } from '../calling/credentials.ts';
import { signInAs } from '../calling/sign-in.ts';
import type { Output } from '../output.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** `mesh token --as NAME`: an access token, for clients that are none of ours. */
export async function tokenCommand(name: string, output: Output): Promise<void> {
  const { settings } = await settingsOfRunningShop();
  const credentials = await readCredentials(name, settings.values);
  const caller = await createCaller(settings);
  try {
    const { userId, accessToken, expireTimeMs } = await signInAs(credentials, caller);
    output.answer(() => accessToken, { userId, accessToken, expireTime: new Date(expireTimeMs).toISOString() });
  } finally {
    await caller.stop();
  }
}
