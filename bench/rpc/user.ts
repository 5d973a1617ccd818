import { timestampFromMs } from '@bufbuild/protobuf/wkt';

/** What every server answers: in memory, so that only the call is measured. */
export function userOf(userId: string) {
  return { user: { userId, email: 'someone@example.com', displayName: 'Someone', createTime: timestampFromMs(1_700_000_000_000) } };
}
