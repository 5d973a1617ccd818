import type { Database } from '#database';
import { cutPage, readPage } from '#kit';
import { type Client, type Handlers, once } from '#mesh';
import type { NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import type { UserService } from '#proto/shop/user/v1/user_pb.js';

import { categoriesFromProto, categoryToProto, notificationToProto } from './converters.ts';
import type { Category } from './domain.ts';
import { findMuted, setMuted } from './preferences.ts';
import { listNotifications } from './store.ts';
import type { NotificationWatcher } from './watching.ts';

interface Given {
  readonly database: Database;
  readonly users: Client<typeof UserService>;
  readonly watcher: NotificationWatcher;
}

export function notificationHandlers({ database, users, watcher }: Given): Handlers<typeof NotificationService> {
  return {
    async listNotifications({ userId, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const { entries, nextPageToken } = cutPage(await listNotifications(database, userId, page), page, ({ notificationId }) => notificationId);
      return { notifications: entries.map(notificationToProto), nextPageToken };
    },

    async *watchNotifications({ userId, afterSequence }, { signal }) {
      for await (const notification of watcher.watch(userId, afterSequence, signal)) yield { notification: notificationToProto(notification) };
    },

    async getPreferences({ userId }) {
      return preferences(await findMuted(database, userId));
    },

    async setPreferences({ userId, preferences: wanted }, call) {
      await call.effect?.leaveIfTaken();
      // USER_NOT_FOUND: nobody fills the table with users that are none.
      await users.getUser({ userId }, { signal: call.signal });
      const muted = categoriesFromProto(wanted?.muted ?? []);
      return database.transaction('notification.set_preferences', (tx) =>
        once(call, tx, async () => {
          await setMuted(tx, userId, muted);
          return preferences(muted);
        }),
      );
    },
  };
}

function preferences(muted: readonly Category[]): { preferences: { muted: ReturnType<typeof categoryToProto>[] } } {
  return { preferences: { muted: muted.map(categoryToProto) } };
}
