import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Tracer } from '@opentelemetry/api';

import { createReadGroup, type Database } from '#database';
import { type Clock, cutPage, newId, type Random, readPage, refusal } from '#kit';
import type { Handlers } from '#mesh';
import type { UserSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import { findUsers, insertUser, listUsers, type User } from './store.ts';

interface Given {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
}

export function userHandlers({ database, clock, random, tracer }: Given): Handlers<typeof UserService> {
  const readUsers = createReadGroup({ name: 'user.find', tracer, clock }, (userIds) => findUsers(database, userIds));

  return {
    async createUser({ userId, email, displayName }) {
      const wanted = { userId: userId || newId(clock, random), email, displayName, createTime: new Date(clock.now()) };
      const user = (await insertUser(database, wanted)) ?? existing(wanted, await readUsers([wanted.userId]));
      return { user: toProto(user) };
    },

    async getUser({ userId }) {
      const [user] = await readUsers([userId]);
      if (!user) throw refusal('USER_NOT_FOUND', `there is no user ${userId}; create it first`, { metadata: { user_id: userId } });
      return { user: toProto(user) };
    },

    async listUsers({ pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const { entries, nextPageToken } = cutPage(await listUsers(database, page), page, (user) => user.userId);
      return { users: entries.map(toProto), nextPageToken };
    },
  };
}

/** The user that has this id already, if it is the one the caller means. */
function existing(wanted: User, [user]: readonly User[]): User {
  if (user && user.email === wanted.email && user.displayName === wanted.displayName) return user;
  throw refusal('USER_EXISTS', `user ${wanted.userId} exists with other content; choose another user_id`, { metadata: { user_id: wanted.userId } });
}

function toProto(user: User): MessageInitShape<typeof UserSchema> {
  return { userId: user.userId, email: user.email, displayName: user.displayName, createTime: timestampFromDate(user.createTime) };
}
