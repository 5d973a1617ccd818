import { timestampDate } from '@bufbuild/protobuf/wkt';

import { type IssueVerificationCodeResponse, VerificationPurpose } from '#proto/shop/user/v1/account_pb.js';

import type { Words } from '../domain.ts';
import { oneLine } from '../one-line.ts';

/** What the mail of a verification says; undefined for a purpose that this version does not know. */
export function verificationWords({ purpose, code, codeExpireTime }: IssueVerificationCodeResponse): Words | undefined {
  const until = codeExpireTime ? ` It is good until ${timestampDate(codeExpireTime).toUTCString()}.` : '';
  const typed = `${oneLine(code)}\n\nType it where you asked for it, and give it to nobody.${until} If you did not ask for it, do nothing.`;
  switch (purpose) {
    case VerificationPurpose.REGISTRATION:
      return { subject: 'Your code to register', body: `Hello,\n\nthis code makes your account:\n\n${typed}\n` };
    case VerificationPurpose.PASSWORD_RESET:
      return { subject: 'Your code for a new password', body: `Hello,\n\nwith this code you set a new password:\n\n${typed}\n` };
    case VerificationPurpose.ALREADY_REGISTERED: {
      const text = 'somebody wanted to register with this address, which has an account already. If it was you, sign in, or ask for a new password.';
      return { subject: 'You have an account already', body: `Hello,\n\n${text} If it was not you, do nothing.\n` };
    }
    case VerificationPurpose.UNSPECIFIED:
      return undefined;
  }
}
