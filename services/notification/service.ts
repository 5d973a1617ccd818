import { join } from 'node:path';

import { idempotencyMigrations } from '#database';
import { createConsumer, inboxMigrations } from '#events';
import { NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { defineService } from '#service-module';

import { chooseChannel } from './channel/choose-channel.ts';
import { createDirectory } from './directory.ts';
import { notificationEvents } from './events.ts';
import { notificationHandlers } from './handlers.ts';
import { createMailer } from './mailer.ts';
import { notificationSettings } from './settings.ts';
import { createVerificationSender } from './verification/verification-sender.ts';
import { createNotificationWatcher } from './watching.ts';

export const service = defineService({
  name: 'notification',
  contract: NotificationService,
  dependencies: { users: UserService, accounts: AccountService },
  settings: notificationSettings,
  migrations: [{ name: 'notification', directory: join(import.meta.dirname, 'migrations') }, inboxMigrations, idempotencyMigrations],
  build({ clients, database, bus, settings, clock, random, log, tracer, eventHooks }) {
    const { users, accounts } = clients;
    const channel = chooseChannel(settings, clock, random);
    const handlers = notificationEvents({ isMailed: channel !== undefined, clock, random });
    const consumer = createConsumer({ group: 'notification', database, bus, handlers, clock, random, log, tracer, hooks: eventHooks });
    const directory = createDirectory(users);
    const mailer = channel && createMailer({ database, channel, directory, clock, random, log, tracer, ratePerSecond: settings.MESH_MAIL_RATE });
    const verifications = channel && createVerificationSender({ database, channel, accounts, clock, random, log });
    const watcher = createNotificationWatcher(database, clock, log);
    return {
      handlers: notificationHandlers({ database, users, watcher }),
      start() {
        if (!mailer) log.warn('neither SMTP_URL nor MESH_MAIL_DIR is set: notifications are kept and listed, and nothing is mailed');
        mailer?.start();
        verifications?.start();
        consumer.start();
      },
      async stop() {
        await consumer.stop();
        // Ahead of the mailer, which closes the channel.
        await verifications?.stop();
        await mailer?.stop();
        await watcher.stop();
      },
    };
  },
});
