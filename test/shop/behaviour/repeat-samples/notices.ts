import { randomUUID } from 'node:crypto';

import { NotificationCategory } from '#proto/shop/notification/v1/notification_pb.js';

import { newUser } from '../../orders.ts';
import type { Samples } from './sample.ts';

const { ORDER, PAYMENT, SHIPPING } = NotificationCategory;

/** What buyers want to be told. */
export const noticeSamples: Samples = {
  'shop.notification.v1.NotificationService/SetPreferences': async (shop) => {
    const { notifications } = shop;
    const [userId, requestId] = [await newUser(shop), randomUUID()];
    const mute = (muted: NotificationCategory, id: string) => notifications.setPreferences({ userId, preferences: { muted: [muted] }, requestId: id });
    return {
      send: () => mute(PAYMENT, requestId),
      sendOther: () => mute(SHIPPING, requestId),
      books: async () => (await notifications.getPreferences({ userId })).preferences?.muted,
      once: [PAYMENT],
      later: { do: () => mute(ORDER, randomUUID()), books: [ORDER] },
    };
  },
};
