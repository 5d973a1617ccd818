import type { RefusedCall } from './refused-call.ts';
import { orderRequest } from './shop-commands.ts';

/** What people may not do, and who they cannot be. */
export const REFUSED_PEOPLE: readonly RefusedCall[] = [
  {
    what: 'what is for people, to nobody',
    args: () => ['order.ListOrders', '{"userId":"demo"}'],
    code: 'UNAUTHENTICATED',
    reason: 'SIGN_IN_REQUIRED',
    says: /is for people who are signed in; call it with `mesh call --as demo`/,
  },
  {
    what: 'what is for staff, to a customer',
    args: () => ['user.ListUsers', '{}', '--as', 'demo'],
    code: 'PERMISSION_DENIED',
    reason: 'ROLE_REQUIRED',
    says: /is for people with the role staff; sign in as one of them/,
  },
  {
    what: 'somebody of whom nobody knows, with a guess',
    args: () => ['order.ListOrders', '{}', '--as', 'dmo'],
    code: 'INVALID_ARGUMENT',
    says: /--as: there is no dmo; did you mean demo\? \(give a mail address, or a demo account: demo, staff\)/,
  },
  {
    what: 'two ways to say who calls',
    args: () => ['order.ListOrders', '{}', '--as', 'demo', '-H', 'Authorization: Bearer x'],
    code: 'INVALID_ARGUMENT',
    says: /--as sends the header authorization; leave out one of the two/,
  },
  {
    what: 'an order for somebody else',
    args: () => ['order.PlaceOrder', JSON.stringify({ ...orderRequest(), userId: 'nobody' }), '--as', 'demo'],
    code: 'PERMISSION_DENIED',
    reason: 'NOT_THE_OWNER',
    says: /PlaceOrder is for the one whose it is; name yourself in user_id/,
  },
];
