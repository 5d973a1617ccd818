import type { MailChannel } from './mail-channel.ts';

/** A channel that is loaded with the first mail: the mail library is nothing that a start has to wait for. What fails to load is tried again. */
export function loadLater(load: () => Promise<MailChannel>): MailChannel {
  let loaded: Promise<MailChannel> | undefined;
  const channel = (): Promise<MailChannel> => (loaded ??= load().catch(tryAgain));
  function tryAgain(thrown: unknown): never {
    loaded = undefined;
    throw thrown;
  }
  return {
    send: async (mail, options) => (await channel()).send(mail, options),
    wasTaken: async (id, to) => (await channel()).wasTaken(id, to),
    stop: async () => (await loaded?.catch(() => undefined))?.stop(),
  };
}
